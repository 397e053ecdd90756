//! The groups of one correlation: found by their values, ended by time, evicted by use.

use super::compile::{Correlation, Kind};
use super::count::Counted;
use super::sequence::Sequence;
use crate::judge::{Group, Judgement};
use event::BootTime;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::time::Duration;

/// Groups of one correlation.
#[derive(Debug, Default)]
pub(super) struct Table {
    groups: FxHashMap<Group, Entry>,
    /// Groups by the time after which they can be forgotten, then by use.
    ends: BTreeMap<(BootTime, u64), Group>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// Its place in `ends`.
    end: (BootTime, u64),
}

/// What is kept of a group.
#[derive(Debug)]
enum State {
    Counted(Counted),
    Sequence(Sequence),
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Takes a judgement of the member at `place` into `group`, and says what fired.
    pub(super) fn take(
        &mut self,
        correlation: &Correlation,
        group: Group,
        place: usize,
        judgement: &Judgement,
    ) -> Option<Judgement> {
        let time = judgement.event.boot;
        let number = self.next;
        self.next += 1;
        // One nanosecond more, so that an event at the very end of a window is in it.
        let end = time.plus(correlation.timespan + Duration::from_nanos(1));
        let entry = self.groups.entry(group.clone()).or_insert_with(|| Entry {
            state: match correlation.kind {
                Kind::Events { .. } | Kind::Values { .. } | Kind::AtEnd { .. } => {
                    State::Counted(Counted::default())
                }
                Kind::Together | Kind::InOrder | Kind::Holding(_) => State::Sequence(Sequence::default()),
            },
            end: (BootTime(0), 0),
        });
        let fired = match &mut entry.state {
            State::Counted(counted) => counted.take(correlation, judgement),
            State::Sequence(sequence) => sequence.take(correlation, place, judgement),
        };
        self.ends.remove(&entry.end);
        if fired.is_some() {
            self.groups.remove(&group);
        } else {
            // A window judged at its end begins with the first event; the others slide.
            let opened = entry.end.0 != BootTime(0) && matches!(correlation.kind, Kind::AtEnd { .. });
            entry.end = if opened { entry.end } else { (end.max(entry.end.0), number) };
            self.ends.insert(entry.end, group.clone());
        }
        fired.and_then(|(members, count)| super::fire(correlation, &group, members, count))
    }

    /// Ends the groups whose time is over at `now`.
    pub(super) fn expire(&mut self, correlation: &Correlation, now: BootTime, out: &mut Vec<Judgement>) {
        while let Some(first) = self.ends.first_entry() {
            if first.key().0 > now {
                return;
            }
            let group = first.remove();
            let Some(entry) = self.groups.remove(&group) else { continue };
            if let (Kind::AtEnd { bounds, .. }, State::Counted(counted)) = (&correlation.kind, entry.state)
                && let Some((members, count)) = counted.end(bounds)
            {
                out.extend(super::fire(correlation, &group, members, count));
            }
        }
    }

    /// Gives up groups until at most `limit` are left; says how many.
    pub(super) fn shrink_to(&mut self, limit: usize) -> u64 {
        let mut evicted = 0;
        while self.groups.len() > limit {
            let Some((_, group)) = self.ends.pop_first() else { break };
            self.groups.remove(&group);
            evicted += 1;
        }
        evicted
    }
}
