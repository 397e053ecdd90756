//! Analytic: attempts to log in that repeat.
//!
//! In: flows at their end and first payload bytes. Out: a fact about a workload and a service when the larger of two counts
//! enters a level: `login_protocol`, `login_sessions`, `login_refusals`. Both ways: a workload that tries somebody, and one
//! that is tried.
//!
//! | figure | counts within five minutes |
//! |---|---|
//! | sessions | flows of a protocol on the list, with payload both ways, that ended soon and to which the server said little |
//! | refusals | payloads of a server that refuse a login in plain ([`super::login`]) |
//!
//! Databases and mail are not on the list of sessions: programs open and close many of these by design, and their servers
//! say in plain that they refuse. State: one entry per workload, peer and port of the service, dropped after five minutes,
//! or when the table is full (the longest silent first, counted). Left out on purpose: attempts that are spread over many
//! peers, which `scan` counts, and whether an attempt succeeded.

use super::levels::{Entered, Levels};
use super::login::refusal;
use super::{Analytic, Lru, Made, hash_of};
use compact_str::{CompactString, format_compact};
use event::field::workload;
use event::network::{Direction, Endpoints, Flow, FlowState, Payload, Transport};
use event::{BootTime, Event, Fact, FactName, FactValue, Field, Kind};
use std::time::Duration;

/// Workloads with a service each at once; with about 150 bytes each, 2 MB.
const SERVICES: usize = 8_192;
const WINDOW: Duration = Duration::from_secs(300);
/// Parts of the window, the oldest of which is given up at once.
const PANES: usize = 5;
/// Sessions or refusals.
pub(super) const LEVELS: [u64; 5] = [5, 10, 20, 50, 200];
/// Protocols whose sessions are long where somebody is let in.
pub(super) const SESSIONS: [&str; 5] = ["ssh", "telnet", "ftp", "rdp", "vnc"];
/// A session is short up to here: three attempts of SSH with its key exchange need about 4 kB and a few seconds.
pub(super) const SHORT_BYTES: u64 = 8_192;
pub(super) const SHORT_SECONDS: u64 = 30;
/// Telnet's port, IANA.
const TELNET_PORT: u16 = 23;

/// What counts as an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Protocols whose short sessions count.
    pub(super) protocols: Vec<CompactString>,
    /// Most payload bytes of the server in a short session.
    pub(super) short_bytes: u64,
    /// Longest short session, in seconds.
    pub(super) short_s: u64,
}

impl Default for Attempt {
    fn default() -> Self {
        let protocols = SESSIONS.map(CompactString::from).into();
        Self { protocols, short_bytes: SHORT_BYTES, short_s: SHORT_SECONDS }
    }
}

/// The analytic.
#[derive(Debug)]
pub(super) struct Attempts {
    services: Lru<Tried>,
    levels: Levels,
    counts: Attempt,
}

#[derive(Debug, Default)]
struct Tried {
    sessions: Recent,
    refusals: Recent,
    entered: Entered,
}

/// A count over a window that slides by panes.
#[derive(Debug, Default)]
struct Recent {
    panes: [u32; PANES],
    /// Number of the youngest pane.
    number: u64,
}

impl Recent {
    /// Adds `more` and gives the sum of the window.
    fn add(&mut self, at: BootTime, more: u32) -> u32 {
        let pane_ns = u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX) / PANES as u64;
        let number = at.0 / pane_ns;
        let passed = usize::try_from(number.saturating_sub(self.number)).unwrap_or(usize::MAX).min(PANES);
        self.panes.rotate_right(passed);
        self.panes.iter_mut().take(passed).for_each(|pane| *pane = 0);
        self.number = self.number.max(number);
        if let Some(young) = self.panes.first_mut() {
            *young = young.saturating_add(more);
        }
        self.panes.iter().fold(0, |sum: u32, pane| sum.saturating_add(*pane))
    }
}

/// An attempt: where the service is, and how it is known.
struct Found<'a> {
    ends: &'a Endpoints,
    /// Of the service.
    port: u16,
    is_client: bool,
    protocol: CompactString,
    is_refusal: bool,
}

impl Attempts {
    pub(super) fn new(levels: Levels, counts: Attempt) -> Self {
        Self { services: Lru::new(SERVICES, WINDOW), levels, counts }
    }

    fn session<'a>(&self, flow: &'a Flow) -> Option<Found<'a>> {
        let Flow { ends, initiated, sent, received, .. } = flow;
        let port = if *initiated { ends.remote_port } else { ends.local_port };
        let of_server = if *initiated { received } else { sent };
        let both_ways = sent.payload_bytes > 0 && received.payload_bytes > 0;
        let is_short = of_server.payload_bytes <= self.counts.short_bytes
            && flow.duration_ns <= self.counts.short_s.saturating_mul(1_000_000_000);
        if flow.state != FlowState::End || !both_ways || !is_short {
            return None;
        }
        let protocol = match flow.protocol.as_str() {
            "" => wire::ports::registered(port, wire::Transport::Tcp)?.as_str(),
            known => known,
        };
        let protocol = self.counts.protocols.iter().find(|listed| *listed == protocol)?.clone();
        Some(Found { ends, port, is_client: *initiated, protocol, is_refusal: false })
    }
}

impl Analytic for Attempts {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let found = match &event.kind {
            Kind::Flow(flow) => self.session(flow),
            Kind::Payload(payload) => refused(payload, event),
            _ => return,
        };
        let Some(found) = found.filter(|found| found.ends.transport == Transport::Tcp) else { return };
        let Some(workload) = workload(event) else { return };
        let key = hash_of(&(workload, found.ends.remote_ip, found.port, found.is_client));
        let Some(tried) = self.services.touch(key, event.boot, Tried::default) else { return };
        let refusals = tried.refusals.add(event.boot, u32::from(found.is_refusal));
        let sessions = tried.sessions.add(event.boot, u32::from(!found.is_refusal));
        if let Some(holds) = self.levels.turn(&mut tried.entered, refusals.max(sessions).into()) {
            made.push_back(event.turns(subject(event, &found), holds, facts(&found, sessions, refusals)));
        }
    }

    fn lost(&mut self) -> u64 {
        self.services.take_evicted()
    }
}

/// The refusal in a payload. It is the server that refuses, so its direction says who that is.
fn refused<'a>(payload: &'a Payload, event: &Event) -> Option<Found<'a>> {
    let Payload { ends, direction, bytes, .. } = payload;
    let is_client = *direction == Direction::In;
    let port = if is_client { ends.remote_port } else { ends.local_port };
    let spoken = event.facts.find(FactName::Protocol).map(|fact| &fact.value);
    let is_telnet = port == TELNET_PORT || spoken == Some(&FactValue::Text("telnet".into()));
    let protocol = refusal(bytes, is_telnet)?;
    Some(Found { ends, port, is_client, protocol: protocol.into(), is_refusal: true })
}

fn subject(event: &Event, found: &Found<'_>) -> CompactString {
    let workload = Field::WorkloadName.of(event).to_text();
    let (peer, port) = (found.ends.remote_ip, found.port);
    match found.is_client {
        true => format_compact!("{workload} to {peer} port {port}"),
        false => format_compact!("{peer} to {workload} port {port}"),
    }
}

fn facts(found: &Found<'_>, sessions: u32, refusals: u32) -> Vec<Fact> {
    let window_s = u32::try_from(WINDOW.as_secs()).unwrap_or(u32::MAX);
    let count = |name, count: u32| Fact { window_s, support: count, ..Fact::number(name, count.into()) };
    vec![
        Fact::text(FactName::LoginProtocol, found.protocol.clone()),
        count(FactName::LoginSessions, sessions),
        count(FactName::LoginRefusals, refusals),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_slides_by_minutes_and_forgets_what_is_older_than_the_window() {
        let minute = |number: u64| BootTime(number * 60_000_000_000);
        let mut recent = Recent::default();
        assert_eq!(recent.add(minute(1), 3), 3);
        assert_eq!(recent.add(minute(3), 2), 5);
        assert_eq!(recent.add(minute(5), 1), 6);
        assert_eq!(recent.add(minute(6), 0), 3);
        assert_eq!(recent.add(minute(2), 1), 4, "what is late counts as of now");
        assert_eq!(recent.add(minute(1_000), 1), 1);
    }
}
