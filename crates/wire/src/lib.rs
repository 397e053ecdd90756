//! Bytes to protocol messages, without I/O.
//!
//! In: byte slices that somebody else captured, all of them hostile. Out: messages, verdicts and
//! offsets, borrowed from the input where that is possible. Nothing here opens a socket, reads a clock,
//! keeps a flow table or knows what an event is; joining segments into streams is the caller's work.
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`packet`] | a captured layer-3 packet | addresses, ports, flags, payload |
//! | [`identify`] | the first payload bytes of both directions | the protocol, how sure, and why |
//! | [`protocol`], [`ports`] | a name or a port | the protocol that belongs to it |
//! | [`dns`] | a datagram or a framed stream | a DNS message |
//! | [`tls`] | the first bytes of one direction | ClientHello and JA4, ServerHello and certificate |
//! | [`quic`] | the first datagrams of a client | its ClientHello |
//! | [`http`] | the first bytes of one direction | the head of an HTTP/1 message |
//! | [`http2`] | the bytes of one direction, in order | the fields of HTTP/2 messages |
//! | [`commands`] | the first bytes of a client | its commands in mail, file transfer and chat |
//! | [`mqtt`] | the first bytes of a client | its name |
//! | [`icmp`] | the payload of an IP packet | echo data |
//! | [`rtp`] | a datagram | the fixed header of RTP |
//! | [`session`] | a plain-text payload | the shell command, prompt or output in it |
//! | [`ssh`] | the first bytes of one direction | banner and HASSH |
//! | [`socks`] | the first bytes of a client | what the proxy relays |
//!
//! A protocol with a parser is a module of one shape: `mod.rs` (what, specification, limits, types,
//! `probe`), `parse.rs`, `tests.rs`. [`dns`] is the complete example. A protocol that is only recognised
//! has a probe in [`identify`] until it grows a parser.
//!
//! Every parser is bounded in bytes and in states by constants that name their source, and none panics
//! on any input; `tests/mutation.rs` tries.
#![forbid(unsafe_code)]

mod bytes;
pub mod commands;
pub mod dns;
pub mod http;
pub mod http2;
pub mod icmp;
pub mod identify;
pub mod mqtt;
pub mod packet;
pub mod ports;
pub mod protocol;
pub mod quic;
pub mod rtp;
pub mod session;
pub mod socks;
pub mod ssh;
pub mod tls;

pub use identify::{Identifier, Verdict};
pub use protocol::Protocol;

/// Which way a payload went, seen from who opened the connection or sent the first datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the opener to the listener.
    ToServer,
    /// From the listener to the opener.
    ToClient,
}

/// The transports whose payloads are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A byte stream: payloads of one direction join.
    Tcp,
    /// Datagrams: each payload stands alone.
    Udp,
}

/// What a probe says about the first bytes of one direction.
///
/// The text is the evidence: a fixed fragment that an analyst can read, such as "SSH version banner".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The bytes are this protocol's own mark; another protocol would hardly send them.
    Certain(&'static str),
    /// The bytes fit this protocol, and others too: the other direction must agree.
    Unsure(&'static str),
    /// The bytes are not this protocol, or too few to say.
    No,
}
