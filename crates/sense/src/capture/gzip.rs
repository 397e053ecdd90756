//! gzip, RFC 1952, as a reader: members one after the other, inflated as they are read.

use std::io::{self, Read};

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::Window;

/// RFC 1952 §2.3.1.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;
const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;
const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
/// Names and comments in headers are passed over up to this length.
const MAX_TEXT_BYTES: usize = 65_536;

/// Inflates what it reads.
pub(super) struct Gunzip<R> {
    source: Window<R>,
    state: Box<InflateState>,
    /// Bytes of the member so far, as the trailer counts them.
    length: u32,
    inside: bool,
}

impl<R: Read> Gunzip<R> {
    pub(super) fn new(source: Window<R>) -> Self {
        Self { source, state: InflateState::new_boxed(DataFormat::Raw), length: 0, inside: false }
    }

    /// Passes over a member's header; false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        let Some(header) = self.source.peek(HEADER_BYTES)? else {
            return if self.source.available()? == 0 { Ok(false) } else { Err(broken("header is cut")) };
        };
        let (magic, rest) = header.split_at(MAGIC.len());
        let flags = match rest {
            [DEFLATE, flags, ..] if magic == MAGIC => *flags,
            _ => return Err(broken("member does not begin with a gzip header")),
        };
        self.source.take(HEADER_BYTES);
        if flags & HAS_EXTRA != 0 {
            let length = self.source.peek(2)?.and_then(<[u8]>::first_chunk).copied().map(u16::from_le_bytes);
            let length = length.ok_or_else(|| broken("extra field is cut"))?;
            self.pass(2 + usize::from(length))?;
        }
        for flag in [HAS_NAME, HAS_COMMENT] {
            if flags & flag != 0 {
                self.pass_text()?;
            }
        }
        if flags & HAS_CHECKSUM != 0 {
            self.pass(2)?;
        }
        self.state.reset(DataFormat::Raw);
        (self.length, self.inside) = (0, true);
        Ok(true)
    }

    fn pass(&mut self, count: usize) -> io::Result<()> {
        if self.source.skip(count)? { Ok(()) } else { Err(broken("header is cut")) }
    }

    /// Passes over a text and the zero that ends it.
    fn pass_text(&mut self) -> io::Result<()> {
        for _ in 0..MAX_TEXT_BYTES {
            match self.source.peek(1)? {
                Some([0]) => {
                    self.source.take(1);
                    return Ok(());
                }
                Some(_) => self.source.take(1),
                None => return Err(broken("header is cut")),
            };
        }
        Err(broken("text in the header does not end"))
    }

    fn end(&mut self) -> io::Result<()> {
        let trailer = self.source.peek(TRAILER_BYTES)?.ok_or_else(|| broken("trailer is cut"))?;
        let length = trailer.last_chunk().copied().map(u32::from_le_bytes);
        if length != Some(self.length) {
            return Err(broken("length in the trailer is not that of the data"));
        }
        self.source.take(TRAILER_BYTES);
        self.inside = false;
        Ok(())
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside && !self.begin()? {
                return Ok(0);
            }
            let available = self.source.available()?;
            let input = self.source.peek(available)?.unwrap_or_default();
            let done = inflate(&mut self.state, input, out, MZFlush::None);
            self.source.take(done.bytes_consumed);
            let written = u32::try_from(done.bytes_written).unwrap_or(u32::MAX);
            self.length = self.length.wrapping_add(written);
            match done.status {
                Ok(MZStatus::StreamEnd) => self.end()?,
                Ok(_) | Err(MZError::Buf) if done.bytes_consumed + done.bytes_written > 0 => {}
                Ok(_) | Err(MZError::Buf) if available == 0 => return Err(broken("compressed data is cut")),
                _ => return Err(broken("compressed data is malformed")),
            }
            if done.bytes_written > 0 {
                return Ok(done.bytes_written);
            }
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("gzip {what}"))
}
