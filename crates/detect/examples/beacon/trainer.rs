//! Gradient boosting of full trees over histograms, with the logistic loss.
//!
//! In: rows of statistics with a truth. Out: `table.rs`. Friedman 2001 for boosting, Chen and Guestrin 2016 for the
//! second order and its regularization. It has no chance in it: the same rows give the same trees.

use std::fmt::Write;

use detect::analytic::beacon::{DEPTH, FEATURES, Tree};

/// Places where a statistic may be split.
const BINS: usize = 96;
/// Weight that leaves are pulled to zero with.
const PULL: f64 = 8.0;
/// The least weight of a leaf.
const LEAST: f64 = 25.0;

/// A row: statistics, and whether it sleeps.
pub type Row = ([f64; FEATURES], bool);

/// Trees and bias.
pub struct Forest {
    pub bias: f64,
    pub trees: Vec<Tree>,
}

/// Learns `count` trees at `rate`.
pub fn train(rows: &[Row], count: usize, rate: f64) -> Forest {
    let cuts: Vec<Vec<f32>> = (0..FEATURES).map(|feature| cuts(rows, feature)).collect();
    let binned: Vec<Vec<u8>> = (0..FEATURES)
        .map(|feature| rows.iter().map(|row| bin(&cuts[feature], row.0[feature])).collect())
        .collect();
    let positive = rows.iter().filter(|row| row.1).count() as f64 / rows.len() as f64;
    let bias = (positive / (1.0 - positive)).ln();
    let mut odds = vec![bias; rows.len()];
    let mut trees = Vec::new();
    for _ in 0..count {
        let slopes: Vec<(f64, f64)> = odds
            .iter()
            .zip(rows)
            .map(|(odds, row)| {
                let p = 1.0 / (1.0 + (-odds).exp());
                (f64::from(u8::from(row.1)) - p, (p * (1.0 - p)).max(1e-6))
            })
            .collect();
        trees.push(grow(&slopes, &binned, &cuts, rate, &mut odds));
    }
    Forest { bias, trees }
}

/// Values between which a statistic is split, as the table will hold them.
fn cuts(rows: &[Row], feature: usize) -> Vec<f32> {
    let mut values: Vec<f32> = rows.iter().map(|row| row.0[feature] as f32).collect();
    values.sort_by(f32::total_cmp);
    let mut cuts: Vec<f32> = (1..BINS).map(|cut| round(values[cut * values.len() / BINS])).collect();
    cuts.dedup();
    cuts
}

/// Four digits are as much as a split needs, and keep the table small.
fn round(value: f32) -> f32 {
    format!("{value:.3e}").parse().expect("a number that was just written")
}

fn bin(cuts: &[f32], value: f64) -> u8 {
    cuts.partition_point(|cut| value > f64::from(*cut)) as u8
}

/// One tree, level by level; adds what it says to `odds`.
fn grow(slopes: &[(f64, f64)], binned: &[Vec<u8>], cuts: &[Vec<f32>], rate: f64, odds: &mut [f64]) -> Tree {
    let mut tree = Tree {
        feature: [0; (1 << DEPTH) - 1],
        threshold: [f32::MAX; (1 << DEPTH) - 1],
        value: [0.0; (1 << (DEPTH + 1)) - 1],
    };
    let mut places = vec![0_usize; slopes.len()];
    for level in 0..DEPTH {
        let first = (1 << level) - 1;
        let width = 1 << level;
        let mut totals = vec![(0.0, 0.0); width];
        for (slope, place) in slopes.iter().zip(&places) {
            totals[place - first].0 += slope.0;
            totals[place - first].1 += slope.1;
        }
        let mut best = vec![(0.0, 0_usize, 0_usize); width];
        for feature in 0..FEATURES {
            let mut sums = vec![(0.0, 0.0); width * BINS];
            for ((slope, place), bin) in slopes.iter().zip(&places).zip(&binned[feature]) {
                let cell = &mut sums[(place - first) * BINS + usize::from(*bin)];
                cell.0 += slope.0;
                cell.1 += slope.1;
            }
            for node in 0..width {
                split(
                    &sums[node * BINS..(node + 1) * BINS],
                    totals[node],
                    cuts[feature].len(),
                    feature,
                    &mut best[node],
                );
            }
        }
        for node in 0..width {
            tree.value[first + node] = leaf(totals[node], rate);
            let (gain, feature, cut) = best[node];
            if gain > 0.0 {
                tree.feature[first + node] = feature as u8;
                tree.threshold[first + node] = cuts[feature][cut];
            }
        }
        for (row, place) in places.iter_mut().enumerate() {
            let (gain, feature, cut) = best[*place - first];
            let right = gain > 0.0 && usize::from(binned[feature][row]) > cut;
            *place = 2 * *place + 1 + usize::from(right);
        }
    }
    let first = (1 << DEPTH) - 1;
    let mut totals = vec![(0.0, 0.0); 1 << DEPTH];
    for (slope, place) in slopes.iter().zip(&places) {
        totals[place - first].0 += slope.0;
        totals[place - first].1 += slope.1;
    }
    for (node, total) in totals.iter().enumerate() {
        tree.value[first + node] = leaf(*total, rate);
    }
    for (odds, place) in odds.iter_mut().zip(&places) {
        *odds += f64::from(tree.value[*place]);
    }
    tree
}

fn split(
    sums: &[(f64, f64)],
    total: (f64, f64),
    cuts: usize,
    feature: usize,
    best: &mut (f64, usize, usize),
) {
    let worth = |slope: f64, weight: f64| slope * slope / (weight + PULL);
    let mut left = (0.0, 0.0);
    for (cut, sum) in sums.iter().enumerate().take(cuts) {
        left.0 += sum.0;
        left.1 += sum.1;
        let right = (total.0 - left.0, total.1 - left.1);
        if left.1 < LEAST || right.1 < LEAST {
            continue;
        }
        let gain = worth(left.0, left.1) + worth(right.0, right.1) - worth(total.0, total.1);
        if gain > best.0 + 1e-9 {
            *best = (gain, feature, cut);
        }
    }
}

fn leaf((slope, weight): (f64, f64), rate: f64) -> f32 {
    round((rate * slope / (weight + PULL)) as f32)
}

/// The text of `table.rs`.
pub fn write(forest: &Forest) -> String {
    let mut text = String::from(
        "//! Made by `cargo run --release -p watchkeeper-detect --example beacon -- train`; not to be edited.\n\n\
         use super::model::Tree;\n\n\
         /// Log-odds before any tree.\n",
    );
    let _ = writeln!(text, "pub(super) const BIAS: f32 = {:?};", forest.bias as f32);
    text.push_str(
        "/// The trees, in the order of their making.\n#[rustfmt::skip]\n\
         #[allow(clippy::approx_constant, reason = \"what was learned may come near anything\")]\n\
         pub(super) static TREES: &[Tree] = &[\n",
    );
    for tree in &forest.trees {
        let _ = writeln!(
            text,
            "    Tree {{ feature: {:?}, threshold: [{}], value: [{}] }},",
            tree.feature,
            numbers(&tree.threshold),
            numbers(&tree.value)
        );
    }
    text.push_str("];\n");
    text
}

fn numbers(values: &[f32]) -> String {
    let one = |value: &f32| if *value == f32::MAX { "f32::MAX".to_owned() } else { format!("{value:?}") };
    values.iter().map(one).collect::<Vec<String>>().join(", ")
}
