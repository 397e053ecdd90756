//! Heads of HTTP/1 messages, RFC 9112 §2 to §5.
//!
//! In: the first bytes of one direction. Out: a [`Head`]: what the start line says, and the few fields that name
//! something: host, agent, referrer, media type, upgrade. A head that was cut keeps what was read.
//!
//! Left out on purpose: bodies, later messages of the connection, folded lines, other fields, and the meaning of a
//! target.

mod parse;
#[cfg(test)]
mod tests;

pub use parse::head;

/// Bytes of a head that are read. Common servers refuse more than 8 KiB.
pub const MAX_HEAD_BYTES: usize = 8192;
/// Field lines that are read. Common servers refuse more than 100.
pub const MAX_FIELDS: usize = 128;

/// The head of a request or a response. Text is borrowed and hostile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method of a request; empty for a response.
    pub method: &'a [u8],
    /// The target of a request; empty for a response.
    pub target: &'a [u8],
    /// The status of a response; 0 for a request.
    pub status: u16,
    /// The Host field.
    pub host: Option<&'a [u8]>,
    /// The User-Agent of a request, the Server of a response.
    pub agent: Option<&'a [u8]>,
    /// The Referer of a request.
    pub referrer: Option<&'a [u8]>,
    /// The Content-Type field.
    pub media_type: Option<&'a [u8]>,
    /// The Upgrade field.
    pub upgrade: Option<&'a [u8]>,
    /// True if the empty line that ends a head was there.
    pub complete: bool,
}
