//! Judgements that wait for earlier ones.
//!
//! Events come nearly in order: what is not earlier than the last goes to the end of a queue, the rest to a heap.

use crate::judge::Moment;
use compact_str::CompactString;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

/// Judgements in the order of time, of arrival number, and of who takes them.
#[derive(Debug)]
pub(super) struct Waiting<R> {
    in_order: VecDeque<Entry<R>>,
    out_of_order: BinaryHeap<Reverse<Entry<R>>>,
}

/// A judgement that waits to be taken by a correlation. Its key is read while the event is fresh in the processor's cache.
#[derive(Debug)]
pub(super) struct Entry<R> {
    pub(super) moment: Moment,
    /// The correlation, and the place of the judge among its members.
    pub(super) taker: (usize, usize),
    /// The values that it is grouped by, and their hash.
    pub(super) key: (CompactString, u64),
    pub(super) event: R,
}

impl<R> Default for Waiting<R> {
    fn default() -> Self {
        Self { in_order: VecDeque::new(), out_of_order: BinaryHeap::new() }
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

    /// When the first is.
    pub(super) fn first(&self) -> Option<Moment> {
        let queued = self.in_order.front().map(|entry| entry.moment);
        let heaped = self.out_of_order.peek().map(|Reverse(entry)| entry.moment);
        queued.into_iter().chain(heaped).min()
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Entry<R>> {
        match (self.in_order.front(), self.out_of_order.peek()) {
            (Some(queued), Some(Reverse(heaped))) if heaped < queued => {}
            (Some(_), _) => return self.in_order.pop_front(),
            _ => {}
        }
        self.out_of_order.pop().map(|Reverse(entry)| entry)
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
