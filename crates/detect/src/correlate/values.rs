//! Counting the different values in the window that ends at each event.

use super::count::Counted;
use super::evidence::Evidence;
use compact_str::CompactString;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The values of a window; a group never holds more of them than would make it fire.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// With the time of their last event.
    last: FxHashMap<CompactString, u64>,
    /// Each once, with a time at or before its last event, the earliest first.
    ages: BinaryHeap<Reverse<(u64, CompactString)>>,
    /// Numbers in the log.
    evidence: Evidence<u64>,
    text_bytes: usize,
}

impl Values {
    /// Takes `value` of the event `number` at `time`; says whether it makes `at_least` values.
    pub(super) fn take(
        &mut self,
        (time, number): (u64, u64),
        value: &str,
        timespan: u64,
        at_least: usize,
    ) -> Option<Counted> {
        self.forget_before(time.saturating_sub(timespan));
        match self.last.get_mut(value) {
            Some(last) => *last = time.max(*last),
            None => {
                let value = CompactString::from(value);
                self.text_bytes += 2 * value.len();
                self.ages.push(Reverse((time, value.clone())));
                self.last.insert(value, time);
            }
        }
        if self.evidence.last() != Some(&number) {
            self.evidence.keep(time, number);
        }
        if self.last.len() < at_least {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let count = self.last.len() as f64;
        (self.last, self.ages, self.text_bytes) = Default::default();
        Some((self.evidence.take(), count))
    }

    /// Forgets the values that were last seen before `oldest`; each is looked at when it may be over, and then no
    /// sooner than it may be over again.
    fn forget_before(&mut self, oldest: u64) {
        self.evidence.forget_before(oldest);
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

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        let entry = 2 * size_of::<(u64, CompactString)>();
        self.last.capacity() * entry + self.text_bytes + self.evidence.bytes()
    }
}
