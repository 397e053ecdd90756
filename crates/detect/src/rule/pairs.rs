//! Pairs of letters that stand in a text: for what has no literal of any length.
//!
//! In: folded pairs, each with the marks of what it stands for, once; texts, often. Out: the marks of the pairs that
//! stand in a text. Where they begin with few letters, a pass looks for these; else it looks at every place, for all of
//! them at once. Texts that are not ASCII must be folded by the caller.

use std::collections::BTreeMap;

/// Pairs with their marks.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pairs: Vec<Pair>,
    /// The first letters in either case, each once.
    firsts: Vec<u8>,
    /// By letter: the pairs that begin with it and those that end with it, a bit each; nothing where the first letters
    /// are few.
    masks: Option<Box<[(u64, u64); 256]>>,
}

/// Bits of a mask.
const BITS: usize = 64;
/// Most first letters that are looked for.
const FIRSTS_LIMIT: usize = 3;

#[derive(Debug)]
struct Pair {
    letters: [u8; 2],
    marks: Box<[u32]>,
}

impl Pairs {
    /// Makes folded pairs ready.
    pub(super) fn new(pairs: BTreeMap<[u8; 2], Vec<u32>>) -> Self {
        let ready = |(letters, marks): ([u8; 2], Vec<u32>)| Pair { letters, marks: marks.into_boxed_slice() };
        let pairs: Vec<Pair> = pairs.into_iter().map(ready).collect();
        let mut firsts: Vec<u8> = pairs
            .iter()
            .flat_map(|Pair { letters: [first, _], .. }| [*first, first.to_ascii_uppercase()])
            .collect();
        firsts.sort_unstable();
        firsts.dedup();
        let masks = (firsts.len() > FIRSTS_LIMIT).then(|| Box::new(masks(&pairs)));
        Self { pairs, firsts, masks }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Appends the marks of the pairs in a text, perhaps more than once.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<u32>) {
        match *self.firsts.as_slice() {
            [] => {}
            [a] => memchr::memchr_iter(a, text).for_each(|at| self.find_at(text, at, found)),
            [a, b] => memchr::memchr2_iter(a, b, text).for_each(|at| self.find_at(text, at, found)),
            [a, b, c] => memchr::memchr3_iter(a, b, c, text).for_each(|at| self.find_at(text, at, found)),
            _ => self.find_all(text, found),
        }
    }

    /// The same at every place.
    #[inline(never)]
    fn find_all(&self, text: &[u8], found: &mut Vec<u32>) {
        let (Some(masks), Some(after)) = (self.masks.as_deref(), text.get(1..)) else { return };
        let mask = |letter: &u8| masks.get(usize::from(*letter)).copied().unwrap_or_default();
        let places = text.iter().zip(after);
        let stood = places.fold(0, |all, (letter, next)| all | mask(letter).0 & mask(next).1);
        for (number, Pair { letters, marks }) in self.pairs.iter().enumerate() {
            // More pairs than bits share them.
            let stands =
                || after.iter().zip(text).any(|(next, letter)| [*letter, *next].map(lower) == *letters);
            if stood >> (number % BITS) & 1 == 1 && (self.pairs.len() <= BITS || stands()) {
                found.extend_from_slice(marks);
            }
        }
    }

    /// Appends the marks of the pair that stands at a place.
    #[inline]
    fn find_at(&self, text: &[u8], at: usize, found: &mut Vec<u32>) {
        let Some(letters) = text.get(at..).and_then(<[u8]>::first_chunk::<2>) else { return };
        let letters = letters.map(lower);
        for pair in self.pairs.iter().filter(|pair| pair.letters == letters) {
            found.extend_from_slice(&pair.marks);
        }
    }
}

fn masks(pairs: &[Pair]) -> [(u64, u64); 256] {
    let mut masks = [(0, 0); 256];
    for (number, Pair { letters: [first, second], .. }) in pairs.iter().enumerate() {
        let bit = 1 << (number % BITS);
        for (letter, mask) in (0..=u8::MAX).zip(&mut masks) {
            mask.0 |= if lower(letter) == *first { bit } else { 0 };
            mask.1 |= if lower(letter) == *second { bit } else { 0 };
        }
    }
    masks
}

fn lower(letter: u8) -> u8 {
    letter.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_in_any_place() {
        let pairs = Pairs::new([(*b"-w", vec![1]), (*b"-r", vec![2]), (*b"^^", vec![3])].into());
        for (text, expect) in
            [("x -w y -r", &[1_u32, 2][..]), ("^^", &[3]), ("^-", &[]), ("", &[]), ("-", &[]), ("--w", &[1])]
        {
            let mut found = Vec::new();
            pairs.find(text.as_bytes(), &mut found);
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, expect, "{text}");
            let mut upper = Vec::new();
            pairs.find(text.to_uppercase().as_bytes(), &mut upper);
            upper.sort_unstable();
            upper.dedup();
            assert_eq!(upper, expect, "{text}");
        }
        for length in 0..60 {
            for at in 0..length {
                let text = format!("{}-w{}", "-".repeat(at), "w".repeat(length - at));
                let mut found = Vec::new();
                pairs.find(text.as_bytes(), &mut found);
                assert_eq!(found, [1], "{text}");
            }
        }
    }

    #[test]
    fn of_many_pairs_those_are_found_that_stand() {
        for count in [4_u8, 40, 90] {
            let all: Vec<[u8; 2]> =
                (0..count).map(|number| [b'!' + number % 30, b'a' + number / 30]).collect();
            let pairs = Pairs::new(all.iter().copied().zip((0..).map(|number| vec![number])).collect());
            for (number, letters) in (0_u32..).zip(&all) {
                let text = [b"xyz", letters.to_ascii_uppercase().as_slice(), b"!"].concat();
                let mut found = Vec::new();
                pairs.find(&text, &mut found);
                assert_eq!(found, [number], "{text:?}");
            }
        }
    }
}
