//! Where watched files lie: the directories to watch for them, and the roots of containers.

use crate::baseline::Key;
use crate::name_text;
use crate::notify::Notify;
use crate::observe::Root;
use compact_str::CompactString;
use event::change::FileState;
use event::watched::PathPattern;
use event::{Actor, ContainerId};
use rustix::fs::{Dir, FileType, OFlags, fstat};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// Most containers whose files are watched.
const CONTAINERS: usize = 4096;
/// Deepest nesting of directories that are watched.
const DEPTH: usize = 64;
/// Bytes read of what the kernel says of a process's control groups.
const CGROUP_BYTES: u64 = 16 << 10;

/// By which process each container's files are reached.
#[derive(Debug, Default)]
pub(crate) struct Containers {
    pids: BTreeMap<ContainerId, u32>,
    /// Roots that are open; for a short while only, since they keep a container's file systems busy.
    open: BTreeMap<ContainerId, Arc<Root>>,
}

impl Containers {
    /// Adds a container; false where there is no room.
    pub(crate) fn add(&mut self, id: ContainerId, pid: u32) -> bool {
        if self.pids.len() >= CONTAINERS && !self.pids.contains_key(&id) {
            return false;
        }
        self.pids.insert(id, pid);
        true
    }

    pub(crate) fn remove(&mut self, id: ContainerId) {
        self.pids.remove(&id);
        self.open.remove(&id);
    }

    /// Lets all roots go.
    pub(crate) fn close(&mut self) {
        self.open.clear();
    }

    /// The container's root, by its first process, else by the one that acts, which may see another root; no root for
    /// the host. A process counts while its control group is the container's: its number may have been given again.
    pub(crate) fn root(
        &mut self,
        container: Option<ContainerId>,
        actor: Option<&Actor>,
    ) -> Option<Arc<Root>> {
        let id = container?;
        if let Some(root) = self.open.get(&id) {
            return Some(Arc::clone(root));
        }
        let pids = [self.pids.get(&id).copied(), actor.map(|actor| actor.pid), actor.map(|actor| actor.ppid)];
        let mut of_it = pids.into_iter().flatten().filter(|pid| is_of(*pid, id));
        let root = Arc::new(of_it.find_map(|pid| Root::of_process(pid).ok())?);
        self.open.insert(id, Arc::clone(&root));
        Some(root)
    }
}

fn is_of(pid: u32, id: ContainerId) -> bool {
    cgroups(pid).contains(&id.to_string())
}

/// What the kernel says of a process's control groups; empty where it has ended.
fn cgroups(pid: u32) -> String {
    let mut text = String::new();
    if let Ok(file) = std::fs::File::open(format!("/proc/{pid}/cgroup")) {
        // What cannot be read proves nothing.
        let _ = file.take(CGROUP_BYTES).read_to_string(&mut text);
    }
    text
}

/// The containers that run, each with its first process: a process belongs to the container whose full id is the last
/// one in the name of its control group.
#[must_use]
pub fn running_containers() -> BTreeMap<ContainerId, u32> {
    let mut containers = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(id) = last_id(&cgroups(pid)) {
            let first = containers.entry(id).or_insert(pid);
            *first = pid.min(*first);
        }
    }
    containers
}

fn last_id(text: &str) -> Option<ContainerId> {
    let words = text.rsplit(|letter: char| !letter.is_ascii_hexdigit());
    words.filter_map(|word| word.parse().ok()).next()
}

/// Watches every directory at and below `from` that patterns lead through. The way down to `from` is watched too, so that
/// what is missing now is seen to come.
pub(crate) fn watch_directories(
    root: &Root,
    container: Option<ContainerId>,
    patterns: &BTreeSet<PathPattern>,
    from: &str,
    notify: &mut Notify,
) {
    let mut paths: Vec<(CompactString, usize, Option<u64>)> = Vec::new();
    if from == "/" {
        // Of what has no wildcard, only the directories on the way are of interest.
        paths.extend(ways(patterns).into_iter().map(|path| (path, 0, None)));
    } else {
        paths.push((from.into(), 0, None));
    }
    let mut seen = BTreeSet::new();
    while let Some((path, depth, dev)) = paths.pop() {
        if depth > DEPTH || !seen.insert(path.clone()) {
            continue;
        }
        let Ok(place) = root.place(&path, OFlags::RDONLY | OFlags::DIRECTORY) else { continue };
        let own_dev = fstat(&place).map_or(0, |stat| stat.st_dev);
        if dev.is_some_and(|dev| dev != own_dev) {
            continue;
        }
        notify.watch(&place, Key { container, path: path.clone() }, true);
        let Ok(entries) = Dir::read_from(&place) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_bytes();
            if entry.file_type() != FileType::Directory || matches!(name, b"." | b"..") {
                continue;
            }
            let child = CompactString::from(format!("{}/{}", path.trim_end_matches('/'), name_text(name)));
            if patterns.iter().any(|pattern| pattern.reaches_below(&child)) {
                paths.push((child, depth + 1, Some(own_dev)));
            }
        }
    }
}

/// The directories without wildcards on the way to each pattern.
fn ways(patterns: &BTreeSet<PathPattern>) -> BTreeSet<CompactString> {
    let mut ways = BTreeSet::new();
    for pattern in patterns {
        let base = pattern.base();
        let mut end = if pattern.is_path() { base.rfind('/') } else { Some(base.len()) };
        while let Some(at) = end {
            let way = base.get(..at).filter(|way| !way.is_empty()).unwrap_or("/");
            ways.insert(way.into());
            end = base.get(..at).and_then(|shorter| shorter.rfind('/'));
        }
        ways.insert("/".into());
    }
    ways
}

/// Patterns that take whatever lies below the directory `path`, so far as `patterns` lead there.
pub(crate) fn below(patterns: &BTreeSet<PathPattern>, path: &str) -> BTreeSet<PathPattern> {
    let all = PathPattern::try_from(CompactString::from(format!("{path}/**")));
    let deep = patterns.iter().any(|pattern| pattern.reaches_below(path));
    all.ok().filter(|_| deep).into_iter().collect()
}

/// Watches a file itself where it has several names, so that a write under another one is seen. The directory tells of
/// the making of a name, since the number of names changes with it.
pub(crate) fn watch_file(root: &Root, key: &Key, state: &FileState, notify: &mut Notify) {
    if state.is_file()
        && state.links > 1
        && let Ok(place) = root.place(&key.path, OFlags::PATH)
        && fstat(&place).is_ok_and(|stat| stat.st_ino == state.inode)
    {
        notify.watch(&place, key.clone(), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_known_by_the_last_full_id_of_its_control_group() {
        let (outer, inner) = ("ab".repeat(32), "cd".repeat(32));
        let id = |text: &str| last_id(text).map(|id| id.to_string());
        assert_eq!(id(&format!("0::/docker/{outer}\n")), Some(outer.clone()));
        assert_eq!(id(&format!("0::/x/docker-{outer}.scope/docker/{inner}/init")), Some(inner));
        assert_eq!(id("0::/system.slice/cron.service\n"), None);
    }
}
