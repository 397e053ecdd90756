//! The newer format: sections of blocks; packets name the interface that describes them.

use std::io::Read;

use super::{Error, Located, MAX_FRAME_BYTES, Order, Window, length};

/// Block types.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and length before a block's body, length behind it.
const FRAME_BYTES: usize = 12;
const BODY: usize = 8;
/// Byte-order magic of a section header.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Option codes of an interface.
const OPTION_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
/// Interfaces kept of a section; a capture of all links of a large node has a few hundred.
const MAX_INTERFACES: usize = 4096;
/// Blocks of other kinds are passed over; a packet's block has a header and options beside the frame.
const MAX_PACKET_BLOCK_BYTES: usize = MAX_FRAME_BYTES + 65_536;
/// 10^-9: the finest unit that fits into 64 bits of nanoseconds is one.
const NS_PER_S: u128 = 1_000_000_000;

/// One interface.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u32,
    snap_bytes: usize,
    /// Ticks of its clock in a second.
    ticks_per_s: u64,
    offset_s: i64,
}

impl Interface {
    fn time_ns(&self, ticks: u64) -> u64 {
        let since = u128::from(ticks) * NS_PER_S / u128::from(self.ticks_per_s);
        let offset = i128::from(self.offset_s) * NS_PER_S.cast_signed();
        let total = i128::try_from(since).unwrap_or(i128::MAX).saturating_add(offset).max(0);
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

/// What the section said so far.
#[derive(Debug, Default)]
pub(super) struct Section {
    order: Order,
    interfaces: Vec<Interface>,
}

/// The head of a block.
struct Block {
    kind: u32,
    len_bytes: usize,
    offset: u64,
}

impl Section {
    /// Goes to the next packet and leaves its block in the window.
    pub(super) fn locate<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Located>, Error> {
        while let Some(block) = self.head(window)? {
            let is_packet = matches!(block.kind, OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
            if is_packet || matches!(block.kind, INTERFACE | SECTION_HEADER) {
                if block.len_bytes > MAX_PACKET_BLOCK_BYTES {
                    return Err(block.broken("length", block.len_bytes as u64));
                }
                let Some(bytes) = window.peek(block.len_bytes)? else { return Err(block.cut()) };
                if is_packet {
                    return self.packet(&block, bytes).map(Some);
                }
                if block.kind == INTERFACE {
                    self.add_interface(&block, bytes)?;
                }
            }
            if !window.skip(block.len_bytes)? {
                return Err(block.cut());
            }
        }
        Ok(None)
    }

    /// Reads type and length; a section header sets the byte order first.
    fn head<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Block>, Error> {
        let offset = window.offset();
        if window.available()? == 0 {
            return Ok(None);
        }
        let Some(head) = window.peek(FRAME_BYTES)? else {
            return Err(Error::Truncated { part: "block", offset });
        };
        if self.order.u32(head, 0) == SECTION_HEADER {
            self.order = if Order::Big.u32(head, 8) == BYTE_ORDER { Order::Big } else { Order::Little };
            self.interfaces.clear();
            let magic = self.order.u32(head, 8);
            if magic != BYTE_ORDER {
                let (part, field) = ("section header", "byte-order magic");
                return Err(Error::Broken { part, offset, field, value: magic.into() });
            }
        }
        let block =
            Block { kind: self.order.u32(head, 0), len_bytes: length(self.order.u32(head, 4)), offset };
        if block.len_bytes < FRAME_BYTES || !block.len_bytes.is_multiple_of(4) {
            return Err(block.broken("length", block.len_bytes as u64));
        }
        Ok(Some(block))
    }

    fn add_interface(&mut self, block: &Block, bytes: &[u8]) -> Result<(), Error> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(block.broken("number among interfaces", self.interfaces.len() as u64));
        }
        let mut interface = Interface {
            link: self.order.u16(bytes, BODY).into(),
            snap_bytes: length(self.order.u32(bytes, BODY + 4)),
            ticks_per_s: 1_000_000,
            offset_s: 0,
        };
        // Options: code, length, value padded to four bytes.
        let mut at = BODY + 8;
        while at + 4 <= bytes.len().saturating_sub(4) {
            let (code, len) = (self.order.u16(bytes, at), usize::from(self.order.u16(bytes, at + 2)));
            match code {
                OPTION_END => break,
                OPTION_RESOLUTION if len == 1 => {
                    let value = bytes.get(at + 4).copied().unwrap_or(6);
                    let power = u32::from(value & 0x7f);
                    let base: u64 = if value & 0x80 == 0 { 10 } else { 2 };
                    interface.ticks_per_s = base
                        .checked_pow(power)
                        .ok_or_else(|| block.broken("time resolution", value.into()))?;
                }
                OPTION_OFFSET if len == 8 => {
                    interface.offset_s = self.order.u64(bytes, at + 4).cast_signed();
                }
                _ => {}
            }
            at += 4 + len.next_multiple_of(4);
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet(&self, block: &Block, bytes: &[u8]) -> Result<Located, Error> {
        let word = |at: usize| self.order.u32(bytes, BODY + at);
        let ticks = |at: usize| u64::from(word(at)) << 32 | u64::from(word(at + 4));
        // Interface, ticks, captured and original length, place of the frame.
        let (interface, ticks, captured, len, skip) = match block.kind {
            ENHANCED_PACKET => (word(0), ticks(4), word(12), word(16), BODY + 20),
            OBSOLETE_PACKET => (self.order.u16(bytes, BODY).into(), ticks(4), word(12), word(16), BODY + 20),
            _ => (0, 0, u32::MAX, word(0), BODY + 4),
        };
        let Some(described) = self.interfaces.get(length(interface)) else {
            return Err(block.broken("unknown interface", interface.into()));
        };
        let room = block.len_bytes.saturating_sub(skip + 4);
        let captured_bytes = if block.kind == SIMPLE_PACKET {
            let snap_bytes = if described.snap_bytes == 0 { usize::MAX } else { described.snap_bytes };
            length(len).min(snap_bytes).min(room)
        } else {
            length(captured)
        };
        if captured_bytes > room {
            return Err(block.broken("captured length", captured.into()));
        }
        Ok(Located {
            time_ns: described.time_ns(ticks),
            link: described.link,
            len_bytes: length(len).max(captured_bytes),
            captured_bytes,
            skip,
            record_bytes: block.len_bytes,
        })
    }
}

impl Block {
    fn cut(&self) -> Error {
        Error::Truncated { part: "block", offset: self.offset }
    }

    fn broken(&self, field: &'static str, value: u64) -> Error {
        Error::Broken { part: "block", offset: self.offset, field, value }
    }
}
