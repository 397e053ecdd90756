//! DNS messages: RFC 1035, with AAAA (RFC 3596), SRV (RFC 2782), OPT (RFC 6891) and SVCB/HTTPS (RFC 9460).
//!
//! In: the payload of one datagram, or a TCP stream split by [`split_frame`]. Out: a [`Message`] with
//! header, questions and records. Names are decompressed and escaped; they are hostile text all the
//! same. Multicast DNS and LLMNR have this form too and are told apart by port, which is the caller's
//! knowledge.
//!
//! Left out on purpose: DNSSEC records and SVCB parameters stay raw, nothing is validated against a
//! zone, and no query is matched with its answer.
//!
//! A message that was cut or goes wrong after its questions is not thrown away: what was read before is
//! kept and [`Message::incomplete`] says where and why it ends.

mod name;
mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{Direction, Probe};

pub use parse::{Frame, parse, split_frame};

/// RFC 1035 §2.3.4: a name on the wire, with its length bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// RFC 1035 §2.3.4.
pub const MAX_LABEL_BYTES: usize = 63;
/// Jumps followed in one name. RFC 9267 §2 asks for a limit; each jump must also go backwards, so a
/// name of 127 labels is the most that could use one jump per label.
pub const MAX_POINTERS: usize = 127;
/// Questions read from one message. RFC 9619 §3 allows one; multicast DNS (RFC 6762 §5.3) sends several.
pub const MAX_QUESTIONS: usize = 32;
/// Records read from the three sections together. A 64 KiB message could hold 5,957 empty ones, each
/// of which may expand a 255-byte name.
pub const MAX_RECORDS: usize = 512;

/// One DNS message. Raw data is borrowed from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Identifier, kind and outcome.
    pub header: Header,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What is answered.
    pub answers: Vec<Record<'a>>,
    /// Which servers are responsible.
    pub authorities: Vec<Record<'a>>,
    /// Addresses of the above, and the OPT record.
    pub additionals: Vec<Record<'a>>,
    /// Bytes after the last record, which no resolver reads: room for a covert payload.
    pub trailing_bytes: usize,
    /// Why reading stopped before the end that the header promises, if it did.
    pub incomplete: Option<Error>,
}

/// The twelve-byte header, RFC 1035 §4.1.1, without its counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Chosen by the asker, repeated in the answer.
    pub id: u16,
    /// The second 16-bit word as sent; the methods below read it.
    pub flags: u16,
}

impl Header {
    /// True for an answer, false for a question.
    pub fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// 0 is a standard query, 4 NOTIFY, 5 UPDATE.
    pub fn opcode(self) -> u8 {
        (self.flags >> 11 & 0x0f).to_be_bytes()[1]
    }

    /// The server says that it cut the answer to fit.
    pub fn is_truncated_by_server(self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// The three bits that RFC 1035 reserves as `Z`; RFC 4035 made two of them AD (2) and CD (1).
    pub fn reserved(self) -> u8 {
        (self.flags >> 4 & 0x07).to_be_bytes()[1]
    }

    /// The outcome: 0 is success, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. Without the OPT record's high bits.
    pub fn rcode(self) -> u8 {
        (self.flags & 0x0f).to_be_bytes()[1]
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, escaped, in the case that was sent, without the final dot; the root is `.`.
    pub name: String,
    /// The type that is asked for.
    pub rtype: RecordType,
    /// 1 is the Internet.
    pub class: u16,
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Whose record it is; written as [`Question::name`] is.
    pub name: String,
    /// What kind of data.
    pub rtype: RecordType,
    /// 1 is the Internet; an OPT record says its datagram size here.
    pub class: u16,
    /// Seconds for which it may be kept; an OPT record keeps flags here.
    pub ttl_s: u32,
    /// The data.
    pub data: RecordData<'a>,
}

/// The data of a record, decoded for the types that detection reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant and field is the record type and field that it names")]
pub enum RecordData<'a> {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Cname(String),
    Ns(String),
    Ptr(String),
    Mx {
        preference: u16,
        exchange: String,
    },
    /// The character strings, RFC 1035 §3.3.14, each up to 255 bytes.
    Txt(Vec<&'a [u8]>),
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    Soa {
        primary: String,
        mailbox: String,
        serial: u32,
    },
    /// SVCB or HTTPS: priority, target and the parameters as sent.
    Svcb {
        priority: u16,
        target: String,
        parameters: &'a [u8],
    },
    /// Any other type, as sent.
    Raw(&'a [u8]),
}

/// A record type by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordType(pub u16);

#[allow(missing_docs, reason = "each constant is the record type that it names")]
impl RecordType {
    pub const A: Self = Self(1);
    pub const NS: Self = Self(2);
    pub const CNAME: Self = Self(5);
    pub const SOA: Self = Self(6);
    pub const NULL: Self = Self(10);
    pub const PTR: Self = Self(12);
    pub const MX: Self = Self(15);
    pub const TXT: Self = Self(16);
    pub const AAAA: Self = Self(28);
    pub const SRV: Self = Self(33);
    pub const OPT: Self = Self(41);
    pub const SVCB: Self = Self(64);
    pub const HTTPS: Self = Self(65);
    pub const AXFR: Self = Self(252);
    pub const ANY: Self = Self(255);

    /// The mnemonic, or `TYPE` with the number (RFC 3597 §5) where this crate has none.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::A => "A",
            Self::NS => "NS",
            Self::CNAME => "CNAME",
            Self::SOA => "SOA",
            Self::NULL => "NULL",
            Self::PTR => "PTR",
            Self::MX => "MX",
            Self::TXT => "TXT",
            Self::AAAA => "AAAA",
            Self::SRV => "SRV",
            Self::OPT => "OPT",
            Self::SVCB => "SVCB",
            Self::HTTPS => "HTTPS",
            Self::AXFR => "AXFR",
            Self::ANY => "ANY",
            Self(number) => return Cow::Owned(format!("TYPE{number}")),
        })
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.name())
    }
}

/// What is wrong with a message. Offsets count from its first byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end inside the named part.
    #[error("dns message ends at byte {offset}, inside its {part}")]
    Truncated {
        /// Header, question, record or name.
        part: &'static str,
        /// Where the missing part begins.
        offset: usize,
    },
    /// A name longer than [`MAX_NAME_BYTES`].
    #[error("dns name at byte {offset} is longer than {MAX_NAME_BYTES} bytes")]
    NameLength {
        /// Where the name begins.
        offset: usize,
    },
    /// A label byte with the top bits 01 or 10, which RFC 6891 §5 retired.
    #[error("dns label at byte {offset} has the unknown kind {kind:#04x}")]
    LabelKind {
        /// Where the label begins.
        offset: usize,
        /// Its first byte.
        kind: u8,
    },
    /// A pointer to itself or forwards, the first half of a loop, or more than [`MAX_POINTERS`].
    #[error("dns pointer at byte {offset} to byte {target} does not go backwards or is one of too many")]
    Pointer {
        /// Where the pointer stands.
        offset: usize,
        /// Where it points.
        target: usize,
    },
    /// Data that does not fit the record's own length.
    #[error("dns {rtype} record at byte {offset} has data that does not fit its length of {len_bytes}")]
    RecordLength {
        /// Where the data begins.
        offset: usize,
        /// The record's type.
        rtype: RecordType,
        /// The length that the record gives.
        len_bytes: usize,
    },
    /// More questions than [`MAX_QUESTIONS`].
    #[error("dns message has {count} questions, more than {MAX_QUESTIONS}")]
    Questions {
        /// The count in the header.
        count: usize,
    },
    /// More records than [`MAX_RECORDS`]; the first ones were read.
    #[error("dns message has {count} records, more than {MAX_RECORDS}")]
    Records {
        /// The sum of the counts in the header.
        count: usize,
    },
}

/// NetBIOS name service (RFC 1002 §4.2.1.2) borrows the DNS format with these two question types.
const NETBIOS_TYPES: [RecordType; 2] = [RecordType(32), RecordType(33)];
/// RFC 1002 §4.1: an encoded NetBIOS name is always this long.
const NETBIOS_NAME_CHARACTERS: usize = 32;

/// RFC 1035 §3.2.4.
const INTERNET: u16 = 1;

/// Says whether a datagram is a DNS message.
pub fn probe(datagram: &[u8], direction: Direction) -> Probe {
    // The header alone refuses most of what is no DNS, before anything is read into memory.
    let [id_high, id_low, high, low, ..] = datagram else { return Probe::No };
    let header =
        Header { id: u16::from_be_bytes([*id_high, *id_low]), flags: u16::from_be_bytes([*high, *low]) };
    let standard = matches!(header.opcode(), 0 | 4 | 5) && header.flags & 0x0040 == 0;
    if header.is_response() != (direction == Direction::ToClient) {
        return Probe::No;
    }
    let Ok(message) = parse(datagram) else { return Probe::No };
    if message.questions.iter().any(is_netbios) {
        return Probe::No;
    }
    if !standard {
        // An operation or flag that is not assigned may hide it: then everything else must be right.
        let is_right = message.incomplete.is_none()
            && message.trailing_bytes == 0
            && matches!(message.questions.as_slice(), [question] if question.class == INTERNET);
        let evidence = "DNS message with an unassigned operation or flag";
        return if is_right { Probe::Unsure(evidence) } else { Probe::No };
    }
    match (&message.incomplete, message.questions.len()) {
        (None, 1) => Probe::Certain("DNS message with one question"),
        (Some(Error::Truncated { .. }), 1) => Probe::Unsure("start of a DNS message with one question"),
        // Updates delete with records without data, RFC 2136 §2.5.2; others are broken, and DNS for all that.
        (Some(Error::RecordLength { .. }), 1) => {
            Probe::Unsure("DNS message with one question and odd records")
        }
        (None, _) if !message.answers.is_empty() => Probe::Unsure("DNS message with answers"),
        // Multicast DNS asks several at once, RFC 6762 §5.3.
        (None, 2..) if message.header.opcode() == 0 => Probe::Unsure("DNS message with several questions"),
        _ => Probe::No,
    }
}

/// Says whether a TCP stream begins with a framed DNS message, RFC 1035 §4.2.2.
pub fn probe_stream(stream: &[u8], direction: Direction) -> Probe {
    match split_frame(stream) {
        Frame::Whole { message, .. } => probe(message, direction),
        Frame::Partial { message, .. } => match probe(message, direction) {
            Probe::No => Probe::No,
            Probe::Certain(evidence) | Probe::Unsure(evidence) => Probe::Unsure(evidence),
        },
    }
}

fn is_netbios(question: &Question) -> bool {
    NETBIOS_TYPES.contains(&question.rtype)
        && question.name.len() >= NETBIOS_NAME_CHARACTERS
        && question.name.bytes().take(NETBIOS_NAME_CHARACTERS).all(|byte| byte.is_ascii_uppercase())
}
