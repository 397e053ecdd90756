//! The state of one file, read without acting on anything.
//!
//! In: a root and a path below it, or an open directory and a name. Out: an [`Observed`] state, with the content where it is
//! wanted and short. The file is opened as a mere place first (`O_PATH`), which no pipe or device notices; only what
//! then is a regular file is opened for reading, through that very place, so that nothing can be put in between.
//!
//! Source: open(2), openat2(2), `RESOLVE_IN_ROOT`; xattr(7).

use crate::{Error, name_text};
use compact_str::CompactString;
use event::change::FileState;
use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fgetxattr, flistxattr, fstat, openat, openat2,
    readlinkat,
};
use rustix::io::Errno;

/// Bytes read at once.
const CHUNK: usize = 128 << 10;
/// Names of extended attributes of one file, in bytes: what listxattr(2) gives at most (limits.h).
const XATTR_LIST_BYTES: usize = 64 << 10;
/// Largest value of an extended attribute that is read, in bytes; larger ones count by their error.
const XATTR_VALUE_BYTES: usize = 64 << 10;
/// Attributes of one file that are read.
const XATTRS: usize = 64;

/// How much of a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file that is hashed, bytes.
    pub file_bytes: u64,
    /// Largest content that is kept for copies and diffs, bytes.
    pub kept_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 256 << 20, kept_bytes: 256 << 10 }
    }
}

/// A directory that paths begin at: `/` of the host, or of a container.
#[derive(Debug)]
pub struct Root(OwnedFd);

impl Root {
    /// Opens it.
    ///
    /// # Errors
    /// The kernel's refusal: the process that had it is gone, or it is not readable.
    pub fn open(path: &str) -> Result<Self, Error> {
        openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map(Self)
            .map_err(|cause| Error::Root { root: path.to_owned(), cause })
    }

    /// The root of a process, which ends with it.
    ///
    /// # Errors
    /// As [`Root::open`].
    pub fn of_process(pid: u32) -> Result<Self, Error> {
        Self::open(&format!("/proc/{pid}/root"))
    }

    /// Opens what lies at `path` as a place. Links on the way are followed, but never out of the root; one at the end is not.
    pub(crate) fn place(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let below = path.trim_start_matches('/');
        let below = if below.is_empty() { "." } else { below };
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat2(&self.0, below, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
    }
}

/// What was found at a place.
#[derive(Debug, Default)]
pub struct Observed {
    /// The state.
    pub state: FileState,
    /// The content of a regular file, where it was wanted and not longer than [`Limits::kept_bytes`].
    pub content: Option<Vec<u8>>,
}

/// Buffers that are used again for each file.
pub(crate) struct Buffers {
    chunk: Vec<u8>,
    names: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self { chunk: vec![0; CHUNK], names: Vec::new() }
    }
}

/// The state of what lies at `path` below `root`; `None` where nothing does.
#[must_use]
pub fn observe(root: &Root, path: &str, limits: Limits) -> Option<Observed> {
    match root.place(path, OFlags::PATH) {
        Ok(place) => Some(of_place(&place, limits, &mut Buffers::default(), true)),
        Err(Errno::NOENT | Errno::NOTDIR) => None,
        Err(errno) => Some(unread(errno)),
    }
}

/// The state of `name` in `directory`; `None` where it is gone.
pub(crate) fn of_name(
    directory: impl AsFd,
    name: &std::ffi::CStr,
    limits: Limits,
    buffers: &mut Buffers,
) -> Option<FileState> {
    match openat(directory, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
        Ok(place) => Some(of_place(&place, limits, buffers, false).state),
        Err(Errno::NOENT) => None,
        Err(errno) => Some(unread(errno).state),
    }
}

fn unread(errno: Errno) -> Observed {
    let unread = format!("cannot be opened: {}", std::io::Error::from(errno));
    Observed { state: FileState { unread: unread.into(), ..FileState::default() }, content: None }
}

/// Reads the state of an open place.
fn of_place(place: &OwnedFd, limits: Limits, buffers: &mut Buffers, keep: bool) -> Observed {
    let stat = match fstat(place) {
        Ok(stat) => stat,
        Err(errno) => return unread(errno),
    };
    let mut observed = Observed { state: of_stat(&stat), content: None };
    let state = &mut observed.state;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => match readlinkat(place, c"", Vec::new()) {
            Ok(target) => state.target = name_text(target.as_bytes()),
            Err(errno) => state.unread = format!("its target: {errno}").into(),
        },
        FileType::RegularFile => match reopened(place, OFlags::empty()) {
            Ok(file) => {
                attributes(&file, state, buffers);
                observed.content = content(&file, state, limits, buffers, keep);
            }
            Err(errno) => state.unread = format!("cannot be read: {}", std::io::Error::from(errno)).into(),
        },
        FileType::Directory => {
            if let Ok(directory) = reopened(place, OFlags::DIRECTORY) {
                attributes(&directory, state, buffers);
            }
        }
        _ => {}
    }
    observed
}

/// Opens for reading the very file of a place. It does not wait, and no terminal becomes ours.
fn reopened(place: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    let flags = flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty())
}

fn of_stat(stat: &Stat) -> FileState {
    let nanos = |seconds: i64, rest: u64| {
        seconds.saturating_mul(1_000_000_000).saturating_add(i64::try_from(rest).unwrap_or(0))
    };
    FileState {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: nanos(stat.st_mtime, stat.st_mtime_nsec),
        ctime_ns: nanos(stat.st_ctime, stat.st_ctime_nsec),
        dev: stat.st_dev,
        inode: stat.st_ino,
        // A directory has a name more with each directory in it.
        links: if FileType::from_raw_mode(stat.st_mode).is_dir() {
            0
        } else {
            u32::try_from(stat.st_nlink).unwrap_or(u32::MAX)
        },
        ..FileState::default()
    }
}

/// Hashes the content, and keeps it where that is wanted. What is longer than the limit, now or by growing under our
/// eyes, has no hash.
fn content(
    file: &OwnedFd,
    state: &mut FileState,
    limits: Limits,
    buffers: &mut Buffers,
    keep: bool,
) -> Option<Vec<u8>> {
    if state.size > limits.file_bytes {
        state.unread = format!("larger than {} bytes", limits.file_bytes).into();
        return None;
    }
    let mut kept = (keep && state.size <= limits.kept_bytes).then(Vec::new);
    let mut hasher = None;
    let mut total = 0_u64;
    loop {
        let read = match rustix::io::read(file, &mut buffers.chunk) {
            Ok(read) => buffers.chunk.get(..read).unwrap_or_default(),
            Err(Errno::INTR) => continue,
            Err(errno) => {
                state.unread = format!("cannot be read: {}", std::io::Error::from(errno)).into();
                return None;
            }
        };
        total += read.len() as u64;
        if total > limits.file_bytes {
            state.unread = format!("grew beyond {} bytes while it was read", limits.file_bytes).into();
            return None;
        }
        if total > limits.kept_bytes {
            kept = None;
        }
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(read);
        }
        // Most files are read at once: what gave less than was asked for, and all that was promised, has ended.
        let ended = read.is_empty() || (read.len() < CHUNK && total == state.size);
        match (&mut hasher, ended) {
            (None, true) => {
                state.blake3 = hex(blake3::hash(read).as_bytes());
                break;
            }
            (hasher, ended) => {
                let hasher = hasher.get_or_insert_with(blake3::Hasher::new);
                hasher.update(read);
                if ended {
                    state.blake3 = hex(hasher.finalize().as_bytes());
                    break;
                }
            }
        }
    }
    kept
}

/// Extended attributes: a hash over all, and capabilities for themselves.
fn attributes(file: &OwnedFd, state: &mut FileState, buffers: &mut Buffers) {
    buffers.names.clear();
    buffers.names.reserve(256);
    loop {
        match flistxattr(file, spare_capacity(&mut buffers.names)) {
            Ok(0) | Err(Errno::OPNOTSUPP) => return,
            Ok(_) => break,
            Err(Errno::RANGE) if buffers.names.capacity() < XATTR_LIST_BYTES => {
                buffers.names.reserve(XATTR_LIST_BYTES)
            }
            Err(errno) => {
                state.unread = format!("its attributes: {errno}").into();
                return;
            }
        }
    }
    let mut names: Vec<&[u8]> =
        buffers.names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for name in names.iter().take(XATTRS) {
        let mut value = Vec::with_capacity(1024);
        let mut result = fgetxattr(file, *name, spare_capacity(&mut value));
        if result == Err(Errno::RANGE) {
            value.reserve(XATTR_VALUE_BYTES);
            result = fgetxattr(file, *name, spare_capacity(&mut value));
        }
        if let Err(errno) = result {
            value = errno.to_string().into_bytes();
        }
        if *name == b"security.capability" {
            state.capability = hex(&value);
        }
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name);
        hasher.update(&(value.len() as u64).to_le_bytes()).update(&value);
    }
    state.xattrs = hex(hasher.finalize().as_bytes());
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> CompactString {
    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Flags that look at what a place itself is, as fstatat(2) takes them.
pub(crate) const ITSELF: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::path::PathBuf;

    fn folder(name: &str) -> (PathBuf, Root) {
        let folder = std::env::temp_dir().join(format!("watchkeeper-observe-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let root = Root::open(folder.to_str().unwrap()).unwrap();
        (folder, root)
    }

    #[test]
    fn a_file_has_its_hash_and_its_content() {
        let (folder, root) = folder("file");
        std::fs::write(folder.join("a"), "hello").unwrap();
        let observed = observe(&root, "/a", Limits::default()).unwrap();
        assert_eq!(observed.state.blake3, blake3::hash(b"hello").to_hex().as_str());
        assert_eq!((observed.state.size, observed.content.as_deref()), (5, Some(&b"hello"[..])));
        assert!(observe(&root, "/b", Limits::default()).is_none());
        assert!(observe(&root, "/a/b", Limits::default()).is_none(), "no directory");
        let long = vec![7; 3 * CHUNK + 1];
        std::fs::write(folder.join("long"), &long).unwrap();
        assert_eq!(
            observe(&root, "/long", Limits::default()).unwrap().state.blake3,
            blake3::hash(&long).to_hex().as_str()
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_link_is_itself_and_none_leads_out_of_the_root() {
        let (folder, root) = folder("link");
        symlink("/etc/passwd", folder.join("last")).unwrap();
        symlink("/etc", folder.join("way")).unwrap();
        let observed = observe(&root, "/last", Limits::default()).unwrap();
        assert_eq!((observed.state.target.as_str(), observed.state.blake3.as_str()), ("/etc/passwd", ""));
        assert!(observe(&root, "/way/passwd", Limits::default()).is_none(), "of the host");
        assert!(observe(&root, "/../../../../etc/passwd", Limits::default()).is_none());
        std::fs::create_dir(folder.join("etc")).unwrap();
        std::fs::write(folder.join("etc/passwd"), "own").unwrap();
        assert_eq!(observe(&root, "/way/passwd", Limits::default()).unwrap().content.unwrap(), b"own");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_pipe_is_looked_at_and_not_opened() {
        let (folder, root) = folder("pipe");
        let pipe = folder.join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let observed = observe(&root, "/pipe", Limits::default()).unwrap();
        assert_eq!((observed.state.blake3.as_str(), observed.content), ("", None));
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_is_longer_than_it_says_ends_at_the_limit() {
        // The kernel says of this one that it is empty, and gives bytes without end.
        let root = Root::open("/proc/self").unwrap();
        let limits = Limits { file_bytes: 10, kept_bytes: 5 };
        let observed = observe(&root, "/status", limits).unwrap();
        assert_eq!((observed.state.blake3.as_str(), observed.content), ("", None));
        assert!(observed.state.unread.contains("grew beyond 10 bytes"), "{}", observed.state.unread);
    }

    #[test]
    fn an_attribute_changes_the_state() {
        let (folder, root) = folder("xattr");
        std::fs::write(folder.join("a"), "x").unwrap();
        let before = observe(&root, "/a", Limits::default()).unwrap().state;
        let set = rustix::fs::setxattr(folder.join("a"), "user.note", b"1", rustix::fs::XattrFlags::empty());
        if set.is_ok() {
            let after = observe(&root, "/a", Limits::default()).unwrap().state;
            assert_eq!(before.differences(&after), [event::change::Change::Xattr]);
        } else {
            println!("SKIPPED: the file system of the temporary directory has no attributes");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
