//! What was found out about the values of one field that come again and again: executables, their parents, users, and
//! the command lines of health checks.
//!
//! In: values, with the marks that the index found for them. Out: the same marks without a further look, and answers to
//! questions that were asked about the value before. Only what depends on the value alone is kept, so what is kept
//! decides about time and never about a verdict. Bounded: [`SETS`] times [`WAYS`] values of at most [`TEXT_BYTES`]; a
//! value is kept when it comes for the second time, so that what comes once pushes nothing out.

use rustc_hash::FxHasher;
use std::cell::Cell;
use std::hash::Hasher;

/// Sets of values; a power of two. Hosts run a few hundred executables.
const SETS: usize = 256;
/// Values of a set.
const WAYS: usize = 3;
/// Longest value that is kept.
const TEXT_BYTES: usize = 512;
/// Most marks of a value that is kept.
const MARKS_LIMIT: usize = 256;
/// Answers of a value that are kept; a power of two. A rule of SigmaHQ's asks up to 40 things of one value, one after the
/// other.
const ANSWERS: usize = 64;

/// Values of one field.
#[derive(Debug, Default)]
pub(super) struct Memo {
    sets: Vec<Set>,
    /// `WAYS` of each set.
    known: Vec<Option<Box<Known>>>,
}

/// Which values a set has: a quarter of a cache line, which is all that a value costs that is not known.
#[derive(Debug, Clone, Copy, Default)]
struct Set {
    /// Of each value a part of its hash, never 0; 0 where there is none.
    tags: [u32; WAYS],
    /// The tag of the last value that was not known.
    awaited: u32,
}

/// A value and what was found out about it.
#[derive(Debug)]
pub(super) struct Known {
    text: Box<str>,
    /// The text, folded.
    pub(super) folded: Box<[u8]>,
    /// See [`super::index`]; in order, so that clauses stand before groups.
    pub(super) marks: Box<[u32]>,
    /// By the last bits of a question's number: the number plus one, doubled, and the answer.
    answers: [Cell<u32>; ANSWERS],
}

/// The hash of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash {
    set: usize,
    tag: u32,
}

impl Hash {
    #[inline]
    pub(super) fn of(text: &str) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        let hash = hasher.finish();
        let tag = u32::try_from(hash >> 32).unwrap_or(0) | 1;
        Self { set: usize::try_from(hash & (SETS as u64 - 1)).unwrap_or(0), tag }
    }
}

impl Memo {
    /// The place of `text`, where it is known.
    #[inline]
    pub(super) fn find(&self, hash: Hash, text: &str) -> Option<usize> {
        let set = self.sets.get(hash.set)?;
        let way = set.tags.iter().position(|tag| *tag == hash.tag)?;
        let place = hash.set * WAYS + way;
        self.at(place).is_some_and(|known| *known.text == *text).then_some(place)
    }

    /// The value at a place that [`Memo::find`] or [`Memo::keep`] gave.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<&Known> {
        self.known.get(place)?.as_deref()
    }

    /// Keeps a value that is not known, if it has come before; its place. `folded` need not be, where it is ASCII.
    pub(super) fn keep(&mut self, hash: Hash, text: &str, folded: &[u8], marks: &[u32]) -> Option<usize> {
        if text.len() > TEXT_BYTES || marks.len() > MARKS_LIMIT {
            return None;
        }
        if self.sets.is_empty() {
            self.sets.resize(SETS, Set::default());
            self.known.resize_with(SETS * WAYS, || None);
        }
        let set = self.sets.get_mut(hash.set)?;
        if set.awaited != hash.tag {
            set.awaited = hash.tag;
            return None;
        }
        set.awaited = 0;
        let same = set.tags.iter().position(|tag| *tag == hash.tag);
        let free = || set.tags.iter().position(|tag| *tag == 0);
        let way = same.or_else(free).unwrap_or((hash.tag >> 1) as usize % WAYS);
        *set.tags.get_mut(way)? = hash.tag;
        let mut marks = marks.to_vec();
        marks.sort_unstable();
        marks.dedup();
        let known = Known {
            text: text.into(),
            folded: folded.to_ascii_lowercase().into_boxed_slice(),
            marks: marks.into_boxed_slice(),
            answers: [const { Cell::new(0) }; ANSWERS],
        };
        let place = hash.set * WAYS + way;
        *self.known.get_mut(place)? = Some(Box::new(known));
        Some(place)
    }
}

impl Known {
    /// The answer to the question of this number: the one that it got before, or that of `ask`.
    #[inline]
    pub(super) fn answer(&self, number: u32, ask: impl FnOnce() -> bool) -> bool {
        let Some(kept) = self.answers.get(number as usize % ANSWERS) else { return ask() };
        let name = number.wrapping_add(1) << 1;
        if kept.get() & !1 == name {
            return kept.get() & 1 == 1;
        }
        let answer = ask();
        kept.set(name | u32::from(answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(memo: &mut Memo, text: &str) -> Option<usize> {
        memo.keep(Hash::of(text), text, text.to_lowercase().as_bytes(), &[2, 1, 2])
    }

    #[test]
    fn a_value_is_known_from_its_second_time_on() {
        let mut memo = Memo::default();
        assert_eq!(memo.find(Hash::of("/bin/SH"), "/bin/SH"), None);
        assert_eq!(keep(&mut memo, "/bin/SH"), None);
        assert_eq!(memo.find(Hash::of("/bin/SH"), "/bin/SH"), None);
        let place = keep(&mut memo, "/bin/SH").unwrap();
        assert_eq!(memo.find(Hash::of("/bin/SH"), "/bin/SH"), Some(place));
        let known = memo.at(place).unwrap();
        assert_eq!((&*known.folded, &*known.marks), (&b"/bin/sh"[..], &[1_u32, 2][..]));
    }

    #[test]
    fn what_is_too_long_or_stands_for_too_much_is_not_kept() {
        let mut memo = Memo::default();
        let long = "a".repeat(TEXT_BYTES + 1);
        let many = vec![0; MARKS_LIMIT + 1];
        for _ in 0..3 {
            assert_eq!(keep(&mut memo, &long), None);
            assert_eq!(memo.keep(Hash::of("a"), "a", b"a", &many), None);
        }
    }

    #[test]
    fn of_more_values_than_it_holds_those_are_right_that_it_has() {
        let mut memo = Memo::default();
        let texts: Vec<String> = (0..5_000).map(|number| format!("/bin/{number}")).collect();
        for text in &texts {
            keep(&mut memo, text);
            keep(&mut memo, text);
        }
        let found = texts.iter().filter(|text| {
            let place = memo.find(Hash::of(text), text);
            place.is_some_and(|place| *memo.at(place).unwrap().text == ***text)
        });
        assert!((1..=SETS * WAYS).contains(&found.count()));
    }

    #[test]
    fn answers_are_those_of_their_question() {
        let known = Known {
            text: "".into(),
            folded: [].into(),
            marks: [].into(),
            answers: [const { Cell::new(0) }; ANSWERS],
        };
        let limit = u32::try_from(ANSWERS).unwrap();
        for number in (0..3 * limit).chain(0..3 * limit) {
            for _ in 0..2 {
                assert_eq!(known.answer(number, || number % 3 == 0), number % 3 == 0, "{number}");
            }
        }
        assert!(known.answer(1000, || true) && known.answer(1000, || panic!("asked again")));
    }
}
