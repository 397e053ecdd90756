//! How many events per second enrichment takes on one core.
//!
//! The mix of the standing table: 70 % opens for writing, 15 % exec, fork and exit, 10 % connect and close, 5 % DNS,
//! from 20 containers. Events are made before the clock starts; output is dropped in batches, as a pipeline would.
//!
//! Run: `cargo run --release -p watchkeeper-enrich --example bench`.

#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use enrich::{Config, Enricher};
use event::container::{ContainerChange, ContainerVerb, Mount};
use event::file::File;
use event::network::{Connection, ConnectionOp, Direction, Dns, Endpoints};
use event::process::{Exec, Exit, Fork};
use event::{Actor, Argv, BootTime, Container, ContainerId, Event, Kind, Owner, ProcessKey, Sensor};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

const CONTAINERS: u8 = 20;
const EVENTS: u32 = 1_000_000;
const BATCH: usize = 4_096;
/// The mix as it would arrive at 250,000 events per second.
const STEP_NS: u64 = 4_000;
const FIRST_PID: u32 = 10_000;

fn id(container: u8) -> ContainerId {
    ContainerId([container + 1; 32])
}

fn record(container: u8) -> Event {
    let mount = |destination: &str| Mount {
        kind: "bind".into(),
        source: "/srv/data".into(),
        destination: destination.into(),
        writable: true,
    };
    let record = Container {
        id: Some(id(container)),
        name: "name".into(),
        image: "alpine".into(),
        mounts: vec![mount("/etc/hosts"), mount("/etc/hostname"), mount("/data")],
        ..Container::default()
    };
    let change = ContainerChange { verb: ContainerVerb::Inspected, record, ..ContainerChange::default() };
    Event::new(Sensor::Docker, BootTime(0), Kind::Container(Box::new(change)))
}

fn actor(pid: u32, ppid: u32) -> Actor {
    Actor {
        pid,
        ppid,
        start: BootTime(u64::from(pid)),
        parent_start: BootTime(u64::from(ppid)),
        comm: "worker".into(),
        ..Actor::default()
    }
}

fn program(path: &str) -> Kind {
    let args = vec![path.into(), "--serve".into(), "--config=/etc/worker/config.toml".into()];
    let argv = Argv { args, ..Argv::default() };
    Kind::Exec(Arc::new(Exec { path: path.into(), argv, ..Exec::default() }))
}

/// The event at a place of the mix. Short-lived processes fork, execute and exit in turn.
fn event_at(number: u32) -> Event {
    let container = (number % u32::from(CONTAINERS)) as u8;
    let round = number / u32::from(CONTAINERS);
    let parent = u32::from(container) + 1;
    let short = FIRST_PID + (round / 20) * u32::from(CONTAINERS) + u32::from(container);
    let remote = IpAddr::V4(Ipv4Addr::from(0xc000_0200 | ((round / 20) % 256)));
    let ends = Endpoints { remote_ip: remote, remote_port: 443, ..Endpoints::default() };
    let cookie = u64::from(short);
    let connection =
        |op| Kind::Connection(Box::new(Connection { op, ends, cookie, ..Connection::default() }));
    let (actor, kind) = match round % 20 {
        0 => {
            let child = ProcessKey { pid: short, start: BootTime(short.into()) };
            (actor(parent, 0), Kind::Fork(Fork { child, child_vpid: 0 }))
        }
        1 => (actor(short, parent), program("/usr/local/bin/worker")),
        18 => (actor(short, parent), connection(ConnectionOp::Connect)),
        2 => (actor(short, parent), connection(ConnectionOp::Close)),
        3 => {
            let dns = Dns {
                ends,
                direction: Direction::In,
                response: true,
                query: "service.example.test".into(),
                addresses: vec![remote],
                ..Dns::default()
            };
            (actor(parent, 0), Kind::Dns(Box::new(dns)))
        }
        19 => (actor(short, parent), Kind::Exit(Exit::default())),
        _ => {
            let file = File { path: "/var/lib/worker/state/segment-000017.tmp".into(), ..File::default() };
            (actor(parent, 0), Kind::File(Box::new(file)))
        }
    };
    let boot = BootTime(u64::from(number) * STEP_NS);
    Event {
        owner: Owner::Container(id(container)),
        actor: Some(actor),
        ..Event::new(Sensor::Kernel, boot, kind)
    }
}

fn main() {
    let mut enricher = Enricher::new(Config::default());
    let mut out = Vec::with_capacity(BATCH);
    for container in 0..CONTAINERS {
        enricher.push(record(container), &mut out);
        let first = actor(u32::from(container) + 1, 0);
        let owner = Owner::Container(id(container));
        let event = Event::new(Sensor::Kernel, BootTime(0), program("/sbin/init"));
        enricher.push(Event { owner, actor: Some(first), ..event }, &mut out);
    }
    out.clear();
    // What moving and dropping the same events costs without enrichment.
    let moved = run(&mut out, |event, out| out.push(event));
    let enriched = run(&mut out, |event, out| enricher.push(event, out));
    println!(
        "{EVENTS} events: {enriched} ns each, of which {moved} ns to move and drop; {} events/s; {} processes kept",
        1_000_000_000 / enriched.max(1),
        enricher.processes()
    );
    println!("{:?}", enricher.stats());
}

/// Nanoseconds per event.
fn run(out: &mut Vec<Event>, mut each: impl FnMut(Event, &mut Vec<Event>)) -> u128 {
    let events: Vec<Event> = (0..EVENTS).map(event_at).collect();
    let begin = Instant::now();
    for event in events {
        each(event, out);
        if out.len() >= BATCH {
            out.clear();
        }
    }
    out.clear();
    begin.elapsed().as_nanos() / u128::from(EVENTS)
}
