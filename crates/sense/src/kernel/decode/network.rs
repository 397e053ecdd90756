//! Network records: sockets, TCP states, local sockets, packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    super::layout::{self, endpoint, heartbeat, heartbeats, packet, socket, tcp, unix},
    DecodeError,
    record::Record,
};
use event::{
    Provenance, Text,
    network::{
        Connection, ConnectionOp, Direction, Dns, Endpoints, Flow, FlowState, FlowVolume, Heartbeat, Payload,
        SocketMade, Transport, UnixConnection,
    },
};

/// Address families, from linux/socket.h.
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const AF_NETLINK: u16 = 16;
const AF_PACKET: u16 = 17;
const AF_VSOCK: u16 = 40;
/// Socket types, from linux/net.h.
const SOCK_STREAM: u32 = 1;
const SOCK_DGRAM: u32 = 2;
const SOCK_RAW: u32 = 3;
/// Protocol numbers, from the IANA registry.
const ICMP: u16 = 1;
const TCP: u16 = 6;
const UDP: u16 = 17;
const ICMP_V6: u16 = 58;
/// TCP states, from net/tcp_states.h.
const TCP_ESTABLISHED: u32 = 1;
const TCP_CLOSE: u32 = 7;

/// A socket record is a connection, or a socket of an unusual family.
#[derive(Debug)]
pub(super) enum Socket {
    Connection(Connection),
    Made(SocketMade),
}

pub(super) fn socket_operation(r: &Record<'_>) -> Result<Socket, DecodeError> {
    let op = match r.u32(socket::OP)? {
        layout::SK_CREATE => return socket_made(r).map(Socket::Made),
        layout::SK_CONNECT | layout::SK_SEND => ConnectionOp::Connect,
        layout::SK_CONNECT_DONE => ConnectionOp::Connected,
        layout::SK_ACCEPT => ConnectionOp::Accept,
        layout::SK_LISTEN => ConnectionOp::Listen,
        layout::SK_BIND => ConnectionOp::Bind,
        value => return Err(DecodeError::Value { field: "socket.op", value: value.into() }),
    };
    Ok(Socket::Connection(Connection {
        op,
        ends: endpoints(r, socket::E, r.u32(socket::TYPE)?)?,
        cookie: r.u64(socket::COOKIE)?,
        result: r.i32(socket::RET)?,
        bytes_out: 0,
        bytes_in: 0,
    }))
}

fn socket_made(r: &Record<'_>) -> Result<SocketMade, DecodeError> {
    let family = r.u16(socket::E + endpoint::FAMILY)?;
    let socket_type = r.u32(socket::TYPE)?;
    Ok(SocketMade {
        family: match family {
            AF_PACKET => "packet".into(),
            AF_NETLINK => "netlink".into(),
            AF_VSOCK => "vsock".into(),
            AF_INET | AF_INET6 if socket_type == SOCK_RAW => "raw".into(),
            other => other.to_string().into(),
        },
        socket_type,
        protocol: r.u16(socket::E + endpoint::PROTOCOL)?.into(),
        result: r.i32(socket::RET)?,
    })
}

pub(super) fn tcp_state(r: &Record<'_>) -> Result<Connection, DecodeError> {
    let op = match r.u32(tcp::NEW_STATE)? {
        TCP_ESTABLISHED => ConnectionOp::Established,
        TCP_CLOSE => ConnectionOp::Close,
        value => return Err(DecodeError::Value { field: "tcp.new_state", value: value.into() }),
    };
    Ok(Connection {
        op,
        ends: endpoints(r, tcp::E, SOCK_STREAM)?,
        cookie: r.u64(tcp::COOKIE)?,
        result: 0,
        bytes_out: r.u64(tcp::BYTES_SENT)?,
        bytes_in: r.u64(tcp::BYTES_RECEIVED)?,
    })
}

/// A flow that goes on, with its latest bursts, the oldest first; `None` where they are no heartbeats. Who opened it
/// and when is not in the record.
pub(super) fn flow_going_on(r: &Record<'_>) -> Result<Option<Flow>, DecodeError> {
    let count = usize::try_from(r.u32(heartbeats::COUNT)?).unwrap_or(usize::MAX);
    let kept = count.min(layout::HEARTBEATS_KEPT);
    let place = |number: usize| heartbeats::OVER + number % layout::HEARTBEATS_KEPT * heartbeat::BYTES;
    let bursts = (count - kept..count).map(|number| {
        let at = place(number);
        Ok(Heartbeat {
            gap_ms: r.u32(at + heartbeat::GAP_MS)?,
            bytes_out: r.u16(at + heartbeat::BYTES_OUT)?.into(),
            bytes_in: r.u16(at + heartbeat::BYTES_IN)?.into(),
        })
    });
    let bursts = bursts.collect::<Result<Vec<_>, DecodeError>>()?;
    if !crate::traffic::are_small(&bursts) {
        return Ok(None);
    }
    let volume = |payload_bytes| FlowVolume { payload_bytes, ..FlowVolume::default() };
    Ok(Some(Flow {
        state: FlowState::Update,
        ends: endpoints(r, heartbeats::E, 0)?,
        cookie: r.u64(heartbeats::COOKIE)?,
        sent: volume(r.u64(heartbeats::BYTES_OUT)?),
        received: volume(r.u64(heartbeats::BYTES_IN)?),
        heartbeats: bursts,
        ..Flow::default()
    }))
}

fn endpoints(r: &Record<'_>, at: usize, socket_type: u32) -> Result<Endpoints, DecodeError> {
    let family = r.u16(at + endpoint::FAMILY)?;
    let transport = match (r.u16(at + endpoint::PROTOCOL)?, socket_type) {
        (TCP, _) | (0, SOCK_STREAM) => Transport::Tcp,
        (UDP, _) | (0, SOCK_DGRAM) => Transport::Udp,
        (ICMP | ICMP_V6, _) => Transport::Icmp,
        _ => Transport::Other,
    };
    Ok(Endpoints {
        transport,
        local_ip: address(family, r.array(at + endpoint::LOCAL)?)?,
        local_port: r.u16(at + endpoint::LOCAL_PORT)?,
        remote_ip: address(family, r.array(at + endpoint::REMOTE)?)?,
        remote_port: r.u16(at + endpoint::REMOTE_PORT)?,
    })
}

/// IPv4 addresses in IPv6 sockets become IPv4: it is that network that they lead to.
fn address(family: u16, bytes: [u8; layout::ADDR_LEN]) -> Result<IpAddr, DecodeError> {
    match family {
        AF_INET => {
            let [a, b, c, d, ..] = bytes;
            Ok(Ipv4Addr::new(a, b, c, d).into())
        }
        AF_INET6 => Ok(Ipv6Addr::from(bytes).to_canonical()),
        value => Err(DecodeError::Value { field: "endpoint.family", value: value.into() }),
    }
}

pub(super) fn unix_connection(r: &Record<'_>) -> Result<UnixConnection, DecodeError> {
    let op = match r.u32(unix::OP)? {
        layout::SK_CONNECT => ConnectionOp::Connect,
        layout::SK_ACCEPT => ConnectionOp::Accept,
        value => return Err(DecodeError::Value { field: "unix.op", value: value.into() }),
    };
    let len = r.u32(unix::PATH_LEN)?;
    let mut parts = r.parts(unix::BYTES)?;
    let path = if r.u32(unix::ABSTRACT)? != 0 {
        // Abstract names may hold NUL anywhere; `@` stands for it as in the manual page.
        let name = parts.bytes(len)?;
        let mut shown: Vec<u8> = name.iter().map(|b| if *b == 0 { b'@' } else { *b }).collect();
        if shown.first() != Some(&b'@') {
            shown.insert(0, b'@');
        }
        Text::from_bytes(&shown, Provenance::Claimed)
    } else if r.u32(unix::PATH_RESOLVED)? != 0 {
        parts.path(len)?
    } else {
        parts.claimed(len)?
    };
    Ok(UnixConnection {
        op,
        path,
        peer_pid: r.u32(unix::PEER_PID)?,
        inode: r.u64(unix::INODE)?,
        result: r.i32(unix::RET)?,
    })
}

/// First payload bytes, and the DNS message that they hold; `None` for a packet without payload.
pub(super) fn captured(r: &Record<'_>) -> Result<Option<(Payload, Option<Dns>)>, DecodeError> {
    let captured_len = r.u32(packet::CAPTURED_LEN)?;
    let bytes = r.parts(packet::BYTES)?.bytes(captured_len)?;
    let parsed = wire::packet::parse(bytes)?;
    if parsed.payload.is_empty() {
        return Ok(None);
    }
    let transport = match parsed.transport {
        wire::Transport::Tcp => Transport::Tcp,
        wire::Transport::Udp => Transport::Udp,
    };
    let source = (parsed.src.to_canonical(), parsed.sport);
    let destination = (parsed.dst.to_canonical(), parsed.dport);
    let (direction, local, remote) = match r.u32(packet::DIRECTION)? {
        0 => (Direction::In, destination, source),
        1 => (Direction::Out, source, destination),
        value => return Err(DecodeError::Value { field: "packet.direction", value: value.into() }),
    };
    let cut = r.u32(packet::WIRE_LEN)?.saturating_sub(captured_len);
    let kept = u32::try_from(parsed.payload.len()).unwrap_or(u32::MAX);
    let payload = Payload {
        ends: Endpoints {
            transport,
            local_ip: local.0,
            local_port: local.1,
            remote_ip: remote.0,
            remote_port: remote.1,
        },
        cookie: r.u64(packet::COOKIE)?,
        direction,
        offset: r.u64(packet::SEEN_BYTES)?,
        bytes: parsed.payload.into(),
        full_len: if cut > 0 { kept.saturating_add(cut) } else { 0 },
    };
    let dns = crate::dns::message(&payload);
    Ok(Some((payload, dns)))
}
