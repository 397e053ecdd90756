//! The classic format: one header, then records.

use std::io::Read;

use super::{Error, Located, MAX_FRAME_BYTES, Order, Window, length};

const HEADER_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
/// Alexey Kuznetsov's patched libpcap of 1999 adds interface, protocol and type to a record.
const PATCHED_RECORD_BYTES: usize = 24;
/// The link type stands in the lower bits; the upper ones tell about checksums.
const LINK_MASK: u32 = 0x0fff_ffff;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const PATCHED: u32 = 0xa1b2_cd34;

/// What the file's header says.
#[derive(Debug)]
pub(super) struct Header {
    order: Order,
    link: u32,
    ns_per_fraction: u64,
    record_bytes: usize,
}

/// Nanoseconds of a time's fraction, and length of a record's head, by the file's first bytes.
fn known(magic: u32) -> Option<(u64, usize)> {
    match magic {
        MICROSECONDS => Some((1000, RECORD_BYTES)),
        NANOSECONDS => Some((1, RECORD_BYTES)),
        PATCHED => Some((1000, PATCHED_RECORD_BYTES)),
        _ => None,
    }
}

/// Whether a file that begins so is of this format, in either byte order.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    known(u32::from_le_bytes(magic)).or_else(|| known(u32::from_be_bytes(magic))).is_some()
}

impl Header {
    pub(super) fn read<R: Read>(window: &mut Window<R>, magic: [u8; 4]) -> Result<Self, Error> {
        let little = known(u32::from_le_bytes(magic)).map(|known| (Order::Little, known));
        let big = known(u32::from_be_bytes(magic)).map(|known| (Order::Big, known));
        let Some((order, (ns_per_fraction, record_bytes))) = little.or(big) else {
            return Err(Error::Magic { magic: u32::from_be_bytes(magic) });
        };
        let Some(header) = window.peek(HEADER_BYTES)? else {
            return Err(Error::Truncated { part: "file header", offset: 0 });
        };
        let link = order.u32(header, 20) & LINK_MASK;
        window.take(HEADER_BYTES);
        Ok(Self { order, link, ns_per_fraction, record_bytes })
    }

    #[inline]
    pub(super) fn locate<R: Read>(&self, window: &mut Window<R>) -> Result<Option<Located>, Error> {
        let there = window.there();
        // Nearly always the whole record was read already.
        match self.located(there) {
            Some(located)
                if located.captured_bytes <= MAX_FRAME_BYTES && located.record_bytes <= there.len() =>
            {
                Ok(Some(located))
            }
            _ => self.wait_for(window),
        }
    }

    /// The packet whose record begins the bytes, if its head is there.
    #[inline]
    fn located(&self, record: &[u8]) -> Option<Located> {
        let ([seconds, fraction, captured, len, ..], _) = record.get(..self.record_bytes)?.as_chunks() else {
            return None;
        };
        let [seconds, fraction, captured, len] =
            [seconds, fraction, captured, len].map(|word| self.order.word(*word));
        let captured_bytes = length(captured);
        Some(Located {
            time_ns: u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.ns_per_fraction,
            link: self.link,
            len_bytes: length(len).max(captured_bytes),
            captured_bytes,
            skip: self.record_bytes,
            record_bytes: self.record_bytes.saturating_add(captured_bytes),
        })
    }

    /// The same where more of the file must be read, or what it says cannot be.
    #[inline(never)]
    fn wait_for<R: Read>(&self, window: &mut Window<R>) -> Result<Option<Located>, Error> {
        let offset = window.offset();
        if window.available()? == 0 {
            return Ok(None);
        }
        let cut = Error::Truncated { part: "packet record", offset };
        let Some(record) = window.peek(self.record_bytes)? else { return Err(cut) };
        let Some(located) = self.located(record) else { return Err(cut) };
        if located.captured_bytes > MAX_FRAME_BYTES {
            let (part, field, value) = ("packet record", "captured length", located.captured_bytes as u64);
            return Err(Error::Broken { part, offset, field, value });
        }
        if window.peek(located.record_bytes)?.is_none() {
            return Err(cut);
        }
        Ok(Some(located))
    }
}
