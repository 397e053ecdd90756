//! Analytic: programs that keep time inside one connection.
//!
//! In: flows that a workload opened to another machine, with the bursts of payload in them. Out, on the flow: `beacon`,
//! `beacon_period`, `beacon_jitter`, `beacon_check_ins`, as [`super::beacon`] gives them for the bursts; and the same about
//! workload and destination when the probability enters one of the levels of [`super::check_ins`].
//!
//! State: how far each flow has entered, dropped when it ends, after a day, or when the table is full (the longest silent
//! first, counted).

use super::beacon::Beacon;
use super::check_ins::{facts, thousandths};
use super::levels::{Entered, Levels};
use super::listener::listener_text;
use super::port::leaves;
use super::{Analytic, Lru, Made, hash_of};
use compact_str::format_compact;
use event::field::workload;
use event::network::{FlowState, Heartbeat};
use event::{Event, Field, Kind};
use std::time::Duration;

/// Flows at once.
const FLOWS: usize = 4_096;
/// How long a flow is kept after it was told last.
const KEEP: Duration = Duration::from_secs(86_400);
const MS_NS: u64 = 1_000_000;
/// What keeps time faster is how media and updates of a page are fetched; the model was trained on sleeps from here on.
pub(super) const LEAST_PERIOD_S: u64 = 5;

/// The analytic.
#[derive(Debug)]
pub(super) struct Heartbeats {
    flows: Lru<Entered>,
    levels: Levels,
    least_period_s: f64,
}

impl Heartbeats {
    /// What keeps time faster than `least_period_s` is passed over.
    pub(super) fn new(levels: Levels, least_period_s: u64) -> Self {
        Self { flows: Lru::new(FLOWS, KEEP), levels, least_period_s: least_period_s as f64 }
    }
}

impl Analytic for Heartbeats {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let Kind::Flow(flow) = &event.kind else { return };
        let is_over = flow.state == FlowState::End;
        if (flow.heartbeats.is_empty() && !is_over) || !flow.initiated || !leaves(&flow.ends) {
            return;
        }
        let Some(workload) = workload(event) else { return };
        let key = hash_of(&(workload, flow.cookie, flow.ends.remote_ip, flow.ends.remote_port));
        if flow.heartbeats.is_empty() {
            // The kernel told them before the end.
            self.flows.remove(key);
            return;
        }
        let score = history(&flow.heartbeats).score();
        let Some(score) = score.filter(|score| score.period_s >= self.least_period_s) else { return };
        let value = thousandths(score.probability);
        let turn = if is_over {
            self.levels.turn(&mut self.flows.remove(key).unwrap_or_default(), value)
        } else {
            let entered = self.flows.touch(key, event.boot, Entered::default);
            entered.and_then(|entered| self.levels.turn(entered, value))
        };
        let destination = listener_text(event, flow);
        let facts = facts(&score);
        facts.iter().for_each(|fact| event.facts.add(fact.clone()));
        if let Some(holds) = turn {
            let subject = format_compact!("{} to {destination}", Field::WorkloadName.of(event).to_text());
            made.push_back(event.turns(subject, holds, facts));
        }
    }

    fn lost(&mut self) -> u64 {
        self.flows.take_evicted()
    }
}

/// The bursts as check-ins.
fn history(beats: &[Heartbeat]) -> Beacon {
    let (mut beacon, mut at_ms) = (Beacon::new(), 0_u64);
    for beat in beats {
        at_ms += u64::from(beat.gap_ms);
        beacon.add(at_ms * MS_NS, beat.bytes_out.into(), beat.bytes_in.into());
    }
    beacon
}

#[cfg(test)]
mod tests {
    use super::super::check_ins::LEVELS;
    use super::*;
    use event::network::{Endpoints, Flow};
    use event::{BootTime, FactName, Sensor};

    /// A flow whose bursts come every ten seconds.
    fn keeps_time(state: FlowState) -> Event {
        let (local_ip, remote_ip) = ([172, 17, 0, 2].into(), [198, 51, 100, 9].into());
        let ends =
            Endpoints { local_ip, local_port: 40_000, remote_ip, remote_port: 443, ..Endpoints::default() };
        let heartbeats = vec![Heartbeat { gap_ms: 10_000, bytes_out: 60, bytes_in: 20 }; 40];
        let flow = Flow { state, ends, initiated: true, cookie: 9, heartbeats, ..Flow::default() };
        Event::new(Sensor::Capture, BootTime(1), Kind::Flow(Box::new(flow)))
    }

    /// For each of two tellings and the end: whether the flow has the fact. With how many turns were said.
    fn told(least_period_s: u64) -> ([bool; 3], usize) {
        let mut heartbeats = Heartbeats::new(Levels::new(LEVELS), least_period_s);
        let mut made = Made::new();
        let facts = [FlowState::Update, FlowState::Update, FlowState::End].map(|state| {
            let mut event = keeps_time(state);
            heartbeats.observe(&mut event, &mut made);
            event.facts.find(FactName::Beacon).is_some()
        });
        (facts, made.len())
    }

    #[test]
    fn a_flow_that_keeps_time_enters_its_level_once_and_its_pace_is_a_parameter() {
        assert_eq!(told(LEAST_PERIOD_S), ([true; 3], 1));
        assert_eq!(told(11), ([false; 3], 0));
    }
}
