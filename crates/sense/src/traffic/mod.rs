//! Captured packets to the events that the kernel gives of the same connections.
//!
//! In: a capture ([`crate::capture`]), its packets followed by [`flow::Table`]. Out: events in the order of the packets,
//! each at the time of the packet that caused it:
//!
//! | event | when |
//! |---|---|
//! | connection `connect`, `connected`, `accept`, `established`, `close` | as TCP shows them; `connect` for datagrams too |
//! | payload | the first 1 KiB of each direction of TCP, the first packets of UDP: the kernel sensor's bounds |
//! | DNS | each message, in full |
//! | HTTP request | its answer came, the next request came, or the flow ended ([`crate::http`]) |
//! | flow `begin` | its protocol stands |
//! | flow `update` | each hour that it lives; also when there are twice as many bursts of payload, or 64 more ([`heartbeats`]) |
//! | flow `end` | it ended, or the capture did |
//! | tick | a second passed |
//!
//! No container is known: the own end is chosen by address ([`crate::ends`]), and the owner is not said. No clock is
//! read; the same capture gives the same events.
//!
//! Left out on purpose: payload that came twice is not told from new, as in the kernel.

mod convert;
mod heartbeats;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use event::identity::UnknownOwner;
use event::network::{Connection, ConnectionOp, Direction, FlowState, Http, Payload};
use event::{BootTime, Event, EventId, Kind, Owner, Sensor, WallTime};
use flow::{Counts, Limits, Seen, Table, Transport};

use crate::capture::{Capture, Error, Layer3, layer3};
use crate::http::{Piece, Requests};
use heartbeats::Heartbeats;
pub(crate) use heartbeats::are_small;

/// Payload bytes of each TCP flow and direction that become events: what the kernel sensor copies.
const FIRST_BYTES: u64 = 1024;
/// Packets of each UDP flow and direction that become events.
const FIRST_PACKETS: u32 = 4;
/// Longest payload of one event; DNS over UDP may be longer, and is read in full before.
const PAYLOAD_BYTES: usize = 1500;
/// A flow that goes on is told again this often.
const UPDATE_NS: u64 = 3_600 * NS_PER_S;
const NS_PER_S: u64 = 1_000_000_000;
/// Windows move on ticks at least this far apart.
const TICK_NS: u64 = NS_PER_S;
/// What `connect` gives where nobody listens.
const ECONNREFUSED: i32 = -111;

/// What of a capture became no event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// What the flow table counted.
    pub flows: Counts,
    /// Frames without IP, such as ARP, or cut before it begins.
    pub without_ip: u64,
    /// Frames of link types that are not read.
    pub unknown_links: u64,
    /// One of these link types.
    pub link: u32,
}

/// A capture as a stream of events.
#[derive(Debug)]
pub struct Traffic {
    capture: Capture,
    follower: Follower,
    table: Table,
    unread: Unread,
    /// The error that ended the capture, until it was told.
    error: Option<Error>,
    has_ended: bool,
}

impl Traffic {
    /// The events of `capture`. `limits` bound the flows that are followed at once.
    pub fn new(capture: Capture, limits: Limits) -> Self {
        Self {
            capture,
            follower: Follower::default(),
            table: Table::new(limits),
            unread: Unread::default(),
            error: None,
            has_ended: false,
        }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// When the capture is cut or broken, once, after the events of all that stands before that place.
    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.follower.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.has_ended {
                return self.error.take().map_or(Ok(None), Err);
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => self.end(),
                Err(error) => {
                    self.error = Some(error);
                    self.end();
                }
            }
        }
    }

    /// What became no event so far.
    pub fn unread(&self) -> Unread {
        Unread { flows: self.table.counts(), ..self.unread }
    }

    /// Reads one frame; false at the end.
    fn read(&mut self) -> Result<bool, Error> {
        let Some(packet) = self.capture.next_packet()? else { return Ok(false) };
        match layer3(packet.link, packet.frame) {
            Layer3::Ip(bytes) => {
                let follower = &mut self.follower;
                follower.tick(packet.time_ns);
                self.table.packet_seen(packet.time_ns, bytes, &mut |seen| follower.packet(seen));
                self.take_ended();
            }
            Layer3::Other => self.unread.without_ip += 1,
            Layer3::UnknownLink => {
                self.unread.unknown_links += 1;
                self.unread.link = packet.link;
            }
        }
        Ok(true)
    }

    fn take_ended(&mut self) {
        while let Some(flow) = self.table.pop() {
            self.follower.ended(&flow);
        }
    }

    fn end(&mut self) {
        self.has_ended = true;
        self.table.finish();
        self.take_ended();
    }
}

/// Turns what packets are to their flows into events.
#[derive(Debug, Default)]
struct Follower {
    ready: VecDeque<Event>,
    requests: Requests,
    heartbeats: Heartbeats,
    sequence: u64,
    now_ns: u64,
    ticked_ns: Option<u64>,
}

impl Follower {
    fn tick(&mut self, time_ns: u64) {
        self.now_ns = time_ns;
        let last = *self.ticked_ns.get_or_insert(time_ns);
        if time_ns.saturating_sub(last) >= TICK_NS {
            self.ticked_ns = Some(time_ns);
            self.push(Kind::Tick);
        }
    }

    fn push(&mut self, kind: Kind) {
        let mut event = Event::new(Sensor::Capture, BootTime(self.now_ns), kind);
        event.id = EventId { sensor: Sensor::Capture, sequence: self.sequence };
        event.wall = WallTime(self.now_ns);
        event.owner = Owner::Unknown(UnknownOwner::NotSaid);
        self.sequence += 1;
        self.ready.push_back(event);
    }

    fn packet(&mut self, seen: &Seen<'_>) {
        let this = convert::View::of(seen);
        self.opening(seen, &this);
        if !seen.payload().is_empty() && seen.transport() != Transport::Icmp {
            self.payload(seen, &this);
        }
        let beats = self.heartbeats.packet(seen);
        if seen.settles_protocol() {
            self.flow(&seen.flow(), FlowState::Begin);
        } else if beats || seen.begins_period(UPDATE_NS) {
            self.flow(&seen.flow(), FlowState::Update);
        }
        if seen.closes() && seen.transport() == Transport::Tcp {
            let flow = seen.flow();
            let (sent, received) =
                if this.initiated { (flow.sent, flow.received) } else { (flow.received, flow.sent) };
            self.connection(Connection {
                bytes_out: sent.payload_bytes,
                bytes_in: received.payload_bytes,
                ..this.connection(ConnectionOp::Close)
            });
        }
    }

    /// What a packet says about the opening of its connection.
    fn opening(&mut self, seen: &Seen<'_>, this: &convert::View) {
        let answers = seen.direction() == wire::Direction::ToClient && seen.packets_before() == 0;
        let op = match seen.transport() {
            Transport::Icmp => return,
            Transport::Udp if seen.is_first() && this.initiated => ConnectionOp::Connect,
            Transport::Udp => return,
            Transport::Tcp if seen.opening_is_missing() && seen.is_first() => ConnectionOp::Established,
            Transport::Tcp if seen.opening_is_missing() => return,
            // The answer to an opening that was not captured opens too.
            Transport::Tcp if seen.is_first() && this.initiated => ConnectionOp::Connect,
            Transport::Tcp if answers && this.initiated => ConnectionOp::Connected,
            Transport::Tcp if answers && !seen.closes() => ConnectionOp::Accept,
            Transport::Tcp => return,
        };
        let is_refused = op == ConnectionOp::Connected && seen.closes();
        let result = if is_refused { ECONNREFUSED } else { 0 };
        self.connection(Connection { result, ..this.connection(op) });
    }

    fn connection(&mut self, connection: Connection) {
        self.push(Kind::Connection(Box::new(connection)));
    }

    fn payload(&mut self, seen: &Seen<'_>, this: &convert::View) {
        let bytes = seen.payload();
        let before = seen.payload_bytes_before();
        let whole = Payload {
            ends: this.ends,
            cookie: this.cookie,
            direction: this.direction,
            offset: before,
            bytes: Box::default(),
            full_len: 0,
        };
        let dns = crate::dns::message(&Payload { bytes: bytes.into(), ..whole.clone() });
        let wanted = match seen.transport() {
            Transport::Tcp => usize::try_from(FIRST_BYTES.saturating_sub(before)).unwrap_or(PAYLOAD_BYTES),
            _ if seen.packets_before() < FIRST_PACKETS || dns.is_some() => PAYLOAD_BYTES,
            _ => 0,
        };
        let kept = bytes.get(..wanted.min(PAYLOAD_BYTES)).unwrap_or(bytes);
        if !kept.is_empty() {
            let full = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let full_len = if kept.len() < bytes.len() { full } else { 0 };
            self.push(Kind::Payload(Box::new(Payload { bytes: kept.into(), full_len, ..whole })));
        }
        if let Some(dns) = dns {
            self.push(Kind::Dns(Box::new(dns)));
        }
        if seen.transport() == Transport::Tcp {
            self.http(seen, this);
        }
    }

    fn http(&mut self, seen: &Seen<'_>, this: &convert::View) {
        let piece = Piece {
            flow: this.cookie,
            ends: this.ends,
            direction: this.direction,
            to_server: Some(seen.direction() == wire::Direction::ToServer),
            sequence: seen.sequence(),
            bytes: seen.payload(),
        };
        let mut told = Vec::new();
        self.requests.take(&piece, &mut |http| told.push(http));
        self.requests_told(told);
    }

    fn requests_told(&mut self, told: Vec<Http>) {
        told.into_iter().for_each(|http| self.push(Kind::Http(Box::new(http))));
    }

    fn flow(&mut self, flow: &flow::Flow, state: FlowState) {
        let heartbeats = match state {
            FlowState::Begin => Vec::new(),
            FlowState::Update => self.heartbeats.of(flow, false),
            FlowState::End => self.heartbeats.of(flow, true),
        };
        self.push(Kind::Flow(Box::new(convert::record(flow, state, heartbeats))));
    }

    fn ended(&mut self, flow: &flow::Flow) {
        let mut told = Vec::new();
        self.requests.ended(convert::cookie(flow.number), &mut |http| told.push(http));
        self.requests_told(told);
        self.flow(flow, FlowState::End);
        self.heartbeats.ended(flow.number);
    }
}

/// The way of a packet, seen from the own end.
fn direction(of: wire::Direction, initiated: bool) -> Direction {
    if (of == wire::Direction::ToServer) == initiated { Direction::Out } else { Direction::In }
}
