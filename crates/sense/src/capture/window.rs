//! A sliding window over a reader: records are parsed where they lie, without a copy each.

use std::io::{self, Read};

/// What is read at once.
const CHUNK_BYTES: usize = 1 << 18;

/// The bytes between what was taken and what was read.
pub(super) struct Window<R> {
    source: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Place of `start` in the source.
    offset: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, bytes: Vec::new(), start: 0, end: 0, offset: 0 }
    }

    /// Where the next byte lies in the source.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes that were read and not taken.
    #[inline]
    pub(super) fn there(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The next `count` bytes without taking them; `None` if the source ends before.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<Option<&[u8]>> {
        while self.end - self.start < count {
            if !self.read_more(count)? {
                return Ok(None);
            }
        }
        Ok(self.bytes.get(self.start..self.start + count))
    }

    /// The next bytes, `count` or as many as there are, without taking them.
    pub(super) fn peek_up_to(&mut self, count: usize) -> io::Result<&[u8]> {
        let there = self.peek(count)?.is_some();
        let end = if there { self.start + count } else { self.end };
        Ok(self.bytes.get(self.start..end).unwrap_or_default())
    }

    /// How many bytes can be had at least; 0 at the end.
    pub(super) fn available(&mut self) -> io::Result<usize> {
        if self.start == self.end {
            self.read_more(1)?;
        }
        Ok(self.end - self.start)
    }

    /// Takes at most `count` bytes of those that were peeked.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let taken = count.min(self.end - self.start);
        let from = self.start;
        self.start += taken;
        self.offset += taken as u64;
        self.bytes.get(from..from + taken).unwrap_or_default()
    }

    /// Passes over `count` bytes; false if the source ends before.
    pub(super) fn skip(&mut self, mut count: usize) -> io::Result<bool> {
        while count > 0 {
            let step = self.available()?.min(count);
            if step == 0 {
                return Ok(false);
            }
            self.take(step);
            count -= step;
        }
        Ok(true)
    }

    /// Reads once; false at the end of the source.
    fn read_more(&mut self, wanted: usize) -> io::Result<bool> {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let size = wanted.max(CHUNK_BYTES);
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
        let Some(room) = self.bytes.get_mut(self.end..) else { return Ok(false) };
        loop {
            match self.source.read(room) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
