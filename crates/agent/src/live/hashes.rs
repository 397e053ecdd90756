//! Which executed files have been hashed: each is asked for once, and known answers are given at once.
//!
//! A file is known by device, inode, change time and size. The table is bounded; when it is full it starts anew, which
//! costs repeated requests and nothing else.

use event::process::{FileHash, FileIdentity};
use event::{Event, Kind, Sensor};
use sense::kernel::HashRequest;
use std::collections::HashMap;

/// Files that are remembered.
const FILES: usize = 8192;

/// What is known of one file.
enum Known {
    Asked,
    Answered(Box<FileHash>),
}

/// The files executed so far.
#[derive(Default)]
pub struct Hashes {
    files: HashMap<FileIdentity, Known>,
}

/// What follows from an executed file.
pub enum Follow {
    /// Nothing: it is no exec of a container, or the answer is on its way.
    Nothing,
    /// The sensor process is to be asked.
    Ask(HashRequest),
    /// The hash is known.
    Tell(Box<Event>),
}

impl Hashes {
    /// Looks at an event that passes, and says what follows from it.
    pub fn look(&mut self, event: &Event) -> Follow {
        match &event.kind {
            Kind::FileHash(hash) if hash.sha256.is_some() => {
                self.make_room();
                self.files.insert(hash.file, Known::Answered(hash.clone()));
                Follow::Nothing
            }
            Kind::FileHash(hash) => {
                // It may be readable for the next process that executes it.
                self.files.remove(&hash.file);
                Follow::Nothing
            }
            Kind::Exec(_) if event.owner.container().is_some() => self.executed(event),
            _ => Follow::Nothing,
        }
    }

    fn executed(&mut self, event: &Event) -> Follow {
        let Some(request) = HashRequest::of(event) else { return Follow::Nothing };
        match self.files.get(&request.file) {
            Some(Known::Asked) => Follow::Nothing,
            Some(Known::Answered(hash)) => {
                let hash = FileHash { process: request.process, ..(**hash).clone() };
                let mut told = Event::new(Sensor::Hash, event.boot, Kind::FileHash(Box::new(hash)));
                told.owner = event.owner;
                Follow::Tell(Box::new(told))
            }
            None => {
                self.make_room();
                self.files.insert(request.file, Known::Asked);
                Follow::Ask(request)
            }
        }
    }

    fn make_room(&mut self) {
        if self.files.len() >= FILES {
            self.files.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Actor, BootTime, Exec, Owner};
    use std::sync::Arc;

    fn exec(pid: u32) -> Event {
        let file = FileIdentity { inode: 5, size: 9, ..FileIdentity::default() };
        let mut event =
            Event::new(Sensor::Kernel, BootTime(1), Kind::Exec(Arc::new(Exec { file, ..Exec::default() })));
        event.owner = Owner::Container("ab".repeat(32).parse().unwrap());
        event.actor = Some(Actor { pid, ..Actor::default() });
        event
    }

    #[test]
    fn a_file_is_asked_for_once_and_then_told_for_each_process() {
        let mut hashes = Hashes::default();
        let Follow::Ask(request) = hashes.look(&exec(1)) else { panic!("no request") };
        assert!(matches!(hashes.look(&exec(2)), Follow::Nothing));
        let answer = FileHash {
            process: request.process,
            file: request.file,
            sha256: Some("00".into()),
            missing: None,
        };
        hashes.look(&Event::new(Sensor::Hash, BootTime(2), Kind::FileHash(Box::new(answer))));
        let Follow::Tell(told) = hashes.look(&exec(3)) else { panic!("not told") };
        let Kind::FileHash(hash) = &told.kind else { panic!("no hash") };
        assert_eq!((hash.process.pid, hash.sha256.as_deref()), (3, Some("00")));
    }

    #[test]
    fn a_file_that_could_not_be_hashed_is_asked_for_again() {
        let mut hashes = Hashes::default();
        let Follow::Ask(request) = hashes.look(&exec(1)) else { panic!("no request") };
        let miss = FileHash { file: request.file, missing: Some("gone".into()), ..FileHash::default() };
        hashes.look(&Event::new(Sensor::Hash, BootTime(2), Kind::FileHash(Box::new(miss))));
        assert!(matches!(hashes.look(&exec(2)), Follow::Ask(_)));
    }
}
