//! Correlations: they join judgements over time.
//!
//! In: judgements as rules give them, and the passing of time. Out: judgements of correlations, which other
//! correlations may join again. Time is that of events. Judgements wait for a stated lag, so that they are seen in the
//! order of their time, then of sensor and number; one that comes later than that is seen at once, and counted.
//!
//! What Sigma leaves open is settled thus. The window ends at each event and looks back (`gt`, `gte`, `temporal`);
//! a bound that more events could break (`lt`, `lte`, `eq`, `neq`) is judged once, when the window that the group's
//! first event opened ends, and a group that saw no event is not judged. What fired begins anew. An event without one
//! of the fields to group by belongs to no group, and is counted. State is bounded per correlation and in all; what was
//! longest unused gives way, and is counted.

mod compile;
mod count;
mod sequence;
mod table;

pub(crate) use compile::{Correlation, compile};

use crate::judge::{Group, JudgeIndex, Judgement, Moment};
use event::BootTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use table::Table;

/// How much the correlator may keep, and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How long a judgement waits for earlier ones.
    pub(crate) lag: Duration,
    /// Groups of one correlation.
    pub(crate) groups_each: usize,
    /// Groups of all correlations.
    pub(crate) groups_all: usize,
}

/// What the correlator counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Judgements that came too late for their order.
    pub(crate) late: u64,
    /// Judgements without a field to group by.
    pub(crate) ungrouped: u64,
    /// Groups that gave way for lack of room.
    pub(crate) evicted: u64,
}

/// Judgements that wait; more than this many at once are let through early, and are late if out of order.
const WAITING_LIMIT: usize = 65_536;

/// All correlations and their state.
#[derive(Debug)]
pub(crate) struct Correlator {
    correlations: Vec<Correlation>,
    /// By judge: the correlations that join it, with its place among their rules.
    joined: Vec<Vec<(usize, usize)>>,
    tables: Vec<Table>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    limits: Limits,
    /// Latest time seen.
    now: BootTime,
    /// Moment of the last judgement that was let through.
    passed: Moment,
    counts: Counts,
}

#[derive(Debug)]
struct Waiting {
    moment: Moment,
    judge: JudgeIndex,
    judgement: Judgement,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.moment, self.judge).cmp(&(other.moment, other.judge))
    }
}

impl Correlator {
    /// Prepares state for `correlations`; `judges` is how many judges there are.
    pub(crate) fn new(correlations: Vec<Correlation>, judges: usize, limits: Limits) -> Self {
        let mut joined: Vec<Vec<(usize, usize)>> = vec![Vec::new(); judges];
        for (number, correlation) in correlations.iter().enumerate() {
            for (place, judge) in correlation.members.iter().enumerate() {
                if let Some(joined) = joined.get_mut(*judge) {
                    joined.push((number, place));
                }
            }
        }
        let tables = correlations.iter().map(|_| Table::default()).collect();
        let (now, passed, counts) = (BootTime(0), Moment::default(), Counts::default());
        Self { correlations, joined, tables, waiting: BinaryHeap::new(), limits, now, passed, counts }
    }

    /// Whether any correlation joins `judge`.
    pub(crate) fn joins(&self, judge: JudgeIndex) -> bool {
        self.joined.get(judge).is_some_and(|joined| !joined.is_empty())
    }

    /// Takes a judgement, which waits for its turn.
    pub(crate) fn push(&mut self, judgement: Judgement) {
        let (moment, judge) = (judgement.moment(), judgement.judge);
        self.waiting.push(Reverse(Waiting { moment, judge, judgement }));
    }

    /// Time passed to `now`: what has waited long enough is judged.
    pub(crate) fn advance(&mut self, now: BootTime, out: &mut Vec<Judgement>) {
        self.now = self.now.max(now);
        if self.waiting.is_empty() && self.tables.iter().all(Table::is_empty) {
            return;
        }
        let lag = u64::try_from(self.limits.lag.as_nanos()).unwrap_or(u64::MAX);
        self.drain(BootTime(self.now.0.saturating_sub(lag)), out);
    }

    /// The input ended: everything that waits is judged.
    pub(crate) fn finish(&mut self, out: &mut Vec<Judgement>) {
        self.drain(BootTime(u64::MAX), out);
    }

    /// What was counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Groups in memory.
    pub(crate) fn groups(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    fn drain(&mut self, watermark: BootTime, out: &mut Vec<Judgement>) {
        while let Some(Reverse(next)) = self.waiting.peek() {
            if next.moment.0 > watermark && self.waiting.len() <= WAITING_LIMIT {
                break;
            }
            let Some(Reverse(Waiting { moment, judgement, .. })) = self.waiting.pop() else { break };
            if moment < self.passed {
                self.counts.late += 1;
            } else {
                self.passed = moment;
                self.expire(moment.0, out);
            }
            self.join(&judgement, out);
        }
        self.expire(watermark, out);
    }

    /// Gives `judgement` to the correlations that join it, and what they say to those that join them.
    fn join(&mut self, judgement: &Judgement, out: &mut Vec<Judgement>) {
        let joined = self.joined.get(judgement.judge).map_or([].as_slice(), Vec::as_slice);
        let mut fired = Vec::new();
        for (number, place) in joined {
            let (Some(correlation), Some(table)) =
                (self.correlations.get(*number), self.tables.get_mut(*number))
            else {
                continue;
            };
            let Some(group) = correlation.group(judgement, *place) else {
                self.counts.ungrouped += 1;
                continue;
            };
            fired.extend(table.take(correlation, group, *place, judgement));
            self.counts.evicted += table.shrink_to(self.limits.groups_each);
        }
        self.shrink_all();
        // References form no cycle, so this ends.
        for one in fired {
            self.join(&one, out);
            out.push(one);
        }
    }

    /// Ends the windows that end before `now`.
    fn expire(&mut self, now: BootTime, out: &mut Vec<Judgement>) {
        let mut fired = Vec::new();
        for (correlation, table) in self.correlations.iter().zip(&mut self.tables) {
            table.expire(correlation, now, &mut fired);
        }
        for one in fired {
            self.join(&one, out);
            out.push(one);
        }
    }

    fn shrink_all(&mut self) {
        if self.groups() <= self.limits.groups_all {
            return;
        }
        if let Some(largest) = self.tables.iter_mut().max_by_key(|table| table.len()) {
            self.counts.evicted += largest.shrink_to(largest.len().saturating_sub(1));
        }
    }
}

/// A correlation's yes.
fn fire(
    correlation: &Correlation,
    group: &Group,
    members: Vec<std::sync::Arc<event::Event>>,
    count: u64,
) -> Option<Judgement> {
    let event = members.last()?.clone();
    Some(Judgement { judge: correlation.judge, event, members, count, group: Some(group.clone()) })
}
