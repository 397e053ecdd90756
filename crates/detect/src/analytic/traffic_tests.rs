//! Facts of scans, logins, uploads, names and addresses, and lists, from events as captures and the kernel give them.

use super::tests::fact;
use super::{Analytics, Made, Parameters};
use event::container::{Container, ContainerChange};
use event::network::{Connection, ConnectionOp, Direction, Dns, Endpoints, Flow, Payload, Transport};
use event::process::FileHash;
use event::{BootTime, Class, Event, FactName, Field, Kind, Sensor};
use std::collections::{BTreeMap, BTreeSet};

const SECOND: u64 = 1_000_000_000;

fn analytics(parameters: Parameters) -> Analytics {
    let fields = BTreeSet::from([Field::FactEncryptedDns]);
    Analytics::new(
        parameters,
        &BTreeMap::from([(Class::Fact, BTreeSet::new()), (Class::NetworkFlow, fields)]),
    )
}

fn at(seconds: u64, kind: Kind) -> Event {
    Event::new(Sensor::Capture, BootTime(seconds * SECOND), kind)
}

fn ends(remote: &str, port: u16) -> Endpoints {
    let (local_ip, remote_ip) = ([172, 17, 0, 2].into(), remote.parse().unwrap());
    Endpoints { local_ip, local_port: 40_000, remote_ip, remote_port: port, ..Endpoints::default() }
}

fn flow(remote: &str, port: u16, [sent, received]: [u64; 2]) -> Flow {
    let mut flow = Flow { ends: ends(remote, port), initiated: true, ..Flow::default() };
    (flow.sent.payload_bytes, flow.received.payload_bytes) = (sent, received);
    flow
}

fn of_flow(flow: Flow) -> Kind {
    Kind::Flow(Box::new(flow))
}

fn call(op: ConnectionOp, remote: &str, port: u16, result: i32) -> Kind {
    Kind::Connection(Box::new(Connection { op, ends: ends(remote, port), result, ..Connection::default() }))
}

/// A question, or an answer with addresses.
fn dns(server: &str, query: &str, addresses: &[&str]) -> Kind {
    let response = !addresses.is_empty();
    let direction = if response { Direction::In } else { Direction::Out };
    let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let ends = Endpoints { transport: Transport::Udp, ..ends(server, 53) };
    Kind::Dns(Box::new(Dns { ends, direction, response, query: query.into(), addresses, ..Dns::default() }))
}

/// Values of facts about entities, in the order in which they are made.
fn made(
    analytics: &mut Analytics,
    events: impl IntoIterator<Item = Event>,
    names: &[FactName],
) -> Vec<String> {
    let mut made = Made::new();
    for mut event in events {
        analytics.observe(&mut event, &mut made);
    }
    let text = |event: &Event| {
        let values: Vec<String> = names.iter().map(|name| fact(event, *name)).collect();
        (values.join(" "), values.iter().any(|value| value != "-"))
    };
    made.iter().map(text).filter(|(_, has)| *has).map(|(text, _)| text).collect()
}

/// The value of a fact on one event after others.
fn after(before: Vec<Event>, event: Event, name: FactName) -> String {
    let mut analytics = analytics(Parameters::default());
    let mut made = Made::new();
    let mut last = event;
    for mut event in before {
        analytics.observe(&mut event, &mut made);
    }
    analytics.observe(&mut last, &mut made);
    fact(&last, name)
}

const SCAN: [FactName; 3] = [FactName::ScanHosts, FactName::ScanPorts, FactName::ScanFailed];

#[test]
fn places_that_do_not_answer_are_a_scan_whether_a_call_or_a_flow_says_so() {
    let refused = (1..=10).map(|n| at(n, call(ConnectionOp::Connected, &format!("10.0.0.{n}"), 22, -111)));
    assert_eq!(made(&mut analytics(Parameters::default()), refused, &SCAN), ["10 1 10"]);
    let silent = (1..=10).map(|n| at(n, of_flow(flow("10.0.0.1", 100 + u16::try_from(n).unwrap(), [0, 0]))));
    assert_eq!(made(&mut analytics(Parameters::default()), silent, &SCAN), ["1 10 10"]);
    let served = (1..=40).map(|n| at(n, of_flow(flow(&format!("10.0.0.{n}"), 80, [100, 100]))));
    assert!(made(&mut analytics(Parameters::default()), served, &SCAN).is_empty());
    let same = (1..=40).map(|n| at(n, call(ConnectionOp::Connected, "10.0.0.1", 5432, -111)));
    assert!(made(&mut analytics(Parameters::default()), same, &SCAN).is_empty(), "one dead server");
    // In progress, then established, then closed without a byte.
    let probes = (1..=20).flat_map(|n| {
        let host = format!("10.0.0.{n}");
        [at(n, call(ConnectionOp::Connected, &host, 80, 0)), at(n, of_flow(flow(&host, 80, [0, 0])))]
    });
    assert!(made(&mut analytics(Parameters::default()), probes, &SCAN).is_empty(), "health checks");
}

const LOGIN: [FactName; 3] = [FactName::LoginProtocol, FactName::LoginSessions, FactName::LoginRefusals];

#[test]
fn short_sessions_and_refusals_of_one_service_are_counted() {
    let session = |n: u64, bytes| {
        let protocol = "ssh".into();
        at(n * 5, of_flow(Flow { protocol, duration_ns: 2 * SECOND, ..flow("10.0.0.1", 22, [2_000, bytes]) }))
    };
    let mut one = analytics(Parameters::default());
    assert_eq!(made(&mut one, (1..=10).map(|n| session(n, 3_000)), &LOGIN), ["ssh 5 0", "ssh 10 0"]);
    let long = (1..=10).map(|n| session(n, 30_000));
    assert!(made(&mut analytics(Parameters::default()), long, &LOGIN).is_empty());
    let refused = (1..=5).map(|n| {
        let (direction, bytes) =
            (Direction::In, b"-WRONGPASS invalid username-password pair\r\n".as_slice().into());
        let payload = Payload { ends: ends("10.0.0.1", 6379), direction, bytes, ..Payload::default() };
        at(n, Kind::Payload(Box::new(payload)))
    });
    assert_eq!(made(&mut analytics(Parameters::default()), refused, &LOGIN), ["redis 0 5"]);
}

const UPLOAD: [FactName; 4] =
    [FactName::UploadBytes, FactName::UploadRatio, FactName::UploadPeriods, FactName::UploadRun];

#[test]
fn what_goes_out_is_held_against_what_comes_back_and_against_the_past() {
    let large = [at(1, of_flow(flow("198.51.100.9", 443, [70 << 20, 4_096])))];
    let expect = format!("{} 13117 0 1", 70 << 20);
    assert_eq!(made(&mut analytics(Parameters::default()), large, &UPLOAD), [expect]);
    let pieces = (1..=8).map(|n| at(n * 700, of_flow(flow("198.51.100.9", 443, [5 << 20, 400]))));
    assert_eq!(made(&mut analytics(Parameters::default()), pieces, &UPLOAD), ["5242880 2760 7 8"]);
    let ordinary = (1..=50).map(|n| at(n * 700, of_flow(flow("198.51.100.9", 443, [n << 16, 400]))));
    assert!(made(&mut analytics(Parameters::default()), ordinary, &UPLOAD).is_empty());
}

#[test]
fn an_address_that_no_answer_gave_is_told_where_answers_were_seen() {
    let name = FactName::UnresolvedAddress;
    let answer = || at(1, dns("10.0.0.53", "a.example", &["198.51.100.9"]));
    let to = |remote: &str| at(2, call(ConnectionOp::Connect, remote, 443, 0));
    assert_eq!(after(vec![answer()], to("203.0.113.9"), name), "true");
    assert_eq!(after(vec![answer()], to("198.51.100.9"), name), "-");
    assert_eq!(after(vec![answer()], to("10.0.0.9"), name), "-");
    assert_eq!(after(vec![], to("203.0.113.9"), name), "-");
}

#[test]
fn a_name_that_was_not_asked_for_is_told_where_questions_were_seen() {
    let name = FactName::UnaskedName;
    let says = |sni: &str| {
        let mut flow = flow("198.51.100.9", 443, [500, 500]);
        flow.names.sni = sni.into();
        at(2, of_flow(flow))
    };
    let asked = || at(1, dns("10.0.0.53", "a.example", &[]));
    assert_eq!(after(vec![asked()], says("b.example"), name), "b.example");
    assert_eq!(after(vec![asked()], says("A.example"), name), "-");
    assert_eq!(after(vec![], says("b.example"), name), "-");
}

#[test]
fn dns_over_other_protocols_is_told_by_port_offer_name_and_address() {
    let name = FactName::EncryptedDns;
    let with = |change: fn(&mut Flow)| {
        let mut flow = flow("198.51.100.9", 443, [500, 500]);
        change(&mut flow);
        after(vec![], at(1, of_flow(flow)), name)
    };
    let to = |remote: &str, port| after(vec![], at(1, call(ConnectionOp::Connect, remote, port, 0)), name);
    assert_eq!([to("198.51.100.9", 853), to("1.1.1.1", 443)], ["tls", "https"]);
    assert_eq!([to("198.51.100.9", 443), to("8.8.8.8", 53)], ["-", "-"]);
    assert_eq!(with(|flow| flow.names.sni = "x.Cloudflare-DNS.com".into()), "https");
    assert_eq!(with(|flow| flow.names.sni = "notcloudflare-dns.com".into()), "-");
    assert_eq!(with(|flow| flow.names.alpn = "doq".into()), "quic");
    let another = |flow: &mut Flow| {
        (flow.ends.remote_ip, flow.names.sni) = ([8, 8, 8, 8].into(), "www.example.org".into());
    };
    assert_eq!(with(another), "-", "another service at a resolver's address");
    assert_eq!(with(|flow| (flow.ends.remote_port, flow.protocol) = (853, "ssh".into())), "-");
}

#[test]
fn a_resolver_outside_is_direct_where_one_inside_answered() {
    let name = FactName::DirectResolver;
    let inside = || at(1, dns("10.0.0.53", "a.example", &["198.51.100.9"]));
    let outside = || at(2, dns("8.8.8.8", "b.example", &[]));
    assert_eq!(after(vec![inside()], outside(), name), "10.0.0.53");
    assert_eq!(after(vec![], outside(), name), "-");
    assert_eq!(after(vec![inside()], at(2, dns("10.0.0.54", "b.example", &[])), name), "-");
}

#[test]
fn a_domain_is_new_after_an_hour_and_rare_by_its_last_label() {
    let first = || at(1, dns("10.0.0.53", "a.example.org", &[]));
    let later = |seconds, query: &str| at(seconds, dns("10.0.0.53", query, &[]));
    assert_eq!(after(vec![first()], later(3_700, "x.b.example.net"), FactName::NewDomain), "example.net");
    assert_eq!(after(vec![first()], later(3_700, "b.example.org"), FactName::NewDomain), "-");
    assert_eq!(after(vec![first()], later(60, "b.example.net"), FactName::NewDomain), "-");
    assert_eq!(after(vec![], later(1, "cheap.XYZ."), FactName::RareTopLevel), "xyz");
    assert_eq!(after(vec![], later(1, "a.example.org"), FactName::RareTopLevel), "-");
}

#[test]
fn addresses_that_serve_something_special_are_told() {
    let name = FactName::SpecialAddress;
    let to = |remote: &str| at(2, call(ConnectionOp::Connect, remote, 443, 0));
    assert_eq!(after(vec![], to("169.254.169.254"), name), "metadata");
    let answer = at(1, dns("10.96.0.10", "kubernetes.default.svc.cluster.local", &["10.96.0.1"]));
    assert_eq!(after(vec![answer], to("10.96.0.1"), name), "kubernetes");
    assert_eq!(after(vec![], to("10.96.0.1"), name), "-");
}

#[test]
fn what_is_on_a_list_is_told_with_list_indicator_and_kind() {
    let digest = "ab".repeat(32);
    let mut parameters = Parameters::default();
    let list = ["evil.example", "203.0.113.0/24", "bad/miner", &digest].map(str::to_owned);
    parameters.set_list("intel", "indicators", &list).unwrap();
    assert!(parameters.set_list("intel", "indicators", &["no indicator".to_owned()]).is_err());
    let mut analytics = analytics(parameters);
    let mut ask = |kind: Kind| {
        let mut event = at(1, kind);
        analytics.observe(&mut event, &mut Made::new());
        [FactName::IntelList, FactName::IntelIndicator, FactName::IntelKind]
            .map(|name| fact(&event, name))
            .join(" ")
    };
    assert_eq!(ask(dns("10.0.0.53", "w.evil.example", &[])), "strategies evil.example name");
    assert_eq!(ask(dns("10.0.0.53", "a.test", &["203.0.113.9"])), "strategies 203.0.113.0/24 network");
    assert_eq!(ask(call(ConnectionOp::Connect, "203.0.113.9", 80, 0)), "strategies 203.0.113.0/24 network");
    assert_eq!(ask(call(ConnectionOp::Close, "203.0.113.9", 80, 0)), "- - -");
    let mut named = flow("198.51.100.9", 443, [1, 1]);
    named.names.sni = "evil.example".into();
    assert_eq!(ask(of_flow(named)), "strategies evil.example name");
    let hash = FileHash { sha256: Some(digest.as_str().into()), ..FileHash::default() };
    assert_eq!(ask(Kind::FileHash(Box::new(hash))), format!("strategies {digest} sha256"));
    let record = Container { image: "docker.io/bad/miner:3".into(), ..Container::default() };
    let change = ContainerChange { record, ..ContainerChange::default() };
    assert_eq!(ask(Kind::Container(Box::new(change))), "strategies bad/miner image");
}
