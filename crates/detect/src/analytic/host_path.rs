//! Standing fact: a path in a container leads, through a mount, to a file of the host.
//!
//! In: an event whose path enrichment followed through the container's mounts. Out: `host_path`, and
//! `host_system_file` where it lies in one of the host's system directories. Left out on purpose: links on the host
//! behind the mount, which only the host can follow.

use super::{Standing, lies_in};
use compact_str::CompactString;
use event::text::plain_path;
use event::{Event, Fact, FactName};

#[derive(Debug)]
pub(super) struct HostPath {
    /// System directories of the host.
    pub(super) system_directories: Vec<CompactString>,
}

impl Standing for HostPath {
    fn facts(&self) -> &'static [FactName] {
        &[FactName::HostPath, FactName::HostSystemFile]
    }

    fn describe(&self, event: &mut Event) {
        let Some(path) = &event.context.host_path else { return };
        let path = CompactString::from(plain_path(path));
        let system = self.system_directories.iter().filter(|directory| lies_in(&path, directory));
        // The longest directory says most.
        if let Some(directory) = system.max_by_key(|directory| directory.len()) {
            event.facts.add(Fact::text(FactName::HostSystemFile, directory.clone()));
        }
        event.facts.add(Fact::text(FactName::HostPath, path));
    }
}
