//! Records to events.

use event::network::{
    Connection, ConnectionOp, Direction, Dns, Endpoints, Flow, FlowNames, FlowState, FlowVolume, Http,
    Transport,
};
use event::{Kind, Text, WallTime};
use flow::facts_of_port;
use wire::{Protocol, Verdict};

use super::record::{self, Conn, Head, Record};
use crate::ends::{ends, ends_of};

/// What Zeek's own word on a protocol is worth: it names one only after both sides spoke it.
const CONFIDENCE: u8 = 95;
const EVIDENCE: &str = "Zeek's analyzer";
const ECONNREFUSED: i32 = -111;
const ETIMEDOUT: i32 = -110;

/// The events of a record with their times; `names` are those that other logs gave to a connection.
pub(super) fn events(record: &Record, names: FlowNames) -> Vec<(u64, Kind)> {
    match record {
        Record::Conn(conn) => of_conn(conn, names),
        Record::Dns(dns) => of_dns(dns),
        Record::Ssl(ssl) => {
            let protocol = Protocol::Tls;
            let flow = flow(&ssl.head, FlowState::Begin, Some(protocol), ssl.names());
            vec![(ssl.head.time_ns, Kind::Flow(Box::new(flow)))]
        }
        Record::Http(http) => vec![(http.head.time_ns, Kind::Http(Box::new(of_http(http))))],
    }
}

/// The ends, and whether the own one opened.
fn sides(head: &Head) -> (Endpoints, bool) {
    match head.initiated {
        Some(initiated) => ends_of(head.transport, head.originator, head.responder, initiated),
        None => ends(head.transport, head.originator, head.responder),
    }
}

fn flow(head: &Head, state: FlowState, protocol: Option<Protocol>, names: FlowNames) -> Flow {
    let (ends, initiated) = sides(head);
    let verdict = protocol.map(|protocol| Verdict {
        protocol,
        confidence: CONFIDENCE,
        evidence: EVIDENCE,
        reversed: false,
    });
    let transport = match head.transport {
        Transport::Tcp => Some(flow::Transport::Tcp),
        Transport::Udp => Some(flow::Transport::Udp),
        Transport::Icmp | Transport::Other => None,
    };
    let facts = verdict.zip(transport).map(|(verdict, transport)| {
        facts_of_port(transport, head.responder.1, verdict).iter().map(|fact| fact.as_str().into()).collect()
    });
    Flow {
        state,
        ends,
        initiated,
        cookie: head.uid,
        start: WallTime(head.time_ns),
        protocol: protocol.map_or("", Protocol::as_str).into(),
        confidence: verdict.map_or(0, |verdict| verdict.confidence),
        evidence: verdict.map_or("", |verdict| verdict.evidence).into(),
        names,
        facts: facts.unwrap_or_default(),
        ..Flow::default()
    }
}

fn of_conn(conn: &Conn, names: FlowNames) -> Vec<(u64, Kind)> {
    let head = &conn.head;
    let end_ns = head.time_ns.saturating_add(conn.duration_ns);
    let flow = flow(head, FlowState::End, protocol(&conn.service), names);
    let (out, back) =
        if flow.initiated { (conn.originated, conn.responded) } else { (conn.responded, conn.originated) };
    let volume = |[payload_bytes, packets, ip_bytes]: [u64; 3]| FlowVolume {
        packets,
        payload_bytes,
        ip_bytes,
        ..FlowVolume::default()
    };
    let flow = Flow {
        duration_ns: conn.duration_ns,
        sent: volume(out),
        received: volume(back),
        end: ending(&conn.state).into(),
        ..flow
    };
    let mut events: Vec<_> = openings(conn, flow.initiated)
        .map(|(op, result)| (head.time_ns, Connection { op, result, ..Connection::default() }))
        .collect();
    if head.transport == Transport::Tcp && answer(&conn.state) == Some(0) {
        let (bytes_out, bytes_in) = (flow.sent.payload_bytes, flow.received.payload_bytes);
        let op = ConnectionOp::Close;
        events.push((end_ns, Connection { op, bytes_out, bytes_in, ..Connection::default() }));
    }
    let of_flow = |connection| Connection { ends: flow.ends, cookie: head.uid, ..connection };
    let connections = events.into_iter().map(|(ns, one)| (ns, Kind::Connection(Box::new(of_flow(one)))));
    let mut events: Vec<_> = connections.collect();
    events.push((end_ns, Kind::Flow(Box::new(flow))));
    events
}

/// What the kernel would tell of the opening, with its results.
fn openings(conn: &Conn, initiated: bool) -> impl Iterator<Item = (ConnectionOp, i32)> {
    let answer = answer(&conn.state);
    let connect = Some((ConnectionOp::Connect, 0));
    let (first, second) = match (conn.head.transport, initiated) {
        (Transport::Tcp, true) => (connect, answer.map(|result| (ConnectionOp::Connected, result))),
        (Transport::Tcp, false) if answer == Some(0) => (Some((ConnectionOp::Accept, 0)), None),
        (Transport::Udp, true) => (connect, None),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

/// What came of the opening of a TCP connection; `None` where the log does not say.
fn answer(state: &str) -> Option<i32> {
    match state {
        "S1" | "S2" | "S3" | "SF" | "RSTO" | "RSTR" => Some(0),
        "REJ" => Some(ECONNREFUSED),
        "S0" => Some(ETIMEDOUT),
        _ => None,
    }
}

fn ending(state: &str) -> &'static str {
    match state {
        "SF" => "closed",
        "REJ" | "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" => "reset",
        _ => "idle",
    }
}

/// The protocol that Zeek's service means; of several the last, which runs inside the others.
fn protocol(service: &str) -> Option<Protocol> {
    service.split(',').rev().find_map(|name| {
        let name = match name.trim().trim_start_matches('-') {
            "ssl" => "tls",
            "krb" | "krb_tcp" => "kerberos",
            "rfb" => "vnc",
            "ldap_tcp" | "ldap_udp" => "ldap",
            "postgresql" => "postgresql",
            name => name,
        };
        name.parse().ok()
    })
}

fn of_dns(dns: &record::Dns) -> Vec<(u64, Kind)> {
    let (ends, initiated) = sides(&dns.head);
    let (asked, answered) =
        if initiated { (Direction::Out, Direction::In) } else { (Direction::In, Direction::Out) };
    let query = Dns {
        ends,
        cookie: dns.head.uid,
        direction: asked,
        id: dns.id,
        query: dns.query.clone(),
        record_type: dns.record_type.clone(),
        reserved: dns.reserved,
        ..Dns::default()
    };
    let response = dns.rcode.map(|rcode| Dns {
        direction: answered,
        response: true,
        rcode,
        answers: dns.answers.clone(),
        addresses: dns.answers.iter().filter_map(|answer| answer.parse().ok()).collect(),
        ..query.clone()
    });
    let time_ns = dns.head.time_ns;
    let mut events = vec![(time_ns, Kind::Dns(Box::new(query)))];
    if let Some(response) = response {
        events.push((time_ns.saturating_add(dns.rtt_ns), Kind::Dns(Box::new(response))));
    }
    events
}

fn of_http(http: &record::Http) -> Http {
    let (ends, initiated) = sides(&http.head);
    Http {
        ends,
        initiated,
        cookie: http.head.uid,
        method: http.method.clone(),
        host: Text::claimed(http.host.clone()),
        target: Text::claimed(http.uri.clone()),
        agent: Text::claimed(http.agent.clone()),
        referrer: Text::claimed(http.referrer.clone()),
        status: http.status,
        media_type: http.media_type.clone(),
    }
}
