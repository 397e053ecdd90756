//! Analytic: workloads that look for places.
//!
//! In: what came of the TCP connections that a workload opened to other machines. Out: a fact about the workload when the
//! number of places of which no session came enters a level: `scan_hosts`, `scan_ports`, `scan_failed`, `scan_walk`, see
//! [`super::scan`]. Only first contacts within ten minutes count, so that a client that tries one dead server for hours is
//! one.
//!
//! | what is seen | counts as |
//! |---|---|
//! | a connect call that succeeds; a flow with payload, or with two packets back | answered |
//! | a connect call that is refused, or finds no host, no way or silence; a flow that ends with less | failed |
//!
//! State: one entry per workload, dropped after ten minutes, or when the table is full (the longest silent first, counted).
//! Left out on purpose: datagrams, most of which nobody answers; and places that an earlier contact made known.

use super::check_ins::whole;
use super::levels::{Entered, Levels};
use super::port::leaves;
use super::scan::{Contact, Scan, Sweep};
use super::{Analytic, Lru, Made, hash_of};
use event::field::workload;
use event::network::{Connection, ConnectionOp, Endpoints, Flow, FlowState, Transport};
use event::{Event, Fact, FactName, Field, Kind};
use std::time::Duration;

/// Workloads at once; with at most 4 kB each, 8 MB.
const WORKLOADS: usize = 2_048;
const WINDOW: Duration = Duration::from_secs(600);
/// Places of which no session came.
pub(super) const LEVELS: [u64; 4] = [10, 20, 50, 200];
/// ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET: the other side or the way to it said no, or nothing.
const FAILURES: [i32; 5] = [-111, -110, -113, -101, -104];
/// The answer to a SYN, and one more.
const PACKETS_OF_AN_ANSWER: u64 = 2;

/// The analytic.
#[derive(Debug)]
pub(super) struct FirstContacts {
    workloads: Lru<Tried>,
    levels: Levels,
}

#[derive(Debug)]
struct Tried {
    scan: Box<Scan>,
    entered: Entered,
}

impl FirstContacts {
    pub(super) fn new(levels: Levels) -> Self {
        Self { workloads: Lru::new(WORKLOADS, WINDOW), levels }
    }
}

impl Analytic for FirstContacts {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let Some((ends, contact)) = outcome(&event.kind) else { return };
        if ends.transport != Transport::Tcp || !leaves(ends) {
            return;
        }
        let Some(workload) = workload(event) else { return };
        let window_ns = u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX);
        let make = || Tried { scan: Box::new(Scan::new(window_ns)), entered: Entered::default() };
        let Some(tried) = self.workloads.touch(hash_of(&workload), event.boot, make) else { return };
        let place = (ends.remote_ip, ends.remote_port);
        let Some(sweep) = tried.scan.push(event.boot.0, place, contact) else { return };
        if let Some(holds) = self.levels.turn(&mut tried.entered, whole(sweep.failed).unsigned_abs()) {
            made.push_back(event.turns(Field::WorkloadName.of(event).to_text(), holds, facts(&sweep)));
        }
    }

    fn lost(&mut self) -> u64 {
        self.workloads.take_evicted()
    }
}

/// What came of a connection that the own end opened, where the event tells.
fn outcome(kind: &Kind) -> Option<(&Endpoints, Contact)> {
    match kind {
        Kind::Connection(connection) => of_call(connection).map(|contact| (&connection.ends, contact)),
        Kind::Flow(flow) if flow.state == FlowState::End && flow.initiated => {
            Some((&flow.ends, of_flow(flow)))
        }
        _ => None,
    }
}

fn of_call(connection: &Connection) -> Option<Contact> {
    match (connection.op, connection.result) {
        (ConnectionOp::Connected, 0) => Some(Contact::Answered),
        (ConnectionOp::Connected, result) if FAILURES.contains(&result) => Some(Contact::Failed),
        // What is still in progress becomes a flow.
        _ => None,
    }
}

fn of_flow(flow: &Flow) -> Contact {
    let Flow { sent, received, .. } = flow;
    let is_session = sent.payload_bytes > 0 || received.payload_bytes > 0;
    if is_session || received.packets >= PACKETS_OF_AN_ANSWER { Contact::Answered } else { Contact::Failed }
}

fn facts(sweep: &Sweep) -> Vec<Fact> {
    let window_s = u32::try_from(WINDOW.as_secs()).unwrap_or(u32::MAX);
    let support = u32::try_from(whole(sweep.targets)).unwrap_or(u32::MAX);
    let figures = [
        (FactName::ScanHosts, sweep.hosts),
        (FactName::ScanPorts, sweep.ports),
        (FactName::ScanFailed, sweep.failed),
        (FactName::ScanWalk, sweep.walk * 100.0),
    ];
    let fact = |(name, figure)| Fact { window_s, support, ..Fact::number(name, whole(figure)) };
    figures.map(fact).into()
}
