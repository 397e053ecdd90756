//! The kernel's word that something happened in a watched directory or to a watched file, whoever did it and by
//! whatever call: other tasks of the host, io_uring, a mapping, another name of the same file.
//!
//! In: directories and files, opened as places. Out: which names of which directories to look at. inotify(7) names no
//! process; who acted is found elsewhere. When its queue overflows everything is to be looked at.

use crate::Error;
use crate::baseline::Key;
use compact_str::CompactString;
use event::ContainerId;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;

/// Most directories and files that are watched so.
const WATCHES: usize = 65_536;
/// Bytes of notifications that are read at once.
const BUFFER: usize = 64 << 10;

/// What is told of a directory: of the names in it, and of itself.
const OF_DIRECTORY: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO);
/// What is told of a file, under whichever of its names it is written.
const OF_FILE: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF);

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// This name.
    Name(Key),
    /// This directory came.
    Directory(Key),
    /// Everything: notices were lost.
    All,
}

/// The notifications.
#[derive(Debug)]
pub(crate) struct Notify {
    fd: OwnedFd,
    /// What each watch is for; one object can be there under several names.
    targets: BTreeMap<i32, Vec<Target>>,
    /// Watches that the kernel or the limit refused.
    refused: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    key: Key,
    is_directory: bool,
}

impl Notify {
    pub(crate) fn new() -> Result<Self, Error> {
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(Error::Notify)?;
        Ok(Self { fd, targets: BTreeMap::new(), refused: 0 })
    }

    /// Readable when there are notices.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Watches that could not be had since the last call.
    pub(crate) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// Watches what `place` is.
    pub(crate) fn watch(&mut self, place: &OwnedFd, key: Key, is_directory: bool) {
        if self.targets.len() >= WATCHES {
            self.refused += 1;
            return;
        }
        // The place itself, whatever lies at its path by now.
        let path = format!("/proc/self/fd/{}", place.as_raw_fd());
        let flags = if is_directory { OF_DIRECTORY } else { OF_FILE };
        match inotify::add_watch(&self.fd, path, flags | WatchFlags::MASK_ADD) {
            Ok(watch) => {
                let targets = self.targets.entry(watch).or_default();
                let target = Target { key, is_directory };
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
            // Gone meanwhile: whoever removed it is told of by the directory.
            Err(Errno::NOENT) => {}
            Err(_) => self.refused += 1,
        }
    }

    /// Stops watching what belongs to a container.
    pub(crate) fn forget(&mut self, container: ContainerId) {
        let fd = &self.fd;
        self.targets.retain(|watch, targets| {
            targets.retain(|target| target.key.container != Some(container));
            if targets.is_empty() {
                // It may be gone already, and is then forgotten all the same.
                let _ = inotify::remove_watch(fd, *watch);
            }
            !targets.is_empty()
        });
    }

    /// What happened since the last call.
    pub(crate) fn read(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.fd, &mut buffer);
        let mut gone = Vec::new();
        while let Ok(told) = reader.next() {
            let flags = told.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                notices.push(Notice::All);
                continue;
            }
            for target in self.targets.get(&told.wd()).into_iter().flatten() {
                notices.extend(notice(target, told.file_name(), flags));
            }
            if flags.contains(ReadFlags::IGNORED) {
                gone.push(told.wd());
            }
        }
        for watch in gone {
            self.targets.remove(&watch);
        }
        notices
    }
}

fn notice(target: &Target, name: Option<&std::ffi::CStr>, flags: ReadFlags) -> Option<Notice> {
    if !target.is_directory {
        return Some(Notice::Name(target.key.clone()));
    }
    let key = match name {
        None => target.key.clone(),
        Some(name) => {
            let mut path = CompactString::from(target.key.path.trim_end_matches('/'));
            path.push('/');
            path.push_str(&crate::name_text(name.to_bytes()));
            Key { container: target.key.container, path }
        }
    };
    let came = flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) && flags.contains(ReadFlags::ISDIR);
    Some(if came { Notice::Directory(key) } else { Notice::Name(key) })
}
