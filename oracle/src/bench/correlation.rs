//! `event_count` over 100,000 groups in both engines, where every event matches.
//!
//! Each event is a connection; its group is the remote address. Events come in order of time. What is measured is the rule
//! and the correlation; for ours, the correlation alone too. rsigma may hold as many groups as there are.

use super::duel::{median, timed};
use super::row;
use super::typed::Typed;
use detect::joined::Correlations;
use detect::plain::{EventRules, EventScratch};
use detect::{Config, Placeholders};
use event::network::{Connection, ConnectionOp, Endpoints};
use event::{BootTime, Event, Kind, Sensor};
use rsigma_eval::{CorrelationConfig, CorrelationEngine};
use std::sync::Arc;
use strategy::sigma::read_str;

const GROUPS: u32 = 100_000;
/// Events of a part, which is what the median is taken over; the first part makes the groups. Whole batches.
const PART: u32 = 800 * BATCH;
const PARTS: u32 = 5;
/// Events that are made at once.
const BATCH: u32 = 512;
/// Events of a turn, of which PART is a multiple: an engine then works mostly with what it has in the cache.
const TURN: u32 = 16 * BATCH;
/// Nanoseconds between two events: 20,000 in a second.
const STEP_NS: u64 = 50_000;
const SECOND_NS: u64 = 1_000_000_000;
/// Events of a group at which the correlation fires.
const FIRES_AT: u32 = 12;

const RULE: &str = "
title: connection
name: c
logsource: {category: network_connection, product: linux}
detection: {s: {DestinationPort: 443}, condition: s}
---
title: joined
name: joined
correlation: {type: event_count, rules: c, group-by: DestinationIp, timespan: 10m, condition: {gte: 12}}
";

/// Prints the row. Whether both fired equally often.
pub fn run() -> bool {
    let (mut ours, mut theirs) = (Ours::new(), theirs());
    let mut parts = Vec::new();
    let mut fired = (0, 0);
    for part in 0..PARTS {
        let (mut judged, mut joined, mut other) = (0.0, 0.0, 0.0);
        for turn in (part * PART..(part + 1) * PART).step_by(TURN as usize) {
            for events in batches(turn) {
                judged += timed(|| ours.judge(&events));
                joined += timed(|| fired.0 += ours.join());
            }
            for events in batches(turn) {
                other += timed(|| {
                    for event in &events {
                        let seconds = i64::try_from(event.boot.0 / SECOND_NS).expect("a time");
                        let results = theirs.process_event_at(&Typed(event), seconds);
                        fired.1 += results.iter().filter(|one| one.is_correlation()).count();
                    }
                });
            }
        }
        parts.push((judged, joined, other));
    }
    fired.0 += ours.finish();
    let per_s = |ns: &dyn Fn(&(f64, f64, f64)) -> f64| f64::from(PART) * 1e9 / median(parts.iter().map(ns));
    let (alone, whole, rsigma) = (per_s(&|one| one.1), per_s(&|one| one.0 + one.1), per_s(&|one| one.2));
    // Each group's repeats count anew in ours; rsigma, set to begin anew, does the same.
    let expect = (PARTS * PART / GROUPS / FIRES_AT * GROUPS) as usize;
    let measured = format!(
        "correlation alone {alone:.0}/s; with its rule {whole:.0}/s; rsigma with its rule {rsigma:.0}/s; {:.2} ×; {} and {} fired of {expect}",
        whole / rsigma,
        fired.0,
        fired.1
    );
    row(
        &format!("event_count, {} events that match, {GROUPS} groups", PARTS * PART),
        &measured,
        "≥ 3,000,000/s alone",
        Some(alone >= 3e6),
    );
    fired.0 == fired.1
}

/// The events of the turn that begins with this number.
fn batches(turn: u32) -> impl Iterator<Item = Vec<Arc<Event>>> {
    let numbers = (turn..turn + TURN).step_by(BATCH as usize);
    numbers.map(|first| (first..first + BATCH).map(|number| Arc::new(event(number))).collect())
}

struct Ours {
    rules: EventRules,
    scratch: EventScratch,
    correlations: Correlations<Arc<Event>>,
    /// Judgements of the batch: rule and event.
    held: Vec<(usize, Arc<Event>)>,
    out: Vec<detect::joined::Joined<Arc<Event>>>,
}

impl Ours {
    fn new() -> Self {
        let (items, problems) = read_str(RULE);
        assert!(problems.is_empty(), "{problems:?}");
        let (rules, _) = EventRules::new(&items, &Placeholders::new());
        let config = Config {
            groups_each: 1_000_000,
            groups_all: 1_000_000,
            group_bytes: 1 << 30,
            ..Config::default()
        };
        let (correlations, rejected) = Correlations::<Arc<Event>>::new(&items, &config);
        assert!(rejected.is_empty(), "{rejected:?}");
        Self { rules, scratch: EventScratch::default(), correlations, held: Vec::new(), out: Vec::new() }
    }

    fn judge(&mut self, events: &[Arc<Event>]) {
        for event in events {
            let held = self.rules.judge(event, &mut self.scratch);
            self.held.extend(held.map(|rule| (rule, event.clone())));
        }
    }

    fn join(&mut self) -> usize {
        for (rule, event) in self.held.drain(..) {
            let now = event.boot;
            self.correlations.push(rule, event);
            self.correlations.advance(now, &mut self.out);
        }
        let fired = self.out.len();
        self.out.clear();
        fired
    }

    fn finish(&mut self) -> usize {
        self.correlations.finish(&mut self.out);
        self.out.len()
    }
}

fn theirs() -> CorrelationEngine {
    let config = CorrelationConfig {
        max_state_entries: 1_000_000,
        action_on_match: rsigma_eval::CorrelationAction::Reset,
        ..CorrelationConfig::default()
    };
    let mut engine = CorrelationEngine::new(config);
    let rules = rsigma_parser::parse_sigma_yaml(RULE).expect("rules");
    engine.add_collection(&rules).expect("rules that run");
    engine
}

fn event(number: u32) -> Event {
    // Groups come in turn, far from each other in memory.
    let group = u32::try_from(u64::from(number) * 7919 % u64::from(GROUPS)).expect("below GROUPS");
    let remote_ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + group).into();
    let local_port = u16::try_from(1024 + number % 50_000).expect("a port");
    let ends = Endpoints { remote_ip, remote_port: 443, local_port, ..Endpoints::default() };
    let connection = Connection {
        op: ConnectionOp::Connect,
        ends,
        cookie: u64::from(number) + 1,
        ..Connection::default()
    };
    let time = BootTime(SECOND_NS + u64::from(number) * STEP_NS);
    let mut event = Event::new(Sensor::Kernel, time, Kind::Connection(Box::new(connection)));
    event.id.sequence = u64::from(number);
    event
}
