//! Analytic: programs that check in with a destination at times of their own choosing.
//!
//! In: flows that a workload opened to another machine, at their end. Out: a fact about workload and destination when the
//! probability of [`super::beacon`] enters one of its levels: `beacon`, `beacon_period`, `beacon_jitter`,
//! `beacon_check_ins`. The destination is a name before an address, so that a service behind many addresses is one.
//!
//! State: one history per pair, dropped after a day without a flow, or when the table is full (the longest silent first,
//! counted). Left out on purpose: whether keeping time is bad, which the strategy judges by direction, name and novelty.

use super::beacon::{Beacon, Score};
use super::levels::{Entered, Levels};
use super::listener::listener_text;
use super::port::leaves;
use super::{Analytic, Lru, Made, hash_of};
use compact_str::{ToCompactString, format_compact};
use event::field::workload;
use event::network::FlowState;
use event::{Event, Fact, FactName, Field, Kind};
use std::time::Duration;

/// Pairs at once; with at most 3 kB each, 24 MB.
const PAIRS: usize = 8_192;
/// How long a pair is kept after its last flow.
const KEEP: Duration = Duration::from_secs(86_400);
/// Thousandths of probability.
pub(super) const LEVELS: [u64; 4] = [900, 950, 990, 999];

/// The analytic.
#[derive(Debug)]
pub(super) struct CheckIns {
    pairs: Lru<Pair>,
    levels: Levels,
}

#[derive(Debug, Default)]
struct Pair {
    beacon: Beacon,
    entered: Entered,
}

impl CheckIns {
    pub(super) fn new(levels: Levels) -> Self {
        Self { pairs: Lru::new(PAIRS, KEEP), levels }
    }
}

impl Analytic for CheckIns {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let Kind::Flow(flow) = &event.kind else { return };
        if flow.state != FlowState::End || !flow.initiated || !leaves(&flow.ends) {
            return;
        }
        let Some(workload) = workload(event) else { return };
        let destination = listener_text(event, flow);
        let key = hash_of(&(workload, &destination));
        let Some(pair) = self.pairs.touch(key, event.boot, Pair::default) else { return };
        let (sent, received) = (flow.sent.payload_bytes, flow.received.payload_bytes);
        let Some(score) = pair.beacon.push(flow.start.0, sent, received) else { return };
        if let Some(holds) = self.levels.turn(&mut pair.entered, thousandths(score.probability)) {
            let subject = format_compact!("{} to {destination}", Field::WorkloadName.of(event).to_text());
            made.push_back(event.turns(subject, holds, facts(&score)));
        }
    }

    fn lost(&mut self) -> u64 {
        self.pairs.take_evicted()
    }
}

pub(super) fn facts(score: &Score) -> Vec<Fact> {
    let support = u32::try_from(score.support).unwrap_or(u32::MAX);
    let mut beacon = Fact::number(FactName::Beacon, whole(score.probability * 1000.0));
    beacon.terms = score
        .terms
        .iter()
        .map(|term| {
            (term.name.to_compact_string(), format_compact!("{:.3} ({:+.2})", term.value, term.weight))
        })
        .collect();
    (beacon.window_s, beacon.support) = (u32::try_from(whole(score.span_s)).unwrap_or(u32::MAX), support);
    vec![
        beacon,
        Fact::number(FactName::BeaconPeriod, whole(score.period_s)),
        Fact::number(FactName::BeaconJitter, whole(score.jitter * 100.0)),
        Fact::number(FactName::BeaconCheckIns, support.into()),
    ]
}

pub(super) fn thousandths(probability: f64) -> u64 {
    u64::try_from(whole(probability * 1000.0)).unwrap_or_default()
}

/// The whole number next to a figure of an analytic, which all are far from where that is inexact.
pub(super) fn whole(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "`as` keeps to the range of i64")]
    let whole = number.round() as i64;
    whole
}
