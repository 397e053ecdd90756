//! What can be said only of a whole window: from the group's first event to the timespan after it.

use super::compile::{Asks, COUNT_LIMIT, Gauge};
use super::evidence::Evidence;
use super::holds::{bit, within};
use super::joinable::Joinable;
use super::state::{Met, Taken};
use super::total::Total;
use crate::judge::Moment;
use compact_str::CompactString;
use rustc_hash::FxHashSet;
use strategy::yaml::Number;

/// What was measured so far.
#[derive(Debug)]
pub(super) struct Window<R> {
    /// When it began.
    opened: u64,
    /// The last event.
    last: Moment,
    measure: Measure,
    evidence: Evidence<R>,
}

#[derive(Debug)]
enum Measure {
    Events(u64),
    Values(FxHashSet<CompactString>),
    Sum(Total),
    Mean(Total, u64),
    /// All numbers, and which percentile; the median where none is said.
    Numbers(Vec<f64>, Option<f64>),
    Members(u64),
}

/// What a window measures of an event beside its being there.
pub(super) enum Measured<'a> {
    Text(&'a str),
    Number(Number),
    Nothing,
}

impl<R: Joinable> Window<R> {
    /// A window that begins at `opened`.
    pub(super) fn new(gauge: Gauge, opened: u64) -> Self {
        let measure = match gauge {
            Gauge::Events => Measure::Events(0),
            Gauge::Values => Measure::Values(FxHashSet::default()),
            Gauge::Sum => Measure::Sum(Total::default()),
            Gauge::Mean => Measure::Mean(Total::default(), 0),
            Gauge::Median => Measure::Numbers(Vec::new(), None),
            Gauge::Percentile(percent) => Measure::Numbers(Vec::new(), Some(percent)),
            Gauge::Members => Measure::Members(0),
        };
        Self { opened, last: Moment::default(), measure, evidence: Evidence::default() }
    }

    /// When it ends.
    pub(super) fn ends(&self, timespan: u64) -> u64 {
        self.opened.saturating_add(timespan)
    }

    /// Takes an event; what there is no room for is counted as lost. Gives back the event that is no longer shown.
    pub(super) fn take(&mut self, taken: Taken<'_, R>, measured: &Measured<'_>, lost: &mut u64) -> Option<R> {
        let is_known = self.evidence.len() > 0 && self.last == taken.of_event;
        self.last = taken.of_event;
        if let Measure::Members(seen) = &mut self.measure {
            *seen |= bit(taken.place);
        } else if is_known {
            return None;
        }
        match (&mut self.measure, measured) {
            (Measure::Events(count), _) => *count += 1,
            (Measure::Values(values), Measured::Text(value)) => {
                if values.len() < COUNT_LIMIT {
                    values.insert(CompactString::from(*value));
                } else if !values.contains(*value) {
                    *lost += 1;
                }
            }
            (Measure::Sum(total), Measured::Number(number)) => total.add(*number),
            (Measure::Mean(total, count), Measured::Number(number)) => {
                total.add(*number);
                *count += 1;
            }
            (Measure::Numbers(numbers, _), Measured::Number(number)) => match numbers.len() < COUNT_LIMIT {
                true => numbers.push(number.as_f64()),
                false => *lost += 1,
            },
            _ => {}
        }
        if is_known { None } else { self.evidence.keep(taken.time, taken.event) }
    }

    /// The window ended: whether what was measured is what is asked for.
    pub(super) fn end(mut self, asks: &Asks) -> Option<Met<R>> {
        let (holds, count) = match (self.measure, asks) {
            (Measure::Members(seen), Asks::Members(holds)) => {
                (holds.given(seen), f64::from(seen.count_ones()))
            }
            (measure, Asks::Bounds(bounds)) => {
                let measured = measure.value()?;
                (within(measured, bounds), measured)
            }
            (_, Asks::Members(_)) => return None,
        };
        holds.then(|| Met { members: self.evidence.take(), count })
    }

    /// Reads what taking an event reads.
    pub(super) fn fetch(&self) -> u64 {
        let last = match &self.measure {
            Measure::Numbers(numbers, _) => numbers.last().map_or(0, |last| last.to_bits()),
            _ => 0,
        };
        self.opened ^ last ^ self.evidence.fetch()
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        let measured = match &self.measure {
            Measure::Values(values) => values.capacity() * (size_of::<CompactString>() + 1),
            Measure::Numbers(numbers, _) => numbers.capacity() * size_of::<f64>(),
            _ => 0,
        };
        size_of::<Self>() + measured + self.evidence.bytes() + self.evidence.len() * R::HELD_BYTES
    }
}

impl Measure {
    /// The number that the bounds are about; `None` where there is none.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn value(self) -> Option<f64> {
        match self {
            Measure::Events(count) => Some(count as f64),
            Measure::Values(values) => Some(values.len() as f64),
            Measure::Sum(total) => Some(total.value()),
            Measure::Mean(_, 0) => None,
            Measure::Mean(total, count) => Some(total.value() / count as f64),
            Measure::Numbers(numbers, Some(percent)) => percentile(numbers, percent),
            Measure::Numbers(numbers, None) => median(numbers),
            Measure::Members(_) => None,
        }
    }
}

/// The middle number, or the mean of the two in the middle.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *numbers.get((numbers.len() / 2).checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// The smallest number that `percent` of them do not exceed (nearest rank).
fn percentile(mut numbers: Vec<f64>, percent: f64) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "there are at most 100,000")]
    let rank = (percent / 100.0 * numbers.len() as f64).ceil().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 100,000")]
    let place = rank as usize - 1;
    numbers.get(place.min(numbers.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_a_percentile_is_one_of_the_numbers() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let numbers = || (1..=10).map(f64::from).collect::<Vec<_>>();
        for (percent, expect) in
            [(0.0, 1.0), (10.0, 1.0), (50.0, 5.0), (90.0, 9.0), (91.0, 10.0), (100.0, 10.0)]
        {
            assert_eq!(percentile(numbers(), percent), Some(expect), "{percent}");
        }
        assert_eq!(percentile(vec![], 50.0), None);
    }
}
