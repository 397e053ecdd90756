//! SHA-256 of executed files, off the hot path.
//!
//! In: which file was executed, by which process. Out: its hash, or why there is none, some milliseconds later.
//! One thread reads the files; its queue and its cache are bounded, and what does not fit is counted. A path
//! that a container gave is not believed: what was opened must be the file that the kernel saw executed.
//!
//! Left out: files of processes that are gone together with their parent; those need the image's layers.

use std::{
    collections::HashMap,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::mpsc::{self, SyncSender, TrySendError},
    thread::{self, JoinHandle},
};

use compact_str::CompactString;
use event::{
    BootTime, Event, Kind, Owner, ProcessKey, Sensor,
    process::{FileHash, FileIdentity},
};
use sha2::{Digest, Sha256};

/// Bytes read at once.
const CHUNK: usize = 128 << 10;

/// Limits of the hasher.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HashLimits {
    /// Largest file that is hashed, bytes.
    pub file_bytes: u64,
    /// Requests that may wait; more are refused and counted.
    pub queue: usize,
    /// Hashes that are kept.
    pub cache: usize,
}

impl Default for HashLimits {
    fn default() -> Self {
        Self { file_bytes: 256 << 20, queue: 1024, cache: 8192 }
    }
}

/// A file to be hashed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HashRequest {
    /// The process that executes it.
    pub process: ProcessKey,
    /// Its parent, by whose root the file can still be found if the process has ended.
    pub ppid: u32,
    /// Whose act it is, for the answer.
    pub owner: Owner,
    /// Which file: as long as this is equal, so is the content.
    pub file: FileIdentity,
    /// Where the process saw it.
    pub path: CompactString,
}

impl HashRequest {
    /// The request for an exec event; `None` for any other.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let (Kind::Exec(exec), Some(actor)) = (&event.kind, &event.actor) else { return None };
        Some(Self {
            process: actor.key(),
            ppid: actor.ppid,
            owner: event.owner,
            file: exec.file,
            path: exec.path.as_str().into(),
        })
    }
}

/// Why a file has no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HashMiss {
    /// The process, or the file, was gone.
    #[error("the file was gone before it could be read")]
    Gone,
    /// Another file is there now.
    #[error("the file at the path is not the one that was executed")]
    Changed,
    /// Larger than the limit.
    #[error("the file is larger than the limit")]
    TooLarge,
    /// It could not be read.
    #[error("the file could not be read")]
    Unreadable,
    /// Too many requests were waiting.
    #[error("too many files were waiting to be hashed")]
    QueueFull,
}

/// Answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// What was asked.
    pub request: HashRequest,
    /// The hash, or why there is none.
    pub result: Result<[u8; 32], HashMiss>,
}

impl Hashed {
    /// The late fact as an event at `boot`; its wall time and number are the caller's to give.
    #[must_use]
    pub fn into_event(self, boot: BootTime) -> Event {
        let kind = Kind::FileHash(Box::new(FileHash {
            process: self.request.process,
            file: self.request.file,
            sha256: self.result.ok().map(|hash| hexadecimal(&hash)),
            missing: self.result.err().map(|miss| miss.to_string().into()),
        }));
        let mut event = Event::new(Sensor::Hash, boot, kind);
        event.owner = self.request.owner;
        event
    }
}

fn hexadecimal(bytes: &[u8]) -> CompactString {
    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// The hashing thread. It ends when this is dropped.
#[derive(Debug)]
pub struct Hasher {
    queue: Option<SyncSender<HashRequest>>,
    thread: Option<JoinHandle<()>>,
}

impl Hasher {
    /// Starts the thread, which hands each answer to `answer`.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn spawn(limits: HashLimits, mut answer: impl FnMut(Hashed) + Send + 'static) -> io::Result<Self> {
        let (queue, requests) = mpsc::sync_channel::<HashRequest>(limits.queue);
        let thread = thread::Builder::new().name("hash".into()).spawn(move || {
            let mut cache = Cache::new(limits.cache);
            for request in requests {
                let result = cache.hash(&request, Path::new("/proc"), limits.file_bytes);
                answer(Hashed { request, result });
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Asks for a file's hash; never waits.
    ///
    /// # Errors
    /// The request, with `QueueFull`, for the caller to report as it reports the thread's answers.
    pub fn request(&self, request: HashRequest) -> Result<(), Box<Hashed>> {
        let refuse = |request| Box::new(Hashed { request, result: Err(HashMiss::QueueFull) });
        let Some(queue) = &self.queue else { return Err(refuse(request)) };
        queue.try_send(request).map_err(|e| match e {
            TrySendError::Full(r) | TrySendError::Disconnected(r) => refuse(r),
        })
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by its own message.
            let _ = thread.join();
        }
    }
}

/// Known hashes in two generations: the older one is dropped when the younger is full, so that what is still
/// used survives and memory is bounded without a list of uses.
#[derive(Debug)]
struct Cache {
    young: HashMap<FileIdentity, [u8; 32]>,
    old: HashMap<FileIdentity, [u8; 32]>,
    half: usize,
}

impl Cache {
    fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: (capacity / 2).max(1) }
    }

    fn hash(&mut self, request: &HashRequest, proc: &Path, limit: u64) -> Result<[u8; 32], HashMiss> {
        if request.file.size > limit {
            return Err(HashMiss::TooLarge);
        }
        if let Some(hash) = self.young.get(&request.file) {
            return Ok(*hash);
        }
        let hash = match self.old.get(&request.file) {
            Some(hash) => *hash,
            None => digest(open(request, proc)?, limit)?,
        };
        // Without a change time the same identity may hold other content later.
        if request.file.ctime_ns != 0 {
            if self.young.len() >= self.half {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(request.file, hash);
        }
        Ok(hash)
    }
}

/// Opens the executed file: by the process's own link, which leads to deleted and anonymous files too, else by
/// its path below the process's or its parent's root.
fn open(request: &HashRequest, proc: &Path) -> Result<File, HashMiss> {
    let below_root = |pid: u32| proc.join(format!("{pid}/root")).join(request.path.trim_start_matches('/'));
    let own_link = proc.join(format!("{}/exe", request.process.pid));
    let mut miss = HashMiss::Gone;
    for (path, metadata) in [
        (own_link.clone(), fs::metadata(own_link)),
        with_metadata(below_root(request.process.pid)),
        with_metadata(below_root(request.ppid)),
    ] {
        let Ok(metadata) = metadata else { continue };
        // Looked at before it is opened: opening a pipe or a device could block or act.
        if !is_same_file(&metadata, &request.file) {
            miss = HashMiss::Changed;
            continue;
        }
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .and_then(|f| Ok((f.metadata()?, f)));
        match opened {
            Ok((metadata, file)) if is_same_file(&metadata, &request.file) => return Ok(file),
            Ok(_) => miss = HashMiss::Changed,
            Err(_) => miss = HashMiss::Unreadable,
        }
    }
    Err(miss)
}

fn with_metadata(path: PathBuf) -> (PathBuf, io::Result<Metadata>) {
    let metadata = fs::symlink_metadata(&path);
    (path, metadata)
}

/// An overlay reports a device of its own to stat(2) or not, depending on its layers, so the device is not
/// compared: inode, size and change time together are.
fn is_same_file(metadata: &Metadata, file: &FileIdentity) -> bool {
    let nanos = u64::try_from(metadata.ctime()).unwrap_or(0).wrapping_mul(1_000_000_000)
        + u64::try_from(metadata.ctime_nsec()).unwrap_or(0);
    metadata.is_file()
        && metadata.ino() == file.inode
        && metadata.len() == file.size
        && (file.ctime_ns == 0 || nanos == file.ctime_ns)
}

fn digest(mut file: File, limit: u64) -> Result<[u8; 32], HashMiss> {
    let mut sha = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => return Ok(sha.finalize().into()),
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(HashMiss::Unreadable),
        };
        total += read as u64;
        if total > limit {
            return Err(HashMiss::TooLarge);
        }
        sha.update(chunk.get(..read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_executable() -> HashRequest {
        let path = std::env::current_exe().unwrap();
        let metadata = fs::metadata(&path).unwrap();
        HashRequest {
            process: ProcessKey { pid: std::process::id(), ..ProcessKey::default() },
            ppid: std::os::unix::process::parent_id(),
            owner: Owner::Host,
            file: FileIdentity {
                inode: metadata.ino(),
                ctime_ns: u64::try_from(metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec()).unwrap(),
                size: metadata.len(),
                ..FileIdentity::default()
            },
            path: path.to_string_lossy().into(),
        }
    }

    #[test]
    fn the_running_executable_is_hashed_and_cached() {
        let request = own_executable();
        let expected: [u8; 32] = Sha256::digest(fs::read(request.path.as_str()).unwrap()).into();
        let mut cache = Cache::new(2);
        assert_eq!(cache.hash(&request, Path::new("/proc"), 1 << 30), Ok(expected));
        assert_eq!(cache.hash(&request, Path::new("/nowhere"), 1 << 30), Ok(expected), "from the cache");
    }

    #[test]
    fn another_file_at_the_path_is_refused() {
        let mut request = own_executable();
        request.file.inode += 1;
        assert_eq!(Cache::new(2).hash(&request, Path::new("/proc"), 1 << 30), Err(HashMiss::Changed));
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let request = own_executable();
        assert_eq!(Cache::new(2).hash(&request, Path::new("/nowhere"), 10), Err(HashMiss::TooLarge));
    }

    #[test]
    fn an_ended_process_is_a_miss() {
        let request = HashRequest { process: ProcessKey::default(), ppid: 0, ..own_executable() };
        assert_eq!(Cache::new(2).hash(&request, Path::new("/proc"), 1 << 30), Err(HashMiss::Gone));
    }

    #[test]
    fn the_thread_answers_and_ends_with_its_owner() {
        let (send, receive) = mpsc::channel();
        let hasher = Hasher::spawn(HashLimits::default(), move |h| send.send(h).unwrap()).unwrap();
        hasher.request(own_executable()).unwrap();
        drop(hasher);
        let answer = receive.recv().unwrap();
        assert!(receive.recv().is_err());
        let Kind::FileHash(fact) = answer.into_event(BootTime(1)).kind else { panic!("another kind") };
        assert_eq!(fact.sha256.map(|hash| hash.len()), Some(64));
    }
}
