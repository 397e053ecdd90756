//! Counting judgements, or the different values of their fields, in a window of time.

use super::compile::{Correlation, Kind};
use crate::judge::{Group, Judgement};
use crate::rule::in_order;
use event::{BootTime, Event};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use strategy::sigma::Order;

/// Events of a group that are kept as evidence.
const EVIDENCE_LIMIT: usize = 8;
/// Judgements or values of one group that are told apart; more than these count as these.
const COUNT_LIMIT: usize = 100_000;

/// What a window holds.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Times of judgements, in order; only the latest that matter.
    times: VecDeque<BootTime>,
    /// Values with the time of their last judgement.
    values: FxHashMap<Group, BootTime>,
    /// The values by that time.
    by_time: BTreeMap<(BootTime, Group), ()>,
    /// The first of them and the latest.
    evidence: VecDeque<Arc<Event>>,
}

/// Evidence and count of what fired.
pub(super) type Fired = (Vec<Arc<Event>>, u64);

impl Counted {
    /// Takes a judgement; says what fired.
    pub(super) fn take(&mut self, correlation: &Correlation, judgement: &Judgement) -> Option<Fired> {
        let time = judgement.event.boot;
        let at_end = matches!(correlation.kind, Kind::AtEnd { .. });
        if !at_end {
            self.forget(time, correlation);
        }
        if correlation.counts_values() {
            let value = correlation.counted(judgement)?;
            if let Some(last) = self.values.get(&value).copied() {
                self.by_time.remove(&(last, value.clone()));
            }
            if self.values.len() < COUNT_LIMIT || self.values.contains_key(&value) {
                self.values.insert(value.clone(), time);
                self.by_time.insert((time, value), ());
            }
        } else if self.times.len() < COUNT_LIMIT {
            let place = self.times.partition_point(|known| *known <= time);
            self.times.insert(place, time);
        }
        self.keep(&judgement.event);
        let (Kind::Events { at_least } | Kind::Values { at_least, .. }) = &correlation.kind else {
            return None;
        };
        (self.count() >= *at_least).then(|| (self.evidence.drain(..).collect(), self.count()))
    }

    /// The window ended: whether its count lies within `bounds`.
    pub(super) fn end(self, bounds: &[(Order, f64)]) -> Option<Fired> {
        let count = self.count();
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let fits = |(order, bound): &(Order, f64)| {
            (count as f64).partial_cmp(bound).is_some_and(|ordering| in_order(ordering, *order))
        };
        bounds.iter().all(fits).then(|| (self.evidence.into(), count))
    }

    fn count(&self) -> u64 {
        let count = if self.values.is_empty() { self.times.len() } else { self.values.len() };
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Forgets what lies more than the window before `time`.
    fn forget(&mut self, time: BootTime, correlation: &Correlation) {
        let past = |old: &BootTime| time.since(*old) > correlation.timespan;
        while self.times.front().is_some_and(past) {
            self.times.pop_front();
        }
        while self.by_time.first_key_value().is_some_and(|((old, _), ())| past(old)) {
            if let Some(((_, value), ())) = self.by_time.pop_first() {
                self.values.remove(&value);
            }
        }
        while self.evidence.front().is_some_and(|event| past(&event.boot)) {
            self.evidence.pop_front();
        }
    }

    /// Keeps the first events, and the last in the place of the one before it.
    fn keep(&mut self, event: &Arc<Event>) {
        if self.evidence.len() >= EVIDENCE_LIMIT {
            self.evidence.pop_back();
        }
        self.evidence.push_back(event.clone());
    }
}
