//! The events that a group keeps to show: the first and the last.

use std::collections::VecDeque;

/// First events that are kept.
pub(super) const FIRST: usize = 4;
/// First and last events together.
pub(super) const LIMIT: usize = 8;

/// First and last events, with their times.
#[derive(Debug)]
pub(super) struct Evidence<R> {
    kept: VecDeque<(u64, R)>,
}

impl<R> Default for Evidence<R> {
    fn default() -> Self {
        Self { kept: VecDeque::new() }
    }
}

impl<R> Evidence<R> {
    /// Keeps the first events and the last; the middle gives way.
    pub(super) fn keep(&mut self, time: u64, event: R) {
        if self.kept.len() >= LIMIT {
            self.kept.remove(FIRST);
        }
        self.kept.push_back((time, event));
    }

    /// Forgets what is earlier than `time`.
    pub(super) fn forget_before(&mut self, time: u64) {
        while self.kept.front().is_some_and(|(kept, _)| *kept < time) {
            self.kept.pop_front();
        }
    }

    /// The event that came last.
    pub(super) fn last(&self) -> Option<&R> {
        self.kept.back().map(|(_, event)| event)
    }

    /// Gives all and keeps none.
    pub(super) fn take(&mut self) -> Vec<R> {
        self.kept.drain(..).map(|(_, event)| event).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// How much is held, without what the events hold themselves.
    pub(super) fn bytes(&self) -> usize {
        self.kept.capacity() * size_of::<(u64, R)>()
    }
}
