//! The container table: what the runtime says of each container, and what waits for it.

use crate::config::Config;
use crate::name::{NameBudget, Names};
use compact_str::CompactString;
use event::container::{Container, ContainerChange, ContainerVerb};
use event::{BootTime, ContainerId, Event, Mounts, ProcessKey};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How far the facts of a container have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Facts {
    /// Nothing, or name and image only; more is expected.
    #[default]
    Expected,
    /// They did not arrive in time, or the runtime could not tell. They may still come.
    Late,
    /// All that inspect says.
    Complete,
}

/// One container.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub record: Option<Arc<Container>>,
    pub facts: Facts,
    pub mounts: Mounts,
    pub names: Names,
    /// Its first process, where that runs.
    pub first: Option<ProcessKey>,
    /// When the runtime last said that it starts a process in it.
    pub exec_start: Option<BootTime>,
    /// Events that wait for the facts.
    pub held: VecDeque<Event>,
    gone: Option<BootTime>,
    found_at_start: bool,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Containers {
    table: FxHashMap<ContainerId, Entry>,
    gone: VecDeque<(BootTime, ContainerId)>,
    /// References and ids of the images that were there at start.
    images: FxHashSet<CompactString>,
    /// The runtime has told what was there at start.
    listed: bool,
    max: usize,
    keep_gone: Duration,
    pub names: NameBudget,
    /// Containers and images that were not taken in.
    pub lost: u64,
}

impl Containers {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            table: FxHashMap::default(),
            gone: VecDeque::new(),
            images: FxHashSet::default(),
            listed: false,
            max: config.containers.max(1),
            keep_gone: config.keep_gone,
            names: NameBudget::new(config),
            lost: 0,
        }
    }

    pub(crate) fn get(&self, id: &ContainerId) -> Option<&Entry> {
        self.table.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &ContainerId) -> Option<&mut Entry> {
        self.table.get_mut(id)
    }

    /// The entry of a container, a new one where there is none; `None` where the table is full of others that still
    /// exist.
    pub(crate) fn entry(&mut self, id: ContainerId) -> Option<&mut Entry> {
        if !self.table.contains_key(&id) {
            if self.table.len() >= self.max && !self.forget_oldest_gone() {
                self.lost += 1;
                return None;
            }
            self.table.insert(id, Entry::default());
        }
        self.table.get_mut(&id)
    }

    /// The names that a container knows.
    pub(crate) fn names_of(&mut self, id: ContainerId) -> Option<(&mut Names, &mut NameBudget)> {
        self.entry(id)?;
        Some((&mut self.table.get_mut(&id)?.names, &mut self.names))
    }

    /// The runtime has told what was there at start.
    pub(crate) fn set_listed(&mut self) {
        self.listed = true;
    }

    /// Takes in what the runtime says, and gives back the record as it is now.
    pub(crate) fn apply(&mut self, change: &ContainerChange, now: BootTime) -> Option<Arc<Container>> {
        let Some(id) = change.record.id else {
            self.apply_image(change);
            return None;
        };
        let starts = !self.listed;
        if starts && change.verb == ContainerVerb::Found {
            // What ran before is known, even where its image has lost its name since.
            self.learn_image(&change.record);
        }
        let entry = self.entry(id)?;
        entry.found_at_start |= starts && change.verb == ContainerVerb::Found;
        entry.merge(change, now);
        match change.verb {
            ContainerVerb::Destroy | ContainerVerb::Gone => self.set_gone(id, now),
            ContainerVerb::Create | ContainerVerb::Found | ContainerVerb::Start => {
                if let Some(entry) = self.table.get_mut(&id) {
                    entry.gone = None;
                }
            }
            _ => {}
        }
        self.judge_image(&id);
        self.table.get(&id)?.record.clone()
    }

    /// The cgroup of a container is gone. The runtime's own word counts more where it gave one: a stopped container
    /// can start again.
    pub(crate) fn cgroup_removed(&mut self, id: ContainerId, now: BootTime) {
        if self.table.get(&id).is_some_and(|entry| entry.record.is_none()) {
            self.set_gone(id, now);
        }
    }

    /// Forgets containers that are gone for long enough; gives back those that events still wait for.
    pub(crate) fn advance(&mut self, now: BootTime) -> Vec<Entry> {
        let mut waiting = Vec::new();
        while let Some(&(since, id)) = self.gone.front()
            && since.plus(self.keep_gone) <= now
        {
            self.gone.pop_front();
            let same = self.table.get(&id).is_some_and(|entry| entry.gone == Some(since));
            if same && let Some(entry) = self.forget(&id) {
                waiting.push(entry);
            }
        }
        waiting.retain(|entry| !entry.held.is_empty());
        waiting
    }

    fn set_gone(&mut self, id: ContainerId, now: BootTime) {
        if let Some(entry) = self.table.get_mut(&id)
            && entry.gone.is_none()
        {
            entry.gone = Some(now);
            self.gone.push_back((now, id));
            // A container that comes and goes leaves stale entries behind.
            if self.gone.len() > 4 * self.max {
                let table = &self.table;
                self.gone.retain(|(since, id)| table.get(id).is_some_and(|e| e.gone == Some(*since)));
            }
        }
    }

    fn forget_oldest_gone(&mut self) -> bool {
        while let Some((since, id)) = self.gone.pop_front() {
            let free =
                self.table.get(&id).is_some_and(|entry| entry.gone == Some(since) && entry.held.is_empty());
            if free {
                self.forget(&id);
                return true;
            }
        }
        false
    }

    fn forget(&mut self, id: &ContainerId) -> Option<Entry> {
        let entry = self.table.remove(id)?;
        self.names.give_back(&entry.names);
        Some(entry)
    }

    fn apply_image(&mut self, change: &ContainerChange) {
        if change.verb == ContainerVerb::ImageFound {
            self.learn_image(&change.record);
        }
    }

    fn learn_image(&mut self, record: &Container) {
        for name in [&record.image_id, &full_reference(&record.image)] {
            if name.is_empty() || self.images.contains(name) {
                continue;
            }
            if self.images.len() >= 8 * self.max {
                self.lost += 1;
                return;
            }
            self.images.insert(name.clone());
        }
    }

    /// Says whether the image was on the host at start. Its id decides, since a name can be given to another image;
    /// the name decides only where the runtime could not tell the id.
    fn judge_image(&mut self, id: &ContainerId) {
        let Some(entry) = self.table.get_mut(id) else { return };
        let Some(record) = entry.record.as_mut() else { return };
        let known = if entry.found_at_start {
            Some(true)
        } else if !self.listed {
            None
        } else if !record.image_id.is_empty() {
            Some(self.images.contains(&record.image_id))
        } else if entry.facts == Facts::Late {
            Some(self.images.contains(&full_reference(&record.image)))
        } else {
            None
        };
        if record.image_known != known {
            Arc::make_mut(record).image_known = known;
        }
    }
}

impl Entry {
    fn merge(&mut self, change: &ContainerChange, now: BootTime) {
        match change.verb {
            ContainerVerb::Inspected if change.error.is_empty() => {
                self.mounts = Mounts::new(&change.record);
                self.record = Some(Arc::new(Container { inspected: true, ..change.record.clone() }));
                self.facts = Facts::Complete;
                return;
            }
            ContainerVerb::Inspected if self.facts == Facts::Expected => self.facts = Facts::Late,
            ContainerVerb::ExecStart => self.exec_start = Some(now),
            _ => {}
        }
        let news = &change.record;
        let mut record = self
            .record
            .as_deref()
            .cloned()
            .unwrap_or_else(|| Container { id: news.id, ..Container::default() });
        let rename = change.verb == ContainerVerb::Rename;
        for (own, new) in [
            (&mut record.name, &news.name),
            (&mut record.image, &news.image),
            (&mut record.image_id, &news.image_id),
            (&mut record.runtime, &news.runtime),
        ] {
            if own.is_empty() {
                own.clone_from(new);
            }
        }
        if rename && !news.name.is_empty() {
            record.name.clone_from(&news.name);
        }
        if record.labels.is_empty() {
            record.labels.clone_from(&news.labels);
        }
        if change.verb == ContainerVerb::Die {
            record.pid = 0;
        }
        if self.record.as_deref() != Some(&record) {
            self.record = Some(Arc::new(record));
        }
    }
}

/// A reference with what Docker leaves out: `docker.io/library/alpine` and `alpine` are `alpine:latest`.
fn full_reference(reference: &str) -> CompactString {
    let name = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if name.is_empty() || last.contains([':', '@']) {
        return name.into();
    }
    compact_str::format_compact!("{name}:latest")
}
