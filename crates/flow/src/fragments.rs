//! Parts of IP packets, joined: RFC 791 §3.2, RFC 8200 §4.5.
//!
//! Bounded: [`MAX_PACKETS`] unfinished packets, [`MAX_PARTS`] parts each; the oldest gives way. Overlapping parts are
//! not joined, as RFC 5722 §3 asks for IPv6: the packet is given up.

use std::collections::VecDeque;
use std::net::IpAddr;

use wire::packet::Datagram;

/// Unfinished packets that are held.
const MAX_PACKETS: usize = 64;
/// Parts of one packet: 65,535 bytes in parts of the smallest IPv6 MTU are 54.
const MAX_PARTS: usize = 64;
/// RFC 8200 §4.5: what is not whole after this time is given up.
const MAX_AGE_NS: u64 = 60_000_000_000;
/// RFC 791 §3.1: the longest packet.
const MAX_PACKET_BYTES: usize = 65_535;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    number: u8,
}

#[derive(Debug)]
struct Unfinished {
    identity: Identity,
    first_ns: u64,
    /// Offset and bytes, sorted.
    parts: Vec<(usize, Vec<u8>)>,
    /// Known when the last part is there.
    total_bytes: Option<usize>,
}

/// What a fragment led to.
pub(crate) enum Outcome {
    /// Parts are missing.
    Kept,
    /// The packet is whole: its payload.
    Whole(Vec<u8>),
    /// The packet cannot be joined.
    Lost,
}

/// Unfinished packets, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    unfinished: VecDeque<Unfinished>,
    /// Parts of packets that were given up for age or room.
    pub(crate) dropped: u64,
}

impl Fragments {
    /// Takes one part.
    pub(crate) fn add(&mut self, time_ns: u64, datagram: &Datagram<'_>) -> Outcome {
        let Some(fragment) = datagram.fragment else { return Outcome::Lost };
        self.expire(time_ns);
        let end = fragment.offset_bytes + datagram.payload.len();
        if datagram.truncated || end > MAX_PACKET_BYTES || datagram.payload.is_empty() {
            return Outcome::Lost;
        }
        let identity =
            Identity { src: datagram.src, dst: datagram.dst, id: fragment.id, number: datagram.number };
        let at = self.position(identity, time_ns);
        let Some(packet) = self.unfinished.get_mut(at) else { return Outcome::Lost };
        if !fragment.more {
            packet.total_bytes = Some(end);
        }
        if !packet.insert(fragment.offset_bytes, datagram.payload) {
            let parts = self.unfinished.remove(at).map_or(0, |packet| packet.parts.len());
            self.dropped += parts as u64;
            return Outcome::Lost;
        }
        match packet.joined() {
            Some(whole) => {
                self.unfinished.remove(at);
                Outcome::Whole(whole)
            }
            None => Outcome::Kept,
        }
    }

    /// Where the packet of this identity is, making room for it if it is new.
    fn position(&mut self, identity: Identity, time_ns: u64) -> usize {
        if let Some(at) = self.unfinished.iter().position(|packet| packet.identity == identity) {
            return at;
        }
        if self.unfinished.len() >= MAX_PACKETS {
            self.drop_oldest();
        }
        self.unfinished.push_back(Unfinished {
            identity,
            first_ns: time_ns,
            parts: Vec::new(),
            total_bytes: None,
        });
        self.unfinished.len() - 1
    }

    fn expire(&mut self, time_ns: u64) {
        while self.unfinished.front().is_some_and(|p| time_ns.saturating_sub(p.first_ns) > MAX_AGE_NS) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        self.dropped += self.unfinished.pop_front().map_or(0, |packet| packet.parts.len()) as u64;
    }

    /// Gives up all that is left.
    pub(crate) fn finish(&mut self) {
        while !self.unfinished.is_empty() {
            self.drop_oldest();
        }
    }
}

impl Unfinished {
    /// False if the part overlaps another with different bytes, or there are too many.
    fn insert(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let at = self.parts.partition_point(|(other, _)| *other < offset);
        if self.parts.get(at).is_some_and(|(other, there)| *other == offset && there == bytes) {
            return true; // The same part again, as a capture on two interfaces shows it.
        }
        let before = at.checked_sub(1).and_then(|at| self.parts.get(at));
        let overlaps = before.is_some_and(|(other, there)| other + there.len() > offset)
            || self.parts.get(at).is_some_and(|(other, _)| offset + bytes.len() > *other);
        if overlaps || self.parts.len() >= MAX_PARTS {
            return false;
        }
        self.parts.insert(at, (offset, bytes.to_vec()));
        true
    }

    fn joined(&self) -> Option<Vec<u8>> {
        let total = self.total_bytes?;
        let mut whole = Vec::with_capacity(total);
        for (offset, bytes) in &self.parts {
            if *offset != whole.len() {
                return None;
            }
            whole.extend_from_slice(bytes);
        }
        (whole.len() == total).then_some(whole)
    }
}
