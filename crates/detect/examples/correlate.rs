//! Matching events per second through correlations, over 100,000 groups, on one core; and bytes per group.
//!
//! Each event is a connection that a rule matched; its group is the remote address. Events come in order of time, one in
//! sixteen up to a tenth of a second early or late. First correlations alone, then the whole engine with its rule.
//!
//! `cargo run --release -p watchkeeper-detect --example correlate [WORD [EVENTS]]` runs the cases that have the word in
//! their name, over so many events.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../tests/common/mod.rs"]
mod common;

use detect::joined::Correlations;
use detect::{Config, Engine};
use event::network::{Connection, ConnectionOp, Endpoints};
use event::{BootTime, Event, Kind, Owner};
use std::sync::Arc;

/// Different groups.
const GROUPS: u32 = 100_000;
/// Events that are judged, where nothing else is said.
const ROUND: u32 = 4_096_000;
/// Events that are made at a time, so that they are as fresh as those of a sensor.
const BATCH: u32 = 512;
/// Nanoseconds between two events: 20,000 in a second.
const STEP_NS: u64 = 50_000;

const RULE: &str = "
title: connection
name: c
logsource: {category: network_connection, product: linux}
detection: {s: {DestinationPort: 443}, condition: s}
---
title: joined
name: joined
correlation:
";

/// What is measured: a name and the correlation.
const CASES: [(&str, &str); 10] = [
    (
        "event_count, 100 within 10 m",
        "{type: event_count, rules: c, group-by: DestinationIp, timespan: 10m, condition: {gte: 100}}",
    ),
    (
        "event_count, 1000 within 1 h",
        "{type: event_count, rules: c, group-by: DestinationIp, timespan: 1h, condition: {gte: 1000}}",
    ),
    (
        "event_count, 100 within 1 m",
        "{type: event_count, rules: c, group-by: DestinationIp, timespan: 1m, condition: {gte: 100}}",
    ),
    (
        "value_count, 10 within 1 m",
        "{type: value_count, rules: c, group-by: DestinationIp, timespan: 1m, condition: {gte: 10, field: SourcePort}}",
    ),
    (
        "value_sum within 1 m",
        "{type: value_sum, rules: c, group-by: DestinationIp, timespan: 1m, condition: {gte: 100000000, field: SourcePort}}",
    ),
    (
        "value_avg within 1 m",
        "{type: value_avg, rules: c, group-by: DestinationIp, timespan: 1m, condition: {gte: 100000, field: SourcePort}}",
    ),
    (
        "value_percentile within 1 m",
        "{type: value_percentile, rules: c, group-by: DestinationIp, timespan: 1m, condition: {gte: 100000, field: SourcePort, percentile: 90}}",
    ),
    (
        "event_count, fewer than 2 within 1 m",
        "{type: event_count, rules: c, group-by: DestinationIp, timespan: 1m, condition: {lt: 2}}",
    ),
    (
        "temporal_ordered within 1 m",
        "{type: temporal_ordered, rules: [c, d], group-by: DestinationIp, timespan: 1m}",
    ),
    ("temporal within 1 m", "{type: temporal, rules: [c, d], group-by: DestinationIp, timespan: 1m}"),
];

const OTHER: &str = "
---
title: other
name: d
logsource: {category: network_connection, product: linux}
detection: {s: {DestinationPort: 444}, condition: s}
";

fn main() {
    let config =
        Config { groups_each: 1_000_000, groups_all: 1_000_000, group_bytes: 160 << 20, ..Config::default() };
    let word = std::env::args().nth(1).unwrap_or_default();
    let round = std::env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(ROUND);
    for (name, correlation) in CASES.into_iter().filter(|(name, _)| name.contains(&word)) {
        let text = format!("{RULE}  {correlation}{OTHER}");
        let (events_per_s, groups, [bytes, shown], fired) = alone(&text, &config, round);
        println!(
            "{name}: {events_per_s:.0} events/s, {groups} groups, {} bytes per group and {} for events to show, {fired} fired",
            (bytes - shown) / groups.max(1),
            shown / groups.max(1)
        );
    }
    if !word.is_empty() {
        return;
    }
    let text = format!("{RULE}  {}", CASES.first().map_or("", |(_, correlation)| correlation));
    println!(
        "the whole engine, {}: {:.0} events/s",
        CASES.first().map_or("", |(name, _)| name),
        whole(&text, &config, round)
    );
}

/// Correlations alone: events per second, groups at the end, their bytes and those of events to show, and how often
/// they fired.
fn alone(text: &str, config: &Config, round: u32) -> (f64, usize, [usize; 2], usize) {
    let (items, problems) = strategy::sigma::read_str(text);
    assert!(problems.is_empty(), "{problems:?}");
    let (mut correlations, rejected) = Correlations::<Arc<Event>>::new(&items, config);
    assert!(rejected.is_empty(), "{rejected:?}");
    let mut out = Vec::new();
    let mut fired = 0;
    let mut ns = 0;
    for first in (0..round).step_by(BATCH as usize) {
        let events: Vec<Arc<Event>> = (first..first + BATCH).map(|index| Arc::new(event(index))).collect();
        let begin = cpu_ns();
        for event in events {
            let now = event.boot;
            correlations.push(0, event);
            correlations.advance(now, &mut out);
            fired += out.len();
            out.clear();
        }
        ns += cpu_ns() - begin;
    }
    let (groups, bytes) = correlations.held();
    (per_s(round, ns), groups, [bytes, correlations.shown_bytes()], fired)
}

/// The whole engine: events per second.
fn whole(text: &str, config: &Config, round: u32) -> f64 {
    let (mut engine, errors) = Engine::new(&[common::strategy(text)], config).expect("limits leave room");
    assert!(errors.is_empty(), "{errors:?}");
    let mut alerts = Vec::new();
    let mut ns = 0;
    for first in (0..round).step_by(BATCH as usize) {
        let events: Vec<Event> = (first..first + BATCH).map(event).collect();
        let begin = cpu_ns();
        for event in events {
            engine.push(event, &mut alerts);
            alerts.clear();
        }
        ns += cpu_ns() - begin;
    }
    per_s(round, ns)
}

fn per_s(round: u32, ns: u64) -> f64 {
    f64::from(round) * 1e9 / std::time::Duration::from_nanos(ns).as_nanos() as f64
}

/// Nanoseconds that this thread has run: what others take of the processor does not count.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

fn event(index: u32) -> Event {
    // A group is chosen by a full-period step, so that no two neighbours are near each other in memory.
    let group = index.wrapping_mul(2_654_435_761) % GROUPS;
    let number = u64::from(index);
    let remote_ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + group).into();
    let local_port = u16::try_from(1024 + index % 50_000).unwrap_or(0);
    let ends = Endpoints { remote_ip, remote_port: 443, local_port, ..Endpoints::default() };
    let connection =
        Connection { op: ConnectionOp::Connect, ends, cookie: number + 1, ..Connection::default() };
    let mut event = common::at(0.0, number, Kind::Connection(Box::new(connection)));
    let time = common::SECOND + number * STEP_NS;
    event.boot =
        BootTime(if index.is_multiple_of(16) { time - u64::from(index % 1000) * 100_000 } else { time });
    event.owner = Owner::Container(common::container(u8::try_from(group % 250).unwrap_or(0)));
    event
}
