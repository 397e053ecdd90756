//! The table of open groups.

use super::group::{Group, Occasion, key};
use super::health::Health;
use crate::judge::{Judge, Judgement};
use compact_str::{CompactString, format_compact};
use event::alert::Activity;
use event::{Alert, BootTime, Container, ContainerId, WallTime};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Open groups, by key and by end.
#[derive(Debug)]
pub(crate) struct Alerts {
    /// By the order in which they began.
    groups: BTreeMap<u64, Group>,
    by_key: FxHashMap<(usize, CompactString), u64>,
    by_end: BTreeSet<(BootTime, u64)>,
    /// Groups that wait for the facts of a container.
    by_container: FxHashMap<ContainerId, Vec<u64>>,
    next: u64,
    limit: usize,
    /// Groups closed for lack of room.
    evicted: u64,
}

/// The moment at which records are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) boot: BootTime,
    pub(crate) wall: WallTime,
}

/// What records are made from beside their group.
pub(crate) struct Surroundings<'a> {
    pub(crate) judges: &'a [Judge],
    /// By strategy: the signals that it requires.
    pub(crate) requires: &'a [Vec<CompactString>],
    pub(crate) health: &'a Health,
    pub(crate) now: Now,
}

impl Surroundings<'_> {
    fn occasion(&self, judge: &Judge, activity: Activity) -> Occasion {
        let requires = self.requires.get(judge.strategy).map_or([].as_slice(), Vec::as_slice);
        let health = self.health.sentences(requires, self.now.boot);
        Occasion { activity, time: self.now.wall, boot: self.now.boot, health, ended_because: None }
    }
}

impl Alerts {
    /// An empty table of at most `limit` groups.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            groups: BTreeMap::new(),
            by_key: FxHashMap::default(),
            by_end: BTreeSet::new(),
            by_container: FxHashMap::default(),
            next: 0,
            limit: limit.max(1),
            evicted: 0,
        }
    }

    /// Groups closed for lack of room so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Groups that are open.
    pub(crate) fn open(&self) -> usize {
        self.groups.len()
    }

    /// Whether the judgement repeats an alert that is open.
    pub(crate) fn is_open(&self, judge: &Judge, judgement: &Judgement) -> bool {
        self.by_key.contains_key(&(judgement.judge, key(judge, judgement)))
    }

    /// Takes a judgement that alerts.
    pub(crate) fn take(&mut self, judgement: Judgement, around: &Surroundings<'_>, out: &mut Vec<Alert>) {
        let Some(judge) = around.judges.get(judgement.judge) else { return };
        let key = key(judge, &judgement);
        if let Some(number) = self.by_key.get(&(judgement.judge, key.clone())).copied() {
            let Some(group) = self.groups.get_mut(&number) else { return };
            group.repeat(&judgement);
            if is_power_of_ten(group.count) {
                group.reported = group.count;
                out.push(group.alert(judge, around.occasion(judge, Activity::Update)));
            }
            return;
        }
        if self.groups.len() >= self.limit {
            self.evict(around, out);
        }
        let group = Group::new(key.clone(), judge, judgement);
        let number = self.next;
        self.next += 1;
        out.push(group.alert(judge, around.occasion(judge, Activity::Create)));
        self.by_key.insert((group.judge, key), number);
        self.by_end.insert((group.ends, number));
        if let Some(container) = group.awaits {
            self.by_container.entry(container).or_default().push(number);
        }
        self.groups.insert(number, group);
    }

    /// A runtime said what a container is: alerts that waited for it are filled in.
    pub(crate) fn fill_in(
        &mut self,
        id: &ContainerId,
        record: &Arc<Container>,
        around: &Surroundings<'_>,
        out: &mut Vec<Alert>,
    ) {
        if self.by_container.is_empty() || record.name.is_empty() {
            return;
        }
        let Some(numbers) = self.by_container.get_mut(id) else { return };
        numbers.retain(|number| {
            let Some(group) = self.groups.get_mut(number) else { return false };
            let Some(judge) = around.judges.get(group.judge) else { return false };
            if group.fill_in(id, record) {
                group.reported = group.count;
                out.push(group.alert(judge, around.occasion(judge, Activity::Update)));
            }
            group.awaits.is_some()
        });
        if numbers.is_empty() {
            self.by_container.remove(id);
        }
    }

    /// Ends the windows that are over.
    pub(crate) fn advance(&mut self, around: &Surroundings<'_>, out: &mut Vec<Alert>) {
        while let Some(&(end, number)) = self.by_end.first() {
            if end > around.now.boot {
                return;
            }
            self.by_end.pop_first();
            let Some(group) = self.groups.get_mut(&number) else { continue };
            let Some(judge) = around.judges.get(group.judge) else { continue };
            if group.count == group.at_window {
                self.close(number, around, None, out);
                continue;
            }
            if group.count != group.reported {
                group.reported = group.count;
                out.push(group.alert(judge, around.occasion(judge, Activity::Update)));
            }
            group.at_window = group.count;
            group.ends = around.now.boot.plus(judge.window);
            self.by_end.insert((group.ends, number));
        }
    }

    /// The input ended: closes every group.
    pub(crate) fn finish(&mut self, around: &Surroundings<'_>, out: &mut Vec<Alert>) {
        let numbers: Vec<u64> = self.groups.keys().copied().collect();
        for number in numbers {
            self.close(number, around, Some("the run ended".into()), out);
        }
    }

    fn evict(&mut self, around: &Surroundings<'_>, out: &mut Vec<Alert>) {
        let Some((_, number)) = self.by_end.pop_first() else { return };
        self.evicted += 1;
        let because = format_compact!("more than {} alerts were open at once", self.limit);
        self.close(number, around, Some(because), out);
    }

    fn close(
        &mut self,
        number: u64,
        around: &Surroundings<'_>,
        because: Option<CompactString>,
        out: &mut Vec<Alert>,
    ) {
        let Some(group) = self.groups.remove(&number) else { return };
        self.by_key.remove(&(group.judge, group.key.clone()));
        self.by_end.remove(&(group.ends, number));
        if let Some(numbers) = group.awaits.as_ref().and_then(|id| self.by_container.get_mut(id)) {
            numbers.retain(|waiting| *waiting != number);
        }
        if let Some(id) = group.awaits
            && self.by_container.get(&id).is_some_and(Vec::is_empty)
        {
            self.by_container.remove(&id);
        }
        if let Some(judge) = around.judges.get(group.judge) {
            let occasion = Occasion { ended_because: because, ..around.occasion(judge, Activity::Close) };
            out.push(group.alert(judge, occasion));
        }
    }
}

fn is_power_of_ten(count: u64) -> bool {
    count >= 10 && 10_u64.pow(count.ilog10()) == count
}
