//! Layer-3 packets, as captured without a link-layer header.
//!
//! In: the first bytes of an IPv4 (RFC 791) or IPv6 (RFC 8200) packet, cut anywhere. Out: the endpoints,
//! the transport and the payload that was captured, borrowed from the input.
//!
//! [`parse`] reads a whole packet at once. Who joins fragments or looks into tunnels reads in steps:
//! [`network`], then [`Datagram::tunnelled`], then [`Datagram::transport`].
//!
//! Left out on purpose: checksums (offloading makes them wrong on the sending host), reassembly of
//! fragments, and every transport but TCP (RFC 9293) and UDP (RFC 768). The caller counts those by their
//! [`Error`].

mod parse;
#[cfg(test)]
mod tests;
mod tunnel;

use std::net::IpAddr;

use crate::Transport;

pub use parse::{network, parse};
pub use tunnel::ppp;

/// IANA protocol numbers that callers tell apart.
pub mod number {
    /// ICMP for IPv4, RFC 792.
    pub const ICMP: u8 = 1;
    /// TCP, RFC 9293.
    pub const TCP: u8 = 6;
    /// UDP, RFC 768.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6, RFC 4443.
    pub const ICMPV6: u8 = 58;
}

/// IPv6 extension headers followed before a packet is refused. RFC 8200 §4.1 lists at most seven in an
/// ordinary packet.
pub const MAX_EXTENSION_HEADERS: usize = 8;

/// What one IP packet carries, or a fragment of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The sender's address.
    pub src: IpAddr,
    /// The receiver's address.
    pub dst: IpAddr,
    /// What is carried, by its IANA protocol number.
    pub number: u8,
    /// The bytes after the IP headers, as far as they were captured.
    pub payload: &'a [u8],
    /// True if the payload went on past the capture. A fragment is whole in this sense.
    pub truncated: bool,
    /// Which part this is, if the packet was cut on its way.
    pub fragment: Option<Fragment>,
    /// The length that the headers give, headers included.
    pub len_bytes: usize,
}

/// The place of a fragment, RFC 791 §3.2 and RFC 8200 §4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The same for all parts of a packet; IPv4 uses 16 bits.
    pub id: u32,
    /// Where the part belongs.
    pub offset_bytes: usize,
    /// True if this is not the last part.
    pub more: bool,
}

/// One TCP segment or UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The sender's address. IPv4 stays IPv4.
    pub src: IpAddr,
    /// The receiver's address.
    pub dst: IpAddr,
    /// The sender's port.
    pub sport: u16,
    /// The receiver's port.
    pub dport: u16,
    /// TCP or UDP.
    pub transport: Transport,
    /// The flags of a TCP segment; none for UDP.
    pub tcp_flags: TcpFlags,
    /// The sequence number of a TCP segment's first byte; 0 for UDP.
    pub sequence: u32,
    /// The payload, as far as it was captured, without link-layer padding.
    pub payload: &'a [u8],
    /// True if the payload went on past the capture, or past this fragment.
    pub truncated: bool,
}

/// The low eight flag bits of a TCP header, RFC 9293 §3.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement field counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);

    /// True if all bits of `flags` are set.
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// Why a packet has no endpoints and payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The capture ends inside a header.
    #[error("packet ends inside its {header} header")]
    Truncated {
        /// Which header.
        header: &'static str,
    },
    /// The first four bits are neither 4 nor 6.
    #[error("ip version {version} is neither 4 nor 6")]
    Version {
        /// The four bits.
        version: u8,
    },
    /// A header gives a length shorter than itself.
    #[error("{header} header says that it is {len_bytes} bytes long")]
    HeaderLength {
        /// Which header.
        header: &'static str,
        /// The length that it gives.
        len_bytes: usize,
    },
    /// More than [`MAX_EXTENSION_HEADERS`].
    #[error("more than {MAX_EXTENSION_HEADERS} ipv6 extension headers")]
    ExtensionHeaders,
    /// A fragment other than the first: it carries no ports.
    #[error("fragment at byte {offset_bytes} carries no ports")]
    LaterFragment {
        /// Where in the whole packet it belongs.
        offset_bytes: usize,
    },
    /// Neither TCP nor UDP, by its IANA protocol number.
    #[error("ip protocol {number} is neither tcp nor udp")]
    Transport {
        /// The number: 1 is ICMP, 58 ICMPv6, 132 SCTP.
        number: u8,
    },
}
