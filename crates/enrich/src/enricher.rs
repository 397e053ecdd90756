//! The stage: what each event teaches, and what it is given.

use crate::config::{Config, Stats};
use crate::container::{Containers, Facts};
use crate::hold::Holds;
use crate::name::Names;
use crate::process::{Executed, Lineage, Place, Processes};
use crate::socket::Sockets;
use event::container::ContainerChange;
use event::health::{Health, Loss, LossAt, SensorState};
use event::kernel::{Cgroup, CgroupOp};
use event::network::Dns;
use event::{Actor, BootTime, Container, Event, Kind, Owner, Process, Sensor, Text};
use std::sync::Arc;
use std::time::Duration;

/// How long after the runtime said that it starts a process a process of unknown origin is taken for that one.
const EXEC_START_NEAR: Duration = Duration::from_secs(2);

/// The enrichment stage. One owner, one thread.
///
/// ```
/// use event::{BootTime, Event, Kind, Sensor};
/// let mut enricher = enrich::Enricher::new(enrich::Config::default());
/// let mut out = Vec::new();
/// enricher.push(Event::new(Sensor::Own, BootTime(1), Kind::Tick), &mut out);
/// enricher.finish(&mut out);
/// assert_eq!(out.len(), 1);
/// ```
#[derive(Debug)]
pub struct Enricher {
    now: BootTime,
    processes: Processes,
    containers: Containers,
    sockets: Sockets,
    holds: Holds,
    host_names: Names,
    stats: Stats,
    /// Counts that were reported as loss already.
    reported: Stats,
}

impl Enricher {
    /// An enricher that knows nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            now: BootTime(0),
            processes: Processes::new(&config),
            containers: Containers::new(&config),
            sockets: Sockets::new(&config),
            holds: Holds::new(&config),
            host_names: Names::default(),
            stats: Stats::default(),
            reported: Stats::default(),
        }
    }

    /// Takes one event and appends those that are ready, which may be none, this one, or this one and others that
    /// waited. Cost: a few hash look-ups.
    pub fn push(&mut self, mut event: Event, out: &mut Vec<Event>) {
        self.stats.events += 1;
        self.now = self.now.max(event.boot);
        self.advance(out);
        if self.sockets.visit(&mut event, self.now) {
            self.stats.repaired += 1;
        }
        self.learn(&mut event, out);
        if let Owner::Unknown(reason) = event.owner {
            self.stats.count_unknown(reason);
        }
        self.name_remote(&mut event);
        let tick = matches!(event.kind, Kind::Tick).then(|| event.clone());
        match event.container_id().copied() {
            Some(id) => self.holds.pass(id, event, (&mut self.containers, self.now), out),
            None => out.push(event),
        }
        if let Some(tick) = tick {
            self.report_loss(&tick, out);
        }
    }

    /// Lets everything go that waits, and reports loss that no tick has reported. For the end of the input.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        self.holds.finish(&mut self.containers, out);
        let end = Event::new(Sensor::Own, self.now, Kind::Tick);
        self.report_loss(&end, out);
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            held: self.holds.held,
            late: self.holds.late,
            hold_overflow: self.holds.overflow,
            dead_evicted_early: self.processes.dead_evicted_early,
            processes_lost: self.processes.lost,
            containers_lost: self.containers.lost,
            names_lost: self.containers.names.lost,
            sockets_lost: self.sockets.lost,
            ..self.stats
        }
    }

    /// Processes in the table now, ended ones that are kept included.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    fn advance(&mut self, out: &mut Vec<Event>) {
        self.holds.advance(&mut self.containers, self.now, out);
        for mut entry in self.containers.advance(self.now) {
            self.holds.release(&mut entry, out);
        }
        self.processes.advance(self.now);
        self.sockets.advance(self.now);
    }

    /// Takes from an event what it says about processes, containers and names, and gives it its process.
    fn learn(&mut self, event: &mut Event, out: &mut Vec<Event>) {
        match &event.kind {
            Kind::Container(change) => {
                event.context.container = self.container_changed(change, out);
                return;
            }
            Kind::Cgroup(cgroup) => self.cgroup_changed(cgroup),
            Kind::Health(health) => self.health_changed(health),
            Kind::FileHash(hash) => {
                let process = self.processes.hash(hash, self.now);
                self.own_by_process(event, process);
                return;
            }
            Kind::Dns(dns) => self.learn_names(dns, event.owner),
            _ => {}
        }
        event.context.process = self.process_of(event);
    }

    /// The acting process after this event.
    fn process_of(&mut self, event: &Event) -> Option<Arc<Process>> {
        let actor = event.actor.as_ref().filter(|actor| actor.pid != 0)?;
        let place = Place { container: event.owner.container().copied(), now: self.now };
        Some(match &event.kind {
            Kind::Exec(exec) => {
                let lineage = self.processes.lineage(actor, self.now);
                let by_exec = self.comes_by_exec(actor, &lineage, place);
                let executed = Executed { actor, exec, time: event.boot, lineage: &lineage, by_exec };
                self.processes.exec(&executed, place)
            }
            Kind::Snapshot(snapshot) => {
                let parent = self.processes.known(actor.parent_key(), self.now);
                let lineage = parent.map_or(Lineage::Unknown, Lineage::Child);
                let by_exec = self.comes_by_exec(actor, &lineage, place);
                self.processes.snapshot(actor, snapshot, by_exec, place)
            }
            Kind::Fork(fork) => {
                let process = self.processes.of(actor, place);
                self.processes.fork(fork.child, Arc::clone(&process), place);
                process
            }
            Kind::Exit(_) => {
                let process = self.processes.of(actor, place);
                self.processes.exit(actor.key(), self.now);
                process
            }
            _ => self.processes.of(actor, place),
        })
    }

    /// Whether a process was brought into its container from outside while the container already ran, as
    /// `docker exec` does. The process that makes the container run is remembered as its first.
    fn comes_by_exec(&mut self, actor: &Actor, lineage: &Lineage, place: Place) -> bool {
        let Some(id) = place.container else { return false };
        let image = lineage.image();
        if let Some(image) = image
            && image.own.container == Some(id)
            && (!image.own.path.is_empty() || image.by_exec)
        {
            return image.by_exec;
        }
        let Some(entry) = self.containers.entry(id) else { return false };
        let pid = entry.record.as_ref().map_or(0, |record| record.pid);
        let runs = match entry.first {
            Some(first) => !self.processes.same(first, actor.key()) && self.processes.runs(first),
            None => pid != 0 && pid != actor.pid,
        };
        // Pid 1 of a pid namespace that was entered from outside is what the namespace was made for.
        if actor.vpid == 1 || !runs {
            entry.first = Some(actor.key());
            return false;
        }
        let from_outside = image.is_some_and(|image| !image.own.path.is_empty());
        from_outside || entry.exec_start.is_some_and(|start| self.now.since(start) <= EXEC_START_NEAR)
    }

    fn container_changed(
        &mut self,
        change: &ContainerChange,
        out: &mut Vec<Event>,
    ) -> Option<Arc<Container>> {
        let record = self.containers.apply(change, self.now)?;
        if let Some(entry) = record.id.and_then(|id| self.containers.get_mut(&id))
            && entry.facts != Facts::Expected
        {
            self.holds.release(entry, out);
        }
        Some(record)
    }

    fn cgroup_changed(&mut self, cgroup: &Cgroup) {
        if cgroup.op == CgroupOp::Removed
            && let Some(id) = cgroup.container
        {
            self.containers.cgroup_removed(id, self.now);
        }
    }

    /// The Docker sensor says that it is up when it has told all that was there at start.
    fn health_changed(&mut self, health: &Health) {
        if health.signal == "docker" && health.state == SensorState::Up {
            self.containers.set_listed();
        }
    }

    fn learn_names(&mut self, dns: &Dns, owner: Owner) {
        let Some(id) = owner.container().copied() else {
            return self.host_names.learn(dns, &mut self.containers.names);
        };
        if let Some((names, budget)) = self.containers.names_of(id) {
            names.learn(dns, budget);
        }
    }

    /// A late fact has no task of its own: it belongs to the process that it is about.
    fn own_by_process(&mut self, event: &mut Event, process: Option<Arc<Process>>) {
        if let Some(process) = &process
            && event.actor.is_none()
            && event.owner.container().is_none()
            && let Some(id) = self.processes.container(&process.own.key)
        {
            event.owner = Owner::Container(id);
        }
        event.context.process = process;
    }

    fn name_remote(&self, event: &mut Event) {
        let address = match &event.kind {
            Kind::Connection(connection) => connection.ends.remote_ip,
            Kind::Payload(payload) => payload.ends.remote_ip,
            Kind::Flow(flow) => flow.ends.remote_ip,
            Kind::Http(http) => http.ends.remote_ip,
            _ => return,
        };
        let names = match event.owner.container() {
            Some(id) => self.containers.get(id).map(|entry| &entry.names),
            None => Some(&self.host_names),
        };
        event.context.remote_name = names.and_then(|names| names.name(address)).cloned();
    }

    fn report_loss(&mut self, tick: &Event, out: &mut Vec<Event>) {
        let stats = self.stats();
        let losses = [
            (
                LossAt::State,
                stats.state_lost() - self.reported.state_lost(),
                "processes, containers, names or sockets",
            ),
            (
                LossAt::Hold,
                stats.hold_overflow - self.reported.hold_overflow,
                "events let go before their container's facts",
            ),
        ];
        for (at, count, detail) in losses {
            if count > 0 {
                let loss = Loss { at, count, detail: Text::resolved(detail) };
                let kind = Kind::Loss(Box::new(loss));
                out.push(Event { id: tick.id, wall: tick.wall, ..Event::new(Sensor::Own, self.now, kind) });
            }
        }
        self.reported = stats;
    }
}
