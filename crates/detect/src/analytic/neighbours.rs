//! Analytic: containers of one pod that talk to each other.
//!
//! In: connections over loopback, seen from both ends; connections to Unix sockets, with the peer's pid; processes. Out: a
//! fact about the container that connects, `pod_peer`, whose value is the name of the other: once a day for each pair and
//! port or socket. Its cause is the connection of the client, so that rules can ask for the client's process.
//!
//! | way | the two belong together where |
//! |---|---|
//! | loopback | both ends were reported with the same two ports within ten seconds, and the containers share a network: one joined the other's (`--network container:…`), both a third one's, both are of one Kubernetes pod, or both use the host's |
//! | Unix socket | the pid at the other end is of a process that was seen in another container |
//!
//! State: halves of connections for ten seconds, containers of the latest 8,192 processes and more; bounded, halves that give
//! way are counted. Left out on purpose: datagrams; a process that began before Watchkeeper and was not listed; and what is
//! said, which payload tells.

use super::protocol::{Side, guess_side};
use super::{Analytic, Lru, Made, hash_of};
use compact_str::{CompactString, ToCompactString, format_compact};
use event::container::Container;
use event::network::{Connection, ConnectionOp, Transport, UnixConnection};
use event::{ContainerId, Event, Fact, FactName, Field, Kind};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::time::Duration;

/// Halves of connections at once; with about 600 bytes each, 1 MB.
const HALVES: usize = 2_048;
/// The other half comes within moments.
const HALF_KEEP: Duration = Duration::from_secs(10);
/// Processes of a generation; two of them with about 60 bytes each, 1 MB.
const PROCESSES: usize = 8_192;
/// Pairs that were told.
const PAIRS: usize = 4_096;
const DAY: Duration = Duration::from_secs(86_400);
/// By which the kubelet says of which pod a container is.
const POD_UID: &str = "io.kubernetes.pod.uid";
/// Fewest letters of an id that name a container.
const SHORT_ID: usize = 12;

/// The analytic.
#[derive(Debug)]
pub(super) struct Neighbours {
    halves: Lru<Half>,
    processes: Processes,
    told: Lru<()>,
}

/// A container, and what the runtime said of it.
type Of = (ContainerId, Option<Arc<Container>>);

/// Containers by the pids of their processes: when a generation is full, the one before is given up.
#[derive(Debug, Default)]
struct Processes {
    young: FxHashMap<u32, Of>,
    old: FxHashMap<u32, Of>,
}

impl Processes {
    fn take(&mut self, event: &Event) {
        let pid = match &event.kind {
            Kind::Fork(fork) => Some(fork.child.pid),
            _ => event.actor.as_ref().map(|actor| actor.pid),
        };
        let Some(pid) = pid else { return };
        let Some(id) = event.container_id() else {
            // The number may have been that of a container's process before.
            self.young.remove(&pid);
            self.old.remove(&pid);
            return;
        };
        if self.young.len() >= PROCESSES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(pid, (*id, event.context.container.clone()));
    }

    fn find(&self, pid: u32) -> Option<&Of> {
        self.young.get(&pid).or_else(|| self.old.get(&pid))
    }
}

/// One end of a connection over loopback.
#[derive(Debug)]
struct Half {
    event: Box<Event>,
    side: Side,
}

impl Default for Neighbours {
    fn default() -> Self {
        Self {
            halves: Lru::new(HALVES, HALF_KEEP),
            processes: Processes::default(),
            told: Lru::new(PAIRS, DAY),
        }
    }
}

impl Analytic for Neighbours {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        match &event.kind {
            Kind::Connection(connection) => self.over_loopback(connection, event, made),
            Kind::Unix(unix) => made.extend(self.over_socket(unix, event)),
            Kind::Exec(_) | Kind::Fork(_) | Kind::Snapshot(_) => self.processes.take(event),
            _ => {}
        }
    }

    fn lost(&mut self) -> u64 {
        self.halves.take_evicted()
    }
}

impl Neighbours {
    fn over_loopback(&mut self, connection: &Connection, event: &Event, made: &mut Made) {
        let ends = &connection.ends;
        let is_whole = ends.local_port != 0 && ends.remote_port != 0;
        if ends.transport != Transport::Tcp || !is_whole || !ends.remote_ip.to_canonical().is_loopback() {
            return;
        }
        // Only what is known of a container tells whose network it shares.
        if event.context.container.is_none() {
            return;
        }
        let side = match connection.op {
            ConnectionOp::Connected => Side::Client,
            ConnectionOp::Accept => Side::Server,
            ConnectionOp::Established | ConnectionOp::Close => guess_side(ends),
            ConnectionOp::Connect | ConnectionOp::Listen | ConnectionOp::Bind => return,
        };
        let ports = (ends.local_port.min(ends.remote_port), ends.local_port.max(ends.remote_port));
        let key = hash_of(&ports);
        let other = self.halves.remove(key).filter(|other| event.boot.since(other.event.boot) <= HALF_KEEP);
        let Some(other) = other.filter(|other| other.side != side) else {
            self.halves.touch(key, event.boot, || Half { event: Box::new(event.clone()), side });
            return;
        };
        let (client, server) =
            if side == Side::Client { (event, &*other.event) } else { (&*other.event, event) };
        let peers = [client, server].map(|event| event.context.container.as_deref());
        if let [Some(one), Some(two)] = peers
            && one.id != two.id
            && share_network(one, two)
        {
            made.extend(self.tell(client, name_of(two), &format_compact!("port {}", ports.0)));
        }
    }

    fn over_socket(&mut self, unix: &UnixConnection, event: &Event) -> Option<Event> {
        if unix.op != ConnectionOp::Connect || unix.peer_pid == 0 {
            return None;
        }
        let own = event.container_id()?;
        let (peer, record) = self.processes.find(unix.peer_pid).filter(|(peer, _)| peer != own)?;
        let name = record.as_deref().map_or_else(|| peer.to_compact_string(), name_of);
        self.tell(event, name, unix.path.as_str())
    }

    /// The fact, unless it was told of these two and this way within a day.
    fn tell(&mut self, client: &Event, peer: CompactString, way: &str) -> Option<Event> {
        let own = client.container_id()?;
        let mut is_new = false;
        self.told.touch(hash_of(&(own, &peer, way)), client.boot, || is_new = true);
        let subject = format_compact!("{} to {peer} by {way}", Field::WorkloadName.of(client).to_text());
        is_new.then(|| client.turns(subject, true, [Fact::text(FactName::PodPeer, peer)]))
    }
}

/// Whether two containers have one network.
fn share_network(one: &Container, two: &Container) -> bool {
    let joined = |own: &Container, other: &Container| {
        let id = other.id.map(|id| id.to_compact_string()).unwrap_or_default();
        let named = own.network_of.as_str();
        !named.is_empty() && (named == other.name || (named.len() >= SHORT_ID && id.starts_with(named)))
    };
    let pod = |container: &Container| {
        let label = container.labels.iter().find(|(name, _)| name == POD_UID);
        label.map(|(_, uid)| uid.clone()).filter(|uid| !uid.is_empty())
    };
    let same_third = !one.network_of.is_empty() && one.network_of == two.network_of;
    let same_pod = pod(one).is_some_and(|uid| pod(two) == Some(uid));
    joined(one, two) || joined(two, one) || same_third || same_pod || (one.host_network && two.host_network)
}

fn name_of(container: &Container) -> CompactString {
    let id = || container.id.map(|id| id.to_compact_string()).unwrap_or_default();
    if container.name.is_empty() { id() } else { container.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::network::Endpoints;
    use event::{BootTime, Owner, Sensor, Text};

    fn container(number: u8, network_of: &str) -> Arc<Container> {
        let name = format_compact!("c{number}");
        Arc::new(Container {
            id: Some(ContainerId([number; 32])),
            name,
            network_of: network_of.into(),
            ..Container::default()
        })
    }

    fn of(container: &Arc<Container>, kind: Kind) -> Event {
        let mut event = Event::new(Sensor::Kernel, BootTime(1), kind);
        event.owner = Owner::Container(container.id.unwrap());
        event.context.container = Some(container.clone());
        event
    }

    fn half(container: &Arc<Container>, op: ConnectionOp, [local_port, remote_port]: [u16; 2]) -> Event {
        let loopback = [127, 0, 0, 1].into();
        let ends = Endpoints {
            local_ip: loopback,
            local_port,
            remote_ip: loopback,
            remote_port,
            ..Endpoints::default()
        };
        of(container, Kind::Connection(Box::new(Connection { op, ends, ..Connection::default() })))
    }

    /// Subjects of the facts.
    fn told(events: impl IntoIterator<Item = Event>) -> Vec<String> {
        let (mut neighbours, mut made) = (Neighbours::default(), Made::new());
        events.into_iter().for_each(|mut event| neighbours.observe(&mut event, &mut made));
        let subject = |event: &Event| Field::FactSubject.of(event).to_text().to_string();
        made.iter().map(subject).collect()
    }

    const CLIENT: [u16; 2] = [40_000, 8080];
    const SERVER: [u16; 2] = [8080, 40_000];

    #[test]
    fn two_ends_of_a_connection_over_loopback_are_joined_whichever_comes_first() {
        let (web, sidecar) = (container(1, ""), container(2, "c1"));
        let connects = || half(&sidecar, ConnectionOp::Connected, CLIENT);
        let accepts = || half(&web, ConnectionOp::Accept, SERVER);
        assert_eq!(told([connects(), accepts()]), ["c2 to c1 by port 8080"]);
        assert_eq!(told([accepts(), connects()]), ["c2 to c1 by port 8080"]);
        let again = [connects(), accepts(), connects(), accepts()];
        assert_eq!(told(again).len(), 1, "once a day");
    }

    #[test]
    fn ends_of_one_container_or_of_networks_apart_are_not_joined() {
        let (web, stranger) = (container(1, ""), container(2, ""));
        let pair = |client, server| {
            told([half(client, ConnectionOp::Connected, CLIENT), half(server, ConnectionOp::Accept, SERVER)])
        };
        assert!(pair(&web, &web).is_empty() && pair(&stranger, &web).is_empty());
        let late = |mut event: Event| {
            event.boot = BootTime(60_000_000_000);
            event
        };
        let sidecar = container(3, "c1");
        let events =
            [half(&sidecar, ConnectionOp::Connected, CLIENT), late(half(&web, ConnectionOp::Accept, SERVER))];
        assert!(told(events).is_empty(), "another connection with the same ports");
    }

    #[test]
    fn the_owner_of_the_other_end_of_a_unix_socket_is_known_by_its_pid() {
        let (web, sidecar) = (container(1, ""), container(2, ""));
        let runs = |container: &Arc<Container>, pid| {
            let mut event = of(container, Kind::Exec(Arc::default()));
            event.actor = Some(event::process::Actor { pid, ..event::process::Actor::default() });
            event
        };
        let connects = |container: &Arc<Container>, peer_pid| {
            let unix =
                UnixConnection { path: Text::resolved("/run/x.sock"), peer_pid, ..UnixConnection::default() };
            of(container, Kind::Unix(Box::new(unix)))
        };
        assert_eq!(told([runs(&web, 7), connects(&sidecar, 7)]), ["c2 to c1 by /run/x.sock"]);
        assert!(told([runs(&web, 7), connects(&web, 7), connects(&sidecar, 8)]).is_empty());
    }
}
