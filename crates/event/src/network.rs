//! Network: sockets, connections, datagrams, first payload bytes, DNS, flows, HTTP.

mod flow;
mod http;

pub use flow::{Flow, FlowNames, FlowState, FlowVolume, Heartbeat};
pub use http::Http;

use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// Transport protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
    /// Anything else.
    Other,
}

impl Transport {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Icmp => "icmp",
            Transport::Other => "other",
        }
    }
}

/// The two ends of a connection. Local is the observed socket's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// Transport.
    pub transport: Transport,
    /// Own address, unspecified where not yet known.
    pub local_ip: IpAddr,
    /// Own port, 0 where not yet known.
    pub local_port: u16,
    /// Peer's address.
    pub remote_ip: IpAddr,
    /// Peer's port.
    pub remote_port: u16,
}

impl Default for Endpoints {
    fn default() -> Self {
        let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            transport: Transport::Tcp,
            local_ip: unspecified,
            local_port: 0,
            remote_ip: unspecified,
            remote_port: 0,
        }
    }
}

/// What happened to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionOp {
    /// The process asks to connect (before the kernel does it), or names a datagram's destination.
    #[default]
    Connect,
    /// The connect call returned.
    Connected,
    /// A connection was accepted.
    Accept,
    /// The socket listens.
    Listen,
    /// The socket was bound.
    Bind,
    /// TCP reached the established state.
    Established,
    /// TCP closed; byte counts are final.
    Close,
}

impl ConnectionOp {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionOp::Connect => "connect",
            ConnectionOp::Connected => "connected",
            ConnectionOp::Accept => "accept",
            ConnectionOp::Listen => "listen",
            ConnectionOp::Bind => "bind",
            ConnectionOp::Established => "established",
            ConnectionOp::Close => "close",
        }
    }
}

/// An IP connection or datagram destination.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// What happened.
    pub op: ConnectionOp,
    /// The two ends.
    pub ends: Endpoints,
    /// Socket cookie: joins the events of one socket.
    #[serde(skip_serializing_if = "is_default")]
    pub cookie: u64,
    /// 0 or a negative errno (`-115` in progress).
    #[serde(skip_serializing_if = "is_default")]
    pub result: i32,
    /// Payload bytes sent, at close.
    #[serde(skip_serializing_if = "is_default")]
    pub bytes_out: u64,
    /// Payload bytes received, at close.
    #[serde(skip_serializing_if = "is_default")]
    pub bytes_in: u64,
}

/// A socket of a family that is not ordinary for a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketMade {
    /// `packet`, `raw`, `netlink`, `vsock`, or the family's number.
    pub family: CompactString,
    /// Socket type number.
    #[serde(skip_serializing_if = "is_default")]
    pub socket_type: u32,
    /// Protocol number.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: u32,
    /// 0 or a negative errno.
    #[serde(skip_serializing_if = "is_default")]
    pub result: i32,
}

/// A Unix socket was connected to or accepted on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnixConnection {
    /// Connect or accept.
    pub op: ConnectionOp,
    /// Path of the socket; abstract names begin with `@`.
    pub path: Text,
    /// Peer's pid, 0 where not known.
    #[serde(skip_serializing_if = "is_default")]
    pub peer_pid: u32,
    /// Inode of the own socket.
    #[serde(skip_serializing_if = "is_default")]
    pub inode: u64,
    /// 0 or a negative errno.
    #[serde(skip_serializing_if = "is_default")]
    pub result: i32,
}

/// Which way bytes go, seen from the observed socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the observed socket.
    #[default]
    Out,
    /// To the observed socket.
    In,
}

impl Direction {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Out => "out",
            Direction::In => "in",
        }
    }
}

/// First payload bytes of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payload {
    /// The two ends.
    pub ends: Endpoints,
    /// Socket cookie.
    #[serde(skip_serializing_if = "is_default")]
    pub cookie: u64,
    /// Which way.
    pub direction: Direction,
    /// Payload bytes of this flow and direction before these.
    #[serde(skip_serializing_if = "is_default")]
    pub offset: u64,
    /// The bytes, as many as were captured.
    #[serde(with = "bytes_form")]
    pub bytes: Box<[u8]>,
    /// Payload length of the packet, where more than was captured.
    #[serde(skip_serializing_if = "is_default")]
    pub full_len: u32,
}

/// A DNS message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// The two ends.
    pub ends: Endpoints,
    /// Socket cookie.
    #[serde(skip_serializing_if = "is_default")]
    pub cookie: u64,
    /// Which way.
    pub direction: Direction,
    /// A response rather than a query.
    #[serde(skip_serializing_if = "is_default")]
    pub response: bool,
    /// Transaction id.
    pub id: u16,
    /// Name asked for, without the final dot.
    pub query: CompactString,
    /// Type asked for, as `A`.
    pub record_type: CompactString,
    /// Response code, 3 is NXDOMAIN.
    #[serde(skip_serializing_if = "is_default")]
    pub rcode: u8,
    /// The three bits that RFC 1035 reserves; RFC 4035 made two of them AD (2) and CD (1).
    #[serde(skip_serializing_if = "is_default")]
    pub reserved: u8,
    /// Answers in presentation form.
    #[serde(skip_serializing_if = "is_default")]
    pub answers: Vec<CompactString>,
    /// Addresses among the answers.
    #[serde(skip_serializing_if = "is_default")]
    pub addresses: Vec<IpAddr>,
    /// Bytes of the message.
    #[serde(skip_serializing_if = "is_default")]
    pub len: u32,
}

/// Payload bytes in JSON: text where all of it is printable ASCII, else `hex:` and digits.
mod bytes_form {
    use serde::{Deserialize, Deserializer, Serializer};

    const HEX: &str = "hex:";

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let plain = bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
        match std::str::from_utf8(bytes) {
            Ok(text) if plain && !text.starts_with(HEX) => serializer.serialize_str(text),
            _ => {
                use std::fmt::Write;
                let mut text = String::with_capacity(HEX.len() + bytes.len() * 2);
                text.push_str(HEX);
                for byte in bytes {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{byte:02x}");
                }
                serializer.serialize_str(&text)
            }
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[u8]>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Some(digits) = text.strip_prefix(HEX) else { return Ok(text.into_bytes().into_boxed_slice()) };
        if !digits.len().is_multiple_of(2) {
            return Err(serde::de::Error::custom("odd number of hexadecimal digits in payload"));
        }
        digits
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| {
                std::str::from_utf8(pair)
                    .ok()
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                    .ok_or_else(|| serde::de::Error::custom("payload has a digit that is not hexadecimal"))
            })
            .collect()
    }
}
