//! Flows from packets that are made here.

mod evasion;
mod messages;

use super::*;

const CLIENT: [u8; 4] = [172, 17, 0, 2];
const SERVER: [u8; 4] = [192, 0, 2, 7];
const SECOND_NS: u64 = 1_000_000_000;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PUSH: u8 = 0x18;
const FIN: u8 = 0x11;
const RST: u8 = 0x04;

fn ipv4(number: u8, src: [u8; 4], dst: [u8; 4], rest: &[u8]) -> Vec<u8> {
    ipv4_part(number, (src, dst), 0, rest)
}

/// `fragment` is the word with flags and offset.
fn ipv4_part(number: u8, ends: ([u8; 4], [u8; 4]), fragment: u16, rest: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + rest.len()).expect("small");
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 9]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, number, 0, 0]);
    packet.extend(ends.0);
    packet.extend(ends.1);
    packet.extend(rest);
    packet
}

fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(8 + payload.len()).expect("small");
    [&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &len.to_be_bytes(), &[0, 0], payload].concat()
}

fn tcp(ports: (u16, u16), sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    [
        &ports.0.to_be_bytes()[..],
        &ports.1.to_be_bytes(),
        &sequence.to_be_bytes(),
        &[0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0],
        payload,
    ]
    .concat()
}

/// A table that is fed by hand, one packet a millisecond.
struct Feed {
    table: Table,
    time_ns: u64,
    port: u16,
    sent: u32,
    received: u32,
}

impl Feed {
    fn new(port: u16) -> Self {
        Self { table: Table::new(Limits::default()), time_ns: SECOND_NS, port, sent: 100, received: 900 }
    }

    fn packet(&mut self, packet: &[u8]) {
        self.time_ns += SECOND_NS / 1000;
        self.table.packet(self.time_ns, packet);
    }

    fn client(&mut self, flags: u8, payload: &[u8]) {
        self.packet(&ipv4(6, CLIENT, SERVER, &tcp((40_000, self.port), self.sent, flags, payload)));
        self.sent += u32::try_from(payload.len()).expect("small") + u32::from(flags & SYN != 0);
    }

    fn server(&mut self, flags: u8, payload: &[u8]) {
        self.packet(&ipv4(6, SERVER, CLIENT, &tcp((self.port, 40_000), self.received, flags, payload)));
        self.received += u32::try_from(payload.len()).expect("small") + u32::from(flags & SYN != 0);
    }

    fn open(port: u16) -> Self {
        let mut feed = Self::new(port);
        feed.client(SYN, b"");
        feed.server(SYN | ACK, b"");
        feed.client(ACK, b"");
        feed
    }

    fn flows(mut self) -> Vec<Flow> {
        self.table.finish();
        std::iter::from_fn(move || self.table.pop()).collect()
    }

    fn only(self) -> Flow {
        let flows = self.flows();
        assert_eq!(flows.len(), 1, "{flows:#?}");
        flows.into_iter().next().expect("one")
    }
}

#[test]
fn a_connection_has_opener_volume_protocol_and_name() {
    let mut feed = Feed::open(80);
    feed.client(PUSH, b"GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: x\r\n\r\n");
    feed.server(PUSH, b"HTTP/1.1 200 OK\r\n\r\nhello");
    feed.client(FIN, b"");
    feed.server(FIN, b"");
    let flow = feed.only();
    assert_eq!(flow.opener, Endpoint { ip: CLIENT.into(), port: 40_000 });
    assert_eq!(flow.listener, Endpoint { ip: SERVER.into(), port: 80 });
    assert_eq!((flow.sent.packets, flow.received.packets), (4, 3));
    assert_eq!((flow.sent.payload_bytes, flow.received.payload_bytes), (47, 24));
    assert_eq!((flow.verdict.protocol, flow.verdict.confidence), (Protocol::Http, 99));
    assert_eq!(flow.payloads_until_verdict, 1);
    assert_eq!((flow.names.host.as_deref(), flow.names.agent.as_deref()), (Some("a.test"), Some("x")));
    assert_eq!((flow.facts, flow.end), (Facts::default(), End::Closed));
    assert!((flow.intervals.mean_s - 0.001).abs() < 1e-9 && flow.intervals.deviation_s < 1e-6);
}

#[test]
fn the_opener_is_known_from_half_an_opening() {
    let mut feed = Feed::new(4444);
    feed.server(SYN | ACK, b"");
    feed.client(ACK, b"");
    assert_eq!(feed.only().opener.port, 40_000);
    // In the middle of a connection the assigned port is the listener's.
    let mut feed = Feed::new(22);
    feed.server(PUSH, b"x");
    let flow = feed.only();
    assert_eq!(flow.opener.port, 40_000);
    assert!(flow.facts.contains(Fact::OpeningNotSeen));
}

#[test]
fn an_answer_of_dns_names_the_flow_that_follows() {
    let mut feed = Feed::open(443);
    let question =
        [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2][..], b"c2", &[4], b"test", &[0, 0, 1, 0, 1]].concat();
    let mut answer = question.clone();
    (answer[2], answer[7]) = (0x81, 1);
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 9]);
    feed.packet(&ipv4(17, CLIENT, SERVER, &udp((5000, 53), &question)));
    feed.packet(&ipv4(17, SERVER, CLIENT, &udp((53, 5000), &answer)));
    feed.packet(&ipv4(6, CLIENT, [198, 51, 100, 9], &tcp((40_001, 443), 1, SYN, b"")));
    // Another client was not told.
    feed.packet(&ipv4(6, [172, 17, 0, 3], [198, 51, 100, 9], &tcp((40_001, 443), 1, SYN, b"")));
    let names: Vec<_> =
        feed.flows().into_iter().map(|flow| (flow.verdict.protocol, flow.names.dns)).collect();
    assert_eq!(names[1].0, Protocol::Dns);
    assert_eq!(
        names.iter().map(|(_, name)| name.as_deref()).collect::<Vec<_>>(),
        [None, None, Some("c2.test"), None]
    );
}

#[test]
fn silence_beyond_the_idle_time_begins_a_new_flow() {
    let datagram = ipv4(17, CLIENT, SERVER, &udp((5000, 9999), b"x"));
    let count = |gap_ns: u64| {
        let mut feed = Feed::new(0);
        feed.packet(&datagram);
        feed.time_ns += gap_ns;
        feed.packet(&datagram);
        feed.flows().len()
    };
    assert_eq!((count(299 * SECOND_NS), count(301 * SECOND_NS)), (1, 2));
}

#[test]
fn the_wheel_ends_idle_flows_without_another_packet_of_theirs() {
    let mut feed = Feed::new(0);
    feed.packet(&ipv4(17, CLIENT, SERVER, &udp((5000, 9999), b"x")));
    for second in 1..=320 {
        feed.time_ns = (1 + second) * SECOND_NS;
        feed.packet(&ipv4(1, CLIENT, SERVER, &[8, 0, 0, 0]));
    }
    assert_eq!(feed.table.pop().map(|flow| flow.end), Some(End::Idle));
    assert_eq!(feed.table.len(), 1);
}

#[test]
fn a_port_that_is_opened_again_is_another_flow() {
    let mut feed = Feed::open(80);
    feed.client(RST, b"");
    feed.client(SYN, b"");
    let flows = feed.flows();
    assert_eq!(
        flows.iter().map(|flow| (flow.number, flow.end)).collect::<Vec<_>>(),
        [(0, End::Reset), (1, End::Input)]
    );
}

#[test]
fn facts_say_what_a_port_and_a_role_did_not_promise() {
    let mut feed = Feed::open(443);
    feed.server(PUSH, b"SSH-2.0-x\r\n");
    feed.client(PUSH, b"SSH-2.0-y\r\n");
    let facts: Vec<_> = feed.only().facts.iter().collect();
    assert_eq!(facts, [Fact::ProtocolOnForeignPort, Fact::WrongStart]);

    let mut feed = Feed::open(4444);
    feed.client(PUSH, b"HTTP/1.1 200 OK\r\n\r\n");
    feed.server(PUSH, b"GET /task HTTP/1.1\r\n\r\n");
    let facts: Vec<_> = feed.only().facts.iter().collect();
    assert_eq!(facts, [Fact::ProtocolOnForeignPort, Fact::DirectionMismatch]);

    let mut feed = Feed::open(4444);
    feed.server(PUSH, b"id; uname -a\n");
    feed.client(PUSH, b"uid=0(root) gid=0(root) groups=0(root)\n");
    let flow = feed.only();
    assert_eq!(flow.verdict.protocol, Protocol::PlaintextInteractive);
    assert!(flow.facts.contains(Fact::ShellText));
}

/// A session of mail up to where TLS begins.
fn starttls() -> Feed {
    let mut feed = Feed::open(25);
    feed.server(PUSH, b"220 mx.test ESMTP\r\n");
    feed.client(PUSH, b"EHLO a\r\n");
    feed.server(PUSH, b"250 STARTTLS\r\n");
    feed.client(PUSH, b"STARTTLS\r\n");
    feed.server(PUSH, b"220 go\r\n");
    feed
}

#[test]
fn a_change_of_protocol_in_mid_stream_is_seen() {
    let mut feed = starttls();
    feed.client(PUSH, b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03 and so on");
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.changed_to), (Protocol::Smtp, Some(Protocol::Tls)));
    assert!(flow.facts.contains(Fact::ProtocolChanged));
}

#[test]
fn a_request_in_one_byte_segments_out_of_order_is_still_recognised() {
    let mut feed = Feed::open(4444);
    let request = b"GET / HTTP/1.1\r\n";
    let base = feed.sent;
    for pair in (0..request.len()).collect::<Vec<_>>().chunks(2) {
        for at in pair.iter().rev() {
            feed.sent = base + u32::try_from(*at).expect("small");
            feed.client(PUSH, &request[*at..=*at]);
        }
    }
    let flow = feed.only();
    assert_eq!(flow.verdict.protocol, Protocol::Http);
    assert!(flow.facts.contains(Fact::OutOfOrder));
}

#[test]
fn fragments_are_joined_and_lost_ones_counted() {
    let whole = udp((5000, 9999), &[b'x'; 2000]);
    let ends = (CLIENT, SERVER);
    let mut feed = Feed::new(0);
    feed.packet(&ipv4_part(17, ends, 185, &whole[1480..]));
    feed.packet(&ipv4_part(17, ends, 0x2000, &whole[..1480]));
    feed.packet(&ipv4_part(17, ends, 0x2000, &whole[..1480]));
    feed.table.finish();
    let counts = feed.table.counts();
    assert_eq!((counts.fragments, counts.joined, counts.fragments_lost), (3, 1, 1));
    let flow = feed.only();
    assert_eq!((flow.sent.packets, flow.sent.payload_bytes, flow.sent.bytes), (1, 2000, 2028));
    assert!(flow.facts.contains(Fact::Fragmented));
}

#[test]
fn tunnels_are_looked_into_to_a_depth() {
    let mut packet = ipv4(17, CLIENT, SERVER, &udp((5000, 9999), b"x"));
    let mut feed = Feed::new(0);
    for depth in 0..=5 {
        feed.packet(&packet);
        assert_eq!(feed.table.counts().tunnels_too_deep, u64::from(depth > 4), "depth {depth}");
        packet = ipv4(4, [10, 0, 0, 1], [10, 0, 0, 2], &packet);
    }
    assert!(feed.only().facts.contains(Fact::Tunnelled));
}

#[test]
fn the_memory_cap_holds_and_what_it_costs_is_counted() {
    let limits = Limits { max_bytes: 200_000, seed: 3 };
    let mut table = Table::new(limits);
    let mut ended = 0;
    for number in 0..20_000u32 {
        let [_, high, middle, low] = number.to_be_bytes();
        let src = [10, high, middle, low];
        table.packet(
            u64::from(number) * SECOND_NS / 1000,
            &ipv4(17, src, SERVER, &udp((5000, 9999), &[7; 600])),
        );
        assert!(table.bytes() <= limits.max_bytes, "{} after {number}", table.bytes());
        while table.pop().is_some() {
            ended += 1;
        }
    }
    assert_eq!((table.counts().flows, table.counts().evicted), (20_000, ended));
    assert!(ended > 19_000 && table.len() > 10, "{ended} {}", table.len());
}

#[test]
fn the_seed_changes_no_output() {
    let flows = |seed| {
        let mut table = Table::new(Limits { seed, ..Limits::default() });
        for number in 0..2000u16 {
            let [high, low] = (number % 300).to_be_bytes();
            let packet = ipv4(17, [10, 0, high, low], SERVER, &udp((5000, 53), &number.to_be_bytes()));
            table.packet(u64::from(number) * SECOND_NS, &packet);
        }
        table.finish();
        std::iter::from_fn(|| table.pop()).collect::<Vec<_>>()
    };
    assert_eq!(flows(1), flows(u64::MAX));
}

#[test]
fn hostile_packets_and_times_neither_panic_nor_grow_memory() {
    let limits = Limits { max_bytes: 500_000, seed: 0 };
    let mut table = Table::new(limits);
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut packet = ipv4(6, CLIENT, SERVER, &tcp((1, 2), 0, PUSH, &[0; 80]));
    for round in 0..200_000u32 {
        let [at, value, number, sequence, ..] = random().to_le_bytes();
        let at = usize::from(at) % packet.len();
        packet[at] = value;
        // Keep most of them readable.
        (packet[0], packet[9], packet[32]) =
            (0x45, [6, 17, 1, 4, 47, 6, 6, 17][usize::from(number % 8)], 0x50);
        packet[24 + usize::from(sequence % 4)] = value;
        let time_ns = match round % 1000 {
            0 => random(),
            _ => u64::from(round) * SECOND_NS,
        };
        table.packet(time_ns, &packet[..packet.len() - usize::from(sequence % 7)]);
        assert!(table.bytes() <= limits.max_bytes + 20_000, "{}", table.bytes());
        while table.pop().is_some() {}
    }
    table.finish();
}

/// A ClientHello of TLS 1.2 with one cipher suite and a server name of less than 200 bytes.
fn client_hello(name: &str) -> Vec<u8> {
    let len = u8::try_from(name.len()).expect("short");
    let extension = [&[0, 0, 0, len + 5, 0, len + 3, 0, 0, len], name.as_bytes()].concat();
    let extensions_len = u8::try_from(extension.len()).expect("short");
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0x13, 0x01, 1, 0, 0, extensions_len]);
    hello.extend(extension);
    let hello_len = u8::try_from(hello.len()).expect("short");
    [&[22, 3, 1, 0, hello_len + 4, 1, 0, 0, hello_len], &hello[..]].concat()
}

#[test]
fn what_a_proxy_leads_to_is_named() {
    let mut feed = Feed::open(1080);
    feed.client(PUSH, &[5, 1, 0]);
    feed.server(PUSH, &[5, 0]);
    feed.client(PUSH, &[5, 1, 0, 1, 192, 0, 2, 9, 1, 0xbb]);
    feed.server(PUSH, &[5, 0, 0, 1, 192, 0, 2, 9, 1, 0xbb]);
    feed.client(PUSH, &client_hello("c2.example.com"));
    feed.server(PUSH, &[22, 3, 3, 0, 2, 2, 0]);
    assert!(feed.table.bytes() > BYTES_PER_FLOW, "names that come after the verdict count too");
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.changed_to), (Protocol::Socks, Some(Protocol::Tls)));
    assert_eq!(flow.names.sni.as_deref(), Some("c2.example.com"));
    assert!(flow.names.ja4.is_some());
}

#[test]
fn what_is_sent_before_the_proxy_answers_is_named() {
    let mut feed = Feed::open(1080);
    let request =
        [&[5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 9, 1, 0xbb][..], &client_hello("c2.example.com")].concat();
    feed.client(PUSH, &request);
    feed.server(PUSH, &[5, 0, 5, 0, 0, 1, 192, 0, 2, 9, 1, 0xbb]);
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.changed_to), (Protocol::Socks, Some(Protocol::Tls)));
    assert_eq!(flow.names.sni.as_deref(), Some("c2.example.com"));
}
