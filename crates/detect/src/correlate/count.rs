//! Counting events in the window that ends at each of them.

use super::evidence::{FIRST, LIMIT};
use super::sliding::Sliding;

/// The events of a window; a group never holds more of them than would make it fire.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Numbers in the log.
    events: Sliding<u64>,
}

/// Numbers of events in the log that are shown, and what was counted.
pub(super) type Counted = (Vec<u64>, f64);

impl Count {
    /// Takes the event `number` at `time`; says whether it is the one that makes `at_least`.
    pub(super) fn take(&mut self, time: u64, number: u64, timespan: u64, at_least: usize) -> Option<Counted> {
        let newest = self.events.last().map_or(time, |(last, _)| time.max(last));
        let oldest = newest.saturating_sub(timespan);
        while self.events.first().is_some_and(|old| old < oldest) {
            self.events.take_first();
        }
        if time < oldest || self.events.last().is_some_and(|(_, last)| last == number) {
            return None;
        }
        let count = self.events.len() + 1;
        self.events.insert(time, number);
        if count < at_least {
            return None;
        }
        let is_shown = |place: &usize| *place < FIRST || *place + (LIMIT - FIRST) >= count;
        let shown = self.events.iter().enumerate().filter(|(place, _)| is_shown(place));
        let numbers = shown.map(|(_, number)| number).collect();
        self.events.clear();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        Some((numbers, count as f64))
    }

    /// Reads what taking an event reads.
    pub(super) fn fetch(&self) -> u64 {
        self.events.fetch()
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        self.events.bytes()
    }
}
