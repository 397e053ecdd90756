//! Correlations: they join judgements over time.
//!
//! In: judgements as rules give them, and the passing of time. Out: judgements of correlations, which other
//! correlations may join again. Time is that of events. Judgements wait for a stated lag, so that they are seen in the
//! order of their time, then of sensor and number; one that comes later than that is seen at once, and counted.
//!
//! What Sigma leaves open is settled thus; `docs/correlations.md` says it at length. What stays true once it is (`gt`,
//! `gte`, all members) is asked at each event of the window that ends there; what more events could break (`lt`, `lte`,
//! `eq`, `neq`, `not`, a mean, a percentile) is asked once, when the window ends that the group's first event opened. A
//! group that saw no event is not judged. What fired begins anew. An event without one of the fields to group by belongs
//! to no group, one without the field that is measured is not measured; both are counted. State is bounded per
//! correlation and in all, in groups and in bytes: the group that is over first gives way, and is counted.

mod blocks;
mod compile;
mod count;
mod evidence;
mod holds;
mod joinable;
mod log;
mod order;
mod sliding;
mod state;
mod table;
mod together;
mod total;
mod values;
mod waiting;
mod window;

pub(crate) use compile::{Correlation, Names, compile};
pub use joinable::Joinable;
pub(crate) use joinable::{number, push_cut};

use crate::judge::{Group, JudgeIndex, Judgement, Moment};
use blocks::Blocks;
use event::BootTime;
use foldhash::fast::FixedState;
use state::{Taken, Tally};
use std::hash::BuildHasher;
use std::time::Duration;
use table::{Key, Said, Table};
use waiting::{Entry, Waiting};

/// How much the correlator may keep, and how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How long a judgement waits for earlier ones.
    pub(crate) lag: Duration,
    /// Groups of one correlation.
    pub(crate) groups_each: usize,
    /// Groups of all correlations.
    pub(crate) groups_all: usize,
    /// About how many bytes all groups hold, the events that they keep included.
    pub(crate) bytes_all: usize,
}

/// What the correlator counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Judgements that came too late for their order.
    pub(crate) late: u64,
    /// Judgements without a field to group by.
    pub(crate) ungrouped: u64,
    /// Judgements without the value that is counted or summed.
    pub(crate) unmeasured: u64,
    /// Groups, and values of groups, that gave way for lack of room.
    pub(crate) evicted: u64,
}

/// Judgements that wait; more than this many at once are let through early, and are late if out of order.
const WAITING_LIMIT: usize = 65_536;

/// All correlations and their state.
#[derive(Debug)]
pub(crate) struct Correlator<R: Joinable> {
    correlations: Vec<Correlation<R::Field>>,
    /// By judge: the correlations that join it, with its place among their rules.
    joined: Vec<Vec<(usize, usize)>>,
    tables: Vec<Table<R>>,
    /// Of all groups of all correlations, so that they hold together what the limit allows.
    blocks: Blocks,
    waiting: Waiting<R>,
    limits: Limits,
    /// Latest time seen.
    now: BootTime,
    /// Moment of the last judgement that was let through.
    passed: Moment,
    /// Time before which nothing is to be done for any group.
    due: u64,
    groups: usize,
    bytes: usize,
    counts: Counts,
    /// Hashes of keys and values; its seed is set by the first judgement.
    hasher: Option<FixedState>,
    key: String,
    scratch: String,
}

impl<R: Joinable> Correlator<R> {
    /// Prepares state for `correlations`; `judges` is how many judges there are.
    pub(crate) fn new(correlations: Vec<Correlation<R::Field>>, judges: usize, limits: Limits) -> Self {
        let mut joined: Vec<Vec<(usize, usize)>> = vec![Vec::new(); judges];
        for (number, correlation) in correlations.iter().enumerate() {
            for (place, judge) in correlation.members.iter().enumerate() {
                if let Some(joined) = joined.get_mut(*judge) {
                    joined.push((number, place));
                }
            }
        }
        Self {
            tables: correlations.iter().map(|_| Table::default()).collect(),
            correlations,
            blocks: Blocks::default(),
            joined,
            waiting: Waiting::default(),
            limits,
            now: BootTime(0),
            passed: Moment::default(),
            due: u64::MAX,
            groups: 0,
            bytes: 0,
            counts: Counts::default(),
            hasher: None,
            key: String::new(),
            scratch: String::new(),
        }
    }

    /// Whether there is no correlation.
    pub(crate) fn is_empty(&self) -> bool {
        self.correlations.is_empty()
    }

    /// Whether any correlation joins `judge`.
    pub(crate) fn joins(&self, judge: JudgeIndex) -> bool {
        self.joined.get(judge).is_some_and(|joined| !joined.is_empty())
    }

    /// Takes a rule's yes to `event`, which waits for its turn.
    pub(crate) fn push(&mut self, judge: JudgeIndex, event: R) {
        let hasher = self.hasher.get_or_insert_with(|| seeded(event.moment()));
        let Some(joined) = self.joined.get(judge) else { return };
        // The last takes the event itself: counting those who hold it waits for all that was written before.
        let (moment, last, mut event) = (event.moment(), joined.len().saturating_sub(1), Some(event));
        for (number, taker) in joined.iter().enumerate() {
            let (Some(correlation), Some(held)) = (self.correlations.get(taker.0), &event) else { continue };
            if !correlation.push_key((held, None), taker.1, &mut self.key) {
                self.counts.ungrouped += 1;
                continue;
            }
            let key = (self.key.as_str().into(), hasher.hash_one(&self.key));
            let event = if number == last { event.take() } else { event.clone() };
            if let Some(event) = event {
                self.waiting.push(Entry { moment, taker: *taker, key, place: None, event });
            }
        }
    }

    /// Time passed to `now`: what has waited long enough is judged.
    pub(crate) fn advance(&mut self, now: BootTime, out: &mut Vec<Judgement<R>>) {
        self.now = self.now.max(now);
        let lag = u64::try_from(self.limits.lag.as_nanos()).unwrap_or(u64::MAX);
        self.drain(BootTime(self.now.0.saturating_sub(lag)), out);
    }

    /// The input ended: everything that waits is judged, and every window ends.
    pub(crate) fn finish(&mut self, out: &mut Vec<Judgement<R>>) {
        self.drain(BootTime(u64::MAX), out);
    }

    /// What was counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Groups in memory, and about how many bytes they hold.
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.groups, self.bytes)
    }

    /// About how many of these bytes are events that are kept only to be shown.
    pub(crate) fn shown_bytes(&self) -> usize {
        self.tables.iter().map(Table::shown_bytes).sum()
    }

    fn drain(&mut self, watermark: BootTime, out: &mut Vec<Judgement<R>>) {
        loop {
            self.fetch_ahead();
            let next = self.waiting.pop(watermark, WAITING_LIMIT);
            let Some(Entry { moment, taker, key, place, event }) = next else { break };
            if moment < self.passed {
                self.counts.late += 1;
            } else {
                self.passed = moment;
                self.settle(moment.0.0, out);
            }
            let key = Key { text: &key.0, hash: key.1, place };
            if let Some(said) = self.take(taker, key, (event, moment, moment), None) {
                self.join(said, out);
            }
        }
        self.settle(watermark.0, out);
    }

    /// Reads the groups of the judgements that come next, first where they stand, then them, then what they hold: each
    /// for many at a time, so that the processor waits for all of them at once.
    fn fetch_ahead(&mut self) {
        if !self.waiting.look_ahead() {
            return;
        }
        for entry in self.waiting.ahead_mut() {
            entry.place = self.tables.get(entry.taker.0).and_then(|table| table.place_of(entry.key.1));
        }
        let mut read = 0;
        for entry in self.waiting.ahead() {
            if let (Some(table), Some(place)) = (self.tables.get(entry.taker.0), entry.place) {
                read ^= table.touch(place);
            }
        }
        for entry in self.waiting.ahead() {
            let (number, time) = (entry.taker.0, entry.moment.0.0);
            let timespan = self.correlations.get(number).map_or(0, |correlation| correlation.timespan);
            if let (Some(table), Some(place)) = (self.tables.get(number), entry.place) {
                read ^= table.fetch(place, time.saturating_sub(timespan), &self.blocks);
            }
        }
        std::hint::black_box(read);
    }

    /// Gives what a correlation said to those that join it, and so on, and then out.
    fn join(&mut self, judgement: Judgement<R>, out: &mut Vec<Judgement<R>>) {
        let mut place = 0;
        // References form no cycle, so this ends.
        while let Some(&taker) = self.joined.get(judgement.judge).and_then(|all| all.get(place)) {
            place += 1;
            let Some(correlation) = self.correlations.get(taker.0) else { continue };
            let mut key = std::mem::take(&mut self.key);
            if correlation.push_key((&judgement.event, judgement.group.as_ref()), taker.1, &mut key) {
                let event = (judgement.event.clone(), judgement.moment, judgement.event.moment());
                let hash = self.hasher.as_ref().map_or(0, |hasher| hasher.hash_one(&key));
                let known = Key { text: &key, hash, place: None };
                let said = self.take(taker, known, event, judgement.group.as_ref());
                self.key = key;
                if let Some(said) = said {
                    self.join(said, out);
                }
            } else {
                self.key = key;
                self.counts.ungrouped += 1;
            }
        }
        out.push(judgement);
    }

    /// Gives a judgement, of the member at `place`, to one correlation; its yes, if it says so.
    fn take(
        &mut self,
        (number, place): (usize, usize),
        key: Key<'_>,
        (event, moment, of_event): (R, Moment, Moment),
        group: Option<&Group>,
    ) -> Option<Judgement<R>> {
        let (correlation, table) = (self.correlations.get(number)?, self.tables.get_mut(number)?);
        let (groups, bytes) = (table.len(), table.bytes());
        let (mut tally, hasher) = (Tally::default(), self.hasher.as_ref()?);
        let (time, timespan) = (moment.0.0, correlation.timespan);
        let taken = Taken { event, moment, of_event, group, place, time, timespan };
        let said =
            table.take(correlation, key, taken, (&mut self.blocks, &mut self.scratch, hasher, &mut tally));
        self.counts.unmeasured += tally.unmeasured;
        self.counts.evicted += tally.lost;
        self.groups = (self.groups + table.len()).saturating_sub(groups);
        self.bytes = (self.bytes + table.bytes()).saturating_sub(bytes);
        self.due = self.due.min(table.due().unwrap_or(u64::MAX));
        let judgement = said.and_then(|said| said.of(correlation));
        if table.len() > self.limits.groups_each {
            self.evict(number);
        }
        self.make_room();
        judgement
    }

    /// Looks after the groups whose time comes before `now`, in the order of their times.
    fn settle(&mut self, now: u64, out: &mut Vec<Judgement<R>>) {
        while self.due < now {
            let dues =
                self.tables.iter().enumerate().filter_map(|(number, table)| Some((table.due()?, number)));
            let Some((due, number)) = dues.min() else {
                self.due = u64::MAX;
                return;
            };
            self.due = due;
            if due >= now {
                return;
            }
            let (Some(correlation), Some(table)) =
                (self.correlations.get(number), self.tables.get_mut(number))
            else {
                return;
            };
            let (groups, bytes) = (table.len(), table.bytes());
            let said = table.settle(correlation, now, &mut self.blocks).and_then(|said| said.of(correlation));
            self.groups = (self.groups + table.len()).saturating_sub(groups);
            self.bytes = (self.bytes + table.bytes()).saturating_sub(bytes);
            if let Some(judgement) = said {
                self.join(judgement, out);
            }
        }
    }

    /// Gives up groups until there is room: of the correlation that has most. Where bytes are short, events that are
    /// only kept to be shown go first.
    fn make_room(&mut self) {
        while self.groups > self.limits.groups_all {
            let most = self.tables.iter().enumerate().max_by_key(|(_, table)| table.len());
            let Some((number, _)) = most else { return };
            if !self.evict(number) {
                return;
            }
        }
        while self.bytes > self.limits.bytes_all {
            let most = self.tables.iter_mut().enumerate().max_by_key(|(_, table)| table.bytes());
            let Some((number, table)) = most else { return };
            let bytes = table.bytes();
            if table.shorten() {
                self.bytes = (self.bytes + table.bytes()).saturating_sub(bytes);
            } else if !self.evict(number) {
                return;
            }
        }
    }

    /// Gives up one group of a correlation. Says whether there was one.
    fn evict(&mut self, number: usize) -> bool {
        let (Some(correlation), Some(table)) = (self.correlations.get(number), self.tables.get_mut(number))
        else {
            return false;
        };
        let (groups, bytes) = (table.len(), table.bytes());
        let evicted = table.evict(correlation, &mut self.blocks);
        self.groups = (self.groups + table.len()).saturating_sub(groups);
        self.bytes = (self.bytes + table.bytes()).saturating_sub(bytes);
        self.counts.evicted += u64::from(evicted);
        evicted
    }
}

/// A hasher whose seed is a time in nanoseconds: the same on every replay, and unknown to whoever chooses the values of
/// events beforehand so that their hashes fall together. Nothing that is said depends on it.
fn seeded((time, id): Moment) -> FixedState {
    FixedState::with_seed(time.0.rotate_left(32) ^ id.sequence)
}

impl<R: Joinable> Said<R> {
    /// The correlation's yes.
    fn of(self, correlation: &Correlation<R::Field>) -> Option<Judgement<R>> {
        let event = self.met.members.last()?.clone();
        Some(Judgement {
            judge: correlation.judge,
            moment: (BootTime(self.time), event.moment().1),
            event,
            members: self.met.members,
            count: self.met.count,
            group: Some(self.group),
        })
    }
}
