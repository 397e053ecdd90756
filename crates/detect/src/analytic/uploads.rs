//! Analytic: workloads that send more than they should.
//!
//! In: flows that a workload opened to another machine, at their end. Out, as facts about workload and destination:
//! * the bytes sent within ten minutes enter a level: `upload_bytes`, `upload_ratio`, `upload_excess`, `upload_periods`, see
//!   [`super::volume`];
//! * uploads of a mebibyte and more that follow each other have one size, to a hundredth, and their number enters a level:
//!   `upload_run`, which is how data is sent in pieces.
//!
//! Both facts have all of these. The destination is a name before an address. State: one entry per pair, dropped after a
//! day without a flow, or when the table is full (the longest silent first, counted). Left out on purpose: a flow that
//! still goes on, whose bytes all count when it ends; and what goes out to somebody who connected to the workload, which
//! is what servers are for.

use super::check_ins::whole;
use super::levels::{Entered, Levels};
use super::listener::listener;
use super::port::leaves;
use super::volume::{Upload, Volume};
use super::{Analytic, Lru, Made, hash_of};
use compact_str::format_compact;
use event::field::workload;
use event::network::FlowState;
use event::{Event, Fact, FactName, Field, Kind};
use std::time::Duration;

/// Pairs at once; with about 600 bytes each, 5 MB.
const PAIRS: usize = 8_192;
const KEEP: Duration = Duration::from_secs(86_400);
const PERIOD: Duration = Duration::from_secs(600);
/// Less than this in a period is never far more than usual, and no piece of an upload.
const FLOOR: u64 = 1 << 20;
/// Two sizes are one if they differ by less than this share of the larger.
const SAME: u64 = 100;
/// Bytes within a period.
pub(super) const LEVELS: [u64; 4] = [64 << 20, 256 << 20, 1 << 30, 4 << 30];
/// Uploads of one size in a row.
pub(super) const RUN_LEVELS: [u64; 3] = [8, 16, 64];

/// The analytic.
#[derive(Debug)]
pub(super) struct Uploads {
    pairs: Lru<Pair>,
    levels: Levels,
    run_levels: Levels,
}

#[derive(Debug)]
struct Pair {
    volume: Volume,
    entered: Entered,
    run: Run,
    run_entered: Entered,
}

/// Uploads of one size that follow each other.
#[derive(Debug, Default)]
struct Run {
    size: u64,
    count: u32,
}

impl Run {
    /// Adds an upload; how many of its size have come in a row, 0 for one that is too small to count.
    fn add(&mut self, bytes: u64) -> u32 {
        if bytes < FLOOR {
            return 0;
        }
        let is_same = bytes.abs_diff(self.size) < bytes.max(self.size) / SAME;
        self.count = if is_same { self.count.saturating_add(1) } else { 1 };
        self.size = bytes;
        self.count
    }
}

impl Uploads {
    pub(super) fn new(levels: Levels, run_levels: Levels) -> Self {
        Self { pairs: Lru::new(PAIRS, KEEP), levels, run_levels }
    }
}

impl Analytic for Uploads {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let Kind::Flow(flow) = &event.kind else { return };
        if flow.state != FlowState::End || !flow.initiated || !leaves(&flow.ends) {
            return;
        }
        let Some(workload) = workload(event) else { return };
        let (destination, _) = listener(event, flow);
        let period_ns = u64::try_from(PERIOD.as_nanos()).unwrap_or(u64::MAX);
        let make = || Pair {
            volume: Volume::new(period_ns, FLOOR),
            entered: Entered::default(),
            run: Run::default(),
            run_entered: Entered::default(),
        };
        let Some(pair) = self.pairs.touch(hash_of(&(workload, &destination)), event.boot, make) else {
            return;
        };
        let (sent, received) = (flow.sent.payload_bytes, flow.received.payload_bytes);
        let upload = pair.volume.push(event.boot.0, sent, received);
        let run = pair.run.add(sent);
        let of_run = |entered| if run > 0 { self.run_levels.turn(entered, run.into()) } else { None };
        let turns = [self.levels.turn(&mut pair.entered, upload.bytes_out), of_run(&mut pair.run_entered)];
        for holds in turns.into_iter().flatten() {
            let subject = format_compact!("{} to {destination}", Field::WorkloadName.of(event).to_text());
            made.push_back(event.turns(subject, holds, facts(&upload, run)));
        }
    }

    fn lost(&mut self) -> u64 {
        self.pairs.take_evicted()
    }
}

fn facts(upload: &Upload, run: u32) -> Vec<Fact> {
    let window_s = u32::try_from(PERIOD.as_secs()).unwrap_or(u32::MAX);
    let bytes = i64::try_from(upload.bytes_out).unwrap_or(i64::MAX);
    let figures = [
        (FactName::UploadBytes, bytes),
        (FactName::UploadRatio, whole(upload.ratio)),
        (FactName::UploadExcess, whole(upload.excess)),
        (FactName::UploadPeriods, upload.periods.into()),
        (FactName::UploadRun, run.into()),
    ];
    let fact = |(name, figure)| Fact { window_s, support: upload.periods, ..Fact::number(name, figure) };
    figures.map(fact).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_of_one_size_make_a_run_and_small_ones_neither_make_nor_break_it() {
        let mut run = Run::default();
        let sizes = [5 << 20, (5 << 20) + 1_000, 200, (5 << 20) - 20_000, 7 << 20, FLOOR - 1];
        assert_eq!(sizes.map(|bytes| run.add(bytes)), [1, 2, 0, 3, 1, 0]);
    }
}
