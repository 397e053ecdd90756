//! The record of a flow that the kernel sensor saw, from what is known of it.

use super::protocol::{Live, Side, guess_side};
use event::network::{Connection, Direction, Endpoints, Flow, FlowState, FlowVolume, Transport};
use event::{BootTime, Event, Kind, WallTime};

/// What a flow's record needs beside its payload.
#[derive(Debug)]
pub(super) struct Trace {
    /// The flow's first event, without what happened: whose it is.
    base: Event,
    ends: Endpoints,
    cookie: u64,
    start: WallTime,
    last: WallTime,
    sent: FlowVolume,
    received: FlowVolume,
}

impl Live {
    /// The flow began, or is first seen, with this event.
    pub(super) fn trace_from(&mut self, event: &Event, (ends, cookie): (Endpoints, u64)) -> &mut Trace {
        self.trace.get_or_insert_with(|| {
            Box::new(Trace {
                base: event.followed_by(Kind::Tick),
                ends,
                cookie,
                start: event.wall,
                last: event.wall,
                sent: FlowVolume::default(),
                received: FlowVolume::default(),
            })
        })
    }

    /// Counts a payload.
    pub(super) fn count(&mut self, event: &Event) {
        let Kind::Payload(payload) = &event.kind else { return };
        let trace = self.trace_from(event, (payload.ends, payload.cookie));
        let seen_bytes = u32::try_from(payload.bytes.len()).unwrap_or(u32::MAX).max(payload.full_len);
        let volume = if payload.direction == Direction::Out { &mut trace.sent } else { &mut trace.received };
        volume.packets += 1;
        volume.payload_bytes += u64::from(seen_bytes);
        volume.largest_payload_bytes = volume.largest_payload_bytes.max(seen_bytes);
        trace.last = event.wall;
    }

    /// Adds what is known of a flow that goes on.
    pub(super) fn describe(&self, flow: &mut Flow, now: WallTime) {
        let side = self.side.unwrap_or_else(|| guess_side(&flow.ends));
        flow.initiated = side == Side::Client;
        if let Some(trace) = &self.trace {
            (flow.start, flow.duration_ns) = (trace.start, now.0.saturating_sub(trace.start.0));
        }
        if let Some(talk) = &self.talk {
            let (verdict, said) = talk.so_far(side.listener_port(&flow.ends));
            flow::describe(flow, &verdict, &said.names, said.facts);
        }
    }

    /// The flow of a connection that closes.
    pub(super) fn close(mut self, connection: &Connection, event: &Event) -> Event {
        let trace = self.trace_from(event, (connection.ends, connection.cookie));
        (trace.ends, trace.last) = (connection.ends, event.wall);
        trace.sent.payload_bytes = connection.bytes_out;
        trace.received.payload_bytes = connection.bytes_in;
        let flow = self.flow("closed").unwrap_or_default();
        event.followed_by(Kind::Flow(Box::new(flow)))
    }

    /// The flow of datagrams that are over or let go, where it is wanted; `end` says why.
    pub(super) fn end(self, now: BootTime, end: &str) -> Option<Event> {
        let trace = self.trace.as_ref()?;
        let mut event = trace.base.followed_by(Kind::Tick);
        (event.boot, event.wall) = (now, trace.last);
        event.kind = Kind::Flow(Box::new(self.flow(end)?));
        Some(event)
    }

    /// The flow if it is one of datagrams.
    pub(super) fn datagrams(self) -> Option<Self> {
        let is_udp = self.trace.as_ref().is_some_and(|trace| trace.ends.transport == Transport::Udp);
        is_udp.then_some(self)
    }

    fn flow(self, end: &str) -> Option<Flow> {
        let Trace { ends, cookie, start, last, sent, received, .. } = *self.trace?;
        let side = self.side.unwrap_or_else(|| guess_side(&ends));
        let mut flow = Flow {
            state: FlowState::End,
            ends,
            initiated: side == Side::Client,
            cookie,
            start,
            duration_ns: last.0.saturating_sub(start.0),
            sent,
            received,
            end: end.into(),
            ..Flow::default()
        };
        if let Some(talk) = self.talk {
            let (verdict, said) = talk.finish(side.listener_port(&ends));
            flow::describe(&mut flow, &verdict, &said.names, said.facts);
        }
        Some(flow)
    }
}
