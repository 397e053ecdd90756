//! Standing fact: a container can reach a container runtime's socket.
//!
//! In: an event with its container, or a connection to a Unix socket. Out: `runtime_socket`, with the socket: among the
//! container's mounts by path or by name, inside a directory that is mounted, or connected to. Left out on purpose: a runtime that listens
//! on TCP, which is a connection like others.

use super::{Standing, lies_in};
use compact_str::CompactString;
use event::{Event, Fact, FactName, Kind};

#[derive(Debug)]
pub(super) struct RuntimeSocket {
    /// Paths of sockets on the host.
    pub(super) sockets: Vec<CompactString>,
}

impl Standing for RuntimeSocket {
    fn facts(&self) -> &'static [FactName] {
        &[FactName::RuntimeSocket]
    }

    fn describe(&self, event: &mut Event) {
        // Host processes talk to the runtime all day.
        if event.container_id().is_none() {
            return;
        }
        let connected = match &event.kind {
            Kind::Unix(unix) => self.by_name(unix.path.as_str()),
            _ => None,
        };
        let Some(socket) = connected.or_else(|| self.mounted(event)) else { return };
        let fact = Fact::text(FactName::RuntimeSocket, socket.clone());
        event.facts.add(fact);
    }
}

impl RuntimeSocket {
    /// The socket that a path in a container names: wherever it is mounted, its own name stays.
    fn by_name(&self, path: &str) -> Option<&CompactString> {
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        self.sockets.iter().find(|socket| !path.is_empty() && name(socket) == name(path))
    }

    fn mounted(&self, event: &Event) -> Option<&CompactString> {
        let record = super::record(event)?;
        record.mounts.iter().filter(|mount| !mount.source.is_empty()).find_map(|mount| {
            // `/var/run` is a link to `/run` on every distribution in use.
            let source = mount.source.strip_prefix("/var").filter(|rest| lies_in(rest, "/run"));
            let source = source.unwrap_or(&mount.source);
            let known = self.sockets.iter().find(|socket| lies_in(socket, source));
            // A runtime that listens elsewhere, as those without root do, keeps its socket's name at one of the ends.
            known.or_else(|| self.by_name(&mount.source)).or_else(|| self.by_name(&mount.destination))
        })
    }
}
