//! Events that were judged before the facts of their container came, kept for a second judgement with them.
//!
//! In: events that enrichment let go without the facts, with the rules that held; later what the runtime says of the
//! container. Out: the same events, with the container's record and the paths that its mounts explain. Only events of
//! classes of which a rule reads such facts are kept, at most [`EVENTS`] of one container and of [`CONTAINERS`] at
//! once, for [`KEEP`]; the first of a container are worth most. Left out on purpose: taking back what held only for
//! want of facts; its alert is filled in.

use crate::analytic::{Lru, hash_of};
use crate::rule::Rules;
use event::{BootTime, Class, Container, ContainerId, Event, Field, Kind, Mounts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Containers whose events are kept at once.
const CONTAINERS: usize = 64;
/// Events that are kept of one container.
const EVENTS: usize = 64;
/// How long after its last event a container's events are kept.
const KEEP: Duration = Duration::from_secs(30);

/// What waits for facts.
#[derive(Debug)]
pub(crate) struct Late {
    /// By class: whether a rule reads what the facts of a container say.
    reads: [bool; Class::COUNT],
    waiting: Lru<Waiting>,
    lost: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<(Event, Rules)>,
    /// Events for which there was no room.
    more: u64,
}

impl Late {
    /// Nothing yet; `fields` are those that the rules of each class read.
    pub(crate) fn new(fields: &BTreeMap<Class, BTreeSet<Field>>) -> Self {
        let mut reads = [false; Class::COUNT];
        for (class, fields) in fields {
            if let Some(reads) = reads.get_mut(*class as usize) {
                *reads = fields.iter().any(|field| is_of_record(*field));
            }
        }
        Self { reads, waiting: Lru::new(CONTAINERS, KEEP), lost: 0 }
    }

    /// Keeps an event that had to go without the facts of its container, with the rules that held for it.
    pub(crate) fn keep(&mut self, event: &Event, rules: &Rules, now: BootTime) {
        if !event.context.container_late || matches!(event.kind, Kind::Container(_)) {
            return;
        }
        let read = self.reads.get(event.class() as usize).copied().unwrap_or_default();
        let Some(id) = event.container_id().copied().filter(|_| read) else { return };
        let Some(waiting) = self.waiting.touch(hash_of(&id), now, Waiting::default) else { return };
        if waiting.events.len() < EVENTS {
            waiting.events.push((event.clone(), rules.clone()));
        } else {
            waiting.more += 1;
        }
    }

    /// Takes the events of a container with what the runtime says of it, in their order. Nothing, where that is not
    /// all that there is to say.
    pub(crate) fn take(
        &mut self,
        id: ContainerId,
        record: &Arc<Container>,
        now: BootTime,
    ) -> Vec<(Event, Rules)> {
        if !record.inspected {
            return Vec::new();
        }
        self.waiting.forget(now);
        let Some(waiting) = self.waiting.remove(hash_of(&id)) else { return Vec::new() };
        self.lost += waiting.more;
        let mounts = Mounts::new(record);
        let mut events = waiting.events;
        for (event, _) in &mut events {
            event.context.container = Some(record.clone());
            event.context.container_late = false;
            event.context.host_path = mounts.host_path_of(event);
        }
        events
    }

    /// Events that are not judged again for lack of room, since the last call; a container counts once.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost) + self.waiting.take_evicted()
    }
}

/// Whether the facts of the container say what the field holds.
fn is_of_record(field: Field) -> bool {
    let of_container = field.name().starts_with("container.") && field != Field::ContainerId;
    of_container
        || matches!(
            field,
            Field::FileHostPath
                | Field::FactHostPath
                | Field::FactHostSystemFile
                | Field::FactRuntimeSocket
                | Field::FactUnknownImage
                | Field::FactWebService
        )
}
