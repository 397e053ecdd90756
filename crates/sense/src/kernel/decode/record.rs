//! Bounds-checked reading of one record, and its strings.
//!
//! In: bytes that the kernel programs wrote, holding strings that a container chose. Out: integers and
//! [`Text`]s, or an error. Nothing is trusted: a length beyond the record is an error, not a panic.

use event::{Provenance, Text};

use super::{super::layout, DecodeError};

/// Length of a text whose full length is not known, only that it was cut.
const CUT_FROM_UNKNOWN: u32 = u32::MAX;
/// Prefix of a path whose upper components are not known. It cannot be mistaken for an absolute path.
pub(super) const UNKNOWN_ROOT: &str = "…/";

/// The bytes of one record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    /// Bits of `layout::F_*`.
    pub(super) flags: u16,
}

impl<'a> Record<'a> {
    /// Takes a record whose header is whole and whose stated length is inside `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let record = Self { bytes, flags: 0 };
        let stated = record.u32(layout::header::LEN)?;
        let len = usize::try_from(stated).unwrap_or(usize::MAX);
        if len < layout::header::BYTES {
            return Err(DecodeError::Short { needed: layout::header::BYTES, len });
        }
        let bytes = bytes.get(..len).ok_or(DecodeError::Short { needed: len, len: bytes.len() })?;
        let flags = record.u16(layout::header::FLAGS)?;
        Ok(Self { bytes, flags })
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], DecodeError> {
        self.bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk::<N>())
            .copied()
            .ok_or(DecodeError::Short { needed: at.saturating_add(N), len: self.bytes.len() })
    }

    pub(super) fn u16(&self, at: usize) -> Result<u16, DecodeError> {
        self.array(at).map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&self, at: usize) -> Result<u32, DecodeError> {
        self.array(at).map(u32::from_ne_bytes)
    }

    pub(super) fn i32(&self, at: usize) -> Result<i32, DecodeError> {
        self.array(at).map(i32::from_ne_bytes)
    }

    pub(super) fn u64(&self, at: usize) -> Result<u64, DecodeError> {
        self.array(at).map(u64::from_ne_bytes)
    }

    pub(super) fn i64(&self, at: usize) -> Result<i64, DecodeError> {
        self.array(at).map(i64::from_ne_bytes)
    }

    /// The variable parts behind a fixed part of `size` bytes.
    pub(super) fn parts(&self, size: usize) -> Result<Parts<'a>, DecodeError> {
        let rest =
            self.bytes.get(size..).ok_or(DecodeError::Short { needed: size, len: self.bytes.len() })?;
        Ok(Parts { rest, data_cut: self.has(layout::F_DATA_CUT) })
    }
}

/// The variable parts that are still to be taken, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    rest: &'a [u8],
    data_cut: bool,
}

impl<'a> Parts<'a> {
    pub(super) fn bytes(&mut self, len: u32) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let (part, rest) =
            self.rest.split_at_checked(len).ok_or(DecodeError::Part { len, left: self.rest.len() })?;
        self.rest = rest;
        Ok(part)
    }

    /// A string from the process, up to its NUL.
    pub(super) fn claimed(&mut self, len: u32) -> Result<Text, DecodeError> {
        let bytes = until_nul(self.bytes(len)?);
        if bytes.is_empty() {
            return Ok(Text::default());
        }
        let text = Text::from_bytes(bytes, Provenance::Claimed);
        Ok(if self.data_cut { text.cut_from(CUT_FROM_UNKNOWN) } else { text })
    }

    /// A path from kernel objects: leaf first, each component ended by NUL.
    pub(super) fn path(&mut self, len: u32) -> Result<Text, DecodeError> {
        let cut = len & layout::PATH_CUT != 0;
        let path = path_bytes(self.bytes(len & !layout::PATH_CUT)?, cut);
        Ok(mark(Text::from_bytes(&path, Provenance::Resolved), cut))
    }

    /// A path that the process gave (`claimed_len` bytes), relative to a directory that the kernel resolved.
    pub(super) fn joined(&mut self, claimed_len: u32, directory_len: u32) -> Result<Text, DecodeError> {
        let claimed = until_nul(self.bytes(claimed_len)?);
        let cut = directory_len & layout::PATH_CUT != 0;
        let directory = self.bytes(directory_len & !layout::PATH_CUT)?;
        let path = match claimed {
            [] => path_bytes(directory, cut),
            [b'/', ..] => lexical(claimed),
            _ => {
                let mut path = path_bytes(directory, cut);
                path.push(b'/');
                path.extend_from_slice(claimed);
                lexical(&path)
            }
        };
        let text = Text::from_bytes(&path, Provenance::Claimed);
        Ok(if self.data_cut { text.cut_from(CUT_FROM_UNKNOWN) } else { mark(text, cut) })
    }
}

fn mark(text: Text, cut: bool) -> Text {
    if cut && text.as_str().starts_with('…') { text.cut_from(CUT_FROM_UNKNOWN) } else { text }
}

/// The bytes before the first NUL.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|b| *b == 0).next().unwrap_or_default()
}

/// Turns leaf-first components around.
fn path_bytes(components: &[u8], cut: bool) -> Vec<u8> {
    let mut path = Vec::with_capacity(components.len() + UNKNOWN_ROOT.len());
    let components = components.strip_suffix(&[0]).unwrap_or(components);
    for component in components.rsplit(|b| *b == 0).filter(|c| !c.is_empty()) {
        if path.is_empty() && cut {
            path.extend_from_slice(UNKNOWN_ROOT.as_bytes());
        } else {
            path.push(b'/');
        }
        path.extend_from_slice(component);
    }
    path
}

/// The path without `.`, `..` and empty components, by its text alone: what the process meant where no symbolic
/// link is on the way, which is why the result stays claimed.
fn lexical(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for component in path.split(|b| *b == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(component),
        }
    }
    let absolute = path.first() == Some(&b'/');
    let mut clean = Vec::with_capacity(path.len());
    for component in &kept {
        if absolute || !clean.is_empty() {
            clean.push(b'/');
        }
        clean.extend_from_slice(component);
    }
    if clean.is_empty() { b"/".to_vec() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_turned_around() {
        assert_eq!(path_bytes(b"sh\0bin\0", false), b"/bin/sh");
        assert_eq!(path_bytes(b"sh\0bin\0", true), "…/bin/sh".as_bytes());
        assert_eq!(path_bytes(b"", false), b"");
    }

    #[test]
    fn dots_are_taken_out_of_claimed_paths() {
        for (given, clean) in
            [("/etc/../etc/./passwd", "/etc/passwd"), ("//a///b/", "/a/b"), ("/../..", "/"), ("a/../b", "b")]
        {
            assert_eq!(lexical(given.as_bytes()), clean.as_bytes(), "{given}");
        }
    }

    #[test]
    fn a_part_longer_than_the_record_is_an_error() {
        let mut parts = Parts { rest: b"abc", data_cut: false };
        assert!(matches!(parts.bytes(4), Err(DecodeError::Part { len: 4, left: 3 })));
        assert!(matches!(parts.bytes(u32::MAX), Err(DecodeError::Part { .. })));
        assert_eq!(parts.bytes(3).unwrap(), b"abc");
    }

    #[test]
    fn relative_names_are_joined_to_their_directory() {
        let mut parts = Parts { rest: b"../x\0b\0a\0", data_cut: false };
        let text = parts.joined(5, 4).unwrap();
        assert_eq!(text, Text::claimed("/a/x"));
    }
}
