//! Sums, exact where the numbers are whole; and the sum of the window that ends at each event.

use super::compile::COUNT_LIMIT;
use super::count::Counted;
use super::evidence::Evidence;
use super::holds::within;
use super::sliding::Sliding;
use strategy::sigma::Order;
use strategy::yaml::Number;

/// A sum that numbers can be taken out of again.
#[derive(Debug, Default)]
pub(super) struct Total {
    whole: i128,
    rest: f64,
    /// How many numbers are in `rest`: without any it is nothing, whatever rounding left of it.
    rests: usize,
}

impl Total {
    pub(super) fn add(&mut self, number: Number) {
        match number {
            Number::Integer(number) => self.whole += i128::from(number),
            Number::Float(number) => {
                self.rest += number;
                self.rests += 1;
            }
        }
    }

    fn remove(&mut self, number: Number) {
        match number {
            Number::Integer(number) => self.whole -= i128::from(number),
            Number::Float(number) => {
                self.rests = self.rests.saturating_sub(1);
                self.rest = if self.rests == 0 { 0.0 } else { self.rest - number };
            }
        }
    }

    /// The sum.
    #[expect(clippy::cast_precision_loss, reason = "a sum above 2^53 loses its last digits, as a float does")]
    pub(super) fn value(&self) -> f64 {
        self.whole as f64 + self.rest
    }
}

/// The numbers of a window.
#[derive(Debug, Default)]
pub(super) struct Sum {
    samples: Sliding<Number>,
    total: Total,
    /// Numbers in the log.
    evidence: Evidence<u64>,
}

impl Sum {
    /// Takes `value` of the event `number` at `time`; says whether the sum lies within `bounds`. The oldest of too many
    /// values gives way, and is counted as lost.
    pub(super) fn take(
        &mut self,
        (time, number): (u64, u64),
        value: Number,
        (timespan, bounds): (u64, &[(Order, f64)]),
        lost: &mut u64,
    ) -> Option<Counted> {
        let newest = self.samples.last().map_or(time, |(last, _)| time.max(last));
        let oldest = newest.saturating_sub(timespan);
        self.evidence.forget_before(oldest);
        while self.samples.first().is_some_and(|old| old < oldest) {
            self.forget_first();
        }
        if time < oldest || self.evidence.last() == Some(&number) {
            return None;
        }
        if self.samples.len() >= COUNT_LIMIT {
            self.forget_first();
            *lost += 1;
        }
        self.samples.insert(time, value);
        self.total.add(value);
        self.evidence.keep(time, number);
        let sum = self.total.value();
        if !within(sum, bounds) {
            return None;
        }
        self.samples.clear();
        self.total = Total::default();
        Some((self.evidence.take(), sum))
    }

    fn forget_first(&mut self) {
        if let Some(number) = self.samples.take_first() {
            self.total.remove(number);
        }
    }

    /// Reads what taking an event reads.
    pub(super) fn fetch(&self) -> u64 {
        self.samples.fetch() ^ self.evidence.fetch()
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        self.samples.bytes() + self.evidence.bytes()
    }
}
