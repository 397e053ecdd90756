//! Flows as a whole, made of what the kernel says of connections.

use super::protocol::FlowProtocol;
use super::{Analytic, Analytics, Made, Parameters};
use event::network::{
    Connection, ConnectionOp, Direction, Endpoints, Flow, FlowState, Heartbeat, Payload, Transport,
};
use event::{BootTime, Class, ContainerId, Event, FactName, Field, Kind, Owner, Sensor, WallTime};
use std::collections::{BTreeMap, BTreeSet};

fn analytics() -> Analytics {
    Analytics::new(Parameters::default(), &BTreeMap::new())
}

/// Analytics whose flows as a whole are read by a rule.
fn of_flows() -> Analytics {
    Analytics::new(Parameters::default(), &BTreeMap::from([(Class::NetworkFlow, BTreeSet::new())]))
}

fn at(seconds: u64, kind: Kind) -> Event {
    let mut event = Event::new(Sensor::Kernel, BootTime(seconds * 1_000_000_000), kind);
    event.wall = WallTime(seconds * 1_000_000_000);
    event.owner = Owner::Container(ContainerId([7; 32]));
    event
}

/// The flows that `events` make.
fn flows(analytics: &mut Analytics, events: impl IntoIterator<Item = Event>) -> Vec<Flow> {
    let mut made = Made::new();
    for mut event in events {
        analytics.observe(&mut event, &mut made);
    }
    let flows = made.into_iter().filter_map(|event| match event.kind {
        Kind::Flow(flow) => Some(*flow),
        _ => None,
    });
    flows.collect()
}

fn ends(transport: Transport) -> Endpoints {
    let (local_ip, remote_ip) = ([172, 17, 0, 2].into(), [203, 0, 113, 9].into());
    Endpoints { transport, local_ip, local_port: 40_000, remote_ip, remote_port: 4444 }
}

fn connection(op: ConnectionOp, transport: Transport) -> Connection {
    Connection { op, ends: ends(transport), cookie: 9, ..Connection::default() }
}

fn payload(transport: Transport, direction: Direction, text: &str) -> Kind {
    let bytes = text.as_bytes().into();
    Kind::Payload(Box::new(Payload {
        ends: ends(transport),
        cookie: 9,
        direction,
        bytes,
        ..Payload::default()
    }))
}

#[test]
fn a_connection_that_closes_is_a_flow_with_all_that_was_seen_of_it() {
    let closed =
        Connection { bytes_out: 700, bytes_in: 90_000, ..connection(ConnectionOp::Close, Transport::Tcp) };
    let events = [
        at(1, Kind::Connection(Box::new(connection(ConnectionOp::Connect, Transport::Tcp)))),
        at(2, payload(Transport::Tcp, Direction::Out, "GET /x HTTP/1.1\r\nHost: c2.test\r\n\r\n")),
        at(2, payload(Transport::Tcp, Direction::In, "HTTP/1.1 200 OK\r\n\r\n")),
        at(61, Kind::Connection(Box::new(closed))),
    ];
    let found = flows(&mut of_flows(), events.clone());
    let [flow] = found.as_slice() else { panic!("{found:?}") };
    assert!(flow.initiated);
    assert_eq!((flow.protocol.as_str(), flow.names.host.as_str()), ("http", "c2.test"));
    assert_eq!((flow.sent.payload_bytes, flow.received.payload_bytes), (700, 90_000));
    assert_eq!((flow.start.0, flow.duration_ns), (1_000_000_000, 60_000_000_000));
    assert_eq!(flow.facts, ["protocol_on_foreign_port"]);
    assert!(flows(&mut analytics(), events.clone()).is_empty(), "nobody reads flows");
    let captured = events.map(|mut event| {
        event.id.sensor = Sensor::Capture;
        event
    });
    assert!(flows(&mut of_flows(), captured).is_empty(), "a capture tells its flows itself");
}

#[test]
fn a_connection_whose_beginning_was_not_seen_is_a_flow_as_well() {
    let accepted = Connection { bytes_in: 5, ..connection(ConnectionOp::Close, Transport::Tcp) };
    let found = flows(&mut of_flows(), [at(9, Kind::Connection(Box::new(accepted)))]);
    assert_eq!(
        (found[0].received.payload_bytes, found[0].duration_ns, found[0].protocol.as_str()),
        (5, 0, "")
    );
}

#[test]
fn a_flow_that_goes_on_has_what_is_known_of_it_and_keeps_time() {
    let mut analytics = Analytics::new(
        Parameters::default(),
        &BTreeMap::from([(Class::Fact, BTreeSet::new()), (Class::NetworkFlow, BTreeSet::new())]),
    );
    let heartbeats = vec![Heartbeat { gap_ms: 10_000, bytes_out: 60, bytes_in: 20 }; 40];
    let state = FlowState::Update;
    let goes_on = Flow { state, ends: ends(Transport::Tcp), cookie: 9, heartbeats, ..Flow::default() };
    let mut made = Made::new();
    let mut observe = |event: Event| {
        let mut event = event;
        analytics.observe(&mut event, &mut made);
        event
    };
    observe(at(1, Kind::Connection(Box::new(connection(ConnectionOp::Connect, Transport::Tcp)))));
    observe(at(2, payload(Transport::Tcp, Direction::Out, "GET /x HTTP/1.1\r\nHost: c2.test\r\n\r\n")));
    observe(at(2, payload(Transport::Tcp, Direction::In, "HTTP/1.1 200 OK\r\n\r\n")));
    let event = observe(at(401, Kind::Flow(Box::new(goes_on))));
    let Kind::Flow(flow) = &event.kind else { panic!() };
    assert!(flow.initiated && event.facts.find(FactName::Beacon).is_some());
    assert_eq!((flow.start.0, flow.duration_ns), (1_000_000_000, 400_000_000_000));
    assert_eq!((flow.protocol.as_str(), flow.names.host.as_str()), ("http", "c2.test"));
    let subjects: Vec<_> =
        made.iter().map(|event| Field::FactSubject.of(event).to_text().to_string()).collect();
    assert!(subjects.iter().any(|subject| subject.ends_with("c2.test port 4444")), "{subjects:?}");
}

#[test]
fn datagrams_that_were_silent_for_a_minute_are_a_flow() {
    let mut analytics = of_flows();
    let events = [
        at(1, payload(Transport::Udp, Direction::Out, "ping")),
        at(31, payload(Transport::Udp, Direction::In, "pong!")),
        at(90, Kind::Tick),
    ];
    assert!(flows(&mut analytics, events).is_empty());
    let found = flows(&mut analytics, [at(92, Kind::Tick)]);
    assert_eq!((found[0].sent.payload_bytes, found[0].received.payload_bytes), (4, 5));
    assert_eq!((found[0].duration_ns, found[0].end.as_str()), (30_000_000_000, "idle"));
}

/// A flow of its own whose bytes say nothing: as many as the kernel sensor captures, and in too few to give up on.
fn hostile(number: u64, transport: Transport, direction: Direction) -> Event {
    let mut random = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_le_bytes()[3]
    };
    let length = if direction == Direction::Out { 1024 } else { 500 };
    let bytes = (0..length).map(|_| next()).collect();
    let payload =
        Payload { ends: ends(transport), cookie: number + 1, direction, bytes, ..Payload::default() };
    at(1, Kind::Payload(Box::new(payload)))
}

/// The flows that so many hostile ones give, what was lost, and the most bytes that they took at once.
fn flood(transport: Transport, count: u64) -> (Vec<Flow>, u64, usize) {
    let mut protocol = FlowProtocol::default();
    protocol.whole = true;
    let (mut made, mut most) = (Made::new(), 0);
    for number in 0..count {
        for direction in [Direction::Out, Direction::In] {
            protocol.observe(&mut hostile(number, transport, direction), &mut made);
            most = most.max(protocol.talk_bytes());
        }
    }
    let flows = made.into_iter().filter_map(|event| match event.kind {
        Kind::Flow(flow) => Some(*flow),
        _ => None,
    });
    (flows.collect(), protocol.lost(), most)
}

#[test]
fn connections_that_fill_the_table_take_so_many_bytes_and_what_gives_way_is_counted() {
    let (flows, lost, most) = flood(Transport::Tcp, 20_000);
    println!("20000 connections: at most {most} bytes of payload and names, {lost} given up");
    assert!(flows.is_empty() && lost > 20_000 - 16_384, "{lost}");
    assert!((15 << 20..=(16 << 20) + 8192).contains(&most), "{most}");
}

#[test]
fn datagrams_that_give_way_are_told_as_they_stand_and_none_is_lost() {
    let (flows, lost, most) = flood(Transport::Udp, 20_000);
    println!("20000 flows of datagrams: at most {most} bytes, {} told early", flows.len());
    assert_eq!(lost, 0);
    assert!(
        flows.len() > 20_000 - 16_384 && flows.iter().all(|flow| flow.end == "evicted"),
        "{}",
        flows.len()
    );
    assert!(flows.iter().all(|flow| (flow.sent.payload_bytes, flow.received.payload_bytes) == (1024, 500)));
    assert!(most <= (16 << 20) + 8192, "{most}");
}
