//! What goes in and what must come out, by topic.

mod container;
mod name;
mod process;

use crate::{Config, Enricher};
use event::container::{ContainerChange, ContainerVerb};
use event::file::{File, FileOp};
use event::health::{Health, SensorState};
use event::process::{Exec, Exit, Fork};
use event::{Actor, Argv, BootTime, Container, ContainerId, Event, Kind, Owner, ProcessKey, Sensor, Text};
use std::sync::Arc;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const A: ContainerId = ContainerId([0xaa; 32]);
const B: ContainerId = ContainerId([0xbb; 32]);

/// An enricher with what came out of it so far.
struct Bench {
    enricher: Enricher,
    out: Vec<Event>,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self { enricher: Enricher::new(config), out: Vec::new(), now: 100 * SECOND }
    }

    /// Pushes at the present time and gives back what came out.
    fn push(&mut self, mut event: Event) -> Vec<Event> {
        event.boot = BootTime(self.now);
        self.now += 1;
        self.enricher.push(event, &mut self.out);
        std::mem::take(&mut self.out)
    }

    /// Pushes an event that must come out alone.
    #[track_caller]
    fn one(&mut self, event: Event) -> Event {
        let mut out = self.push(event);
        assert_eq!(out.len(), 1, "{out:#?}");
        out.remove(0)
    }

    fn wait(&mut self, ns: u64) {
        self.now += ns;
    }

    fn tick(&mut self) -> Vec<Event> {
        self.push(Event::new(Sensor::Own, BootTime(0), Kind::Tick))
    }

    /// A running container whose facts are known.
    fn container(&mut self, id: ContainerId) {
        self.push(docker(ContainerVerb::Create, named(id)));
        self.push(docker(ContainerVerb::Inspected, named(id)));
    }
}

fn named(id: ContainerId) -> Container {
    Container {
        id: Some(id),
        name: format!("c-{}", &id.short()[..2]).into(),
        image: "alpine".into(),
        image_id: "sha256:1".into(),
        ..Container::default()
    }
}

fn docker(verb: ContainerVerb, record: Container) -> Event {
    let change = ContainerChange { verb, record, ..ContainerChange::default() };
    Event::new(Sensor::Docker, BootTime(0), Kind::Container(Box::new(change)))
}

fn docker_up() -> Event {
    let health = Health { signal: "docker".into(), state: SensorState::Up, reason: Text::default() };
    Event::new(Sensor::Docker, BootTime(0), Kind::Health(Box::new(health)))
}

/// A process by pid; its start is a second per pid unless `start` says otherwise.
fn key(pid: u32) -> ProcessKey {
    ProcessKey { pid, start: BootTime(u64::from(pid) * SECOND + 123) }
}

fn task(pid: u32, ppid: u32) -> Actor {
    let (key, parent) = (key(pid), key(ppid));
    Actor {
        pid,
        ppid,
        start: key.start,
        parent_start: parent.start,
        comm: "comm".into(),
        vpid: pid,
        ..Actor::default()
    }
}

fn act(actor: Actor, owner: Owner, kind: Kind) -> Event {
    Event { actor: Some(actor), owner, ..Event::new(Sensor::Kernel, BootTime(0), kind) }
}

fn exec(actor: Actor, owner: Owner, line: &str) -> Event {
    let args: Vec<_> = line.split(' ').map(Into::into).collect();
    let path = Text::resolved(args.first().cloned().unwrap_or_default());
    let exec = Exec { path, argv: Argv { args, ..Argv::default() }, ..Exec::default() };
    act(actor, owner, Kind::Exec(Arc::new(exec)))
}

fn fork(actor: Actor, owner: Owner, child: u32) -> Event {
    act(actor, owner, Kind::Fork(Fork { child: key(child), child_vpid: child }))
}

fn exit(actor: Actor, owner: Owner) -> Event {
    act(actor, owner, Kind::Exit(Exit::default()))
}

fn write(actor: Actor, owner: Owner, path: &str) -> Event {
    let file = File { op: FileOp::OpenWrite, path: path.into(), ..File::default() };
    act(actor, owner, Kind::File(Box::new(file)))
}

/// `path < parent < …`, with `!` after the path of a process that came by exec.
fn lineage(event: &Event) -> String {
    let Some(process) = event.context.process.as_deref() else { return "none".into() };
    let mut text = process.own.path.as_str().to_owned();
    if process.own.path.is_empty() {
        text.push_str(&process.own.command_line);
    }
    if process.by_exec {
        text.push('!');
    }
    for ancestor in &process.ancestors {
        text.push_str(" < ");
        text.push_str(ancestor.path.as_str());
    }
    text
}
