//! The bytes of one direction to frames, and those with fields to messages.

use super::hpack::Decoder;
use super::{Error, MAX_BLOCK_BYTES, MAX_VALUE_BYTES, Message, PREFACE};
use crate::Direction;
use crate::bytes::Reader;

/// RFC 9113 §4.1.
const HEAD_BYTES: usize = 9;
/// RFC 9113 §6: the types of frames that carry fields.
const HEADERS: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
/// RFC 9113 §6.2: flags of these frames.
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;
/// The other bit of a stream's number is reserved.
const STREAM_BITS: u32 = 0x7fff_ffff;

/// One direction of a connection, read as its bytes come.
///
/// ```
/// use wire::{Direction, http2::Side};
/// let mut client = Side::new(Direction::ToServer);
/// client.take(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &mut |_| {});
/// let get = b"\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84";
/// client.take(get, &mut |message| assert_eq!(&*message.target, b"/"));
/// assert!(client.error().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Side {
    expect: Expect,
    /// Bytes of what is expected that are here already.
    pending: Vec<u8>,
    /// Fields whose frames go on, and the stream that they are of.
    open: Option<(u32, Vec<u8>)>,
    fields: Decoder,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Preface,
    Head,
    /// A frame with fields, with its head so long.
    Frame(usize),
    /// So much of a frame that is not read.
    Rest(usize),
    /// Nothing that could be read.
    Nothing(Error),
}

/// RFC 9113 §4.1.
struct Head {
    len_bytes: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Side {
    /// A direction whose first byte comes next: a client begins with its preface, a server with a frame.
    pub fn new(direction: Direction) -> Self {
        let expect = if direction == Direction::ToServer { Expect::Preface } else { Expect::Head };
        Self { expect, pending: Vec::new(), open: None, fields: Decoder::default() }
    }

    /// Takes the next bytes, and gives each message whose fields are all here.
    pub fn take(&mut self, bytes: &[u8], found: &mut dyn FnMut(Message)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let wanted = match self.expect {
                Expect::Nothing(_) => return,
                Expect::Rest(left) => {
                    let step = left.min(rest.len());
                    rest = rest.get(step..).unwrap_or_default();
                    self.expect = if step == left { Expect::Head } else { Expect::Rest(left - step) };
                    continue;
                }
                Expect::Preface => PREFACE.len(),
                Expect::Head => HEAD_BYTES,
                Expect::Frame(len_bytes) => len_bytes,
            };
            let (more, after) = rest.split_at(rest.len().min(wanted.saturating_sub(self.pending.len())));
            self.pending.extend_from_slice(more);
            rest = after;
            if self.pending.len() >= wanted {
                self.expect = self.whole(found).unwrap_or_else(|error| self.give_up(error));
            }
        }
    }

    /// Why nothing more is read of this direction; nothing while all is well.
    pub fn error(&self) -> Option<Error> {
        match self.expect {
            Expect::Nothing(error) => Some(error),
            _ => None,
        }
    }

    /// Bytes are missing: frames cannot be found again, and the table of fields is lost.
    pub fn lose(&mut self) {
        self.expect = self.give_up(Error::Cut);
    }

    fn give_up(&mut self, error: Error) -> Expect {
        (self.pending, self.open, self.fields) = (Vec::new(), None, Decoder::default());
        Expect::Nothing(error)
    }

    /// What was expected is here; says what comes next.
    fn whole(&mut self, found: &mut dyn FnMut(Message)) -> Result<Expect, Error> {
        if self.expect == Expect::Preface {
            let is_preface = self.pending == PREFACE;
            self.pending.clear();
            return if is_preface { Ok(Expect::Head) } else { Err(Error::Preface) };
        }
        let mut reader = Reader::new(&self.pending);
        let head = head(&mut reader).ok_or(Error::Cut)?;
        let has_fields = matches!(head.kind, HEADERS | PUSH_PROMISE | CONTINUATION);
        if self.expect == Expect::Head && !has_fields {
            self.pending.clear();
            return Ok(if head.len_bytes == 0 { Expect::Head } else { Expect::Rest(head.len_bytes) });
        }
        if head.len_bytes > MAX_BLOCK_BYTES {
            return Err(Error::Block);
        }
        if self.expect == Expect::Head && head.len_bytes > 0 {
            return Ok(Expect::Frame(HEAD_BYTES + head.len_bytes));
        }
        let part = fragment(&head, reader).ok_or(Error::Cut)?;
        let (stream, block) = match (self.open.take(), head.kind) {
            (Some((stream, mut block)), CONTINUATION) if stream == head.stream => {
                block.extend_from_slice(part);
                (stream, block)
            }
            (None, HEADERS | PUSH_PROMISE) => (head.stream, part.to_vec()),
            _ => return Err(Error::Order),
        };
        self.pending.clear();
        if block.len() > MAX_BLOCK_BYTES {
            return Err(Error::Block);
        }
        if head.flags & END_HEADERS == 0 {
            self.open = Some((stream, block));
            return Ok(Expect::Head);
        }
        let mut message = Message { stream, ..Message::default() };
        self.fields.block(&block, &mut |name, value| note(&mut message, name, value))?;
        found(message);
        Ok(Expect::Head)
    }
}

fn head(reader: &mut Reader<'_>) -> Option<Head> {
    let [high, middle, low, kind, flags] = reader.array()?;
    let len_bytes = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    Some(Head { len_bytes, kind, flags, stream: reader.u32()? & STREAM_BITS })
}

/// The part of a field block in a frame: without padding, priority and promised stream, RFC 9113 §6.2 and §6.6.
fn fragment<'b>(head: &Head, mut reader: Reader<'b>) -> Option<&'b [u8]> {
    let has = |flag| head.kind != CONTINUATION && head.flags & flag != 0;
    let padding_bytes = if has(PADDED) { usize::from(reader.u8()?) } else { 0 };
    let before_bytes = match head.kind {
        HEADERS if has(PRIORITY) => 5,
        PUSH_PROMISE => 4,
        _ => 0,
    };
    reader.take(before_bytes)?;
    reader.take(reader.remaining().checked_sub(padding_bytes)?)
}

/// Keeps the fields that name something; the first of several counts, as in HTTP/1 here.
fn note(message: &mut Message, name: &[u8], value: &[u8]) {
    let slot = match name {
        b":status" => {
            let status = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            message.status = status.unwrap_or(message.status);
            return;
        }
        b":method" => &mut message.method,
        b":path" => &mut message.target,
        b":authority" => &mut message.authority,
        b"host" if message.authority.is_empty() => &mut message.authority,
        b"user-agent" => &mut message.agent,
        b"server" if message.status != 0 => &mut message.agent,
        b"referer" => &mut message.referrer,
        b"content-type" => &mut message.media_type,
        _ => return,
    };
    if slot.is_empty() {
        *slot = value.get(..MAX_VALUE_BYTES).unwrap_or(value).into();
    }
}
