//! Pairs of letters that stand in a text: for what has no literal of any length.
//!
//! In: folded pairs, each with the marks of what it stands for, once; texts, often. Out: the marks of the pairs that
//! stand in a text. Each pair costs one search for it, so pairs are for where nothing better is known. Texts must be
//! folded by the caller.

use std::collections::BTreeMap;

/// Places that are looked at together.
const BLOCK: usize = 16;

/// Pairs with their marks.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pairs: Vec<Pair>,
}

#[derive(Debug)]
struct Pair {
    letters: [u8; 2],
    marks: Box<[u32]>,
}

impl Pairs {
    /// Makes folded pairs ready.
    pub(super) fn new(pairs: BTreeMap<[u8; 2], Vec<u32>>) -> Self {
        let ready = |(letters, marks): ([u8; 2], Vec<u32>)| Pair { letters, marks: marks.into_boxed_slice() };
        Self { pairs: pairs.into_iter().map(ready).collect() }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Calls `found` with the marks of the pairs in a folded text.
    #[inline]
    pub(super) fn find(&self, folded: &[u8], found: &mut impl FnMut(u32)) {
        for Pair { letters, marks } in &self.pairs {
            if stands(*letters, folded) {
                marks.iter().for_each(|mark| found(*mark));
            }
        }
    }
}

/// Whether two letters stand next to each other in `text`. Compiles to vectors: a pass costs an instruction for each byte.
fn stands([first, second]: [u8; 2], text: &[u8]) -> bool {
    let Some(after) = text.get(1..) else { return false };
    let met = |letter: u8, next: u8| u8::from(letter == first) & u8::from(next == second);
    let meet = |letters: &[u8], next: &[u8]| {
        letters.iter().zip(next).fold(0, |all, (letter, next)| all | met(*letter, *next)) != 0
    };
    let (blocks, next_blocks) = (text.as_chunks::<BLOCK>().0, after.as_chunks::<BLOCK>().0);
    if blocks.iter().zip(next_blocks).any(|(letters, next)| meet(letters, next)) {
        return true;
    }
    // The rest, with some of what was seen.
    let before_last = text.get(..after.len()).unwrap_or_default();
    match (before_last.last_chunk::<BLOCK>(), after.last_chunk::<BLOCK>()) {
        (Some(letters), Some(next)) => meet(letters, next),
        _ => meet(before_last, after),
    }
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
            pairs.find(text.as_bytes(), &mut |mark| found.push(mark));
            found.sort_unstable();
            assert_eq!(found, expect, "{text}");
        }
        for length in 0..60 {
            for at in 0..length {
                let text = format!("{}-w{}", "-".repeat(at), "w".repeat(length - at));
                let mut found = Vec::new();
                pairs.find(text.as_bytes(), &mut |mark| found.push(mark));
                assert_eq!(found, [1], "{text}");
            }
        }
    }
}
