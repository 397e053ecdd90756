//! Counting events in the window that ends at each of them.

use super::evidence::{FIRST, LIMIT};
use std::collections::VecDeque;

/// The events of a window, in the order of time; a group never holds more of them than would make it fire.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Times, and numbers in the log.
    samples: VecDeque<(u64, u64)>,
}

/// Numbers of events in the log that are shown, and what was counted.
pub(super) type Counted = (Vec<u64>, f64);

impl Count {
    /// Takes the event `number` at `time`; says whether it is the one that makes `at_least`.
    pub(super) fn take(&mut self, time: u64, number: u64, timespan: u64, at_least: usize) -> Option<Counted> {
        let newest = self.samples.back().map_or(time, |(last, _)| time.max(*last));
        let oldest = newest.saturating_sub(timespan);
        while self.samples.front().is_some_and(|(old, _)| *old < oldest) {
            self.samples.pop_front();
        }
        if time < oldest || self.samples.back().is_some_and(|(_, last)| *last == number) {
            return None;
        }
        match self.samples.back() {
            Some((last, _)) if *last > time => {
                let place = self.samples.partition_point(|(known, _)| *known <= time);
                self.samples.insert(place, (time, number));
            }
            _ => self.samples.push_back((time, number)),
        }
        let count = self.samples.len();
        if count < at_least {
            return None;
        }
        let is_shown = |place: &usize| *place < FIRST || *place + (LIMIT - FIRST) >= count;
        let shown = self.samples.drain(..).enumerate().filter(|(place, _)| is_shown(place));
        let numbers = shown.map(|(_, (_, number))| number).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        Some((numbers, count as f64))
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        self.samples.capacity() * size_of::<(u64, u64)>()
    }
}
