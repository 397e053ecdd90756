//! The statistics of one history, all free of scale: a sleep of five seconds and one of an hour give the same numbers.
//!
//! In: gaps between check-ins and their sizes. Out: [`FEATURES`] numbers with names, the period, the jitter, and the
//! period of a clock where the check-ins keep to one.

use super::{Beacon, LEAST_GAPS, precise};
use std::f64::consts::TAU;

/// How many statistics there are.
pub const FEATURES: usize = 46;

/// Their names, as terms show them.
#[rustfmt::skip]
pub const NAMES: [&str; FEATURES] = [
    "gaps", "q05", "q10", "q25", "q75", "q90", "q95", "longest", "variation", "gamma", "log_deviation",
    "folded_q05", "folded_q95", "folded_width", "folded_middle", "folded_variation", "folded_gamma",
    "on_beat", "first_fold", "distance_exponential", "distance_uniform", "distance_difference", "likelihood_uniform",
    "smallest", "second_smallest", "fourth_smallest", "below_tenth", "below_fifth", "below_half", "above_double", "above_triple",
    "correlation", "sums", "deviation", "skew", "burst_gaps", "burst_events", "phase", "clock_phase", "longest_share", "halves",
    "out_mode", "out_variation", "in_mode", "in_variation", "size_deviation",
];

/// A gap below this share of the 90 % quantile is inside a burst.
const BURST_SHARE: f64 = 0.05;
/// The most check-ins in a row that are taken as missed, plus one.
const MOST_FOLDS: f64 = 6.0;
/// How far a gap may be from its multiple of the period to be on the beat, as a share of the period.
const ON_BEAT: f64 = 0.25;
/// Spread below which gaps are all alike, and what follows from it is rounding.
const LEAST_SPREAD: f64 = 1e-6;
/// Periods that people give to clocks, in seconds.
const CLOCK_S: [f64; 23] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1_200.0, 1_800.0,
    3_600.0, 7_200.0, 10_800.0, 14_400.0, 21_600.0, 28_800.0, 43_200.0, 86_400.0,
];
/// How near the own period must be to a clock's.
const CLOCK_NEAR: f64 = 0.02;
/// The phase vector from which on check-ins keep to a clock; chance gives about 1/√n.
const CLOCK_PHASE: f64 = 0.9;

/// What was measured.
pub(super) struct Measured {
    pub(super) values: [f64; FEATURES],
    pub(super) period_s: f64,
    pub(super) jitter: f64,
    pub(super) aligned_s: Option<f64>,
}

/// Measures a history; none where too few sleeps are left.
pub(super) fn measure(beacon: &Beacon) -> Option<Measured> {
    let all: Vec<f64> = beacon.gaps_s().collect();
    let gaps = sleeps(&all)?;
    let shape = Shape::of(&gaps);
    let folds: Vec<f64> = fold(&gaps, shape.median);
    let folded = Shape::of(&gaps.iter().zip(&folds).map(|(gap, k)| gap / k).collect::<Vec<f64>>());
    let [phase, clock_phase, clock_s] = phases(&gaps, &folds, folded.median);
    let [out_mode, out_variation, out_deviation] = sizes(beacon.checks.iter().map(|check| check.bytes_out));
    let [in_mode, in_variation, in_deviation] = sizes(beacon.checks.iter().map(|check| check.bytes_in));
    let count = precise(gaps.len());
    let distance_exponential = folded.distance(|at| 1.0 - (-at / folded.mean).exp());
    let width = folded.highest() - folded.lowest();
    let distance_uniform = folded.distance(|at| ratio(at - folded.lowest(), width));
    let smallest = |number: usize| shape.sorted.get(number).map_or(0.0, |gap| gap / shape.mean) * count;
    let values = [
        count.ln(),
        shape.at(0.05),
        shape.at(0.10),
        shape.at(0.25),
        shape.at(0.75),
        shape.at(0.90),
        shape.at(0.95),
        ratio(shape.highest(), shape.median),
        shape.variation,
        shape.gamma,
        shape.log_deviation,
        folded.at(0.05),
        folded.at(0.95),
        folded.at(0.95) - folded.at(0.05),
        folded.at(0.75) - folded.at(0.25),
        folded.variation,
        folded.gamma,
        on_beat(&gaps, &folds, folded.median),
        share(&folds, |k| k == 1.0),
        distance_exponential,
        distance_uniform,
        distance_exponential - distance_uniform,
        // Of the uniform on [lowest, highest], widened for the ends that were not seen, against the exponential.
        folded.mean.max(1e-3).ln() + 1.0 - (width * (count + 1.0) / (count - 1.0)).max(1e-3).ln(),
        smallest(0),
        smallest(1),
        smallest(3),
        share(&gaps, |gap| gap < 0.1 * shape.mean),
        share(&gaps, |gap| gap < 0.2 * shape.mean),
        share(&gaps, |gap| gap < 0.5 * shape.mean),
        share(&gaps, |gap| gap > 2.0 * shape.mean),
        share(&gaps, |gap| gap > 3.0 * shape.mean),
        correlation(&gaps),
        sums(&gaps, shape.mean, shape.variation),
        shape.deviation,
        shape.skew(),
        ratio(precise(all.len()), count),
        beacon.kept_events / precise(beacon.checks.len()),
        phase,
        clock_phase,
        ratio(shape.highest(), shape.mean * count),
        halves(&gaps),
        out_mode,
        out_variation,
        in_mode,
        in_variation,
        out_deviation.min(in_deviation),
    ];
    let (low, high) = (folded.at(0.05), folded.at(0.95));
    Some(Measured {
        values,
        period_s: folded.median,
        // The middle nine tenths of a uniform width, brought to the whole.
        jitter: (ratio(high - low, high) / 0.9).clamp(0.0, 1.0),
        aligned_s: (clock_s > 0.0 && clock_phase >= CLOCK_PHASE).then_some(clock_s),
    })
}

/// The gaps between bursts; what is inside of a burst belongs to the sleep before it.
fn sleeps(all: &[f64]) -> Option<Vec<f64>> {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    let least = BURST_SHARE * quantile(&sorted, 0.9);
    let (mut gaps, mut inside) = (Vec::with_capacity(all.len()), 0.0);
    for gap in all {
        if *gap > least {
            gaps.push(gap + inside);
            inside = 0.0;
        } else {
            inside += gap;
        }
    }
    (gaps.len() >= LEAST_GAPS).then_some(gaps)
}

/// How many sleeps each gap holds, first by the median of the gaps, then by the median of what that gave.
fn fold(gaps: &[f64], median: f64) -> Vec<f64> {
    let by = |period: f64| -> Vec<f64> {
        gaps.iter().map(|gap| ratio(*gap, period).round().clamp(1.0, MOST_FOLDS)).collect()
    };
    let mut folded: Vec<f64> = gaps.iter().zip(by(median)).map(|(gap, k)| gap / k).collect();
    folded.sort_by(f64::total_cmp);
    by(quantile(&folded, 0.5))
}

/// Numbers about how values are spread.
struct Shape {
    sorted: Vec<f64>,
    mean: f64,
    median: f64,
    /// Standard deviation / mean.
    variation: f64,
    /// ln mean − mean ln.
    gamma: f64,
    /// Standard deviation of the logarithms.
    log_deviation: f64,
    /// (median − median deviation) / median, not below 0: RITA's MADM score.
    deviation: f64,
}

impl Shape {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (mean, deviation) = moments(values.iter().copied());
        // A gap of less than a millisecond is none that was measured.
        let (log_mean, log_deviation) = moments(values.iter().map(|value| value.max(1e-3).ln()));
        let median = quantile(&sorted, 0.5);
        let mut apart: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
        apart.sort_by(f64::total_cmp);
        Self {
            mean: mean.max(1e-3),
            median: median.max(1e-3),
            variation: ratio(deviation, mean),
            gamma: mean.max(1e-3).ln() - log_mean,
            log_deviation,
            deviation: ratio(median - quantile(&apart, 0.5), median).max(0.0),
            sorted,
        }
    }

    /// A quantile as a multiple of the median.
    fn at(&self, share: f64) -> f64 {
        ratio(quantile(&self.sorted, share), self.median)
    }

    fn lowest(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(0.0)
    }

    fn highest(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0)
    }

    /// Bowley's: how far the median is from the middle of the quartiles.
    fn skew(&self) -> f64 {
        let [low, high] = [0.25, 0.75].map(|share| self.at(share));
        ratio(low + high - 2.0, high - low)
    }

    /// The Kolmogorov–Smirnov distance from a distribution.
    fn distance(&self, distribution: impl Fn(f64) -> f64) -> f64 {
        let count = precise(self.sorted.len());
        let at = |(number, value): (usize, &f64)| {
            let expected = distribution(*value);
            let below = (expected - precise(number) / count).abs();
            below.max((precise(number + 1) / count - expected).abs())
        };
        self.sorted.iter().enumerate().map(at).fold(0.0, f64::max)
    }
}

/// How much of the gaps is near a multiple of the period.
fn on_beat(gaps: &[f64], folds: &[f64], period: f64) -> f64 {
    let near = |(gap, k): &(&f64, &f64)| (*gap - *k * period).abs() < ON_BEAT * period;
    precise(gaps.iter().zip(folds).filter(near).count()) / precise(gaps.len().max(1))
}

/// Of the logarithms of neighbouring gaps: people come in sessions, sleeps do not remember.
fn correlation(gaps: &[f64]) -> f64 {
    let logs: Vec<f64> = gaps.iter().map(|gap| gap.max(1e-3).ln()).collect();
    let (mean, deviation) = moments(logs.iter().copied());
    if deviation < LEAST_SPREAD {
        return 0.0;
    }
    let products = logs.iter().zip(logs.iter().skip(1)).map(|(a, b)| (a - mean) * (b - mean));
    ratio(products.sum::<f64>(), deviation * deviation * precise(logs.len()))
}

/// The variance of sums of four gaps over four times that of one: 1 for sleeps, above for sessions, below for clocks.
fn sums(gaps: &[f64], mean: f64, variation: f64) -> f64 {
    let fours = gaps.chunks_exact(4).map(|four| four.iter().sum::<f64>() / (4.0 * mean));
    if fours.len() < 2 || variation < LEAST_SPREAD {
        return 1.0;
    }
    let (_, deviation) = moments(fours);
    ratio(4.0 * deviation * deviation, variation * variation)
}

/// The median of the younger half over that of the older, as a distance from 1 on the scale of logarithms.
fn halves(gaps: &[f64]) -> f64 {
    let (old, young) = gaps.split_at(gaps.len() / 2);
    let median = |half: &[f64]| {
        let mut sorted = half.to_vec();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, 0.5).max(1e-3).ln()
    };
    (median(young) - median(old)).abs()
}

/// The lengths of the mean phase vector on the own period and on the nearest period of a clock, and that period.
fn phases(gaps: &[f64], folds: &[f64], median: f64) -> [f64; 3] {
    let beats = folds.iter().sum::<f64>();
    let own = ratio(gaps.iter().sum::<f64>(), beats);
    let near = |clock: &&f64| (ratio(median, **clock) - 1.0).abs() < CLOCK_NEAR;
    let clock = CLOCK_S.iter().find(near).copied().unwrap_or(0.0);
    [vector(gaps, own), if clock > 0.0 { vector(gaps, clock) } else { 0.0 }, clock]
}

/// The length of the mean of e^(2πi t / period).
fn vector(gaps: &[f64], period: f64) -> f64 {
    if period <= 0.0 {
        return 0.0;
    }
    let (mut at, mut real, mut imaginary) = (0.0, 1.0, 0.0);
    for gap in gaps {
        at += gap / period;
        let (sine, cosine) = (TAU * at.fract()).sin_cos();
        real += cosine;
        imaginary += sine;
    }
    f64::hypot(real, imaginary) / precise(gaps.len() + 1)
}

/// Of sizes: the share of the commonest, standard deviation / mean, median deviation / median.
fn sizes(values: impl Iterator<Item = u32>) -> [f64; 3] {
    let mut sorted: Vec<f64> = values.map(f64::from).collect();
    sorted.sort_by(f64::total_cmp);
    let commonest = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).max().unwrap_or(0);
    let mode = precise(commonest) / precise(sorted.len().max(1));
    let (mean, deviation) = moments(sorted.iter().copied());
    let median = quantile(&sorted, 0.5);
    let mut apart: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
    apart.sort_by(f64::total_cmp);
    [mode, ratio(deviation, mean), ratio(quantile(&apart, 0.5), median)]
}

/// Mean and standard deviation.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().fold(0.0, |count, _| count + 1.0_f64).max(1.0);
    let mean = values.clone().sum::<f64>() / count;
    (mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

fn share(values: &[f64], holds: impl Fn(f64) -> bool) -> f64 {
    precise(values.iter().filter(|value| holds(**value)).count()) / precise(values.len().max(1))
}

/// A quantile of sorted values, between the two nearest; 0 where there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * precise(sorted.len().saturating_sub(1));
    // At most the length, so it fits.
    let below = at.floor() as usize;
    let low = sorted.get(below).copied().unwrap_or(0.0);
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * (at - at.floor())
}

/// a / b, 0 where b is.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}
