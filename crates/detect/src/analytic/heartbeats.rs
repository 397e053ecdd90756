//! Analytic: programs that keep time inside one connection.
//!
//! In: flows that a workload opened to another machine, with the bursts of payload in them. Out, on the flow: `beacon`,
//! `beacon_period`, `beacon_jitter`, `beacon_check_ins`, as [`super::beacon`] gives them for the bursts; and the same about
//! workload and destination when the probability enters one of the levels of [`super::check_ins`].
//!
//! State: how far each flow has entered, dropped when it ends, after a day, or when the table is full (the longest silent
//! first, counted).

use super::beacon::Beacon;
use super::check_ins::{facts, hash_of, thousandths};
use super::levels::{Entered, Levels};
use super::listener::listener_text;
use super::port::leaves;
use super::{Analytic, Lru, Made};
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
const LEAST_PERIOD_S: f64 = 5.0;

/// The analytic.
#[derive(Debug)]
pub(super) struct Heartbeats {
    flows: Lru<Entered>,
    levels: Levels,
}

impl Heartbeats {
    pub(super) fn new(levels: Levels) -> Self {
        Self { flows: Lru::new(FLOWS, KEEP), levels }
    }
}

impl Analytic for Heartbeats {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let Kind::Flow(flow) = &event.kind else { return };
        if flow.heartbeats.is_empty() || !flow.initiated || !leaves(&flow.ends) {
            return;
        }
        let Some(workload) = workload(event) else { return };
        let score = history(&flow.heartbeats).score().filter(|score| score.period_s >= LEAST_PERIOD_S);
        let Some(score) = score else { return };
        let key = hash_of(&(workload, flow.cookie));
        let entered = match flow.state {
            FlowState::End => self.flows.remove(key),
            FlowState::Begin | FlowState::Update => {
                self.flows.touch(key, event.boot, Entered::default).copied()
            }
        };
        let mut entered = entered.unwrap_or_default();
        let turn = self.levels.turn(&mut entered, thousandths(score.probability));
        if flow.state != FlowState::End
            && let Some(kept) = self.flows.touch(key, event.boot, Entered::default)
        {
            *kept = entered;
        }
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
