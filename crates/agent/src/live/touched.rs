//! Which watched files an event may have changed: what the sensor process is asked to look at.
//!
//! In: events with what enrichment added, by which a path in a container leads to the host. Out: a [`Look`]. Reads, what was
//! refused, and paths that nobody watches give none.

use compact_str::CompactString;
use event::change::{Look, Place};
use event::file::{File, FileOp};
use event::kernel::Syscall;
use event::text::plain_path;
use event::{Event, Kind, Mounts, WatchList};

/// The watch list, and what it takes of events.
#[derive(Debug, Default)]
pub struct Touched {
    list: WatchList,
}

impl Touched {
    /// What touches files of `list`.
    pub fn new(list: WatchList) -> Self {
        Self { list }
    }

    /// The look that follows from an event.
    pub fn look(&self, event: &Event) -> Option<Look> {
        if self.list.is_empty() {
            return None;
        }
        let (operation, places) = match &event.kind {
            Kind::File(file) => (file.op.as_str(), self.of_file(file, event)),
            Kind::Syscall(call) if call.result >= 0 && matches!(&*call.name, "mount" | "move_mount") => {
                ("mount", self.of_mount(call, event))
            }
            _ => return None,
        };
        (!places.is_empty()).then(|| Look {
            boot: event.boot,
            owner: event.owner,
            actor: event.actor.clone(),
            operation: operation.into(),
            places,
        })
    }

    fn of_file(&self, file: &File, event: &Event) -> Vec<Place> {
        if file.op == FileOp::OpenRead || file.result < 0 {
            return Vec::new();
        }
        let mut paths = match file.op {
            FileOp::Rename | FileOp::Link => vec![file.path.as_str(), file.target.as_str()],
            // What a symbolic link says is no place that is touched.
            FileOp::Symlink => vec![file.target.as_str()],
            _ => vec![file.path.as_str()],
        };
        paths.retain(|path| path.starts_with('/'));
        paths.into_iter().flat_map(|path| self.places(path, event)).collect()
    }

    /// The places that a path of the acting process leads to, as far as they are watched.
    fn places(&self, path: &str, event: &Event) -> Vec<Place> {
        let path = plain_path(path);
        let mut places = Vec::new();
        let Some(container) = event.owner.container().copied() else {
            if self.list.watches_host(&path) {
                places.push(Place { container: None, path: path.into(), seen_at: CompactString::default() });
            }
            return places;
        };
        match host_path(&path, event) {
            Some(host) if self.list.watches_host(&host) => {
                places.push(Place { container: None, path: host, seen_at: path.into() });
            }
            Some(_) => {}
            None if self.list.watches_container(&path) => {
                let seen_at = CompactString::default();
                places.push(Place { container: Some(container), path: path.into(), seen_at });
            }
            None => {}
        }
        places
    }

    /// What a mount hides: the watched path itself, or those below a watched directory's way.
    fn of_mount(&self, call: &Syscall, event: &Event) -> Vec<Place> {
        let target = plain_path(call.path.as_str());
        let container = event.owner.container().copied();
        let patterns = if container.is_some() { &self.list.container } else { &self.list.host };
        let hidden = patterns.iter().filter(|pattern| {
            let rest = pattern.as_str().strip_prefix(target.trim_end_matches('/'));
            pattern.is_path() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let place = |path: &str| Place { container, path: path.into(), seen_at: CompactString::default() };
        hidden.map(|pattern| place(pattern.as_str())).collect()
    }
}

/// Of the path that the event is about enrichment knows where it leads; of a second one the container's mounts tell.
fn host_path(path: &str, event: &Event) -> Option<CompactString> {
    if let Kind::File(file) = &event.kind
        && !matches!(file.op, FileOp::Rename | FileOp::Link | FileOp::Symlink)
    {
        return event.context.host_path.as_deref().map(|path| plain_path(path).into());
    }
    let record = event.context.container.as_deref()?;
    Mounts::new(record).host_path(path).map(|path| plain_path(&path).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::container::Mount;
    use event::{BootTime, Container, ContainerId, Owner, Sensor, Text};
    use std::sync::Arc;

    fn touched() -> Touched {
        let patterns = |texts: &[&str]| {
            texts.iter().map(|text| CompactString::from(*text).try_into().unwrap()).collect()
        };
        Touched::new(WatchList {
            host: patterns(&["/etc/passwd"]),
            container: patterns(&["/etc/passwd", "/etc/cron.d/**"]),
        })
    }

    fn places(op: FileOp, path: &str, target: &str, host_path: Option<&str>) -> Vec<(bool, String, String)> {
        let file = File { op, path: path.into(), target: Text::claimed(target), ..File::default() };
        let mut event = Event::new(Sensor::Kernel, BootTime(1), Kind::File(Box::new(file)));
        event.owner = Owner::Container(ContainerId([1; 32]));
        event.context.host_path = host_path.map(Into::into);
        let mount = Mount {
            kind: "bind".into(),
            source: "/etc".into(),
            destination: "/hostetc".into(),
            ..Mount::default()
        };
        event.context.container = Some(Arc::new(Container { mounts: vec![mount], ..Container::default() }));
        let look = touched().look(&event);
        let places = look.map(|look| look.places).unwrap_or_default();
        places
            .into_iter()
            .map(|place| (place.container.is_some(), place.path.into(), place.seen_at.into()))
            .collect()
    }

    #[test]
    fn a_path_through_a_mount_is_the_hosts_file() {
        let host = (false, "/etc/passwd".to_owned(), "/hostetc/passwd".to_owned());
        assert_eq!(
            places(FileOp::OpenWrite, "/hostetc/passwd", "", Some("/etc/passwd")),
            std::slice::from_ref(&host)
        );
        assert_eq!(
            places(FileOp::Rename, "/hostetc/new", "/hostetc/passwd", Some("/etc/passwd")),
            std::slice::from_ref(&host)
        );
        assert_eq!(places(FileOp::Rename, "/hostetc/passwd", "/hostetc/old", Some("/etc/old")), [host]);
        assert!(places(FileOp::Create, "/hostetc/other", "", Some("/etc/other")).is_empty());
    }

    #[test]
    fn a_path_of_its_own_is_the_containers_file_and_reads_touch_nothing() {
        let own = (true, "/etc/cron.d/x".to_owned(), String::new());
        assert_eq!(places(FileOp::Create, "/etc/./cron.d//x", "", None), [own]);
        assert!(places(FileOp::OpenRead, "/etc/passwd", "", None).is_empty());
        assert!(places(FileOp::Symlink, "/etc/passwd", "/tmp/x", None).is_empty());
    }

    #[test]
    fn a_mount_over_a_directory_hides_the_files_below() {
        let call = Syscall { name: "mount".into(), path: "/etc".into(), ..Syscall::default() };
        let mut event = Event::new(Sensor::Kernel, BootTime(1), Kind::Syscall(Box::new(call)));
        event.owner = Owner::Container(ContainerId([1; 32]));
        let look = touched().look(&event).unwrap();
        assert_eq!((look.operation.as_str(), look.places[0].path.as_str()), ("mount", "/etc/passwd"));
    }
}
