//! Analytic: what a flow speaks, whether its port promises that, shell text in plain sessions, and the flow as a whole.
//!
//! In: connections and their first payload bytes, joined by socket cookie. Out, on payload events: `protocol`,
//! `protocol_confidence`, `protocol_mismatch`, `unregistered_port`, `command_text`. Where rules or analytics read flows, also
//! one event of class `network_flow` for each flow of the kernel's that ends: a TCP connection when it closes, datagrams
//! when they were silent for a minute. Captures and logs have such events themselves, and the kernel has them of flows that go
//! on: to those what is known of the flow is added.
//!
//! State: one entry per flow that sent payload (until it is known, where that is a datagram), or whose side its ports do
//! not tell, or that is wanted as a whole; dropped when it closes, when it was silent for a time, or when there are too many or
//! their payload takes too much (the longest silent first). Datagrams that are dropped so are a flow that ends early, `evicted`;
//! what else is dropped is counted. Left out on purpose: payload without a cookie is judged alone; packets are
//! not counted, and bytes of datagrams only as far as their payload is seen.

use super::live_flow::Trace;
use super::port::{is_unregistered, leaves, wire_transport};
use super::{Analytic, Lru, Made};
use compact_str::CompactString;
use event::network::{Connection, ConnectionOp, Direction, Endpoints, FlowState, Payload, Transport};
use event::{BootTime, Event, Fact, FactName, Facts, Kind, Sensor};
use flow::Conversation;
use std::time::Duration;
use wire::Protocol;

/// Flows of either transport at once.
const FLOW_LIMIT: usize = 16_384;
/// Bytes of payload and names of all flows, with what judges them: about half of what 16,384 connections could keep of what the
/// kernel sensor gives.
const FLOW_BYTES: usize = 16 << 20;
/// A connection that was silent for this long is forgotten: RFC 5382 REQ-5 lets it be so for two hours and four minutes.
const TCP_SILENCE: Duration = Duration::from_secs(7_440);
/// Datagrams that were silent for this long are over.
const UDP_SILENCE: Duration = Duration::from_secs(60);
/// Percent from which a protocol is said to be another than the port promises.
const MISMATCH_CONFIDENCE: u8 = 80;
/// Longest shell text that is kept as a fact.
const COMMAND_LIMIT_BYTES: usize = 200;
/// Lowest port that the kernel gives to clients (`net.ipv4.ip_local_port_range`).
const FIRST_EPHEMERAL_PORT: u16 = 32_768;

/// Which side of the flow is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    /// The port of the side that was asked.
    pub(super) fn listener_port(self, ends: &Endpoints) -> u16 {
        match self {
            Side::Client => ends.remote_port,
            Side::Server => ends.local_port,
        }
    }
}

/// What is known of a flow.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) side: Option<Side>,
    pub(super) talk: Option<Conversation>,
    /// Where flows are wanted as a whole.
    pub(super) trace: Option<Box<Trace>>,
    /// Bytes of the talk, as they were counted last.
    talk_bytes: usize,
}

/// The analytic.
#[derive(Debug)]
pub(crate) struct FlowProtocol {
    tcp: Lru<Live>,
    udp: Lru<Live>,
    /// Bytes of what all flows said.
    talk_bytes: usize,
    /// Flows given up since somebody asked.
    given_up: u64,
    /// Percent from which a mismatch is a fact.
    pub(crate) mismatch_confidence: u8,
    /// Whether somebody reads flows as a whole.
    pub(crate) whole: bool,
}

impl Default for FlowProtocol {
    fn default() -> Self {
        Self {
            tcp: Lru::new(FLOW_LIMIT, TCP_SILENCE),
            udp: Lru::new(FLOW_LIMIT, UDP_SILENCE),
            talk_bytes: 0,
            given_up: 0,
            mismatch_confidence: MISMATCH_CONFIDENCE,
            whole: false,
        }
    }
}

impl Analytic for FlowProtocol {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let now = event.boot;
        // What else happens neither ends nor follows a flow, and is most of what happens.
        if !matches!(event.kind, Kind::Connection(_) | Kind::Payload(_) | Kind::Flow(_) | Kind::Tick) {
            return;
        }
        while let Some(live) = self.udp.take_idle(now) {
            self.let_go(&live);
            made.extend(live.end(now, "idle"));
        }
        while let Some(live) = self.tcp.take_idle(now) {
            self.let_go(&live);
        }
        match &event.kind {
            Kind::Connection(connection) => self.connection(connection, event, made),
            Kind::Payload(_) => self.payload(event, made),
            Kind::Flow(_) if event.id.sensor == Sensor::Kernel => self.goes_on(event),
            _ => {}
        }
    }

    fn lost(&mut self) -> u64 {
        std::mem::take(&mut self.given_up) + self.tcp.take_evicted() + self.udp.take_evicted()
    }
}

impl FlowProtocol {
    fn connection(&mut self, connection: &Connection, event: &Event, made: &mut Made) {
        if connection.cookie == 0 {
            return;
        }
        let is_udp = connection.ends.transport == Transport::Udp;
        // Datagrams begin to be followed with their first payload, which tells what they are.
        let wanted = self.whole && event.id.sensor == Sensor::Kernel && !is_udp;
        let flows = if is_udp { &mut self.udp } else { &mut self.tcp };
        let side = match connection.op {
            ConnectionOp::Close => {
                let live = flows.remove(connection.cookie).unwrap_or_default();
                self.let_go(&live);
                if wanted {
                    made.push_back(live.close(connection, event));
                }
                return;
            }
            ConnectionOp::Connect | ConnectionOp::Connected => Side::Client,
            ConnectionOp::Accept => Side::Server,
            ConnectionOp::Listen | ConnectionOp::Bind | ConnectionOp::Established => return,
        };
        // What the ports tell anyway needs no entry: most flows are so, and datagram flows have no end that frees one.
        if !wanted && guess_side(&connection.ends) == side {
            return;
        }
        let evicted = flows.make_room(connection.cookie);
        let Some(live) = flows.touch(connection.cookie, event.boot, Live::default) else { return };
        live.side = Some(side);
        if wanted {
            live.trace_from(event, (connection.ends, connection.cookie));
        }
        evicted.into_iter().for_each(|live| self.give_up(live, event.boot, made));
    }

    /// Makes room in number for the flow of a payload, and in bytes for what that said.
    fn payload(&mut self, event: &mut Event, made: &mut Made) {
        let Kind::Payload(payload) = &event.kind else { return };
        let (cookie, is_udp) = (payload.cookie, payload.ends.transport == Transport::Udp);
        let flows = if is_udp { &mut self.udp } else { &mut self.tcp };
        let evicted = if cookie == 0 { None } else { flows.make_room(cookie) };
        evicted.into_iter().for_each(|live| self.give_up(live, event.boot, made));
        self.said(event);
        while self.talk_bytes > FLOW_BYTES {
            let flows = if is_udp { &mut self.udp } else { &mut self.tcp };
            let Some(live) = flows.take_other(cookie) else { return };
            self.give_up(live, event.boot, made);
        }
    }

    /// A flow of the kernel's that goes on: adds what is known of it.
    fn goes_on(&self, event: &mut Event) {
        let Event { kind: Kind::Flow(flow), wall, .. } = event else { return };
        if flow.state != FlowState::Update {
            return;
        }
        let flows = if flow.ends.transport == Transport::Udp { &self.udp } else { &self.tcp };
        match flows.find(flow.cookie) {
            Some(live) => live.describe(flow, *wall),
            None => Live::default().describe(flow, *wall),
        }
    }

    /// A flow for which there is no room: datagrams are told as they stand, anything else counts as lost.
    fn give_up(&mut self, live: Live, now: BootTime, made: &mut Made) {
        self.let_go(&live);
        match live.datagrams().and_then(|live| live.end(now, "evicted")) {
            Some(flow) => made.push_back(flow),
            None => self.given_up += 1,
        }
    }

    /// Bytes of what all flows said.
    #[cfg(test)]
    pub(crate) fn talk_bytes(&self) -> usize {
        self.talk_bytes
    }

    fn let_go(&mut self, live: &Live) {
        self.talk_bytes = self.talk_bytes.saturating_sub(live.talk_bytes);
    }

    fn said(&mut self, event: &mut Event) {
        let Event { kind: Kind::Payload(payload), facts, .. } = event else { return };
        let Some(transport) = wire_transport(payload.ends.transport) else { return };
        let flows = if transport == wire::Transport::Udp { &mut self.udp } else { &mut self.tcp };
        let mut alone = Live::default();
        let live = match payload.cookie {
            0 => Some(&mut alone),
            cookie => flows.touch(cookie, event.boot, Live::default),
        };
        let Some(live) = live else { return };
        let side = live.side.unwrap_or_else(|| guess_side(&payload.ends));
        let port = side.listener_port(&payload.ends);
        if side == Side::Client && leaves(&payload.ends) && is_unregistered(port, payload.ends.transport) {
            facts.add(Fact::flag(FactName::UnregisteredPort));
        }
        let talk = live.talk.get_or_insert_with(|| Conversation::new(transport));
        talk.payload(to_or_from(side, payload.direction), payload.offset, &payload.bytes);
        let verdict = talk.verdict();
        if payload.cookie != 0 {
            let bytes = talk.size_bytes();
            self.talk_bytes = (self.talk_bytes + bytes).saturating_sub(live.talk_bytes);
            live.talk_bytes = bytes;
        }
        state(verdict, self.mismatch_confidence, transport, port, facts);
        if is_plain(verdict.protocol) {
            facts_of_text(payload, facts);
        }
        // Questions to name servers are many, and events of their own.
        let is_named = transport == wire::Transport::Udp && verdict.protocol == Protocol::Dns;
        let wanted = self.whole && event.id.sensor == Sensor::Kernel && payload.cookie != 0 && !is_named;
        // A datagram tells by itself: nothing of it is needed for the next one.
        let done =
            transport == wire::Transport::Udp && verdict.protocol != Protocol::Unknown && live.side.is_none();
        if wanted {
            live.count(event);
        } else if done {
            let cookie = payload.cookie;
            let done = flows.remove(cookie);
            done.iter().for_each(|live| self.let_go(live));
        }
    }
}

/// Says on a payload what its flow speaks.
fn state(verdict: wire::Verdict, mismatch: u8, transport: wire::Transport, port: u16, facts: &mut Facts) {
    if verdict.protocol != Protocol::Unknown {
        let mut fact = Fact::text(FactName::Protocol, verdict.protocol.as_str());
        fact.terms.push(("evidence".into(), verdict.evidence.into()));
        facts.add(fact);
        facts.add(Fact::number(FactName::ProtocolConfidence, verdict.confidence.into()));
    }
    if let Some(promised) = wire::ports::registered(port, transport)
        && verdict.confidence >= mismatch
        && !fits(verdict.protocol, promised)
    {
        facts.add(Fact::text(FactName::ProtocolMismatch, promised.as_str()));
    }
}

/// Says what shell text stands in a payload of a plain session.
fn facts_of_text(payload: &Payload, facts: &mut Facts) {
    let Some(found) = wire::session::command_text(&payload.bytes) else { return };
    let text = payload.bytes.get(found.span.clone()).unwrap_or_default();
    let text = text.get(..COMMAND_LIMIT_BYTES).unwrap_or(text);
    let mut fact = Fact::text(FactName::CommandText, CompactString::from_utf8_lossy(text));
    fact.terms.push(("kind".into(), found.kind.as_str().into()));
    fact.terms.push(("pattern".into(), found.pattern.into()));
    facts.add(fact);
}

fn to_or_from(side: Side, direction: Direction) -> wire::Direction {
    match (side, direction) {
        (Side::Client, Direction::Out) | (Side::Server, Direction::In) => wire::Direction::ToServer,
        _ => wire::Direction::ToClient,
    }
}

/// The side of a flow whose beginning was not seen, by its ports.
pub(super) fn guess_side(ends: &Endpoints) -> Side {
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
