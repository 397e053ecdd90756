//! The events that a group keeps to show: the first and the last.

use smallvec::SmallVec;

/// First events that are kept.
pub(super) const FIRST: usize = 4;
/// First and last events together.
pub(super) const LIMIT: usize = 8;

/// First and last events, with their times.
#[derive(Debug)]
pub(super) struct Evidence<R> {
    kept: SmallVec<[(u64, R); FIRST]>,
}

impl<R> Default for Evidence<R> {
    fn default() -> Self {
        Self { kept: SmallVec::new() }
    }
}

impl<R> Evidence<R> {
    /// Keeps the first events and the last; the middle gives way, and is given back.
    pub(super) fn keep(&mut self, time: u64, event: R) -> Option<R> {
        let middle = (self.kept.len() >= LIMIT).then(|| self.kept.remove(FIRST).1);
        self.kept.push((time, event));
        middle
    }

    /// Forgets what is earlier than `time`.
    pub(super) fn forget_before(&mut self, time: u64) {
        let over = self.kept.iter().take_while(|(kept, _)| *kept < time).count();
        if over > 0 {
            self.kept.drain(..over);
        }
    }

    /// The event that came last.
    pub(super) fn last(&self) -> Option<&R> {
        self.kept.last().map(|(_, event)| event)
    }

    /// Gives all and keeps none.
    pub(super) fn take(&mut self) -> Vec<R> {
        self.kept.drain(..).map(|(_, event)| event).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Reads what keeping an event reads.
    pub(super) fn fetch(&self) -> u64 {
        self.kept.last().map_or(0, |(time, _)| *time)
    }

    /// How much is held beside the thing itself, without what the events hold themselves.
    pub(super) fn bytes(&self) -> usize {
        if self.kept.spilled() { self.kept.capacity() * size_of::<(u64, R)>() } else { 0 }
    }
}
