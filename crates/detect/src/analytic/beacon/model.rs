//! Boosted trees over the statistics, as a static table.
//!
//! In: the statistics of one history. Out: log-odds, and what each statistic added to them: on the way through a tree,
//! each step adds the difference between the values of the two nodes to the statistic that the step asked for
//! (Saabas 2014), so the terms and the bias sum up to the log-odds.

use super::statistics::FEATURES;
use super::table::{BIAS, TREES};

/// Steps from the root of a tree to a leaf.
pub const DEPTH: usize = 4;
/// Nodes that ask.
const SPLITS: usize = (1 << DEPTH) - 1;
/// All nodes.
const NODES: usize = (1 << (DEPTH + 1)) - 1;

/// A full binary tree; the children of node n are 2n+1 (not above the threshold) and 2n+2.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Which statistic each inner node asks for.
    pub feature: [u8; SPLITS],
    /// What it is compared with.
    pub threshold: [f32; SPLITS],
    /// What the histories that reach each node are worth, in log-odds, leaves last.
    pub value: [f32; NODES],
}

/// The log-odds and each statistic's share in them.
pub(super) fn log_odds(values: &[f64; FEATURES]) -> (f64, [f64; FEATURES]) {
    let mut weights = [0.0; FEATURES];
    let mut total = f64::from(BIAS);
    for tree in TREES {
        let mut node = 0;
        let mut here = value_at(tree, node);
        total += here;
        while let (Some(&feature), Some(&threshold)) = (tree.feature.get(node), tree.threshold.get(node)) {
            let asked = usize::from(feature);
            let value = values.get(asked).copied().unwrap_or(0.0);
            node = 2 * node + 1 + usize::from(value > f64::from(threshold));
            let there = value_at(tree, node);
            if let Some(weight) = weights.get_mut(asked) {
                *weight += there - here;
            }
            total += there - here;
            here = there;
        }
    }
    (total, weights)
}

fn value_at(tree: &Tree, node: usize) -> f64 {
    tree.value.get(node).copied().map_or(0.0, f64::from)
}

/// The log-odds before any statistic was asked for.
#[cfg(test)]
pub(super) fn bare() -> f64 {
    f64::from(BIAS) + TREES.iter().map(|tree| value_at(tree, 0)).sum::<f64>()
}
