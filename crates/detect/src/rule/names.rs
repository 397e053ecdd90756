//! Ends and starts of a text that are looked up, however many there are: names (the last component of a path, or the whole
//! text), other ends, and starts.
//!
//! In: these, folded, each with the marks of what it stands for, once; texts, often. Out: the marks of the name of a text,
//! and of the ends and starts that it has. Texts that are not ASCII must be folded by the caller.

use super::fold::{is_folded, to_lower};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The bit that tells upper from lower case in ASCII, in each byte.
const CASE: u32 = 0x0020_2020;
/// See `literal`.
const SPREAD: u32 = 0x9E37_79B1;

/// Names with their marks.
#[derive(Debug, Default)]
pub(super) struct Names {
    marks: FxHashMap<Box<[u8]>, Box<[u32]>>,
    /// A bit for each hash of three last bytes: most texts have the end of no name, and are not looked up.
    ends: Option<Box<[u64; 64]>>,
}

impl Names {
    /// Makes folded names ready.
    pub(super) fn new(names: BTreeMap<String, Vec<u32>>) -> Self {
        let mut ready = Self::default();
        for (name, marks) in names {
            match *name.as_bytes() {
                [.., a, b, c] => ready.expect([a, b, c]),
                // What stands before a component.
                [b, c] => (0..=u8::MAX).for_each(|a| ready.expect([a, b, c])),
                _ => {
                    ready.ends.get_or_insert_with(|| Box::new([0; 64]));
                }
            }
            ready.marks.insert(name.into_bytes().into_boxed_slice(), marks.into_boxed_slice());
        }
        ready
    }

    fn expect(&mut self, end: [u8; 3]) {
        let (word, bit) = place(end);
        let ends = self.ends.get_or_insert_with(|| Box::new([0; 64]));
        if let Some(word) = ends.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether a text in any case may have one of the names: its last three bytes tell, where they are ASCII.
    #[inline]
    pub(super) fn may_have(&self, text: &[u8]) -> bool {
        let Some(ends) = self.ends.as_deref() else { return false };
        let Some(end) = text.last_chunk::<3>().filter(|end| end.is_ascii()) else { return true };
        let (word, bit) = place(*end);
        ends.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// Appends the marks of the name of a text.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<u32>) {
        let Some(ends) = self.ends.as_deref() else { return };
        if let Some(end) = text.last_chunk::<3>() {
            let (word, bit) = place(*end);
            if ends.get(word).is_none_or(|word| word >> bit & 1 == 0) {
                return;
            }
        }
        let mut name: SmallVec<[u8; 64]> = last_component(text).into();
        to_lower(&mut name);
        if let Some(marks) = self.marks.get(&*name) {
            found.extend_from_slice(marks);
        }
    }
}

/// Where the bit of three last bytes is: word and bit.
#[inline]
fn place([a, b, c]: [u8; 3]) -> (usize, u32) {
    let hash = (u32::from_le_bytes([a, b, c, 0]) | CASE).wrapping_mul(SPREAD);
    ((hash >> 26) as usize, hash >> 20 & 63)
}

/// The last `/` or `\` and what follows it; the whole text where there is neither.
fn last_component(text: &[u8]) -> &[u8] {
    let at = memchr::memrchr2(b'/', b'\\', text).unwrap_or(0);
    text.get(at..).unwrap_or(text)
}

/// Ends with their marks.
#[derive(Debug, Default)]
pub(super) struct Ends(ByByte);

/// Starts with their marks.
#[derive(Debug, Default)]
pub(super) struct Starts(ByByte);

impl Ends {
    /// Makes folded ends ready.
    pub(super) fn new(ends: BTreeMap<String, Vec<u32>>) -> Self {
        Self(ByByte::new(ends, |text| text.last()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.texts.len()
    }

    /// Appends the marks of the ends of a text.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<u32>) {
        self.0.find(
            text.last(),
            |end| text.len().checked_sub(end.len()).and_then(|at| text.get(at..)),
            found,
        );
    }
}

impl Starts {
    /// Makes folded starts ready.
    pub(super) fn new(starts: BTreeMap<String, Vec<u32>>) -> Self {
        Self(ByByte::new(starts, |text| text.first()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.texts.len()
    }

    /// Appends the marks of the starts of a text.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<u32>) {
        self.0.find(text.first(), |start| text.get(..start.len()), found);
    }
}

/// Texts by their outermost byte.
#[derive(Debug, Default)]
struct ByByte {
    /// By this byte in lower case: where its texts begin and end in `texts`; nothing where there are none.
    by_byte: Option<Box<[(u32, u32); 256]>>,
    texts: Vec<Marked>,
}

#[derive(Debug)]
struct Marked {
    /// Folded.
    text: Box<[u8]>,
    marks: Box<[u32]>,
}

impl ByByte {
    fn new(texts: BTreeMap<String, Vec<u32>>, outermost: fn(&[u8]) -> Option<&u8>) -> Self {
        let marked = |(text, marks): (String, Vec<u32>)| Marked {
            text: text.into_bytes().into_boxed_slice(),
            marks: marks.into_boxed_slice(),
        };
        let mut texts: Vec<Marked> =
            texts.into_iter().filter(|(text, _)| !text.is_empty()).map(marked).collect();
        texts.sort_by_key(|one| outermost(&one.text).copied());
        let mut ready = Self::default();
        for (number, Marked { text, .. }) in (0_u32..).zip(&texts) {
            let by_byte = ready.by_byte.get_or_insert_with(|| Box::new([(0, 0); 256]));
            if let Some(range) = outermost(text).and_then(|byte| by_byte.get_mut(usize::from(*byte))) {
                *range = (if range.1 == 0 { number } else { range.0 }, number + 1);
            }
        }
        Self { texts, ..ready }
    }

    /// Appends the marks of the texts that stand where `part` says, of those whose outermost byte is this one.
    #[inline]
    fn find<'t>(&self, byte: Option<&u8>, part: impl Fn(&[u8]) -> Option<&'t [u8]>, found: &mut Vec<u32>) {
        let (Some(by_byte), Some(byte)) = (self.by_byte.as_deref(), byte) else { return };
        let Some((start, last)) = by_byte.get(usize::from(byte.to_ascii_lowercase())) else { return };
        for Marked { text, marks } in self.texts.get(*start as usize..*last as usize).into_iter().flatten() {
            if part(text).is_some_and(|part| is_folded(part, text)) {
                found.extend_from_slice(marks);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_component() {
        let words = ["/curl", "/w", "w", "", "cmd.exe", "\\cmd.exe", "ab"];
        let names =
            Names::new((0..).zip(words).map(|(number, word)| (word.to_owned(), vec![number])).collect());
        for (text, expect) in [
            ("/usr/bin/curl", &[0_u32][..]),
            ("/CURL", &[0]),
            ("curl", &[]),
            ("/usr/bin/w", &[1]),
            ("w", &[2]),
            ("", &[3]),
            ("CMD.exe", &[4]),
            ("C:\\Windows\\cmd.EXE", &[5]),
            ("AB", &[6]),
            ("/ab", &[]),
        ] {
            for text in [text.to_owned(), text.to_lowercase()] {
                let mut found = Vec::new();
                names.find(text.as_bytes(), &mut found);
                assert_eq!(found, expect, "{text}");
            }
        }
        let mut found = Vec::new();
        Names::default().find(b"w", &mut found);
        assert!(found.is_empty());
    }

    #[test]
    fn all_ends_of_a_text_are_found() {
        let words = [" ", "arm", ".arm", "="];
        let ends =
            Ends::new((0..).zip(words).map(|(number, word)| (word.to_owned(), vec![number])).collect());
        for (text, expect) in
            [("x ", &[0_u32][..]), ("x.ARM", &[1, 2]), ("rm", &[]), ("", &[]), ("a=", &[3]), ("ñarm", &[1])]
        {
            let mut found = Vec::new();
            ends.find(text.as_bytes(), &mut found);
            found.sort_unstable();
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn all_starts_of_a_text_are_found() {
        let words = ["sh -c ", "sh", "--x", "ñ"];
        let starts =
            Starts::new((0..).zip(words).map(|(number, word)| (word.to_owned(), vec![number])).collect());
        for (text, expect) in [
            ("SH -c id", &[0_u32, 1][..]),
            ("s", &[]),
            ("", &[]),
            ("bash", &[]),
            ("--xy", &[2]),
            ("ñarm", &[3]),
        ] {
            let mut found = Vec::new();
            starts.find(text.as_bytes(), &mut found);
            found.sort_unstable();
            assert_eq!(found, expect, "{text}");
        }
    }
}
