//! The latest events of a correlation, to be shown when it fires.
//!
//! Groups hold numbers into the log and not the events themselves: an event is kept once, in the order of arrival, as
//! long as a window can reach it and there is room. What is dropped has long left the processor's caches: many go at a
//! time, and are fetched together before.

use super::blocks::Mark;
use super::joinable::Joinable;
use crate::judge::Moment;
use std::collections::VecDeque;

/// Events that are dropped together.
const DROPPED_TOGETHER: usize = 32;

/// Events by number.
#[derive(Debug)]
pub(super) struct Log<R> {
    /// With their times.
    events: VecDeque<(u64, R)>,
    /// When the last was, and its place among those of the same time.
    last: Moment,
    /// Number of the first.
    first: u64,
    /// Events that groups held themselves and no longer need.
    spent: Vec<R>,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self { events: VecDeque::new(), last: Moment::default(), first: 0, spent: Vec::new() }
    }
}

impl<R: Joinable> Log<R> {
    /// Keeps the event of `moment` that came at `time`; its number. The same event twice in a row has one number.
    pub(super) fn push(&mut self, time: u64, moment: Moment, event: R) -> u64 {
        if self.events.is_empty() || self.last != moment {
            self.events.push_back((time, event));
            self.last = moment;
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

    /// The numbers of `marks`, of those that are still there. A mark has the lower half of a number: the event that it
    /// means is not later than the mark, others that look the same are four billion events later.
    pub(super) fn numbers(&self, marks: &[Mark]) -> Vec<u64> {
        let number = |mark: &Mark| {
            #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is compared")]
            let place = mark.low.wrapping_sub(self.first as u32);
            let (time, _) = self.events.get(usize::try_from(place).ok()?)?;
            (*time <= mark.time).then(|| self.first + u64::from(place))
        };
        marks.iter().filter_map(number).collect()
    }

    /// Forgets what is earlier than `time`, when that is so for many.
    pub(super) fn forget_before(&mut self, time: u64) {
        while self.events.get(DROPPED_TOGETHER - 1).is_some_and(|(known, _)| *known < time) {
            self.drop_first(DROPPED_TOGETHER);
        }
    }

    /// Forgets an eighth of the events, the oldest. Says whether there were any.
    pub(super) fn shorten(&mut self) -> bool {
        let count = self.events.len().div_ceil(8);
        for done in (0..count).step_by(DROPPED_TOGETHER) {
            self.drop_first((count - done).min(DROPPED_TOGETHER));
        }
        count > 0
    }

    /// Takes an event that a group no longer needs, to drop it with others.
    pub(super) fn spend(&mut self, event: R) {
        self.spent.push(event);
        if self.spent.len() >= DROPPED_TOGETHER {
            fetch(self.spent.iter());
            self.spent.clear();
        }
    }

    fn drop_first(&mut self, count: usize) {
        fetch(self.events.iter().take(count).map(|(_, event)| event));
        self.events.drain(..count);
        self.first += u64::try_from(count).unwrap_or(0);
    }

    fn len(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        self.events.len() * (R::HELD_BYTES + size_of::<(u64, R)>())
    }
}

/// Reads a little of each event, none of which waits for another.
fn fetch<'r, R: Joinable + 'r>(events: impl Iterator<Item = &'r R>) {
    std::hint::black_box(events.fold(0, |all, event| all ^ event.fetch()));
}
