//! HTTP/2 in the clear: the client's preface and the fields of requests and responses, RFC 9113, with their compression,
//! RFC 7541.
//!
//! In: the bytes of one direction of a connection, in order, in whatever pieces ([`Side`]). Out: a [`Message`] for each
//! block of fields, with those that name something. Frames with other content are passed over without being kept.
//!
//! The fields of a block depend on all blocks before it. Where bytes are missing, or a bound is exceeded, the rest of the
//! direction is therefore not read, and [`Side::error`] says why.
//!
//! Left out on purpose: bodies, settings (a smaller table is announced in the blocks themselves, RFC 7541 §4.2), the state of
//! streams, and TLS.

mod frame;
mod hpack;
mod huffman;
#[cfg(test)]
mod tests;

pub use frame::Side;

/// What a client sends first, RFC 9113 §3.4.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a block of fields, in one frame or several: as large as a frame may be that nobody agreed on, RFC 9113 §4.2.
pub const MAX_BLOCK_BYTES: usize = 16_384;
/// Bytes of a table of fields, four times what it has where nobody asks for more.
pub const MAX_TABLE_BYTES: usize = 16_384;
/// Fields of a block. Common servers refuse more than 100.
pub const MAX_FIELDS: usize = 256;
/// Bytes kept of a value: as of a head of HTTP/1.
pub const MAX_VALUE_BYTES: usize = crate::http::MAX_HEAD_BYTES;

/// What a block of fields says: of a request, a response, or neither (what follows a body). Text is hostile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The stream: a request and its response have the same.
    pub stream: u32,
    /// The method of a request; empty for a response.
    pub method: Box<[u8]>,
    /// The path of a request.
    pub target: Box<[u8]>,
    /// Whom the request asks: `:authority`, or the Host field.
    pub authority: Box<[u8]>,
    /// The status of a response; 0 for a request.
    pub status: u16,
    /// The user agent of a request, the server of a response.
    pub agent: Box<[u8]>,
    /// The page that led to a request.
    pub referrer: Box<[u8]>,
    /// The media type; `application/grpc` and what begins so is a call of gRPC.
    pub media_type: Box<[u8]>,
}

/// Why a direction cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first bytes are not the client's preface.
    #[error("no preface of http/2")]
    Preface,
    /// Bytes are missing.
    #[error("bytes of a frame or field are missing")]
    Cut,
    /// Frames with fields interrupt each other, RFC 9113 §4.3.
    #[error("a frame stands inside another block of fields")]
    Order,
    /// More than [`MAX_BLOCK_BYTES`].
    #[error("block of fields of more than {MAX_BLOCK_BYTES} bytes")]
    Block,
    /// More than [`MAX_FIELDS`].
    #[error("more than {MAX_FIELDS} fields in a block")]
    Fields,
    /// An entry that neither table has.
    #[error("field {0} is in no table")]
    Index(u32),
    /// A number of more than five bytes.
    #[error("integer of more than five bytes")]
    Integer,
    /// A string that is not in the code, or badly padded.
    #[error("string is not in the huffman code")]
    Huffman,
    /// A table of more than [`MAX_TABLE_BYTES`].
    #[error("table of {0} bytes, more than {MAX_TABLE_BYTES}")]
    Table(u32),
}
