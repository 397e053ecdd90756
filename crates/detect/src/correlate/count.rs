//! Counting events in the window that ends at each of them.

use super::blocks::{Blocks, Mark, Marks};
use super::evidence::{FIRST, LIMIT};

/// The events of a window; a group never holds more of them than would make it fire.
#[derive(Debug, Default)]
pub(super) struct Count {
    events: Marks,
}

/// Numbers of events in the log that are shown, and what was counted.
pub(super) type Counted = (Vec<u64>, f64);

impl Count {
    /// Takes the event `number` at `time`; says whether it is the one that makes `at_least`.
    pub(super) fn take(
        &mut self,
        blocks: &mut Blocks,
        (time, number): (u64, u64),
        (timespan, at_least): (u64, usize),
    ) -> Option<(Vec<Mark>, f64)> {
        let newest = self.events.last().map_or(time, |(last, _)| time.max(last));
        let oldest = newest.saturating_sub(timespan);
        while self.events.first().is_some_and(|old| old < oldest) {
            self.events.forget_first(blocks);
        }
        if time < oldest || self.events.last().is_some_and(|(_, last)| last == number) {
            return None;
        }
        let count = self.events.len() + 1;
        self.events.insert(blocks, time, number);
        if count < at_least {
            return None;
        }
        let is_shown = |place: &usize| *place < FIRST || *place + (LIMIT - FIRST) >= count;
        let shown = self.events.iter(blocks).enumerate().filter(|(place, _)| is_shown(place));
        let shown = shown.map(|(_, mark)| mark).collect();
        self.events.clear(blocks);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        Some((shown, count as f64))
    }

    /// Reads what taking an event reads at which all before `oldest` is over.
    pub(super) fn fetch(&self, blocks: &Blocks, oldest: u64) -> u64 {
        self.events.fetch(blocks, oldest)
    }

    /// Gives the blocks back: the group is over.
    pub(super) fn release(&mut self, blocks: &mut Blocks) {
        self.events.clear(blocks);
    }
}
