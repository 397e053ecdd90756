//! The process table: which image each process runs, and whom it comes from.
//!
//! Processes are known by (pid, start), so a pid that is used again never inherits from its former owner. An ended
//! process stays for a while, because events that describe it may still be on their way from another ring.

use crate::config::Config;
use crate::image;
use event::process::{Exec, FileHash, Snapshot};
use event::{Actor, BootTime, ContainerId, Process, ProcessKey};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Start times in `/proc` are in clock ticks of 1/100 s (USER_HZ).
const TICK_NS: u64 = 10_000_000;

/// A running process without an event for so long may be evicted where the table is full.
const IDLE: Duration = Duration::from_secs(60);

/// How many running processes one insertion into a full table looks at.
const MAX_LOOKS: usize = 64;

/// Where and when an event happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub container: Option<ContainerId>,
    pub now: BootTime,
}

/// What is known of where an executing process comes from.
#[derive(Debug)]
pub(crate) enum Lineage {
    /// It ran this before.
    Itself(Arc<Process>),
    /// It was made by, or is a child of, a process that runs this.
    Child(Arc<Process>),
    /// Nothing.
    Unknown,
}

impl Lineage {
    /// The image that it comes from.
    pub(crate) fn image(&self) -> Option<&Process> {
        match self {
            Lineage::Itself(image) | Lineage::Child(image) => Some(image),
            Lineage::Unknown => None,
        }
    }
}

#[derive(Debug)]
enum Image {
    Known(Arc<Process>),
    /// Made by a process that ran this. Most children execute or exit at once, so their own value is made only
    /// when an event needs it.
    Forked(Arc<Process>),
}

#[derive(Debug)]
struct Entry {
    image: Image,
    container: Option<ContainerId>,
    ended: bool,
    /// The start is known to the tick only.
    coarse: bool,
    /// The parent was not known when this was found in `/proc`.
    orphan: Option<ProcessKey>,
    touched: BootTime,
}

impl Entry {
    fn new(image: Image, place: Place) -> Self {
        let Place { container, now } = place;
        Self { image, container, ended: false, coarse: false, orphan: None, touched: now }
    }

    fn process(&mut self, key: ProcessKey) -> Arc<Process> {
        let process = match &self.image {
            Image::Known(process) => return Arc::clone(process),
            Image::Forked(creator) => Arc::new(image::forked(key, creator)),
        };
        self.image = Image::Known(Arc::clone(&process));
        process
    }
}

/// A process executed a program.
#[derive(Debug)]
pub(crate) struct Executed<'a> {
    pub actor: &'a Actor,
    pub exec: &'a Arc<Exec>,
    pub time: BootTime,
    pub lineage: &'a Lineage,
    /// It was brought into a running container from outside.
    pub by_exec: bool,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Processes {
    table: FxHashMap<ProcessKey, Entry>,
    /// The process that has each pid now.
    current: FxHashMap<u32, ProcessKey>,
    /// Ended processes, in the order of their end.
    dead: VecDeque<(BootTime, ProcessKey)>,
    /// Running processes in the order of their coming, and stale keys.
    order: VecDeque<ProcessKey>,
    /// Running processes of each container; `None` is the host.
    shares: FxHashMap<Option<ContainerId>, usize>,
    max: usize,
    max_per_container: usize,
    keep_dead: Duration,
    /// Running processes that were evicted or not taken in.
    pub lost: u64,
    /// Ended processes that left before their time.
    pub dead_evicted_early: u64,
}

impl Processes {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            table: FxHashMap::default(),
            current: FxHashMap::default(),
            dead: VecDeque::new(),
            order: VecDeque::new(),
            shares: FxHashMap::default(),
            max: config.processes.max(1),
            max_per_container: config.processes_per_container.max(1),
            keep_dead: config.keep_dead,
            lost: 0,
            dead_evicted_early: 0,
        }
    }

    /// The process of an actor. One that was never seen becomes known by its task name.
    pub(crate) fn of(&mut self, actor: &Actor, place: Place) -> Arc<Process> {
        let key = actor.key();
        if let Some(process) = self.known(key, place.now) {
            return process;
        }
        let parent = self.known(actor.parent_key(), place.now);
        let process = Arc::new(image::unknown(actor, place.container, parent.as_deref()));
        self.insert(key, Entry::new(Image::Known(Arc::clone(&process)), place));
        process
    }

    /// The process of a key, where there is one.
    pub(crate) fn known(&mut self, key: ProcessKey, now: BootTime) -> Option<Arc<Process>> {
        let key = self.resolve(key)?;
        let entry = self.table.get_mut(&key)?;
        entry.touched = now;
        let Some(parent) = entry.orphan.take().filter(|parent| *parent != key) else {
            return Some(entry.process(key));
        };
        self.find_parent(key, parent);
        self.table.get_mut(&key).map(|entry| entry.process(key))
    }

    /// Where a process that executes comes from: what it ran itself, else who made it, else its present parent.
    pub(crate) fn lineage(&mut self, actor: &Actor, now: BootTime) -> Lineage {
        let entry = self.resolve(actor.key()).and_then(|key| self.table.get(&key));
        match entry.map(|entry| &entry.image) {
            Some(Image::Known(image)) if !image.own.path.is_empty() => {
                return Lineage::Itself(Arc::clone(image));
            }
            Some(Image::Forked(creator)) if !creator.own.path.is_empty() => {
                return Lineage::Child(Arc::clone(creator));
            }
            _ => {}
        }
        self.known(actor.parent_key(), now).map_or(Lineage::Unknown, Lineage::Child)
    }

    /// A process executed a program.
    pub(crate) fn exec(&mut self, executed: &Executed<'_>, place: Place) -> Arc<Process> {
        let container = place.container.as_ref();
        let ancestors = match executed.lineage {
            Lineage::Itself(before) => image::same_chain(before, container),
            Lineage::Child(parent) => image::chain(parent, container),
            Lineage::Unknown => Vec::new(),
        };
        let key = executed.actor.key();
        let mut process = image::executed(key, place.container, executed.exec, ancestors);
        process.exec_time = executed.time;
        process.by_exec = executed.by_exec;
        let process = Arc::new(process);
        self.set(key, Image::Known(Arc::clone(&process)), place);
        process
    }

    /// A process made a child.
    pub(crate) fn fork(&mut self, child: ProcessKey, creator: Arc<Process>, place: Place) {
        // An event of the child may have overtaken that of the fork.
        let has_image = self.table.get(&child).is_some_and(|entry| match &entry.image {
            Image::Known(process) => !process.own.path.is_empty(),
            Image::Forked(_) => true,
        });
        if !has_image {
            self.set(child, Image::Forked(creator), place);
        }
    }

    /// A process ended.
    pub(crate) fn exit(&mut self, key: ProcessKey, now: BootTime) {
        if let Some(key) = self.resolve(key) {
            self.end(key, now);
        }
    }

    /// A process was found in `/proc`. What events said of it before stays.
    pub(crate) fn snapshot(
        &mut self,
        actor: &Actor,
        snapshot: &Snapshot,
        by_exec: bool,
        place: Place,
    ) -> Arc<Process> {
        let seen = self.resolve(actor.key());
        let key = seen.unwrap_or(actor.key());
        if let Some(process) = self.known(key, place.now)
            && !process.own.path.is_empty()
        {
            return process;
        }
        let parent_key = actor.parent_key();
        let parent = self.known(parent_key, place.now);
        let mut process = image::found(key, place.container, snapshot, parent.as_deref());
        process.by_exec = by_exec;
        let process = Arc::new(process);
        self.set(key, Image::Known(Arc::clone(&process)), place);
        if let Some(entry) = self.table.get_mut(&key) {
            entry.coarse = seen.is_none();
            entry.orphan = parent.is_none().then_some(parent_key);
        }
        process
    }

    /// The hash of an executed file became known. A process that has executed something else since is left alone.
    pub(crate) fn hash(&mut self, hash: &FileHash, now: BootTime) -> Option<Arc<Process>> {
        let mut process = self.known(hash.process, now)?;
        let same_file = process.exec.as_ref().is_some_and(|exec| {
            (exec.file.dev, exec.file.inode, exec.file.ctime_ns)
                == (hash.file.dev, hash.file.inode, hash.file.ctime_ns)
        });
        if !same_file || hash.sha256.is_none() {
            return Some(process);
        }
        Arc::make_mut(&mut process).sha256 = hash.sha256.clone();
        if let Some(entry) = self.table.get_mut(&process.own.key) {
            entry.image = Image::Known(Arc::clone(&process));
        }
        Some(process)
    }

    /// The container that a known process belongs to.
    pub(crate) fn container(&self, key: &ProcessKey) -> Option<ContainerId> {
        self.table.get(key)?.container
    }

    /// Whether a process is known and has not ended.
    pub(crate) fn runs(&mut self, key: ProcessKey) -> bool {
        self.resolve(key).and_then(|key| self.table.get(&key)).is_some_and(|entry| !entry.ended)
    }

    /// Whether two keys name one process, one of them perhaps to the tick only.
    pub(crate) fn same(&mut self, one: ProcessKey, other: ProcessKey) -> bool {
        one == other || (one.pid == other.pid && self.resolve(one) == self.resolve(other))
    }

    /// Forgets those that ended long enough ago.
    pub(crate) fn advance(&mut self, now: BootTime) {
        while let Some(&(ended, key)) = self.dead.front()
            && ended.plus(self.keep_dead) <= now
        {
            self.dead.pop_front();
            self.table.remove(&key);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The key under which the table has this process. The entry of one found in `/proc` gets its exact key when
    /// an event first names it.
    fn resolve(&mut self, key: ProcessKey) -> Option<ProcessKey> {
        if self.table.contains_key(&key) {
            return Some(key);
        }
        let current = *self.current.get(&key.pid)?;
        if current.start.0.abs_diff(key.start.0) > TICK_NS {
            return None;
        }
        if key.start.0.is_multiple_of(TICK_NS) {
            return Some(current);
        }
        if !self.table.get(&current)?.coarse {
            return None;
        }
        let mut entry = self.table.remove(&current)?;
        entry.coarse = false;
        if let Image::Known(process) = &mut entry.image {
            *process = Arc::new(image::rekeyed(process, key));
        }
        self.table.insert(key, entry);
        self.current.insert(key.pid, key);
        self.order.push_back(key);
        Some(key)
    }

    fn find_parent(&mut self, key: ProcessKey, parent_key: ProcessKey) {
        let Some(parent_key) = self.resolve(parent_key) else { return };
        let Some(parent) = self.table.get_mut(&parent_key).map(|entry| entry.process(parent_key)) else {
            return;
        };
        if let Some(Entry { image: Image::Known(process), container, .. }) = self.table.get_mut(&key) {
            let ancestors = image::chain(&parent, container.as_ref());
            let by_exec = process.by_exec || (parent.by_exec && parent.own.container == *container);
            *process = Arc::new(Process { ancestors, by_exec, ..(**process).clone() });
        }
    }

    fn set(&mut self, key: ProcessKey, image: Image, place: Place) {
        match self.table.get_mut(&key) {
            Some(entry) => {
                entry.image = image;
                entry.touched = place.now;
            }
            None => self.insert(key, Entry::new(image, place)),
        }
    }

    fn insert(&mut self, key: ProcessKey, mut entry: Entry) {
        let now = entry.touched;
        if let Some(&other) = self.current.get(&key.pid) {
            if other.start < key.start {
                self.end(other, now);
            } else {
                // A late event of a process whose pid has a new owner by now.
                entry.ended = true;
            }
        }
        let share = self.shares.get(&entry.container).copied().unwrap_or(0);
        if !entry.ended && share >= self.max_per_container {
            self.lost += 1;
            return;
        }
        if self.table.len() >= self.max {
            self.evict(now);
        }
        if entry.ended {
            self.dead.push_back((now, key));
        } else {
            self.current.insert(key.pid, key);
            self.order.push_back(key);
            *self.shares.entry(entry.container).or_insert(0) += 1;
        }
        self.table.insert(key, entry);
        if self.order.len() > 2 * self.table.len() + 1024 {
            let table = &self.table;
            self.order.retain(|key| table.get(key).is_some_and(|entry| !entry.ended));
        }
    }

    /// Removes one process: the one that ended longest ago, else one that runs and was idle, else the oldest.
    fn evict(&mut self, now: BootTime) {
        if let Some((_, key)) = self.dead.pop_front() {
            self.table.remove(&key);
            self.dead_evicted_early += 1;
            return;
        }
        let mut looks = 0;
        while let Some(key) = self.order.pop_front() {
            let Some(entry) = self.table.get(&key) else { continue };
            looks += 1;
            if looks < MAX_LOOKS && now.since(entry.touched) < IDLE {
                self.order.push_back(key);
                continue;
            }
            self.end(key, now);
            self.dead.pop_back();
            self.table.remove(&key);
            self.lost += 1;
            return;
        }
    }

    fn end(&mut self, key: ProcessKey, now: BootTime) {
        let Some(entry) = self.table.get_mut(&key) else { return };
        if std::mem::replace(&mut entry.ended, true) {
            return;
        }
        if let Some(share) = self.shares.get_mut(&entry.container) {
            *share -= 1;
            if *share == 0 {
                self.shares.remove(&entry.container);
            }
        }
        if self.current.get(&key.pid) == Some(&key) {
            self.current.remove(&key.pid);
        }
        self.dead.push_back((now, key));
    }
}
