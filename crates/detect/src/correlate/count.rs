//! Counting events in the window that ends at each of them.

use super::evidence::{FIRST, LIMIT};
use super::joinable::Joinable;
use super::state::{Met, Taken};
use std::collections::VecDeque;

/// The times of the events of a window, in order; a group never holds more of them than would make it fire.
#[derive(Debug)]
pub(super) struct Count<R> {
    /// The first events and the last are kept with their times.
    samples: VecDeque<(u64, Option<R>)>,
}

impl<R> Default for Count<R> {
    fn default() -> Self {
        Self { samples: VecDeque::new() }
    }
}

impl<R: Joinable> Count<R> {
    /// Takes an event; says whether it is the one that makes `at_least`.
    pub(super) fn take(&mut self, taken: &Taken<'_, R>, at_least: usize) -> Option<Met<R>> {
        let (time, event) = (taken.time, &taken.judgement.event);
        let newest = self.samples.back().map_or(time, |(last, _)| time.max(*last));
        let oldest = newest.saturating_sub(taken.timespan);
        while self.samples.front().is_some_and(|(old, _)| *old < oldest) {
            self.samples.pop_front();
        }
        let is_last = |last: &R| last.moment() == event.moment();
        let known = self.samples.back().and_then(|(_, last)| last.as_ref()).is_some_and(is_last);
        if known || time < oldest {
            return None;
        }
        match self.samples.back() {
            Some((last, _)) if *last > time => {
                let place = self.samples.partition_point(|(known, _)| *known <= time);
                self.samples.insert(place, (time, Some(event.clone())));
            }
            _ => self.samples.push_back((time, Some(event.clone()))),
        }
        self.thin();
        if self.samples.len() < at_least {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let count = self.samples.len() as f64;
        Some(Met { members: self.samples.drain(..).filter_map(|(_, event)| event).collect(), count })
    }

    /// Lets go of the event that is no longer among the last.
    fn thin(&mut self) {
        let Some(place) = self.samples.len().checked_sub(LIMIT - FIRST + 1) else { return };
        if place >= FIRST
            && let Some((_, event)) = self.samples.get_mut(place)
        {
            *event = None;
        }
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        let samples = self.samples.capacity() * size_of::<(u64, Option<R>)>();
        samples + self.samples.len().min(LIMIT) * R::HELD_BYTES
    }
}
