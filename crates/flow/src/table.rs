//! The open flows: found by key, ended when idle, evicted above the memory cap.
//!
//! Idle ends are found by a wheel: each flow stands in the slot of the second in which it will be looked at next, is
//! moved if a packet came meanwhile, and costs nothing in between. A packet that comes after its flow's idle time
//! begins a new flow even if the wheel has not looked yet, so ends do not depend on the wheel's grain.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use wire::packet::{self, Datagram, TcpFlags, number};
use wire::{Direction, Protocol};

use crate::entry::{BYTES_PER_FLOW, Entry, Part};
use crate::fragments::{Fragments, Outcome};
use crate::key::{Key, Side};
use crate::names::Answers;
use crate::seen::{Seen, State};
use crate::{Counts, End, Endpoint, Fact, Facts, Flow, Limits, Transport};

const NS_PER_S: u64 = 1_000_000_000;
/// RFC 5382 REQ-5: an established connection may be idle for two hours and four minutes.
const TCP_IDLE_NS: u64 = 7_440 * NS_PER_S;
/// RFC 5382 REQ-5: four minutes for a connection that is opening or closing.
const TCP_TRANSITORY_NS: u64 = 240 * NS_PER_S;
/// RFC 4787 REQ-5: five minutes are recommended.
const UDP_IDLE_NS: u64 = 300 * NS_PER_S;
/// RFC 5508 REQ-2.
const ICMP_IDLE_NS: u64 = 60 * NS_PER_S;

/// The wheel's grain and round; the round is longer than the longest wait for a look.
const SLOT_NS: u64 = 4 * NS_PER_S;
const SLOTS: usize = 64;
/// A flow is looked at least this often, so that a closed one does not wait for an open one's time.
const LOOK_NS: u64 = TCP_TRANSITORY_NS;
/// Flows that were active are passed over when one must go, at most so many in a row.
const MAX_PASSED: usize = 64;
/// Tunnels inside tunnels that are followed.
const MAX_TUNNELS: usize = 4;

/// Open flows.
#[derive(Debug)]
pub struct Table {
    limits: Limits,
    hasher: FixedState,
    index: HashTable<u32>,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    wheel: Vec<Vec<u32>>,
    /// The slot that was looked at last, counted from 1970, and when the next one is due.
    looked_at: u64,
    next_look_ns: u64,
    heap_bytes: usize,
    answers: Answers,
    fragments: Fragments,
    ended: VecDeque<Flow>,
    counts: Counts,
}

impl Table {
    /// An empty table.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            hasher: FixedState::with_seed(limits.seed),
            index: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            wheel: vec![Vec::new(); SLOTS],
            looked_at: 0,
            next_look_ns: SLOT_NS,
            heap_bytes: 0,
            answers: Answers::new(limits.seed),
            fragments: Fragments::default(),
            ended: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Takes one layer-3 packet, captured at `time_ns` since 1970. Take the flows that it ended with [`Self::pop`].
    pub fn packet(&mut self, time_ns: u64, packet: &[u8]) {
        self.packet_seen(time_ns, packet, &mut |_| {});
    }

    /// The same, and shows `seen` what the packet is to its flow, once that has taken it in.
    pub fn packet_seen(&mut self, time_ns: u64, packet: &[u8], seen: &mut impl FnMut(&Seen<'_>)) {
        self.counts.packets += 1;
        if time_ns >= self.next_look_ns {
            self.look(time_ns);
        }
        let mut facts = Facts::default();
        let mut bytes = packet;
        for _ in 0..=MAX_TUNNELS {
            let Ok(datagram) = packet::network(bytes) else {
                self.counts.unreadable += 1;
                return;
            };
            match datagram.tunnelled() {
                Some(inner) => bytes = inner,
                None => return self.datagram(time_ns, &datagram, facts, seen),
            }
            facts.insert(Fact::Tunnelled);
        }
        self.counts.tunnels_too_deep += 1;
    }

    fn datagram(
        &mut self,
        time_ns: u64,
        datagram: &Datagram<'_>,
        mut facts: Facts,
        seen: &mut impl FnMut(&Seen<'_>),
    ) {
        if datagram.fragment.is_none() {
            return self.whole(time_ns, datagram, facts, seen);
        }
        self.counts.fragments += 1;
        facts.insert(Fact::Fragmented);
        match self.fragments.add(time_ns, datagram) {
            Outcome::Kept => {}
            Outcome::Lost => self.counts.fragments_lost += 1,
            Outcome::Whole(payload) => {
                self.counts.joined += 1;
                let headers_bytes = datagram.len_bytes.saturating_sub(datagram.payload.len());
                let len_bytes = headers_bytes + payload.len();
                let whole = Datagram { payload: &payload, fragment: None, len_bytes, ..*datagram };
                match whole.tunnelled().map(packet::network) {
                    // One level is enough behind fragments.
                    Some(Ok(inner)) if inner.fragment.is_none() && inner.tunnelled().is_none() => {
                        facts.insert(Fact::Tunnelled);
                        self.whole(time_ns, &inner, facts, seen);
                    }
                    Some(_) => self.counts.tunnels_too_deep += 1,
                    None => self.whole(time_ns, &whole, facts, seen),
                }
            }
        }
    }

    /// A packet that is not in parts.
    fn whole(
        &mut self,
        time_ns: u64,
        datagram: &Datagram<'_>,
        mut facts: Facts,
        seen: &mut impl FnMut(&Seen<'_>),
    ) {
        let mut part = Part {
            time_ns,
            len_bytes: datagram.len_bytes,
            payload: datagram.payload,
            tcp_flags: TcpFlags::default(),
            sequence: 0,
            facts,
        };
        let (transport, ports) = match datagram.number {
            number::ICMP | number::ICMPV6 => (Transport::Icmp, (0, 0)),
            number::TCP | number::UDP => {
                let Ok(packet) = datagram.transport() else {
                    self.counts.unreadable += 1;
                    return;
                };
                if packet.truncated {
                    facts.insert(Fact::PayloadCut);
                }
                part = Part {
                    payload: packet.payload,
                    tcp_flags: packet.tcp_flags,
                    sequence: packet.sequence,
                    facts,
                    ..part
                };
                let transport = if datagram.number == number::TCP { Transport::Tcp } else { Transport::Udp };
                (transport, (packet.sport, packet.dport))
            }
            _ => {
                self.counts.other_transports += 1;
                return;
            }
        };
        self.counts.in_flows += 1;
        let src = Endpoint { ip: datagram.src, port: ports.0 };
        let dst = Endpoint { ip: datagram.dst, port: ports.1 };
        let (key, sender) = Key::new(transport, src, dst);
        self.flow_part(key, sender, &part, seen);
    }

    fn flow_part(&mut self, key: Key, sender: Side, part: &Part<'_>, seen: &mut impl FnMut(&Seen<'_>)) {
        let hash = self.hasher.hash_one(key);
        let entries = &self.entries;
        let same = |at: &u32| entry_at(entries, *at).is_some_and(|entry| *entry.key() == key);
        let at = match self.index.find(hash, same).copied() {
            Some(at) => {
                if !slot_mut(&mut self.entries, at).is_some_and(|entry| certainly_belongs(entry, part)) {
                    self.renew(at, key, sender, part);
                }
                at
            }
            None => {
                let entry = self.begin(key, sender, part);
                self.insert(hash, entry)
            }
        };
        let Some(entry) = slot_mut(&mut self.entries, at) else { return };
        let before = entry.heap_bytes();
        let state = State::of(entry, sender);
        entry.add(sender, part);
        // The opening has a place of its own in the stream.
        let sequence = part.sequence.wrapping_add(u32::from(part.tcp_flags.contains(TcpFlags::SYN)));
        let (payload, time_ns) = (part.payload, part.time_ns);
        seen(&Seen { entry, sender, payload, sequence, time_ns, before: state });
        let after = entry.heap_bytes();
        if after != before {
            self.heap_bytes = (self.heap_bytes + after).saturating_sub(before);
        }
        let is_answer = key.transport() == Transport::Udp
            && entry.direction(sender) == Direction::ToClient
            && (matches!(entry.protocol(), Protocol::Dns | Protocol::Llmnr) || key_is_dns(&key));
        if is_answer {
            self.answers.learn(key.address(sender.other()), part.payload);
        }
        if self.bytes() > self.limits.max_bytes {
            self.evict(at);
        }
    }

    /// Ends the flow in this slot and begins another if the packet cannot belong to it any more.
    #[inline(never)]
    fn renew(&mut self, at: u32, key: Key, sender: Side, part: &Part<'_>) {
        let Some(entry) = slot_mut(&mut self.entries, at) else { return };
        let silent_ns = part.time_ns.saturating_sub(entry.last_ns());
        let opens = part.tcp_flags.contains(TcpFlags::SYN) && !part.tcp_flags.contains(TcpFlags::ACK);
        let reopened = opens && entry.is_closed();
        if silent_ns <= idle_ns(entry) && !reopened {
            return;
        }
        let fresh = self.begin(key, sender, part);
        let fresh_bytes = fresh.heap_bytes();
        let Some(entry) = slot_mut(&mut self.entries, at) else { return };
        let old = std::mem::replace(entry, fresh);
        self.heap_bytes = (self.heap_bytes + fresh_bytes).saturating_sub(old.heap_bytes());
        self.ended.push_back(old.finish(End::Idle));
    }

    fn begin(&mut self, key: Key, sender: Side, part: &Part<'_>) -> Entry {
        let mut entry = Entry::new(self.counts.flows, key, sender, part);
        self.counts.flows += 1;
        let (client, server) = entry.addresses();
        if let Some(name) = self.answers.name(client, server) {
            entry.set_dns_name(name);
        }
        entry
    }

    /// Files a new flow; returns its slot.
    fn insert(&mut self, hash: u64, entry: Entry) -> u32 {
        let due_ns = entry.last_ns().saturating_add(LOOK_NS.min(idle_ns(&entry)));
        self.heap_bytes += entry.heap_bytes();
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.entries.push(None);
                // Four thousand million flows do not fit into any memory cap.
                u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(slot) = usize::try_from(at).ok().and_then(|at| self.entries.get_mut(at)) {
            *slot = Some(entry);
        }
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, at, |at| {
            entry_at(entries, *at).map_or(0, |entry| hasher.hash_one(entry.key()))
        });
        self.file(at, due_ns);
        at
    }

    /// Puts a flow into the slot of the wheel where it is looked at next.
    fn file(&mut self, at: u32, due_ns: u64) {
        // Never into the slot that is being emptied, never further than a round.
        let farthest = self.looked_at + SLOTS as u64 - 1;
        let slot = (due_ns / SLOT_NS + 1).clamp(self.looked_at + 1, farthest);
        if let Some(slot) = wheel_slot(&mut self.wheel, slot) {
            slot.push(at);
        }
    }

    /// Looks at the flows whose time has come.
    #[inline(never)]
    fn look(&mut self, time_ns: u64) {
        let now = time_ns / SLOT_NS;
        // After a jump in time one round visits every slot.
        let first = (self.looked_at + 1).max(now.saturating_sub(SLOTS as u64 - 1));
        for slot in first..=now {
            self.looked_at = slot;
            let due = wheel_slot(&mut self.wheel, slot).map(std::mem::take).unwrap_or_default();
            for at in due {
                self.look_at(at, slot * SLOT_NS);
            }
        }
        self.next_look_ns = (now + 1).saturating_mul(SLOT_NS);
    }

    fn look_at(&mut self, at: u32, now_ns: u64) {
        let Some(entry) = slot_mut(&mut self.entries, at) else { return };
        entry.active = false;
        let idle_ns = idle_ns(entry);
        let end_ns = entry.last_ns().saturating_add(idle_ns);
        if end_ns < now_ns {
            self.end(at, End::Idle);
        } else {
            let due_ns = end_ns.min(now_ns.saturating_add(LOOK_NS));
            self.file(at, due_ns);
        }
    }

    /// Ends flows until the cap holds; the one in slot `keep` stays.
    #[inline(never)]
    fn evict(&mut self, keep: u32) {
        let mut passed = 0;
        while self.bytes() > self.limits.max_bytes {
            let Some(at) = self.next_in_wheel() else { return };
            let was_active = slot_mut(&mut self.entries, at)
                .is_some_and(|entry| std::mem::replace(&mut entry.active, false));
            if at == keep || was_active && passed < MAX_PASSED {
                passed += 1;
                let farthest_ns = (self.looked_at + SLOTS as u64) * SLOT_NS;
                self.file(at, farthest_ns);
                if passed > MAX_PASSED {
                    return; // Only the flow that stays is left.
                }
                continue;
            }
            self.counts.evicted += 1;
            self.end(at, End::Evicted);
        }
    }

    /// Takes the flow that would be looked at next.
    fn next_in_wheel(&mut self) -> Option<u32> {
        let first = self.looked_at;
        (first..first + SLOTS as u64).find_map(|slot| {
            let slot = wheel_slot(&mut self.wheel, slot)?;
            // The first in a slot came first; order within four seconds matters less than speed.
            (!slot.is_empty()).then(|| slot.swap_remove(0))
        })
    }

    /// Ends a flow that is no longer in the wheel.
    fn end(&mut self, at: u32, end: End) {
        let Some(entry) =
            usize::try_from(at).ok().and_then(|at| self.entries.get_mut(at)).and_then(Option::take)
        else {
            return;
        };
        let hash = self.hasher.hash_one(entry.key());
        if let Ok(found) = self.index.find_entry(hash, |other| *other == at) {
            found.remove();
        }
        self.free.push(at);
        self.heap_bytes = self.heap_bytes.saturating_sub(entry.heap_bytes());
        self.ended.push_back(entry.finish(end));
    }

    /// The next flow that ended.
    pub fn pop(&mut self) -> Option<Flow> {
        self.ended.pop_front()
    }

    /// Ends all flows, in the order in which they began: the input is over.
    pub fn finish(&mut self) {
        self.fragments.finish();
        self.index.clear();
        self.free.clear();
        self.heap_bytes = 0;
        for slot in &mut self.wheel {
            slot.clear();
        }
        let mut left: Vec<Entry> = std::mem::take(&mut self.entries).into_iter().flatten().collect();
        left.sort_by_key(Entry::number);
        self.ended.extend(left.into_iter().map(|entry| entry.finish(End::Input)));
    }

    /// Bytes of open flows: entries, index and payload that is kept. The memory of names and fragments has bounds of
    /// its own and is not part of it.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.index.len() * BYTES_PER_FLOW + self.heap_bytes
    }

    /// Open flows.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// True if no flow is open.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        Counts { fragments_lost: self.counts.fragments_lost + self.fragments.dropped, ..self.counts }
    }
}

/// What is true of nearly every packet: it opens nothing, and comes within the shortest silence that any flow may have.
#[inline]
fn certainly_belongs(entry: &Entry, part: &Part<'_>) -> bool {
    part.time_ns.saturating_sub(entry.last_ns()) <= ICMP_IDLE_NS && !part.tcp_flags.contains(TcpFlags::SYN)
}

/// How long a flow may be silent.
fn idle_ns(entry: &Entry) -> u64 {
    match entry.key().transport() {
        Transport::Tcp if entry.is_closed() || entry.is_half_open() => TCP_TRANSITORY_NS,
        Transport::Tcp => TCP_IDLE_NS,
        Transport::Udp => UDP_IDLE_NS,
        Transport::Icmp => ICMP_IDLE_NS,
    }
}

/// True while the verdict is open but the port says DNS: its answers are read from the first one on.
fn key_is_dns(key: &Key) -> bool {
    [Side::Low, Side::High].into_iter().any(|side| matches!(key.port(side), 53 | 5353 | 5355))
}

fn entry_at(entries: &[Option<Entry>], at: u32) -> Option<&Entry> {
    entries.get(usize::try_from(at).ok()?)?.as_ref()
}

fn slot_mut(entries: &mut [Option<Entry>], at: u32) -> Option<&mut Entry> {
    entries.get_mut(usize::try_from(at).ok()?)?.as_mut()
}

fn wheel_slot(wheel: &mut [Vec<u32>], slot: u64) -> Option<&mut Vec<u32>> {
    let at = usize::try_from(slot % SLOTS as u64).ok()?;
    wheel.get_mut(at)
}
