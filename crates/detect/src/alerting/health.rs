//! What the monitoring cannot see now, in sentences, and which strategies are blind by it.
//!
//! In: the events by which sensors tell their state and their losses. Out: a sentence for each signal that a strategy
//! requires and that is down, in part or lossy. A signal of which nothing was said yet is taken for present.

use crate::cut::cut;
use compact_str::{CompactString, format_compact};
use event::health::{LossAt, SensorState};
use event::{BootTime, Event, Kind};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a loss is told with alerts.
const LOSS_MEMORY: Duration = Duration::from_secs(60);
/// Longest reason that is repeated.
const REASON_LIMIT_BYTES: usize = 200;
/// Signals whose state is kept; a sensor that invents more is not heard.
const SIGNAL_LIMIT: usize = 64;

/// A strategy that sees nothing, or less than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// Short name of the strategy.
    pub strategy: CompactString,
    /// What it cannot do without, and why that is missing; one sentence each.
    pub because: Vec<CompactString>,
    /// It sees nothing, rather than less.
    pub entirely: bool,
}

/// State of the signals.
#[derive(Debug, Default)]
pub(crate) struct Health {
    signals: BTreeMap<CompactString, (SensorState, CompactString)>,
    losses: BTreeMap<&'static str, Loss>,
}

#[derive(Debug)]
struct Loss {
    at: LossAt,
    first: BootTime,
    last: BootTime,
    count: u64,
}

impl Health {
    /// Looks at the next event.
    pub(crate) fn observe(&mut self, event: &Event) {
        match &event.kind {
            Kind::Health(health)
                if self.signals.len() < SIGNAL_LIMIT || self.signals.contains_key(&health.signal) =>
            {
                let reason = cut(health.reason.as_str(), REASON_LIMIT_BYTES);
                self.signals.insert(health.signal.clone(), (health.state, reason.into()));
            }
            Kind::Loss(loss) => self.lose(loss.at, loss.count, event.boot),
            _ => {}
        }
    }

    /// Remembers a loss.
    fn lose(&mut self, at: LossAt, count: u64, now: BootTime) {
        let fresh = || Loss { at, first: now, last: now, count: 0 };
        let known = self.losses.entry(at.as_str()).or_insert_with(fresh);
        if now.since(known.last) > LOSS_MEMORY {
            *known = fresh();
        }
        known.last = known.last.max(now);
        known.count = known.count.saturating_add(count);
    }

    /// What a strategy that `requires` these signals cannot see at `now`, one sentence each.
    pub(crate) fn sentences(&self, requires: &[CompactString], now: BootTime) -> Vec<CompactString> {
        let mut sentences = Vec::new();
        for (signal, (state, reason)) in &self.signals {
            if *state != SensorState::Up && requires.contains(signal) {
                let colon = if reason.is_empty() { "" } else { ": " };
                sentences.push(format_compact!("signal {signal} is {}{colon}{reason}", state.as_str()));
            }
        }
        for (name, loss) in &self.losses {
            let concerns = concerns(loss.at);
            let matters =
                concerns.is_empty() || requires.iter().any(|signal| concerns.contains(&signal.as_str()));
            if matters && now.since(loss.last) <= LOSS_MEMORY {
                let seconds = loss.last.since(loss.first).as_secs() + 1;
                sentences.push(format_compact!("{} lost at {name} within {seconds} s", loss.count));
            }
        }
        sentences
    }

    /// Whether `signal` is said not to be there.
    pub(crate) fn is_down(&self, signal: &str) -> bool {
        let gone = |state| matches!(state, SensorState::Down | SensorState::Absent);
        self.signals.get(signal).is_some_and(|(state, _)| gone(*state))
    }
}

/// The signals that lose by a loss at this place; none means all.
fn concerns(at: LossAt) -> &'static [&'static str] {
    match at {
        LossAt::RingCritical => &["process", "privilege", "kernel", "unix_socket", "signal"],
        // Who changed a watched file is known from the records of the kernel.
        LossAt::RingFile => &["file", "integrity"],
        LossAt::Integrity => &["integrity"],
        LossAt::RingNetwork => &["network", "payload", "dns"],
        LossAt::Runtime => &["docker"],
        LossAt::Log => &["log"],
        LossAt::Decode | LossAt::KernelTable => {
            &["process", "file", "network", "payload", "dns", "privilege", "kernel", "unix_socket", "signal"]
        }
        LossAt::Hold | LossAt::Correlation | LossAt::State | LossAt::Recording | LossAt::Output => &[],
    }
}
