//! The record of a flow that the kernel sensor saw, from what is known of it.

use super::protocol::{Live, Side, guess_side};
use compact_str::CompactString;
use event::network::{Connection, Direction, Endpoints, Flow, FlowNames, FlowState, FlowVolume};
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

    /// The flow of a connection that closes.
    pub(super) fn close(mut self, connection: &Connection, event: &Event) -> Event {
        let trace = self.trace_from(event, (connection.ends, connection.cookie));
        (trace.ends, trace.last) = (connection.ends, event.wall);
        trace.sent.payload_bytes = connection.bytes_out;
        trace.received.payload_bytes = connection.bytes_in;
        let flow = self.flow("closed").unwrap_or_default();
        event.followed_by(Kind::Flow(Box::new(flow)))
    }

    /// The flow of datagrams that were silent for long, where it is wanted.
    pub(super) fn end(self, now: BootTime) -> Option<Event> {
        let trace = self.trace.as_ref()?;
        let mut event = trace.base.followed_by(Kind::Tick);
        (event.boot, event.wall) = (now, trace.last);
        event.kind = Kind::Flow(Box::new(self.flow("idle")?));
        Some(event)
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
            if verdict.confidence > 0 {
                flow.protocol = verdict.protocol.as_str().into();
                (flow.confidence, flow.evidence) = (verdict.confidence, verdict.evidence.into());
            }
            flow.names = names(&said.names);
            flow.facts = said.facts.iter().map(|fact| fact.as_str().into()).collect();
        }
        Some(flow)
    }
}

fn names(names: &flow::Names) -> FlowNames {
    let text = |name: &Option<Box<str>>| CompactString::from(name.as_deref().unwrap_or_default());
    FlowNames {
        sni: text(&names.sni),
        alpn: text(&names.alpn),
        ja4: text(&names.ja4),
        host: text(&names.host),
        agent: text(&names.agent),
        ..FlowNames::default()
    }
}
