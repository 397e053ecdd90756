//! The latest events of a correlation, to be shown when it fires.
//!
//! Groups hold numbers into the log and not the events themselves: an event is kept once, in the order of arrival, as
//! long as a window can reach it and there is room.

use super::joinable::Joinable;
use std::collections::VecDeque;

/// Events by number.
#[derive(Debug)]
pub(super) struct Log<R> {
    events: VecDeque<(u64, R)>,
    /// Number of the first.
    first: u64,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self { events: VecDeque::new(), first: 0 }
    }
}

impl<R: Joinable> Log<R> {
    /// Keeps an event that came at `time`; its number. The same event twice in a row has one number.
    pub(super) fn push(&mut self, time: u64, event: R) -> u64 {
        let is_last = self.events.back().is_some_and(|(_, last)| last.moment() == event.moment());
        if !is_last {
            self.events.push_back((time, event));
        }
        self.first + self.len().saturating_sub(1)
    }

    /// The events of these numbers that are still there.
    pub(super) fn events(&self, numbers: impl Iterator<Item = u64>) -> Vec<R> {
        let event = |number: u64| {
            let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
            self.events.get(place).map(|(_, event)| event.clone())
        };
        numbers.filter_map(event).collect()
    }

    /// Forgets what is earlier than `time`, up to the first that is not.
    pub(super) fn forget_before(&mut self, time: u64) {
        while self.events.front().is_some_and(|(known, _)| *known < time) {
            self.events.pop_front();
            self.first += 1;
        }
    }

    /// Forgets an eighth of the events, the oldest. Says whether there were any.
    pub(super) fn shorten(&mut self) -> bool {
        let count = self.events.len().div_ceil(8);
        self.events.drain(..count);
        self.first += u64::try_from(count).unwrap_or(0);
        count > 0
    }

    fn len(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        self.events.len() * (R::HELD_BYTES + size_of::<(u64, R)>())
    }
}
