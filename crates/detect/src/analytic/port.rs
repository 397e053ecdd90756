//! Analytic: connections to ports on which no known protocol belongs.
//!
//! In: connections and flows that the observed side opens. Out: the fact `unregistered_port`. Payload gets the same fact from the
//! flow that it belongs to ([`super::protocol`]). Left out on purpose: loopback and multicast, and whether the peer is
//! inside or outside: that the port promises nothing holds for both.

use super::{Analytic, Made};
use event::network::{Connection, ConnectionOp, Endpoints, Transport};
use event::{Event, Fact, FactName, Kind};
use std::net::IpAddr;

/// The analytic.
#[derive(Debug, Default)]
pub(crate) struct Port;

impl Analytic for Port {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let ends = match &event.kind {
            Kind::Connection(connection) => match &**connection {
                Connection { op: ConnectionOp::Connect | ConnectionOp::Connected, ends, .. } => ends,
                _ => return,
            },
            Kind::Flow(flow) if flow.initiated => &flow.ends,
            _ => return,
        };
        if leaves(ends) && is_unregistered(ends.remote_port, ends.transport) {
            event.facts.add(Fact::flag(FactName::UnregisteredPort));
        }
    }
}

/// Whether no protocol that Watchkeeper knows belongs on the port.
pub(crate) fn is_unregistered(port: u16, transport: Transport) -> bool {
    match wire_transport(transport) {
        Some(transport) => port != 0 && wire::ports::registered(port, transport).is_none(),
        None => false,
    }
}

/// The transport as the parsers know it.
pub(crate) fn wire_transport(transport: Transport) -> Option<wire::Transport> {
    match transport {
        Transport::Tcp => Some(wire::Transport::Tcp),
        Transport::Udp => Some(wire::Transport::Udp),
        Transport::Icmp | Transport::Other => None,
    }
}

/// Whether the peer is another machine or container.
pub(crate) fn leaves(ends: &Endpoints) -> bool {
    let ip = ends.remote_ip.to_canonical();
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || broadcast)
}
