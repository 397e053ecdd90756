//! The states of watched files while Watchkeeper runs, and what looks at them find.
//!
//! In: where the kernel sensor saw a watched file touched ([`Look`]), what the kernel notifies of, and the time. Out:
//! [`Found`] changes, each with who made it where that is certain.
//!
//! Nothing is lost between the first scan and the watch: the kernel sensor and the notifications run before the scan
//! begins, and a look whose time lies before the scan tells of a change even where nothing differs.
//!
//! Who made a change: the look that finds it, since it comes from the act itself. A change that only a notification tells
//! of waits [`GRACE`] for its look; after that it belongs to whoever opened the file for writing and may still have it. Of
//! several containers none is named.
//!
//! Bounded: files, containers, writers of one file, copies; what does not fit is counted.

use crate::baseline::{self, Key};
use crate::contents::Contents;
use crate::notify::{Notice, Notify};
use crate::observe::{Limits, Observed, Root, observe};
use crate::places::{self, Containers};
use crate::scan::scan;
use crate::writers::Writers;
use crate::{Copies, Error};
use compact_str::CompactString;
use event::change::{Change, FileChange, FileState, Look, Place};
use event::identity::UnknownOwner;
use event::watched::PathPattern;
use event::{Actor, BootTime, ContainerId, Event, Kind, Owner, Sensor, Text, WatchList};
use rustix::fd::BorrowedFd;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a change that a notification tells of waits for the look that says who made it: the way of a record from
/// the kernel through the engine to here takes less, unless the host is very busy.
pub const GRACE: Duration = Duration::from_millis(500);
/// The same where looks wait to be done.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most files whose state is kept.
const FILES: usize = 400_000;
/// Files that are to be looked at.
const PENDING: usize = 65_536;
/// Threads of the first scan of the host.
const THREADS: usize = 2;

/// A change, and who made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What changed.
    pub change: FileChange,
    /// Whose act it was.
    pub owner: Owner,
    /// Who did it, where that is certain.
    pub actor: Option<Actor>,
}

impl Found {
    /// As an event at `boot`; its wall time and number are the caller's to give.
    #[must_use]
    pub fn into_event(self, boot: BootTime) -> Event {
        let mut event = Event::new(Sensor::Integrity, boot, Kind::FileChange(Box::new(self.change)));
        (event.owner, event.actor) = (self.owner, self.actor);
        event
    }
}

/// What is known of one file.
#[derive(Debug, Default)]
struct Known {
    state: Option<FileState>,
    /// When its first state was read.
    since: BootTime,
    writers: Writers,
}

/// The states, and the means to look again. One owner, one thread.
#[derive(Debug)]
pub struct Watcher {
    list: WatchList,
    limits: Limits,
    host: Root,
    containers: Containers,
    known: BTreeMap<Key, Known>,
    pending: BTreeMap<Key, BootTime>,
    notify: Notify,
    contents: Contents,
    lost: u64,
}

impl Watcher {
    /// A watcher of the files below `host`, and of containers that are yet to come. It reads nothing yet.
    ///
    /// # Errors
    /// The kernel gives no notifications.
    pub fn new(list: WatchList, limits: Limits, host: Root, good: Copies) -> Result<Self, Error> {
        Ok(Self {
            list,
            limits,
            host,
            containers: Containers::default(),
            known: BTreeMap::new(),
            pending: BTreeMap::new(),
            notify: Notify::new()?,
            contents: Contents::new(good),
            lost: 0,
        })
    }

    /// Readable when the kernel has something to tell: [`Watcher::attend`] is to be called.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.notify.fd()
    }

    /// Changes that could not be looked at since the last call, and files that could not be watched: no room, or notices
    /// that the kernel dropped.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost) + self.notify.take_refused()
    }

    /// Notices that wait for their look.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Files whose state is kept.
    #[must_use]
    pub fn files(&self) -> usize {
        self.known.len()
    }

    /// Reads the first state of the host's files.
    pub fn begin_host(&mut self, now: BootTime) {
        self.begin(None, now);
    }

    /// Reads the first state of a container's files; `pid` is one of its processes.
    pub fn begin_container(&mut self, id: ContainerId, pid: u32, now: BootTime) {
        if self.list.container.is_empty() {
            return;
        }
        if !self.containers.add(id, pid) {
            self.lost += 1;
            return;
        }
        self.begin(Some(id), now);
    }

    /// Forgets a container.
    pub fn end_container(&mut self, id: ContainerId) {
        self.containers.remove(id);
        self.notify.forget(id);
        let of_it = Key { container: Some(id), path: CompactString::default() };
        let is_its = |key: &Key| key.container == Some(id);
        let keys: Vec<Key> =
            self.known.range(of_it..).map(|(key, _)| key).take_while(|key| is_its(key)).cloned().collect();
        keys.iter().for_each(|key| drop(self.known.remove(key)));
        self.pending.retain(|key, _| !is_its(key));
    }

    fn begin(&mut self, container: Option<ContainerId>, now: BootTime) {
        let opened = self.containers.root(container, None);
        let Some(root) = root(&self.host, container, opened.as_deref()) else { return };
        let patterns = patterns(&self.list, container);
        // Watched first, read then: what happens in between is told.
        places::watch_directories(root, container, patterns, "/", &mut self.notify);
        let threads = if container.is_none() { THREADS } else { 1 };
        let scanned = scan(root, patterns, self.limits, threads);
        self.lost += scanned.unread.len() as u64;
        let files: Vec<(Key, FileState)> =
            scanned.files.into_iter().map(|(path, state)| (Key { container, path }, state)).collect();
        for (key, state) in &files {
            places::watch_file(root, key, state, &mut self.notify);
            self.contents.keep_good(root, key, state, self.limits);
        }
        for (key, state) in files {
            self.learn(key, Some(state), now);
        }
    }

    fn learn(&mut self, key: Key, state: Option<FileState>, since: BootTime) {
        if self.known.len() >= FILES && !self.known.contains_key(&key) {
            self.lost += 1;
            return;
        }
        self.known.insert(key, Known { state, since, ..Known::default() });
    }

    /// Looks at what the kernel sensor reported. Places that nobody watches are not looked at, whoever asks.
    pub fn look(&mut self, look: &Look, now: BootTime) -> Vec<Found> {
        let mut found = Vec::new();
        for place in &look.places {
            let key = Key { container: place.container, path: place.path.clone() };
            if !patterns(&self.list, key.container).iter().any(|pattern| pattern.matches(&key.path)) {
                continue;
            }
            if look.operation == "mount" {
                found.extend(self.mounted(&key, place, look));
                continue;
            }
            let by = Some((look, place));
            if let Some(change) = self.compare(&key, by, now) {
                found.push(change);
            }
            if let Some(known) = self.known.get_mut(&key) {
                known.writers.add(look, place);
            }
        }
        found
    }

    /// Takes what the kernel tells, and looks where nobody else led in time. While looks wait to be done it is not known
    /// who leads where: `behind` makes their time [`PATIENCE`].
    pub fn attend(&mut self, now: BootTime, behind: bool) -> Vec<Found> {
        self.containers.close();
        let grace = if behind { PATIENCE } else { GRACE };
        for notice in self.notify.read() {
            match notice {
                Notice::Name(key) => self.notice(key, now),
                Notice::Directory(key) => self.directory_came(&key, now),
                Notice::All => {
                    self.lost += 1;
                    let all: Vec<Key> = self.known.keys().cloned().collect();
                    all.into_iter().for_each(|key| self.notice(key, now));
                }
            }
        }
        let due: Vec<Key> = self
            .pending
            .iter()
            .filter(|(_, since)| now.since(**since) >= grace)
            .map(|(key, _)| key.clone())
            .collect();
        due.into_iter().filter_map(|key| self.compare(&key, None, now)).collect()
    }

    fn notice(&mut self, key: Key, now: BootTime) {
        let patterns = patterns(&self.list, key.container);
        if !self.known.contains_key(&key) && !patterns.iter().any(|pattern| pattern.matches(&key.path)) {
            return;
        }
        if self.pending.len() >= PENDING && !self.pending.contains_key(&key) {
            self.lost += 1;
            return;
        }
        self.pending.entry(key).or_insert(now);
    }

    /// Watches a new directory, and looks at all that is in it already.
    fn directory_came(&mut self, key: &Key, now: BootTime) {
        self.notice(key.clone(), now);
        let patterns = patterns(&self.list, key.container);
        if !patterns.iter().any(|pattern| pattern.reaches_below(&key.path)) {
            return;
        }
        let opened = self.containers.root(key.container, None);
        let Some(root) = root(&self.host, key.container, opened.as_deref()) else { return };
        places::watch_directories(root, key.container, patterns, &key.path, &mut self.notify);
        let below = places::below(patterns, &key.path);
        let scanned = scan(root, &below, Limits { file_bytes: 0, ..self.limits }, 1);
        let wanted = |path: &CompactString| patterns.iter().any(|pattern| pattern.matches(path));
        let came: Vec<CompactString> = scanned.files.into_keys().filter(wanted).collect();
        for path in came {
            self.notice(Key { container: key.container, path }, now);
        }
    }

    /// Compares one place with what was known of it, and knows it from now on.
    fn compare(&mut self, key: &Key, by: Option<(&Look, &Place)>, now: BootTime) -> Option<Found> {
        let opened = self.containers.root(key.container, by.and_then(|(look, _)| look.actor.as_ref()));
        let Some(root) = root(&self.host, key.container, opened.as_deref()) else {
            self.pending.remove(key);
            return by.map(|by| unread(key, by));
        };
        self.pending.remove(key);
        let observed = observe(root, &key.path, self.limits);
        let known = self.known.get(key);
        let (before, since) = known.map_or((None, now), |known| (known.state.as_ref(), known.since));
        let after = observed.as_ref().map(|observed| &observed.state);
        let mut change = match baseline::change(key, before, after) {
            Some(change) => change,
            // Nothing differs, but it was touched before there was anything to compare with.
            None if by.is_some_and(|(look, _)| look.boot <= since) && after.is_some() && known.is_some() => {
                before_scan(key, after)
            }
            None => return None,
        };
        self.contents.explain(&mut change, observed.as_ref(), self.limits);
        let writers = self.known.get(key).map(|known| &known.writers);
        let found = attribute(change, by, writers);
        self.known_again(key, observed);
        Some(found)
    }

    /// What was found becomes what is known.
    fn known_again(&mut self, key: &Key, observed: Option<Observed>) {
        let opened = self.containers.root(key.container, None);
        if let (Some(root), Some(observed)) = (root(&self.host, key.container, opened.as_deref()), &observed)
        {
            places::watch_file(root, key, &observed.state, &mut self.notify);
        }
        let state = observed.map(|observed| {
            self.contents.keep_later(&observed);
            observed.state
        });
        match self.known.get_mut(key) {
            Some(known) => {
                // The first state is told of once.
                (known.state, known.since) = (state, BootTime(0));
                known.writers.keep_living();
            }
            None => self.learn(key.clone(), state, BootTime(0)),
        }
    }

    /// Something was mounted over a place, as the acting process sees it.
    fn mounted(&mut self, key: &Key, place: &Place, look: &Look) -> Option<Found> {
        let known = self.known.get(key)?;
        let root = Root::of_process(look.actor.as_ref()?.pid).ok();
        let after = root.and_then(|root| observe(&root, &key.path, self.limits));
        let boxed = |state: &FileState| Box::new(state.clone());
        let mut change = FileChange {
            what: vec![Change::MountOver],
            before: known.state.as_ref().map(boxed),
            after: after.as_ref().map(|after| boxed(&after.state)),
            ..named(key)
        };
        self.contents.explain(&mut change, after.as_ref(), self.limits);
        Some(attribute(change, Some((look, place)), None))
    }
}

fn patterns(list: &WatchList, container: Option<ContainerId>) -> &BTreeSet<PathPattern> {
    if container.is_some() { &list.container } else { &list.host }
}

/// The root that a place lies below: the host's, or what was opened of the container.
fn root<'r>(host: &'r Root, container: Option<ContainerId>, opened: Option<&'r Root>) -> Option<&'r Root> {
    if container.is_some() { opened } else { Some(host) }
}

/// A change of nothing yet, with the names of its place.
fn named(key: &Key) -> FileChange {
    FileChange {
        path: Text::resolved(key.path.clone()),
        host_path: if key.container.is_none() { key.path.clone() } else { CompactString::default() },
        container: key.container,
        ..FileChange::default()
    }
}

fn before_scan(key: &Key, after: Option<&FileState>) -> FileChange {
    FileChange { what: vec![Change::BeforeScan], after: after.cloned().map(Box::new), ..named(key) }
}

/// The container ended before its file could be looked at.
fn unread(key: &Key, by: (&Look, &Place)) -> Found {
    let notes = vec!["no process of the container is left to reach the file by".into()];
    attribute(FileChange { what: vec![Change::Unread], notes, ..named(key) }, Some(by), None)
}

/// Gives a change to whoever made it.
fn attribute(mut change: FileChange, by: Option<(&Look, &Place)>, writers: Option<&Writers>) -> Found {
    if let Some((look, place)) = by {
        change.operation = look.operation.clone();
        if !place.seen_at.is_empty() {
            change.path = Text::resolved(place.seen_at.clone());
        }
        return Found { change, owner: look.owner, actor: look.actor.clone() };
    }
    let Some(latest) = writers.and_then(Writers::latest) else {
        return Found { change, owner: Owner::Unknown(UnknownOwner::NotSaid), actor: None };
    };
    match writers.and_then(Writers::only_owner) {
        Some(owner) => {
            change.operation = latest.operation.clone();
            if !latest.seen_at.is_empty() {
                change.path = Text::resolved(latest.seen_at.clone());
            }
            Found { change, owner, actor: latest.actor.clone() }
        }
        None => {
            change.notes.push("several containers had it open for writing".into());
            Found { change, owner: Owner::Unknown(UnknownOwner::NotSaid), actor: None }
        }
    }
}

#[cfg(test)]
#[path = "watcher_tests.rs"]
mod tests;
