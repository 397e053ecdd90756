//! Beacons: how far the check-ins of one pair look like a program that sleeps, and not like people or chance.
//!
//! In: for one pair (a workload or container and a destination, its name before its address) the time, bytes out and
//! bytes in of each event, which is a connection, or a packet with payload for the heartbeats inside one long
//! connection. Out: a [`Score`], from eight events on: a calibrated probability, the period, the jitter, and the terms
//! that moved the probability most.
//!
//! | step | formula |
//! |---|---|
//! | bursts | events within 0.5 s are one check-in; gaps below a twentieth of the 90 % quantile do not count as sleeps |
//! | missed check-ins | each gap d becomes d/k, k = round(d / median) in 1..=6 |
//! | shape | quantile ratios, coefficient of variation, ln mean − mean ln (the scale-free statistic of the gamma shape), Kolmogorov–Smirnov distance from the exponential and from the uniform, the smallest gaps times n / mean |
//! | memory | rank-free lag-1 correlation of ln d; variance of sums of four gaps; medians of both halves |
//! | schedule | length of the mean phase vector on the own period and on the nearest period of a clock |
//! | sizes | share of the commonest size, coefficient of variation and median deviation, both ways |
//!
//! A table of boosted trees (`table.rs`) turns these into log-odds. It is made by
//! `cargo run --release -p watchkeeper-detect --example beacon -- train` from processes that the example draws:
//! sleeps of 5 to 3,600 s with jitter, loss, padding and bursts against Poisson arrivals, people and bursty programs.
//! The probability is calibrated for even odds between these two; it says that a program keeps time, not that it is
//! hostile: probes, scrapes and NTP score as high, and the strategy must judge direction, name and novelty.
//!
//! Left out on purpose: spectra, because sleep with jitter is a renewal process, whose phase walks off until no line is
//! left at half jitter; histories of days, because containers do not live that long.
//!
//! Sources: RITA's description of skew, MADM and their weights (the statistics `skew` and `deviation`); the interval
//! quantiles and folding are our own; Massey 1951 for the Kolmogorov–Smirnov distance; Friedman 2001 for boosted trees.

mod model;
mod statistics;
mod table;
#[cfg(test)]
mod tests;

use smallvec::SmallVec;
use std::collections::VecDeque;

pub use model::{DEPTH, Tree};
pub use statistics::{FEATURES, NAMES};

/// Check-ins that are kept; with 12 bytes each, a pair costs at most 3 kB.
pub const HISTORY: usize = 256;
/// Events from which on there is a score: real command and control shows 8 to 12 in a short capture.
pub const LEAST_EVENTS: u64 = 8;
/// Gaps that a score needs when bursts are collapsed.
const LEAST_GAPS: usize = 4;
/// Events closer than this to the one before belong to the same check-in.
const BURST_MS: u64 = 500;
/// How far back a late event is put in its place, in check-ins.
const LATE: usize = 32;
/// Terms that a score names.
const TERMS: usize = 6;
/// What a history of its length is worth in [`Score::rank`], in seconds: beyond a day nothing is added.
const DAY_S: f64 = 86_400.0;

/// The history of one pair.
///
/// ```
/// use detect::analytic::beacon::Beacon;
/// let mut beacon = Beacon::new();
/// let sleeps = [58, 61, 60, 57, 60, 62, 59, 60, 61, 58, 60, 59];
/// let mut at = 0;
/// for sleep in sleeps {
///     at += sleep * 1_000_000_000;
///     beacon.push(at, 312, 148);
/// }
/// let score = beacon.score().unwrap();
/// assert!(score.probability > 0.95);
/// assert!((score.period_s - 60.0).abs() < 2.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Beacon {
    /// Oldest first; the gap of the first has no meaning.
    checks: VecDeque<CheckIn>,
    /// Milliseconds of the first event of all, kept or not.
    first_ms: u64,
    /// Milliseconds of the newest check-in's beginning.
    newest_ms: u64,
    /// Milliseconds of the newest event.
    last_ms: u64,
    /// All events that were pushed.
    events: u64,
    /// Events in the check-ins that are kept, roughly: what falls out takes an even share with it.
    kept_events: f64,
    /// The number of events at which [`Self::push`] scores next.
    next_score: u64,
    /// Events that came too late to be put in their place.
    late: u64,
}

/// One check-in: what came within the burst time.
#[derive(Clone, Copy, Debug, Default)]
struct CheckIn {
    gap_ms: u32,
    bytes_out: u32,
    bytes_in: u32,
}

/// What a history says.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// That a program keeps time here, 0 to 1, at even odds beforehand.
    pub probability: f64,
    /// The same before it is squeezed into 0..1.
    pub log_odds: f64,
    /// The median time between check-ins with the missed ones put back, in seconds.
    pub period_s: f64,
    /// The width of the sleeps, as a share of the longest: 0 where all are alike, 0.9 for sleeps from a tenth on.
    pub jitter: f64,
    /// Check-ins that were looked at.
    pub support: usize,
    /// From the pair's first event of all to the last check-in, in seconds.
    pub span_s: f64,
    /// The period of the clock that the check-ins keep to, in seconds: a cron job rather than a sleep.
    pub aligned_s: Option<f64>,
    /// The statistics that moved the log-odds most, greatest first.
    pub terms: SmallVec<[Term; TERMS]>,
}

/// A statistic and what it did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// One of [`NAMES`].
    pub name: &'static str,
    /// The statistic.
    pub value: f64,
    /// What it added to the log-odds.
    pub weight: f64,
}

impl Score {
    /// For sorting pairs: the probability, of which half counts in full and half by how much of a day the pair lasted.
    pub fn rank(&self) -> f64 {
        self.probability * (0.5 + 0.5 * (self.span_s / DAY_S).min(1.0))
    }
}

impl Beacon {
    /// An empty history.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event at `time_ns` (any clock that does not jump). Returns a score when one is due: at the eighth event,
    /// then after each eighth part more, at most 32 events apart.
    pub fn push(&mut self, time_ns: u64, bytes_out: u64, bytes_in: u64) -> Option<Score> {
        self.add(time_ns, bytes_out, bytes_in);
        if self.events < self.next_score.max(LEAST_EVENTS) {
            return None;
        }
        self.next_score = self.events + (self.events / 8).clamp(1, 32);
        self.score()
    }

    /// Adds an event without a score.
    pub fn add(&mut self, time_ns: u64, bytes_out: u64, bytes_in: u64) {
        let ms = time_ns / 1_000_000;
        let [bytes_out, bytes_in] =
            [bytes_out, bytes_in].map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
        self.first_ms = if self.events == 0 { ms } else { self.first_ms.min(ms) };
        self.events += 1;
        self.kept_events += 1.0;
        if self.checks.is_empty() || ms > self.last_ms.saturating_add(BURST_MS) {
            let gap_ms = u32::try_from(ms.saturating_sub(self.newest_ms)).unwrap_or(u32::MAX);
            self.append(CheckIn { gap_ms, bytes_out, bytes_in });
            (self.newest_ms, self.last_ms) = (ms, ms);
        } else if ms >= self.newest_ms {
            self.last_ms = self.last_ms.max(ms);
            if let Some(check) = self.checks.back_mut() {
                check.add(bytes_out, bytes_in);
            }
        } else {
            self.insert(ms, bytes_out, bytes_in);
        }
    }

    /// The score of what is kept; none before the eighth event or with fewer than five check-ins. Costs about as much
    /// as sorting the history twice.
    pub fn score(&self) -> Option<Score> {
        if self.events < LEAST_EVENTS {
            return None;
        }
        let measured = statistics::measure(self)?;
        let (log_odds, weights) = model::log_odds(&measured.values);
        let mut terms: Vec<Term> = NAMES
            .iter()
            .zip(measured.values)
            .zip(weights)
            .filter(|(_, weight)| *weight != 0.0)
            .map(|((name, value), weight)| Term { name, value, weight })
            .collect();
        terms.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then(a.name.cmp(b.name)));
        Some(Score {
            probability: 1.0 / (1.0 + (-log_odds).exp()),
            log_odds,
            period_s: measured.period_s,
            jitter: measured.jitter,
            support: self.checks.len(),
            span_s: self.span_s(),
            aligned_s: measured.aligned_s,
            terms: terms.into_iter().take(TERMS).collect(),
        })
    }

    /// The statistics by themselves, in the order of [`NAMES`]: what the trainer learns from.
    pub fn features(&self) -> Option<[f64; FEATURES]> {
        (self.events >= LEAST_EVENTS).then(|| statistics::measure(self).map(|measured| measured.values))?
    }

    /// Events that came so late that they could not be put in their place; they count in no statistic.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Bytes that this history holds.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.checks.capacity() * size_of::<CheckIn>()
    }

    fn append(&mut self, check: CheckIn) {
        if self.checks.len() >= HISTORY {
            self.kept_events -= self.kept_events / precise(self.checks.len() + 1);
            self.checks.pop_front();
        }
        self.checks.push_back(check);
    }

    /// Puts an event where its time belongs: flows are reported at their ends, so beginnings come out of order.
    fn insert(&mut self, ms: u64, bytes_out: u32, bytes_in: u32) {
        let mut begin_ms = self.newest_ms;
        let has_room = self.checks.len() < HISTORY;
        for back in 0..self.checks.len().min(LATE) {
            let at = self.checks.len() - 1 - back;
            let Some(check) = self.checks.get_mut(at) else { break };
            if ms >= begin_ms {
                if ms - begin_ms <= BURST_MS {
                    check.add(bytes_out, bytes_in);
                } else {
                    self.split(at, u32::try_from(ms - begin_ms).unwrap_or(u32::MAX), [bytes_out, bytes_in]);
                }
                return;
            }
            // Before all that is kept.
            if at == 0 && has_room {
                check.gap_ms = u32::try_from(begin_ms - ms).unwrap_or(u32::MAX);
                self.checks.push_front(CheckIn { gap_ms: 0, bytes_out, bytes_in });
                return;
            }
            begin_ms = begin_ms.saturating_sub(u64::from(check.gap_ms));
        }
        self.late += 1;
        self.kept_events -= 1.0;
    }

    /// A new check-in `gap_ms` after the one at `at`.
    fn split(&mut self, at: usize, gap_ms: u32, [bytes_out, bytes_in]: [u32; 2]) {
        let Some(next) = self.checks.get_mut(at + 1) else { return };
        next.gap_ms = next.gap_ms.saturating_sub(gap_ms);
        if u64::from(next.gap_ms) <= BURST_MS {
            next.gap_ms += gap_ms;
            next.add(bytes_out, bytes_in);
            return;
        }
        let full = self.checks.len() >= HISTORY && self.checks.pop_front().is_some();
        self.checks.insert(at + 1 - usize::from(full), CheckIn { gap_ms, bytes_out, bytes_in });
    }

    fn span_s(&self) -> f64 {
        (self.newest_ms.saturating_sub(self.first_ms)) as f64 / 1_000.0
    }

    /// Seconds between one check-in and the next.
    fn gaps_s(&self) -> impl Iterator<Item = f64> {
        self.checks.iter().skip(1).map(|check| f64::from(check.gap_ms) / 1_000.0)
    }
}

impl CheckIn {
    fn add(&mut self, bytes_out: u32, bytes_in: u32) {
        self.bytes_out = self.bytes_out.saturating_add(bytes_out);
        self.bytes_in = self.bytes_in.saturating_add(bytes_in);
    }
}

/// A count as a number with a fraction; exact below 2^53.
fn precise(count: usize) -> f64 {
    count as f64
}
