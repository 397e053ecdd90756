//! The state of all files of a watch list, read in parallel.
//!
//! In: a root, patterns, limits, how many threads. Out: path and state of each file that a pattern takes, sorted by path and
//! each once, and what could not be listed. Links are never followed. A directory is listed where patterns lead below it; it
//! is left where another file system begins. Its names are handed out in portions, so that one directory of many
//! thousands keeps all threads busy.

use crate::name_text;
use crate::observe::{Buffers, ITSELF, Limits, Root, observe, of_name};
use compact_str::CompactString;
use event::change::FileState;
use event::watched::PathPattern;
use rustix::fd::OwnedFd;
use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Names in a portion of work.
const PORTION: usize = 256;
/// Most files of one scan.
const FILES: usize = 4_000_000;
/// Deepest nesting of directories.
const DEPTH: usize = 64;

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// State by path.
    pub files: BTreeMap<CompactString, FileState>,
    /// Directories that could not be listed, each with the reason, and whatever else was left out.
    pub unread: BTreeSet<String>,
}

/// Reads the files below `root` that `patterns` take.
#[must_use]
pub fn scan(root: &Root, patterns: &BTreeSet<PathPattern>, limits: Limits, threads: usize) -> Scanned {
    let mut found = Scanned::default();
    let mut work = Vec::new();
    for base in bases(patterns) {
        if patterns.iter().any(|pattern| pattern.matches(base))
            && let Some(observed) = observe(root, base, Limits { kept_bytes: 0, ..limits })
        {
            found.files.insert(base.into(), observed.state);
        }
        if patterns.iter().any(|pattern| pattern.reaches_below(base)) {
            match root.place(base, OFlags::DIRECTORY | OFlags::RDONLY) {
                Ok(directory) => work.push(Work::List(Directory::base(directory, base))),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(errno) => {
                    found.unread.insert(format!("{base}: {errno}"));
                }
            }
        }
    }
    let queue = Queue::new(work);
    let results = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads.max(1)).map(|_| scope.spawn(|| worker(&queue, patterns, limits))).collect();
        // A worker that panicked has said so; what the others found is still true.
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect::<Vec<_>>()
    });
    let mut files: Vec<(CompactString, FileState)> = std::mem::take(&mut found.files).into_iter().collect();
    for part in results {
        files.extend(part.files);
        found.unread.extend(part.unread);
    }
    // Sorted first: the map is then made in one go.
    files.sort_by(|a, b| a.0.cmp(&b.0));
    found.files = files.into_iter().collect();
    found
}

/// Where patterns begin, without those that lie below another's `**`.
fn bases(patterns: &BTreeSet<PathPattern>) -> BTreeSet<&str> {
    let covered = |base: &str, own: &PathPattern| {
        patterns.iter().any(|other| other != own && other.as_str().ends_with("/**") && other.matches(base))
    };
    patterns.iter().filter(|own| !covered(own.base(), own)).map(PathPattern::base).collect()
}

/// An open directory.
struct Directory {
    fd: OwnedFd,
    path: CompactString,
    /// The file system that the walk stays on.
    dev: u64,
    depth: usize,
}

impl Directory {
    fn base(fd: OwnedFd, path: &str) -> Self {
        let dev = fstat(&fd).map_or(0, |stat| stat.st_dev);
        Self { fd, path: path.into(), dev, depth: 0 }
    }

    fn child(&self, name: &[u8]) -> CompactString {
        let mut path = CompactString::from(self.path.trim_end_matches('/'));
        path.push('/');
        path.push_str(&name_text(name));
        path
    }
}

/// A portion of work.
enum Work {
    /// List a directory.
    List(Directory),
    /// Read these names in it, each with its path.
    Read(Arc<Directory>, Vec<(CString, CompactString)>),
}

struct State {
    work: Vec<Work>,
    busy: usize,
    files: usize,
}

/// What waits for the threads. The youngest goes first, so that few directories are open at once.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    fn new(work: Vec<Work>) -> Self {
        Self { state: Mutex::new(State { work, busy: 0, files: 0 }), changed: Condvar::new() }
    }

    /// The next portion; `None` when nothing waits and nobody works who could make more.
    fn take(&self) -> Option<Work> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(work) = state.work.pop() {
                state.busy += 1;
                return Some(work);
            }
            if state.busy == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give(&self, more: Work) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.work.push(more);
        self.changed.notify_one();
    }

    /// A portion is done.
    fn done(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.busy -= 1;
        if state.busy == 0 {
            self.changed.notify_all();
        }
    }

    /// Whether `count` more files are within the limit.
    fn admits(&self, count: usize) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.files += count;
        state.files <= FILES
    }
}

/// What one thread found.
#[derive(Default)]
struct Part {
    files: Vec<(CompactString, FileState)>,
    unread: Vec<String>,
}

fn worker(queue: &Queue, patterns: &BTreeSet<PathPattern>, limits: Limits) -> Part {
    let mut part = Part::default();
    let mut buffers = Buffers::default();
    while let Some(work) = queue.take() {
        match work {
            Work::List(directory) => list(directory, queue, patterns, &mut part),
            Work::Read(directory, names) => {
                for (name, path) in names {
                    if let Some(state) = of_name(&directory.fd, &name, limits, &mut buffers) {
                        part.files.push((path, state));
                    }
                }
            }
        }
        queue.done();
    }
    part
}

fn list(directory: Directory, queue: &Queue, patterns: &BTreeSet<PathPattern>, part: &mut Part) {
    let entries = match Dir::read_from(&directory.fd) {
        Ok(entries) => entries,
        Err(errno) => return part.unread.push(format!("{}: {errno}", directory.path)),
    };
    let directory = Arc::new(directory);
    let mut portion = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(errno) => {
                part.unread.push(format!("{}: {errno}", directory.path));
                break;
            }
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let path = directory.child(name.to_bytes());
        let is_directory = match entry.file_type() {
            FileType::Directory => true,
            FileType::Unknown => statat(&directory.fd, name, ITSELF)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir()),
            _ => false,
        };
        if is_directory && patterns.iter().any(|pattern| pattern.reaches_below(&path)) {
            descend(&directory, name, &path, queue, part);
        }
        if patterns.iter().any(|pattern| pattern.matches(&path)) {
            portion.push((name.to_owned(), path));
        }
        if portion.len() >= PORTION {
            hand_out(&directory, std::mem::take(&mut portion), queue, part);
        }
    }
    hand_out(&directory, portion, queue, part);
}

fn hand_out(
    directory: &Arc<Directory>,
    portion: Vec<(CString, CompactString)>,
    queue: &Queue,
    part: &mut Part,
) {
    if portion.is_empty() {
        return;
    }
    if queue.admits(portion.len()) {
        queue.give(Work::Read(Arc::clone(directory), portion));
    } else {
        part.unread.push(format!("{}: more than {FILES} files", directory.path));
    }
}

fn descend(above: &Directory, name: &std::ffi::CStr, path: &str, queue: &Queue, part: &mut Part) {
    if above.depth >= DEPTH {
        return part.unread.push(format!("{path}: directories nested deeper than {DEPTH}"));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(&above.fd, name, flags, Mode::empty()).and_then(|fd| Ok((fstat(&fd)?.st_dev, fd)));
    match opened {
        Ok((dev, fd)) if dev == above.dev => {
            queue.give(Work::List(Directory { fd, path: path.into(), dev, depth: above.depth + 1 }));
        }
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
        Err(errno) => part.unread.push(format!("{path}: {errno}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn patterns(texts: &[&str]) -> BTreeSet<PathPattern> {
        texts.iter().map(|text| CompactString::from(*text).try_into().unwrap()).collect()
    }

    #[test]
    fn patterns_take_their_files_in_order_and_links_lead_nowhere() {
        let folder = std::env::temp_dir().join(format!("watchkeeper-scan-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for directory in ["etc/cron.d/deep", "home/a/.ssh", "home/b", "many"] {
            std::fs::create_dir_all(folder.join(directory)).unwrap();
        }
        for file in
            ["etc/passwd", "etc/other", "etc/cron.d/x", "etc/cron.d/deep/y", "home/a/.ssh/authorized_keys"]
        {
            std::fs::write(folder.join(file), file).unwrap();
        }
        for number in 0..700 {
            std::fs::write(folder.join(format!("many/{number:03}")), number.to_string()).unwrap();
        }
        symlink("/etc", folder.join("home/b/.ssh")).unwrap();
        symlink("..", folder.join("etc/cron.d/circle")).unwrap();
        let root = Root::open(folder.to_str().unwrap()).unwrap();
        let list = patterns(&[
            "/etc/passwd",
            "/etc/absent",
            "/etc/cron.d/**",
            "/etc/cron.d/deep/*",
            "/home/*/.ssh/authorized_keys",
            "/none/**",
        ]);
        let found = scan(&root, &list, Limits::default(), 3);
        let paths: Vec<&str> = found.files.keys().map(CompactString::as_str).collect();
        let expected = [
            "/etc/cron.d/circle",
            "/etc/cron.d/deep",
            "/etc/cron.d/deep/y",
            "/etc/cron.d/x",
            "/etc/passwd",
            "/home/a/.ssh/authorized_keys",
        ];
        assert_eq!(paths, expected);
        assert!(found.unread.is_empty(), "{:?}", found.unread);
        assert_eq!(found.files["/etc/cron.d/x"].blake3, blake3::hash(b"etc/cron.d/x").to_hex().as_str());

        let many = patterns(&["/many/**"]);
        let (one, four) =
            (scan(&root, &many, Limits::default(), 1), scan(&root, &many, Limits::default(), 4));
        assert_eq!(one.files.len(), 700);
        assert_eq!(one.files, four.files);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
