//! Holding events until the facts of their container are there.
//!
//! The kernel tells a container's first exec some milliseconds before the runtime has answered what the container
//! is. Its events wait in order, for a bounded time of the events' own clock and in a bounded number. What leaves
//! without the facts says so in `container_late`.

use crate::config::Config;
use crate::container::{Containers, Entry, Facts};
use event::{BootTime, ContainerId, Event, Kind};
use std::collections::VecDeque;
use std::time::Duration;

/// The queues' bounds and ends. The queues themselves are with their containers.
#[derive(Debug)]
pub(crate) struct Holds {
    /// When the hold of a container ends, in the order of the ends, and stale entries.
    ends: VecDeque<(BootTime, ContainerId)>,
    waiting: usize,
    hold: Duration,
    max: usize,
    max_per_container: usize,
    /// Events that waited.
    pub held: u64,
    /// Events that left without the facts.
    pub late: u64,
    /// Of these, events that left early because too many waited.
    pub overflow: u64,
}

impl Holds {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            ends: VecDeque::new(),
            waiting: 0,
            hold: config.hold,
            max: config.hold_events_all.max(1),
            max_per_container: config.hold_events.max(1),
            held: 0,
            late: 0,
            overflow: 0,
        }
    }

    /// Lets an event of a container pass, or holds it.
    pub(crate) fn pass(
        &mut self,
        id: ContainerId,
        mut event: Event,
        (containers, now): (&mut Containers, BootTime),
        out: &mut Vec<Event>,
    ) {
        let Some(entry) = containers.entry(id) else {
            event.context.container_late = true;
            self.late += 1;
            out.push(event);
            return;
        };
        if entry.facts == Facts::Expected && self.hold.is_zero() {
            entry.facts = Facts::Late;
        }
        let about_container = matches!(event.kind, Kind::Container(_));
        if entry.facts != Facts::Expected || (about_container && entry.held.is_empty()) {
            self.give(entry, &mut event);
            out.push(event);
            return;
        }
        if entry.held.is_empty() {
            self.ends.push_back((now.plus(self.hold), id));
        } else if entry.held.len() >= self.max_per_container {
            self.overflow_one(entry, out);
        }
        entry.held.push_back(event);
        self.held += 1;
        self.waiting += 1;
        if self.waiting > self.max {
            self.overflow_oldest(containers, out);
        }
    }

    /// Lets everything pass that waited for a container whose facts came, or will not come.
    pub(crate) fn release(&mut self, entry: &mut Entry, out: &mut Vec<Event>) {
        let held = std::mem::take(&mut entry.held);
        self.waiting = self.waiting.saturating_sub(held.len());
        for mut event in held {
            self.give(entry, &mut event);
            out.push(event);
        }
    }

    /// Ends the holds whose time is over.
    pub(crate) fn advance(&mut self, containers: &mut Containers, now: BootTime, out: &mut Vec<Event>) {
        while let Some(&(end, id)) = self.ends.front()
            && end <= now
        {
            self.ends.pop_front();
            self.give_up(id, containers, out);
        }
    }

    /// Ends all holds.
    pub(crate) fn finish(&mut self, containers: &mut Containers, out: &mut Vec<Event>) {
        while let Some((_, id)) = self.ends.pop_front() {
            self.give_up(id, containers, out);
        }
    }

    fn give_up(&mut self, id: ContainerId, containers: &mut Containers, out: &mut Vec<Event>) {
        if let Some(entry) = containers.get_mut(&id)
            && entry.facts == Facts::Expected
        {
            entry.facts = Facts::Late;
            self.release(entry, out);
        }
    }

    /// Adds what is known of the container to one of its events.
    fn give(&mut self, entry: &Entry, event: &mut Event) {
        if matches!(event.kind, Kind::Container(_)) {
            return;
        }
        event.context.container.clone_from(&entry.record);
        event.context.host_path = entry.mounts.host_path_of(event);
        if entry.facts != Facts::Complete {
            event.context.container_late = true;
            self.late += 1;
        }
    }

    fn overflow_one(&mut self, entry: &mut Entry, out: &mut Vec<Event>) {
        if let Some(mut event) = entry.held.pop_front() {
            self.waiting -= 1;
            self.overflow += 1;
            self.give(entry, &mut event);
            out.push(event);
        }
    }

    fn overflow_oldest(&mut self, containers: &mut Containers, out: &mut Vec<Event>) {
        while let Some(&(_, id)) = self.ends.front() {
            match containers.get_mut(&id) {
                Some(entry) if !entry.held.is_empty() => return self.overflow_one(entry, out),
                _ => drop(self.ends.pop_front()),
            }
        }
    }
}
