//! Judgements that wait for earlier ones.
//!
//! Events come nearly in order: what is not earlier than the last goes to the end of a queue, the rest to a heap. As the
//! queue tells what comes next, the memory of the groups that are next is fetched for many at a time
//! ([`Waiting::ahead`]): the processor then waits once for all of them, and not for each in turn.

use super::table::Place;
use crate::judge::Moment;
use compact_str::CompactString;
use event::BootTime;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

/// Entries that are looked at together. More do not fit the misses that a core has under way, and its first cache.
pub(super) const AHEAD: usize = 32;

/// Judgements in the order of time, of arrival number, and of who takes them.
#[derive(Debug)]
pub(super) struct Waiting<R> {
    in_order: VecDeque<Entry<R>>,
    out_of_order: BinaryHeap<Reverse<Entry<R>>>,
    /// How many at the front of the queue were looked at.
    seen: usize,
}

/// A judgement that waits to be taken by a correlation. Its key is read while the event is fresh in the processor's cache.
#[derive(Debug)]
pub(super) struct Entry<R> {
    pub(super) moment: Moment,
    /// The correlation, and the place of the judge among its members.
    pub(super) taker: (usize, usize),
    /// The values that it is grouped by, and their hash.
    pub(super) key: (CompactString, u64),
    /// Where the group of that key was when it was looked for ahead of time.
    pub(super) place: Option<Place>,
    pub(super) event: R,
}

impl<R> Default for Waiting<R> {
    fn default() -> Self {
        Self { in_order: VecDeque::new(), out_of_order: BinaryHeap::new(), seen: 0 }
    }
}

impl<R> Waiting<R> {
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.out_of_order.len()
    }

    pub(super) fn push(&mut self, entry: Entry<R>) {
        match self.in_order.back() {
            Some(last) if *last > entry => self.out_of_order.push(Reverse(entry)),
            _ => self.in_order.push_back(entry),
        }
    }

    /// Takes the first, where it is not after `watermark`, or where more than `limit` wait.
    pub(super) fn pop(&mut self, watermark: BootTime, limit: usize) -> Option<Entry<R>> {
        let is_due = |entry: &Entry<R>, waiting: usize| entry.moment.0 <= watermark || waiting > limit;
        let waiting = self.len();
        match (self.in_order.front(), self.out_of_order.peek()) {
            (queued, Some(Reverse(heaped))) if queued.is_none_or(|queued| heaped < queued) => {
                is_due(heaped, waiting).then(|| self.out_of_order.pop())?.map(|Reverse(entry)| entry)
            }
            (Some(queued), _) if is_due(queued, waiting) => {
                self.seen = self.seen.saturating_sub(1);
                self.in_order.pop_front()
            }
            _ => None,
        }
    }

    /// The next of the queue, once for each: what is to come soon.
    pub(super) fn ahead(&mut self) -> Option<impl Iterator<Item = &mut Entry<R>>> {
        if self.seen > 0 {
            return None;
        }
        self.seen = self.in_order.len().min(AHEAD);
        (self.seen > 1).then(|| self.in_order.iter_mut().take(AHEAD))
    }
}

impl<R> PartialEq for Entry<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl<R> Eq for Entry<R> {}
impl<R> PartialOrd for Entry<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<R> Ord for Entry<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.moment, self.taker).cmp(&(other.moment, other.taker))
    }
}
