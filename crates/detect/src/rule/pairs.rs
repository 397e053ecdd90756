//! Pairs of letters that stand in a text: for what has no literal of any length.
//!
//! In: folded pairs, each with the marks of what it stands for, once; texts, often. Out: the marks of the pairs that
//! stand in a text. Each first letter costs one search for it, so pairs are for where nothing better is known. Texts
//! that are not ASCII must be folded by the caller; ASCII is taken in any case.

use std::collections::BTreeMap;

/// Pairs with their marks.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    firsts: Vec<(u8, Vec<Second>)>,
}

#[derive(Debug)]
struct Second {
    letter: u8,
    marks: Box<[u32]>,
}

impl Pairs {
    /// Makes folded pairs ready.
    pub(super) fn new(pairs: BTreeMap<[u8; 2], Vec<u32>>) -> Self {
        let mut ready = Self::default();
        for ([first, letter], marks) in pairs {
            let second = Second { letter, marks: marks.into_boxed_slice() };
            match ready.firsts.last_mut() {
                Some((known, seconds)) if *known == first => seconds.push(second),
                _ => ready.firsts.push((first, vec![second])),
            }
        }
        ready
    }

    /// Calls `found` with the marks of the pairs in `text`, perhaps more than once.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        for (first, seconds) in &self.firsts {
            for at in memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text) {
                let Some(next) = text.get(at + 1).map(u8::to_ascii_lowercase) else { break };
                let of_pair = seconds.iter().filter(|second| second.letter == next);
                of_pair.flat_map(|second| &second.marks).for_each(|mark| found(*mark));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_in_any_case_and_place() {
        let pairs = Pairs::new([(*b"-w", vec![1]), (*b"-r", vec![2]), (*b"^^", vec![3])].into());
        for (text, expect) in
            [("x -W y -r", &[1_u32, 2][..]), ("^^", &[3]), ("^-", &[]), ("", &[]), ("-", &[]), ("--w", &[1])]
        {
            let mut found = Vec::new();
            pairs.find(text.as_bytes(), &mut |mark| found.push(mark));
            assert_eq!(found, expect, "{text}");
        }
    }
}
