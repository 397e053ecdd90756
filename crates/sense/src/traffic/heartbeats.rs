//! Bursts of payload inside flows that go on: what a client says again and again without connecting anew.
//!
//! In: packets of flows. Out: of flows that have lived for a minute and have small bursts, the latest [`KEPT`] of them, with when
//! to tell. A burst is payload behind [`SILENCE_NS`] without any packet of the flow. Flows without such a silence cost nothing;
//! of those with one at most [`FLOWS`] are followed: above that the half goes whose last burst is longest ago.

use std::collections::{HashMap, VecDeque};

use event::network::Heartbeat;
use flow::{Seen, Transport};

/// Bursts kept of a flow.
const KEPT: usize = 64;
/// Flows at once, of about 900 bytes each.
const FLOWS: usize = 4096;
const MS_NS: u64 = 1_000_000;
/// What ends a burst: as long as the analytic takes what comes for one check-in.
const SILENCE_NS: u64 = 500 * MS_NS;
/// How long a flow has lived that is told.
const LEAST_AGE_NS: u64 = 60_000 * MS_NS;
/// Bursts that are told: as many as the analytic needs.
const LEAST: usize = 8;
/// The median of bursts that are small: a question with its answer, no transfer.
const SMALL_BYTES: u64 = 4096;
/// Bursts between one telling and the next.
const MOST_BETWEEN: u64 = 64;

/// The flows that are followed, by number.
#[derive(Debug, Default)]
pub(super) struct Heartbeats {
    flows: HashMap<u64, Beats>,
}

#[derive(Debug, Default)]
struct Beats {
    bursts: VecDeque<Heartbeat>,
    /// The burst that goes on: its begin, the gap before it, and the payload both ways before it.
    begin_ns: u64,
    gap_ms: u32,
    before: [u64; 2],
    /// All bursts, kept or not, and the number from which on they are told again.
    count: u64,
    next_telling: u64,
}

impl Beats {
    /// The burst that goes on, if it ended with these bytes of payload in all.
    fn current(&self, payload_bytes: [u64; 2]) -> Heartbeat {
        let [bytes_out, bytes_in] = [0, 1].map(|way: usize| {
            let of = |bytes: &[u64; 2]| bytes.get(way).copied().unwrap_or_default();
            u32::try_from(of(&payload_bytes).saturating_sub(of(&self.before))).unwrap_or(u32::MAX)
        });
        Heartbeat { gap_ms: self.gap_ms, bytes_out, bytes_in }
    }
}

impl Heartbeats {
    /// Looks at a packet; true where the flow's bursts are worth telling again.
    pub(super) fn packet(&mut self, seen: &Seen<'_>) -> bool {
        if seen.payload().is_empty() || seen.silence_ns() < SILENCE_NS || seen.transport() == Transport::Icmp
        {
            return false;
        }
        if self.flows.len() >= FLOWS && !self.flows.contains_key(&seen.number()) {
            self.shrink();
        }
        let mut before = payload_bytes(seen);
        let own = usize::from(seen.direction() == wire::Direction::ToClient);
        if let Some(bytes) = before.get_mut(own) {
            *bytes = bytes.saturating_sub(seen.payload().len() as u64);
        }
        let beats = self.flows.entry(seen.number()).or_default();
        let now_ns = seen.time_ns();
        if beats.count > 0 {
            if beats.bursts.len() >= KEPT {
                beats.bursts.pop_front();
            }
            beats.bursts.push_back(beats.current(before));
            beats.gap_ms = u32::try_from(now_ns.saturating_sub(beats.begin_ns) / MS_NS).unwrap_or(u32::MAX);
        }
        (beats.begin_ns, beats.before) = (now_ns, before);
        beats.count += 1;
        let is_due =
            beats.bursts.len() >= LEAST && seen.age_ns() >= LEAST_AGE_NS && beats.count >= beats.next_telling;
        if is_due {
            beats.next_telling = beats.count + beats.count.min(MOST_BETWEEN);
        }
        is_due
    }

    /// The bursts of a flow of this number and age that are over; those of the opener first. With `at_end` the last one is too.
    pub(super) fn of(&self, flow: &flow::Flow, at_end: bool) -> Vec<Heartbeat> {
        let Some(beats) = self.flows.get(&flow.number) else { return Vec::new() };
        let mut bursts: Vec<Heartbeat> = beats.bursts.iter().copied().collect();
        if at_end {
            bursts.push(beats.current([flow.sent.payload_bytes, flow.received.payload_bytes]));
        }
        let is_young = flow.last_ns.saturating_sub(flow.first_ns) < LEAST_AGE_NS;
        if is_young || bursts.len() < LEAST || !are_small(&bursts) {
            return Vec::new();
        }
        bursts
    }

    /// Forgets a flow.
    pub(super) fn ended(&mut self, number: u64) {
        self.flows.remove(&number);
    }

    fn shrink(&mut self) {
        let mut begins: Vec<u64> = self.flows.values().map(|beats| beats.begin_ns).collect();
        let half = begins.len() / 2;
        let (_, middle, _) = begins.select_nth_unstable(half);
        let middle = *middle;
        self.flows.retain(|_, beats| beats.begin_ns > middle);
    }
}

/// Whether bursts are questions with their answers rather than parts of a transfer.
pub(crate) fn are_small(bursts: &[Heartbeat]) -> bool {
    let mut sizes: Vec<u64> =
        bursts.iter().map(|burst| u64::from(burst.bytes_out) + u64::from(burst.bytes_in)).collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).is_some_and(|median| *median <= SMALL_BYTES)
}

fn payload_bytes(seen: &Seen<'_>) -> [u64; 2] {
    [wire::Direction::ToServer, wire::Direction::ToClient].map(|direction| seen.payload_bytes(direction))
}
