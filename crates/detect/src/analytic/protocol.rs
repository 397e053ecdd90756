//! Analytic: what a flow speaks, whether its port promises that, and shell text in plain sessions.
//!
//! In: connections and their first payload bytes, joined by socket cookie. Out, on payload events: `protocol`,
//! `protocol_confidence`, `protocol_mismatch`, `unregistered_port`, `command_text`. State: one entry per flow that sent
//! payload (until it is known, where that is a datagram), or whose side its ports do not tell; dropped
//! when it closes, when it was silent for a time, or when the table is full (the longest silent first, counted). Left
//! out on purpose: payload without a cookie is judged alone.

use super::port::{is_unregistered, leaves, wire_transport};
use super::{Analytic, Lru, Made};
use compact_str::CompactString;
use event::network::{Connection, ConnectionOp, Direction, Endpoints, Payload};
use event::{BootTime, Event, Fact, FactName, Facts, Kind};
use std::time::Duration;
use wire::{Identifier, Protocol};

/// Flows at once.
const FLOW_LIMIT: usize = 16_384;
/// A flow that was silent for this long is forgotten: its first payload is long past.
const SILENCE: Duration = Duration::from_secs(300);
/// Percent from which a protocol is said to be another than the port promises.
const MISMATCH_CONFIDENCE: u8 = 80;
/// Longest shell text that is kept as a fact.
const COMMAND_LIMIT_BYTES: usize = 200;
/// Lowest port that the kernel gives to clients (`net.ipv4.ip_local_port_range`).
const FIRST_EPHEMERAL_PORT: u16 = 32_768;

/// Which side of the flow is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

#[derive(Debug)]
struct Flow {
    side: Option<Side>,
    identifier: Option<Box<Identifier>>,
}

/// The analytic.
#[derive(Debug)]
pub(crate) struct FlowProtocol {
    flows: Lru<u64, Flow>,
    /// Percent from which a mismatch is a fact.
    pub(crate) mismatch_confidence: u8,
}

impl Default for FlowProtocol {
    fn default() -> Self {
        Self { flows: Lru::new(FLOW_LIMIT, SILENCE), mismatch_confidence: MISMATCH_CONFIDENCE }
    }
}

impl Analytic for FlowProtocol {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let now = event.boot;
        match &event.kind {
            Kind::Connection(connection) => self.connection(connection, now),
            Kind::Payload(payload) => self.payload(payload, now, &mut event.facts),
            Kind::Tick => self.flows.forget(now),
            _ => {}
        }
    }

    fn lost(&mut self) -> u64 {
        self.flows.take_evicted()
    }
}

impl FlowProtocol {
    fn connection(&mut self, connection: &Connection, now: BootTime) {
        if connection.cookie == 0 {
            return;
        }
        let side = match connection.op {
            ConnectionOp::Close => {
                self.flows.remove(&connection.cookie);
                return;
            }
            ConnectionOp::Connect | ConnectionOp::Connected => Side::Client,
            ConnectionOp::Accept => Side::Server,
            ConnectionOp::Listen | ConnectionOp::Bind | ConnectionOp::Established => return,
        };
        // What the ports tell anyway needs no entry: most flows are so, and datagram flows have no end that frees one.
        if guess_side(&connection.ends) == side {
            return;
        }
        let flow = self.flows.touch(connection.cookie, now, || Flow { side: None, identifier: None });
        if let Some(flow) = flow {
            flow.side = Some(side);
        }
    }

    fn payload(&mut self, payload: &Payload, now: BootTime, facts: &mut Facts) {
        let Some(transport) = wire_transport(payload.ends.transport) else { return };
        let mut alone = Flow { side: None, identifier: None };
        let flow = match payload.cookie {
            0 => Some(&mut alone),
            cookie => self.flows.touch(cookie, now, || Flow { side: None, identifier: None }),
        };
        let Some(flow) = flow else { return };
        let side = flow.side.unwrap_or_else(|| guess_side(&payload.ends));
        let port = match side {
            Side::Client => payload.ends.remote_port,
            Side::Server => payload.ends.local_port,
        };
        if side == Side::Client && leaves(&payload.ends) && is_unregistered(port, payload.ends.transport) {
            facts.add(Fact::flag(FactName::UnregisteredPort));
        }
        let identifier = flow.identifier.get_or_insert_with(|| Box::new(Identifier::new(transport)));
        if !identifier.is_full() {
            identifier.feed(to_or_from(side, payload.direction), &payload.bytes);
        }
        let verdict = identifier.verdict();
        // A datagram tells by itself: nothing of it is needed for the next one.
        let done =
            transport == wire::Transport::Udp && verdict.protocol != Protocol::Unknown && flow.side.is_none();
        if done {
            self.flows.remove(&payload.cookie);
        }
        if verdict.protocol != Protocol::Unknown {
            let mut fact = Fact::text(FactName::Protocol, verdict.protocol.as_str());
            fact.terms.push(("evidence".into(), verdict.evidence.into()));
            facts.add(fact);
            facts.add(Fact::number(FactName::ProtocolConfidence, verdict.confidence.into()));
        }
        if let Some(promised) = wire::ports::registered(port, transport)
            && verdict.confidence >= self.mismatch_confidence
            && !fits(verdict.protocol, promised)
        {
            facts.add(Fact::text(FactName::ProtocolMismatch, promised.as_str()));
        }
        if is_plain(verdict.protocol)
            && let Some(found) = wire::session::command_text(&payload.bytes)
        {
            let text = payload.bytes.get(found.span.clone()).unwrap_or_default();
            let text = text.get(..COMMAND_LIMIT_BYTES).unwrap_or(text);
            let mut fact = Fact::text(FactName::CommandText, CompactString::from_utf8_lossy(text));
            fact.terms.push(("kind".into(), found.kind.as_str().into()));
            fact.terms.push(("pattern".into(), found.pattern.into()));
            facts.add(fact);
        }
    }
}

fn to_or_from(side: Side, direction: Direction) -> wire::Direction {
    match (side, direction) {
        (Side::Client, Direction::Out) | (Side::Server, Direction::In) => wire::Direction::ToServer,
        _ => wire::Direction::ToClient,
    }
}

/// The side of a flow whose beginning was not seen, by its ports.
fn guess_side(ends: &Endpoints) -> Side {
    let listens = |port: u16| {
        let registered = wire_transport(ends.transport).and_then(|t| wire::ports::registered(port, t));
        (registered.is_some(), port < FIRST_EPHEMERAL_PORT)
    };
    if listens(ends.local_port) > listens(ends.remote_port) { Side::Server } else { Side::Client }
}

/// Whether content of `found` is what a port for `promised` may carry.
fn fits(found: Protocol, promised: Protocol) -> bool {
    use Protocol::{Dns, Dtls, FullyEncrypted, Http, Http2, Llmnr, Mdns, Quic, Tls, Unknown, Websocket};
    found == promised
        || matches!(
            (found, promised),
            (Unknown, _)
                | (Http2 | Websocket, Http | Tls)
                | (Http | Http2, Websocket)
                // StartTLS: many protocols turn into TLS on their own port.
                | (Tls, _)
                | (Dtls | Quic, Tls | Http)
                | (Dns, Mdns | Llmnr)
                | (FullyEncrypted, Quic | Dtls)
        )
}

/// Whether shell text in it is a session rather than prose that a protocol carries.
fn is_plain(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Unknown | Protocol::PlaintextInteractive | Protocol::Telnet)
}
