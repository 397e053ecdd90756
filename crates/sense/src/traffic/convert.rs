//! Flows and packets of `flow` as parts of events.

use std::time::Duration;

use event::WallTime;
use event::network::{
    Connection, ConnectionOp, Direction, Endpoints, Flow, FlowState, FlowVolume, Heartbeat, Transport,
};
use flow::{End, Endpoint, Seen, Volume};

use crate::ends::ends;

/// A packet's flow, seen from the own end.
#[derive(Debug)]
pub(super) struct View {
    pub(super) ends: Endpoints,
    /// The own end opened it.
    pub(super) initiated: bool,
    pub(super) cookie: u64,
    /// Of the packet.
    pub(super) direction: Direction,
}

impl View {
    pub(super) fn of(seen: &Seen<'_>) -> Self {
        let (ends, initiated) = sides(seen.transport(), seen.opener(), seen.listener());
        let direction = super::direction(seen.direction(), initiated);
        Self { ends, initiated, cookie: cookie(seen.number()), direction }
    }

    pub(super) fn connection(&self, op: ConnectionOp) -> Connection {
        Connection { op, ends: self.ends, cookie: self.cookie, ..Connection::default() }
    }
}

/// 0 says that there is none.
pub(super) fn cookie(number: u64) -> u64 {
    number.saturating_add(1)
}

fn sides(of: flow::Transport, opener: Endpoint, listener: Endpoint) -> (Endpoints, bool) {
    let transport = match of {
        flow::Transport::Tcp => Transport::Tcp,
        flow::Transport::Udp => Transport::Udp,
        flow::Transport::Icmp => Transport::Icmp,
    };
    ends(transport, (opener.ip, opener.port), (listener.ip, listener.port))
}

/// The record of a flow as an event has it.
/// The bursts are the opener's first.
pub(super) fn record(flow: &flow::Flow, state: FlowState, mut heartbeats: Vec<Heartbeat>) -> Flow {
    let (ends, initiated) = sides(flow.transport, flow.opener, flow.listener);
    let (sent, received) = (volume(&flow.sent), volume(&flow.received));
    let (sent, received) = if initiated { (sent, received) } else { (received, sent) };
    if !initiated {
        for beat in &mut heartbeats {
            std::mem::swap(&mut beat.bytes_out, &mut beat.bytes_in);
        }
    }
    let mut record = Flow {
        state,
        ends,
        initiated,
        cookie: cookie(flow.number),
        start: WallTime(flow.first_ns),
        duration_ns: flow.last_ns.saturating_sub(flow.first_ns),
        sent,
        received,
        interval_ns: nanoseconds(flow.intervals.mean_s),
        interval_deviation_ns: nanoseconds(flow.intervals.deviation_s),
        longest_silence_ns: nanoseconds(flow.intervals.longest_s),
        changed_to: flow.changed_to.map_or("", |protocol| protocol.as_str()).into(),
        heartbeats,
        end: if flow.end == End::Open { "".into() } else { flow.end.as_str().into() },
        ..Flow::default()
    };
    flow::describe(&mut record, &flow.verdict, &flow.names, flow.facts);
    record
}

fn volume(volume: &Volume) -> FlowVolume {
    FlowVolume {
        packets: volume.packets.into(),
        payload_bytes: volume.payload_bytes,
        ip_bytes: volume.bytes,
        largest_payload_bytes: volume.largest_payload_bytes.into(),
    }
}

/// Seconds in nanoseconds; what no length of time is becomes 0.
fn nanoseconds(seconds: f64) -> u64 {
    let length = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
