//! Judgements that wait for earlier ones.
//!
//! Events come nearly in order: what is not earlier than the last goes to the end of a queue, the rest to a heap. From
//! both, what comes next is put in order for many at a time, and the memory of their groups is fetched together
//! ([`Waiting::look_ahead`]): the processor then waits once for all of them, and not for each in turn.

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
    /// Those that were out of order and come before the last that was looked at, in order.
    soon: VecDeque<Entry<R>>,
    /// The earliest time of the two: the queue's first is next if it is earlier.
    aside: u64,
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
        Self {
            in_order: VecDeque::new(),
            out_of_order: BinaryHeap::new(),
            soon: VecDeque::new(),
            aside: u64::MAX,
            seen: 0,
        }
    }
}

impl<R> Waiting<R> {
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.out_of_order.len() + self.soon.len()
    }

    /// Takes what is to wait.
    pub(super) fn push(&mut self, entry: Entry<R>) {
        match self.in_order.back() {
            Some(last) if *last > entry => {
                self.aside = self.aside.min(entry.moment.0.0);
                self.out_of_order.push(Reverse(entry));
            }
            _ => self.in_order.push_back(entry),
        }
    }

    /// Takes the first, where it is not after `watermark`, or where more than `limit` wait.
    #[inline]
    pub(super) fn pop(&mut self, watermark: BootTime, limit: usize) -> Option<Entry<R>> {
        match self.in_order.front() {
            Some(queued) if queued.moment.0.0 < self.aside => {
                if queued.moment.0 > watermark && self.len() <= limit {
                    return None;
                }
                self.seen = self.seen.saturating_sub(1);
                self.in_order.pop_front()
            }
            _ => self.pop_of_all(watermark, limit),
        }
    }

    fn pop_of_all(&mut self, watermark: BootTime, limit: usize) -> Option<Entry<R>> {
        let heaped = self.out_of_order.peek().map(|Reverse(entry)| entry);
        let firsts = [self.in_order.front(), self.soon.front(), heaped];
        let first =
            firsts.into_iter().enumerate().filter_map(|(place, first)| Some((first?, place))).min()?;
        let (moment, place) = (first.0.moment, first.1);
        if moment.0 > watermark && self.len() <= limit {
            return None;
        }
        let taken = match place {
            0 => {
                self.seen = self.seen.saturating_sub(1);
                return self.in_order.pop_front();
            }
            1 => self.soon.pop_front(),
            _ => self.out_of_order.pop().map(|Reverse(entry)| entry),
        };
        let heaped = self.out_of_order.peek().map(|Reverse(entry)| entry);
        let times = [self.soon.front(), heaped].into_iter().flatten().map(|entry| entry.moment.0.0);
        self.aside = times.min().unwrap_or(u64::MAX);
        taken
    }

    /// Looks at those that come next, once at each. Says whether there are any that were not looked at.
    pub(super) fn look_ahead(&mut self) -> bool {
        if self.seen > 0 {
            return false;
        }
        self.seen = self.in_order.len().min(AHEAD);
        let Some(last) = self.seen.checked_sub(1).and_then(|last| self.in_order.get(last)) else {
            return false;
        };
        while self.out_of_order.peek().is_some_and(|Reverse(heaped)| heaped < last) {
            self.soon.extend(self.out_of_order.pop().map(|Reverse(entry)| entry));
        }
        self.seen > 1
    }

    /// Those that were looked at last.
    pub(super) fn ahead(&self) -> impl Iterator<Item = &Entry<R>> {
        self.in_order.iter().take(self.seen).chain(&self.soon)
    }

    /// The same, to write down what was found.
    pub(super) fn ahead_mut(&mut self) -> impl Iterator<Item = &mut Entry<R>> {
        self.in_order.iter_mut().take(self.seen).chain(&mut self.soon)
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
        let times = self.moment.0.cmp(&other.moment.0);
        times.then_with(|| (self.moment.1, self.taker).cmp(&(other.moment.1, other.taker)))
    }
}
