//! Judgements of several rules within one window of time, in any order or in a given one.

use super::compile::{Correlation, Kind};
use super::count::Fired;
use crate::judge::Judgement;
use event::Event;
use std::sync::Arc;

/// What a group has seen.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// By member: in any order, its latest event; in order, the events of the latest beginning that came so far.
    seen: Vec<Option<Vec<Arc<Event>>>>,
}

impl Sequence {
    /// Takes a judgement of the member at `place`; says what fired.
    pub(super) fn take(
        &mut self,
        correlation: &Correlation,
        place: usize,
        judgement: &Judgement,
    ) -> Option<Fired> {
        self.seen.resize(correlation.members.len(), None);
        self.forget(correlation, judgement);
        let complete = match &correlation.kind {
            Kind::InOrder => {
                self.extend(place, &judgement.event);
                self.seen.last().is_some_and(Option::is_some)
            }
            kind => {
                if let Some(slot) = self.seen.get_mut(place) {
                    *slot = Some(vec![judgement.event.clone()]);
                }
                let seen = |place: usize| self.seen.get(place).is_some_and(Option::is_some);
                match kind {
                    Kind::Holding(holds) => holds.given(&seen),
                    _ => self.seen.iter().all(Option::is_some),
                }
            }
        };
        complete.then(|| self.fired(&correlation.kind))
    }

    /// In order: a first member begins anew, another follows the one before it.
    fn extend(&mut self, place: usize, event: &Arc<Event>) {
        let begun = match place.checked_sub(1) {
            None => Some(Vec::new()),
            Some(before) => self.seen.get(before).cloned().flatten(),
        };
        // One event that two members judge is no sequence.
        let begun = begun
            .filter(|begun| begun.last().is_none_or(|last| last.id != event.id || last.boot != event.boot));
        if let (Some(mut events), Some(slot)) = (begun, self.seen.get_mut(place)) {
            events.push(event.clone());
            *slot = Some(events);
        }
    }

    /// Forgets what began more than the window before.
    fn forget(&mut self, correlation: &Correlation, judgement: &Judgement) {
        for slot in &mut self.seen {
            let began = slot.as_ref().and_then(|events| events.first()).map(|event| event.boot);
            if began.is_some_and(|began| judgement.event.boot.since(began) > correlation.timespan) {
                *slot = None;
            }
        }
    }

    fn fired(&mut self, kind: &Kind) -> Fired {
        let mut events = match kind {
            Kind::InOrder => self.seen.pop().flatten().unwrap_or_default(),
            _ => self.seen.drain(..).flatten().flatten().collect(),
        };
        events.sort_by_key(|event| (event.boot, event.id));
        events.dedup_by_key(|event| (event.boot, event.id));
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        (events, count)
    }
}
