//! Paths of a container that lead to the host through its mounts.

use crate::container::{Container, Mount};
use crate::file::FileOp;
use crate::text::plain_path;
use crate::{Event, Kind};
use compact_str::CompactString;

/// Mounts of one container, the longest destination first.
#[derive(Debug, Default)]
pub struct Mounts(Box<[Mount]>);

impl Mounts {
    /// The mounts that the runtime says of the container.
    pub fn new(record: &Container) -> Self {
        let mut mounts: Vec<Mount> = record
            .mounts
            .iter()
            .filter(|mount| mount.destination.starts_with('/'))
            .map(|mount| Mount {
                destination: mount.destination.trim_end_matches('/').into(),
                ..mount.clone()
            })
            .collect();
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.destination.len()));
        Self(mounts.into())
    }

    /// The host's path for what an event is about, where the container reaches it through a bind mount or volume.
    ///
    /// Where an operation makes a second name, the place of that name counts first: it is what is written.
    pub fn host_path_of(&self, event: &Event) -> Option<CompactString> {
        if self.0.is_empty() {
            return None;
        }
        let path = match &event.kind {
            Kind::File(file) => {
                let second_is_written = matches!(file.op, FileOp::Rename | FileOp::Link | FileOp::Symlink);
                if second_is_written && let Some(found) = self.host_path(file.target.as_str()) {
                    return Some(found);
                }
                &file.path
            }
            Kind::Syscall(call) => &call.path,
            Kind::Exec(exec) => &exec.path,
            Kind::Unix(unix) => &unix.path,
            _ => return None,
        };
        self.host_path(path.as_str())
    }

    /// The host's path for one of the container, where it leads there. The mount with the longest destination that is a
    /// prefix of `path` decides, also where it is a tmpfs, which hides what a shorter one shows.
    pub fn host_path(&self, path: &str) -> Option<CompactString> {
        if !path.starts_with('/') {
            return None;
        }
        let path = plain_path(path);
        let (mount, rest) = self.0.iter().find_map(|mount| {
            let rest = path.strip_prefix(mount.destination.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((mount, rest))
        })?;
        if mount.source.is_empty() || !matches!(mount.kind.as_str(), "bind" | "volume") {
            return None;
        }
        let source = mount.source.trim_end_matches('/');
        let mut host = CompactString::with_capacity(source.len() + rest.len());
        host.push_str(source);
        host.push_str(rest);
        if host.is_empty() {
            host.push('/');
        }
        Some(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mounts: &[(&str, &str, &str)], path: &str, expect: Option<&str>) {
        let mounts = mounts
            .iter()
            .map(|(kind, source, destination)| Mount {
                kind: (*kind).into(),
                source: (*source).into(),
                destination: (*destination).into(),
                writable: true,
            })
            .collect();
        let mounts = Mounts::new(&Container { mounts, ..Container::default() });
        assert_eq!(mounts.host_path(path).as_deref(), expect, "{path}");
    }

    #[test]
    fn longest_destination_decides() {
        let mounts = [
            ("bind", "/", "/host"),
            ("bind", "/srv/data/", "/host/data/"),
            ("tmpfs", "", "/host/run"),
            ("volume", "/var/lib/docker/volumes/v/_data", "/v"),
            ("bind", "/etc/resolv.conf", "/etc/resolv.conf"),
        ];
        check(&mounts, "/host/etc/shadow", Some("/etc/shadow"));
        check(&mounts, "/host", Some("/"));
        check(&mounts, "/host/data/x", Some("/srv/data/x"));
        check(&mounts, "/host/database", Some("/database"));
        check(&mounts, "/host/run/x", None);
        check(&mounts, "/v/a", Some("/var/lib/docker/volumes/v/_data/a"));
        check(&mounts, "/vv/a", None);
        check(&mounts, "/etc/resolv.conf", Some("/etc/resolv.conf"));
        check(&mounts, "/etc/passwd", None);
        check(&mounts, "host/etc", None);
        check(&mounts, "", None);
    }

    #[test]
    fn dots_in_a_path_do_not_hide_the_mount() {
        let mounts = [("bind", "/etc", "/hostetc")];
        check(&mounts, "/tmp/../hostetc//cron.d/./x", Some("/etc/cron.d/x"));
        check(&mounts, "/hostetc/../tmp/x", None);
        check(&mounts, "/hostetc/.hidden", Some("/etc/.hidden"));
    }

    #[test]
    fn a_mount_over_the_root_shows_everything() {
        check(&[("bind", "/srv/root", "/")], "/bin/sh", Some("/srv/root/bin/sh"));
    }
}
