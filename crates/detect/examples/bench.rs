//! Events per second through the engine: 70 % write-opens, 15 % exec, fork and exit, 10 % connect and close, 5 % DNS,
//! from 20 containers, with 41 rules or with
//! the strategies of the documents that are named.
//!
//! `cargo run --release -p watchkeeper-detect --example bench [DOCUMENT…]`

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../tests/common/mod.rs"]
mod common;

use event::file::{File, FileOp};
use event::network::{Connection, ConnectionOp, Dns, Endpoints};
use event::process::{Exit, Fork};
use event::{Event, Kind, Owner, Text};
use std::fmt::Write;
use std::time::Instant;

/// Events made before the clock starts.
const EVENTS: u32 = 1_000_000;

fn main() {
    let mut engine = engine();
    let events: Vec<Event> = (0..EVENTS).map(event).collect();
    let mut alerts = Vec::new();
    let begin = Instant::now();
    for event in events {
        engine.push(event, &mut alerts);
    }
    engine.finish(&mut alerts);
    let seconds = begin.elapsed().as_secs_f64();
    println!("{:.0} events/s, {} alerts", f64::from(EVENTS) / seconds, alerts.len());
}

/// The strategies of the named documents, or rules made up.
fn engine() -> detect::Engine {
    let read = |path: String| (path.clone(), std::fs::read_to_string(&path).expect("a readable document"));
    let documents: Vec<(String, String)> = std::env::args().skip(1).map(read).collect();
    if documents.is_empty() {
        return common::engine(&rules());
    }
    let (strategies, _) = strategy::load(&documents);
    let (engine, errors) =
        detect::Engine::new(&strategies, &detect::Config::default()).expect("default limits");
    println!("{} strategies, {} errors", strategies.len(), errors.len());
    engine
}

fn rules() -> String {
    let mut text = String::new();
    for number in 0..20 {
        let _ = write!(
            text,
            "title: file {number}\nlogsource: {{category: file_event, product: linux}}\ndetection:\n  s:\n    \
             TargetFilename|startswith: [/etc/secret{number}, /usr/lib/hidden{number}]\n    event.operation: [open_write, create]\n  \
             t:\n    fact.host_path|contains: shadow{number}\n  condition: s or t\n---\n"
        );
        let _ = write!(
            text,
            "title: exec {number}\nlogsource: {{category: process_creation, product: linux}}\ndetection:\n  s:\n    \
             Image|endswith: [/tool{number}, /other{number}]\n  t:\n    CommandLine|contains|all: [alpha{number}, beta]\n  condition: s or t\n---\n"
        );
    }
    text.push_str(
        "title: connect\nlogsource: {category: network_connection, product: linux}\ndetection:\n  s: {fact.unregistered_port: true, DestinationPort: 4444}\n  condition: s\n",
    );
    text
}

fn event(index: u32) -> Event {
    let container = u8::try_from(index % 20).unwrap_or(0);
    let seconds = f64::from(index) / 100_000.0;
    let mut event = match index % 100 {
        0..5 => common::exec(
            seconds,
            index.into(),
            container,
            ("/usr/bin/curl", "curl -s http://example.com/path"),
        ),
        5..10 => common::at(seconds, index.into(), Kind::Fork(Fork::default())),
        10..15 => common::at(seconds, index.into(), Kind::Exit(Exit::default())),
        15..25 => {
            let op = if index.is_multiple_of(2) { ConnectionOp::Connect } else { ConnectionOp::Close };
            let remote_ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + index % 1000).into();
            let ends = Endpoints { remote_ip, remote_port: 443, ..Endpoints::default() };
            let cookie = u64::from(index / 2) + 1;
            common::at(
                seconds,
                index.into(),
                Kind::Connection(Box::new(Connection { op, ends, cookie, ..Connection::default() })),
            )
        }
        25..30 => {
            let dns = Dns { query: "api.example.com".into(), ..Dns::default() };
            common::at(seconds, index.into(), Kind::Dns(Box::new(dns)))
        }
        _ => {
            let path = Text::resolved(format!("/var/lib/app/data/{}/segment-{index}.log", index % 64));
            let file = File { op: FileOp::OpenWrite, path, ..File::default() };
            common::at(seconds, index.into(), Kind::File(Box::new(file)))
        }
    };
    event.owner = Owner::Container(common::container(container));
    event
}
