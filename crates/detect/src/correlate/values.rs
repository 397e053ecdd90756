//! Counting the different values in the window that ends at each event.

use super::count::Counted;
use super::evidence::Evidence;
use compact_str::CompactString;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// So many values are looked through one by one, more by their hash.
const FEW: usize = 16;

/// The values of a window; a group never holds more of them than would make it fire.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// With the time of their last event, while they are few.
    few: SmallVec<[(u64, CompactString); 3]>,
    /// A time at or before that of each of the few.
    earliest: u64,
    many: Option<Box<Many>>,
    /// Numbers in the log.
    evidence: Evidence<u64>,
}

/// More values than are looked through one by one.
#[derive(Debug)]
struct Many {
    /// With the time of their last event.
    last: HashMap<CompactString, u64, FixedState>,
    /// Each once, with a time at or before its last event, the earliest first.
    ages: BinaryHeap<Reverse<(u64, CompactString)>>,
    text_bytes: usize,
}

impl Values {
    /// Takes `value` of the event `number` at `time`; says whether it makes `at_least` values.
    pub(super) fn take(
        &mut self,
        (time, number): (u64, u64),
        (value, hasher): (&str, &FixedState),
        (timespan, at_least): (u64, usize),
    ) -> Option<Counted> {
        self.forget_before(time.saturating_sub(timespan));
        self.see(value, time, hasher);
        if self.evidence.last() != Some(&number) {
            self.evidence.keep(time, number);
        }
        let count = self.len();
        if count < at_least {
            return None;
        }
        (self.few, self.many) = Default::default();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        Some((self.evidence.take(), count as f64))
    }

    fn len(&self) -> usize {
        self.many.as_ref().map_or(self.few.len(), |many| many.last.len())
    }

    /// `value` was seen at `time`.
    fn see(&mut self, value: &str, time: u64, hasher: &FixedState) {
        if let Some(many) = &mut self.many {
            return many.see(value, time);
        }
        if let Some((last, _)) = self.few.iter_mut().find(|(_, known)| known == value) {
            *last = time.max(*last);
            return;
        }
        if self.few.len() < FEW {
            self.earliest = if self.few.is_empty() { time } else { self.earliest.min(time) };
            self.few.push((time, value.into()));
            return;
        }
        let last = HashMap::with_capacity_and_hasher(2 * FEW, hasher.clone());
        let mut many = Many { last, ages: BinaryHeap::new(), text_bytes: 0 };
        for (time, value) in std::mem::take(&mut self.few) {
            many.see(&value, time);
        }
        many.see(value, time);
        self.many = Some(Box::new(many));
    }

    /// Forgets the values that were last seen before `oldest`.
    fn forget_before(&mut self, oldest: u64) {
        self.evidence.forget_before(oldest);
        if let Some(many) = &mut self.many {
            many.forget_before(oldest);
            if many.last.is_empty() {
                self.many = None;
            }
        } else if self.earliest < oldest {
            self.few.retain(|(last, _)| *last >= oldest);
            self.earliest = self.few.iter().map(|(last, _)| *last).min().unwrap_or(0);
        }
    }

    /// Reads what taking an event reads.
    pub(super) fn fetch(&self) -> u64 {
        self.earliest ^ self.few.last().map_or(0, |(time, _)| *time) ^ self.evidence.fetch()
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        let few =
            if self.few.spilled() { self.few.capacity() * size_of::<(u64, CompactString)>() } else { 0 };
        few + self.many.as_ref().map_or(0, |many| many.bytes()) + self.evidence.bytes()
    }
}

impl Many {
    fn see(&mut self, value: &str, time: u64) {
        match self.last.get_mut(value) {
            Some(last) => *last = time.max(*last),
            None => {
                let value = CompactString::from(value);
                self.text_bytes += 2 * value.len();
                self.ages.push(Reverse((time, value.clone())));
                self.last.insert(value, time);
            }
        }
    }

    /// Each value is looked at when it may be over, and then no sooner than it may be over again.
    fn forget_before(&mut self, oldest: u64) {
        while self.ages.peek().is_some_and(|Reverse((age, _))| *age < oldest) {
            let Some(mut first) = self.ages.peek_mut() else { return };
            let Reverse((age, value)) = &mut *first;
            match self.last.get(value) {
                Some(last) if *last >= oldest => *age = *last,
                _ => {
                    let Reverse((_, value)) = std::collections::binary_heap::PeekMut::pop(first);
                    self.text_bytes = self.text_bytes.saturating_sub(2 * value.len());
                    self.last.remove(&value);
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        let entry = 2 * size_of::<(u64, CompactString)>();
        size_of::<Self>() + self.last.capacity() * entry + self.text_bytes
    }
}
