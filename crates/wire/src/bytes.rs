//! A cursor over hostile bytes, and the type of a length that nobody has checked yet.
//!
//! All reads are big-endian and return `None` at the end of the bytes; no read moves the cursor unless
//! it succeeds. What it leaves out: bit fields and little-endian integers.

/// Reads forward through a slice and never past its end.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Starts at `position`, which may lie past the end: then every read returns `None`.
    pub(crate) fn at(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    #[inline]
    pub(crate) fn take(&mut self, len_bytes: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(len_bytes)?;
        let taken = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A length or count of one byte.
    pub(crate) fn length_u8(&mut self) -> Option<Untrusted> {
        self.u8().map(|length| Untrusted(usize::from(length)))
    }

    /// A length or count of two bytes.
    pub(crate) fn length_u16(&mut self) -> Option<Untrusted> {
        self.u16().map(|length| Untrusted(usize::from(length)))
    }
}

/// True if the phrase stands somewhere. For the few hundred bytes of a payload, looking for its first byte costs less than
/// preparing a search.
pub(crate) fn contains(bytes: &[u8], phrase: &[u8]) -> bool {
    let Some(first) = phrase.first() else { return true };
    memchr::memchr_iter(*first, bytes).any(|at| bytes.get(at..).is_some_and(|rest| rest.starts_with(phrase)))
}

/// A length or count that the peer chose; it cannot be used before it is held against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Untrusted(usize);

impl Untrusted {
    /// The value if it is at most `limit`, else the value that was refused.
    pub(crate) fn at_most(self, limit: usize) -> Result<usize, usize> {
        if self.0 <= limit { Ok(self.0) } else { Err(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_past_the_end_leaves_the_cursor_where_it_was() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u16(), Some(0x0102));
        assert_eq!(reader.u16(), None);
        assert_eq!((reader.position(), reader.remaining()), (2, 1));
        assert_eq!(reader.u8(), Some(3));
        assert_eq!(reader.take(usize::MAX), None);
        assert_eq!(Reader::at(&[1], 9).u8(), None);
    }

    #[test]
    fn an_untrusted_length_is_refused_above_its_limit() {
        assert_eq!(Untrusted(63).at_most(63), Ok(63));
        assert_eq!(Untrusted(64).at_most(63), Err(64));
    }
}
