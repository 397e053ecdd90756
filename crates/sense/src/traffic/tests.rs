use super::*;
use crate::capture::Capture;
use event::network::{Flow, Http};

const CLIENT: [u8; 4] = [172, 17, 0, 2];
const SERVER: [u8; 4] = [192, 0, 2, 7];
const SYN: u8 = 2;
const SYN_ACK: u8 = 0x12;
const RST_ACK: u8 = 0x14;
const DATA: u8 = 0x18;
const FIN: u8 = 0x11;

/// One packet of IPv4, `after` milliseconds after the begin.
struct Sent {
    after_ms: u32,
    bytes: Vec<u8>,
}

fn ip(protocol: u8, src: [u8; 4], dst: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + rest.len()).unwrap().to_be_bytes();
    [&[0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0][..], &src, &dst, rest].concat()
}

fn tcp(after_ms: u32, from_client: bool, port: u16, sequence: u32, flags: u8, payload: &[u8]) -> Sent {
    let (client, server) = (40_000_u16.to_be_bytes(), port.to_be_bytes());
    let (src, dst, ports) =
        if from_client { (CLIENT, SERVER, [client, server]) } else { (SERVER, CLIENT, [server, client]) };
    let head = [&ports.concat()[..], &sequence.to_be_bytes(), &[0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]];
    Sent { after_ms, bytes: ip(6, src, dst, &[&head.concat()[..], payload].concat()) }
}

fn udp(after_ms: u32, src: ([u8; 4], u16), dst: ([u8; 4], u16), payload: &[u8]) -> Sent {
    let len = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    let head = [src.1.to_be_bytes(), dst.1.to_be_bytes(), len, [0, 0]].concat();
    Sent { after_ms, bytes: ip(17, src.0, dst.0, &[&head[..], payload].concat()) }
}

fn events(packets: &[Sent]) -> Vec<Event> {
    let mut file = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    for Sent { after_ms, bytes } in packets {
        let len = u32::try_from(bytes.len()).unwrap();
        for word in [1_767_225_600 + after_ms / 1000, after_ms % 1000 * 1000, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(bytes);
    }
    let capture = Capture::new(std::io::Cursor::new(file)).unwrap();
    let mut traffic = Traffic::new(capture, Limits::default());
    std::iter::from_fn(|| traffic.next_event().unwrap()).collect()
}

/// Class and operation of each event but ticks.
fn told(events: &[Event]) -> Vec<String> {
    let told = events.iter().filter(|event| !matches!(event.kind, Kind::Tick));
    told.map(|event| format!("{} {}", event.class().as_str(), event.kind.operation())).collect()
}

fn flows(events: &[Event]) -> Vec<&Flow> {
    let flow = |event: &'_ Event| matches!(&event.kind, Kind::Flow(_));
    let found = events.iter().filter(|event| flow(event));
    found.filter_map(|event| if let Kind::Flow(flow) = &event.kind { Some(&**flow) } else { None }).collect()
}

fn web() -> Vec<Sent> {
    vec![
        tcp(0, true, 4444, 0, SYN, b""),
        tcp(1, false, 4444, 0, SYN_ACK, b""),
        tcp(2, true, 4444, 1, DATA, b"GET /a?b=c HTTP/1.1\r\nHost: c2.test\r\nUser-Agent: x\r\n\r\n"),
        tcp(3, false, 4444, 1, DATA, b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=x\r\n\r\nhi"),
        tcp(4, true, 4444, 55, FIN, b""),
        tcp(5, false, 4444, 60, FIN, b""),
    ]
}

#[test]
fn a_connection_gives_what_the_kernel_gives_of_it_and_a_flow() {
    let events = events(&web());
    let expect = [
        "network_connection connect",
        "network_connection connected",
        "network_payload out",
        "network_payload in",
        "http_request request",
        "network_flow begin",
        "network_connection close",
        "network_flow end",
    ];
    assert_eq!(told(&events), expect);
    let flow = flows(&events)[1];
    assert_eq!((flow.protocol.as_str(), flow.end.as_str(), flow.initiated), ("http", "closed", true));
    assert_eq!((flow.names.host.as_str(), flow.sent.packets, flow.received.packets), ("c2.test", 3, 3));
    assert_eq!(flow.facts, ["protocol_on_foreign_port"]);
    let close = events.iter().find_map(|event| match &event.kind {
        Kind::Connection(c) if c.op == ConnectionOp::Close => Some((c.bytes_out, c.bytes_in, c.cookie)),
        _ => None,
    });
    assert_eq!(close, Some((53, 57, flow.cookie)));
    assert!(
        events.iter().all(|event| event.wall.0 == event.boot.0 && event.boot.0 >= 1_767_225_600 * NS_PER_S)
    );
}

#[test]
fn a_request_is_told_with_its_answer_and_without_one_when_the_flow_ends() {
    let told = |packets: &[Sent]| -> Vec<Http> {
        let http = |event: Event| if let Kind::Http(http) = event.kind { Some(*http) } else { None };
        events(packets).into_iter().filter_map(http).collect()
    };
    let [answered] = &told(&web())[..] else { panic!() };
    assert_eq!((answered.status, answered.media_type.as_str()), (200, "text/html"));
    assert_eq!((answered.path(), answered.query(), answered.host.as_str()), ("/a", "b=c", "c2.test"));
    let [open] = &told(&web()[..3])[..] else { panic!() };
    assert_eq!((open.status, open.method.as_str()), (0, "GET"));
}

#[test]
fn a_refused_connection_says_so_and_one_from_outside_is_accepted() {
    let refused = events(&[tcp(0, true, 81, 0, SYN, b""), tcp(1, false, 81, 0, RST_ACK, b"")]);
    assert_eq!(
        told(&refused),
        [
            "network_connection connect",
            "network_connection connected",
            "network_connection close",
            "network_flow end"
        ]
    );
    let Kind::Connection(connected) = &refused[1].kind else { panic!() };
    assert_eq!(connected.result, -111);

    // The same addresses with the roles changed: the outside one opens.
    let mut from_outside = vec![tcp(0, false, 8080, 0, SYN, b""), tcp(1, true, 8080, 0, SYN_ACK, b"")];
    from_outside.push(tcp(2, false, 8080, 1, DATA, b"id\n"));
    let accepted = events(&from_outside);
    assert_eq!(told(&accepted)[..2], ["network_connection accept", "network_payload in"]);
    let flow = flows(&accepted)[0];
    assert!(!flow.initiated && flow.ends.local_ip.to_string() == "172.17.0.2");
    assert_eq!(flow.received.payload_bytes, 3);
}

#[test]
fn payload_is_told_within_the_bounds_of_the_kernel_sensor_and_dns_in_full() {
    let mut packets = vec![tcp(0, true, 9, 0, SYN, b"")];
    packets.extend((0..4).map(|n| tcp(n + 1, true, 9, 1 + n * 400, DATA, &[b'x'; 400])));
    let told_bytes: usize = events(&packets)
        .iter()
        .map(|event| if let Kind::Payload(payload) = &event.kind { payload.bytes.len() } else { 0 })
        .sum();
    assert_eq!(told_bytes, 1024);

    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01";
    let resolver = ([10, 0, 0, 2], 53);
    let many: Vec<Sent> = (0..10).map(|n| udp(n, (CLIENT, 5000), resolver, query)).collect();
    let events = events(&many);
    let count = |class: &str| told(&events).iter().filter(|told| told.starts_with(class)).count();
    assert_eq!((count("dns_query query"), count("network_payload out")), (10, 10));
    assert_eq!(count("network_connection connect"), 1);
}

#[test]
fn a_long_flow_is_told_again_each_hour_and_time_passes_in_ticks() {
    let hour = 3_600_000;
    let mut packets = vec![tcp(0, true, 9, 0, SYN, b""), tcp(10, false, 9, 0, SYN_ACK, b"")];
    packets.extend((1..=25).map(|n| tcp(n * hour / 10, true, 9, 1, DATA, b"")));
    let events = events(&packets);
    let states: Vec<&str> = flows(&events).iter().map(|flow| flow.state.as_str()).collect();
    assert_eq!(states.iter().filter(|state| **state == "update").count(), 2);
    assert_eq!(states.last(), Some(&"end"));
    assert_eq!(events.iter().filter(|event| matches!(event.kind, Kind::Tick)).count(), 25);
}

#[test]
fn a_cut_capture_gives_its_events_then_the_error_once() {
    let packets = web();
    let mut file = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    let len = u32::try_from(packets[0].bytes.len()).unwrap();
    file.extend([1, 0, len, len].map(u32::to_le_bytes).concat());
    file.extend(&packets[0].bytes);
    file.extend([1, 0]);
    let capture = Capture::new(std::io::Cursor::new(file)).unwrap();
    let mut traffic = Traffic::new(capture, Limits::default());
    assert!(matches!(traffic.next_event(), Ok(Some(_))));
    assert!(matches!(traffic.next_event(), Ok(Some(Event { kind: Kind::Flow(_), .. }))));
    assert!(matches!(traffic.next_event(), Err(Error::Truncated { .. })));
    assert!(matches!(traffic.next_event(), Ok(None)));
}

/// A connection in which the client says something each ten seconds and gets an answer of `answer_bytes`.
fn long_talk(bursts: u32, answer_bytes: usize) -> Vec<Event> {
    let mut packets = vec![tcp(0, true, 443, 0, SYN, b""), tcp(1, false, 443, 0, SYN_ACK, b"")];
    let answer = vec![b'x'; answer_bytes];
    for burst in 0..bursts {
        let (at_ms, answered) = (1000 + burst * 10_000, u32::try_from(answer_bytes).unwrap());
        packets.push(tcp(at_ms, true, 443, 1 + burst * 4, DATA, b"ask!"));
        packets.push(tcp(at_ms + 20, false, 443, 1 + burst * answered, DATA, &answer));
    }
    events(&packets)
}

#[test]
fn small_bursts_inside_a_long_connection_are_told_while_it_goes_on_and_at_its_end() {
    let told: Vec<(String, usize)> = flows(&long_talk(80, 9))
        .iter()
        .filter(|flow| flow.state != FlowState::Begin)
        .map(|flow| (flow.state.as_str().to_owned(), flow.heartbeats.len()))
        .collect();
    let expect = [("update", 8), ("update", 17), ("update", 35), ("update", 64), ("end", 65)];
    assert_eq!(told, expect.map(|(state, count)| (state.to_owned(), count)));
    let end = flows(&long_talk(20, 9)).last().map(|flow| flow.heartbeats.clone()).unwrap();
    let beat = event::network::Heartbeat { gap_ms: 10_000, bytes_out: 4, bytes_in: 9 };
    assert!(end[1..].iter().all(|one| *one == beat) && end[0].gap_ms == 0, "{end:?}");
}

#[test]
fn short_connections_and_transfers_have_no_heartbeats() {
    for events in [long_talk(5, 9), long_talk(7, 0), long_talk(20, 1400 * 4)] {
        assert!(flows(&events).iter().all(|flow| flow.heartbeats.is_empty()));
    }
}
