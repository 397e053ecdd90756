//! What one packet is to its flow, for who follows flows while they go on.

use wire::{Direction, Protocol};

use crate::entry::Entry;
use crate::key::Side;
use crate::{Endpoint, Fact, Flow, Transport};

/// The flow as it stood before the packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    packets: u32,
    payload_bytes: u64,
    is_first: bool,
    last_ns: u64,
    was_judged_still: bool,
    was_closed: bool,
}

impl State {
    pub(crate) fn of(entry: &Entry, sender: Side) -> Self {
        let direction = entry.direction(sender);
        let volume = entry.volume(direction);
        let other = match direction {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        };
        Self {
            packets: volume.packets,
            payload_bytes: volume.payload_bytes,
            is_first: volume.packets == 0 && entry.volume(other).packets == 0,
            last_ns: entry.last_ns(),
            was_judged_still: entry.is_judged_still(),
            was_closed: entry.is_closed(),
        }
    }
}

/// A packet of a flow, which has taken it in.
#[derive(Debug)]
pub struct Seen<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) sender: Side,
    pub(crate) payload: &'a [u8],
    pub(crate) sequence: u32,
    pub(crate) time_ns: u64,
    pub(crate) before: State,
}

impl<'a> Seen<'a> {
    /// Number of the flow.
    pub fn number(&self) -> u64 {
        self.entry.number()
    }

    /// What carries the flow.
    pub fn transport(&self) -> Transport {
        self.entry.key().transport()
    }

    /// Who opened it.
    pub fn opener(&self) -> Endpoint {
        self.entry.key().endpoint(self.entry.opener())
    }

    /// Who was asked.
    pub fn listener(&self) -> Endpoint {
        self.entry.key().endpoint(self.entry.opener().other())
    }

    /// Which way the packet went.
    pub fn direction(&self) -> Direction {
        self.entry.direction(self.sender)
    }

    /// Its payload, as far as it was captured.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Nanoseconds since 1970 at which it was captured.
    pub fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// TCP: the sequence number of the payload's first byte.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Packets that went the same way before.
    pub fn packets_before(&self) -> u32 {
        self.before.packets
    }

    /// Bytes of payload that went the same way before.
    pub fn payload_bytes_before(&self) -> u64 {
        self.before.payload_bytes
    }

    /// Bytes of payload that went `direction` until and with the packet.
    pub fn payload_bytes(&self, direction: Direction) -> u64 {
        self.entry.volume(direction).payload_bytes
    }

    /// Nanoseconds without a packet of the flow, either way, before this one.
    pub fn silence_ns(&self) -> u64 {
        if self.before.is_first { 0 } else { self.time_ns.saturating_sub(self.before.last_ns) }
    }

    /// Nanoseconds from the flow's first packet to this one.
    pub fn age_ns(&self) -> u64 {
        self.time_ns.saturating_sub(self.entry.first_ns())
    }

    /// True for the first packet of the flow.
    pub fn is_first(&self) -> bool {
        self.before.is_first
    }

    /// True if the flow began before the capture: who opened it is a guess by ports.
    pub fn opening_is_missing(&self) -> bool {
        self.entry.facts().contains(Fact::OpeningNotSeen)
    }

    /// True if the flow's protocol stands since this packet.
    pub fn settles_protocol(&self) -> bool {
        self.before.was_judged_still && !self.entry.is_judged_still()
    }

    /// True if this packet closed a TCP connection.
    pub fn closes(&self) -> bool {
        !self.before.was_closed && self.entry.is_closed()
    }

    /// The protocol as far as it is known.
    pub fn protocol(&self) -> Protocol {
        self.entry.protocol()
    }

    /// True once in each `period_ns` of the flow's life, where it has packets.
    pub fn begins_period(&self, period_ns: u64) -> bool {
        let periods = |time_ns: u64| time_ns.saturating_sub(self.entry.first_ns()) / period_ns.max(1);
        !self.before.is_first && periods(self.time_ns) > periods(self.before.last_ns)
    }

    /// The record of the flow so far. Cost: copies of its names.
    pub fn flow(&self) -> Flow {
        self.entry.so_far()
    }
}
