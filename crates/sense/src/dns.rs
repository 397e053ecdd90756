//! DNS messages in payloads, of whatever sensor.
//!
//! In: the payload of a packet with its ends. Out: the message as an event has it. Left out on purpose: multicast DNS
//! and its kin, and the second and later messages of a TCP stream.

use std::net::IpAddr;

use event::network::{Dns, Payload, Transport};
use wire::dns::{self, Frame, RecordData};

const DNS_PORT: u16 = 53;
/// Multicast DNS, link-local name resolution and NetBIOS share the form of DNS and are not it.
const NOT_DNS_PORTS: [u16; 3] = [5353, 5355, 137];
/// Answers kept of one message.
const ANSWER_LIMIT: usize = 64;

/// A DNS message by its port, or by its form: a container's query to Docker's own resolver is sent to a port
/// that Docker chose before it can be seen.
pub(crate) fn message(payload: &Payload) -> Option<Dns> {
    let ports = [payload.ends.local_port, payload.ends.remote_port];
    if ports.iter().any(|p| NOT_DNS_PORTS.contains(p)) {
        return None;
    }
    let by_port = ports.contains(&DNS_PORT);
    let bytes = match payload.ends.transport {
        Transport::Udp if by_port || is_dns_by_form(&payload.bytes) => &*payload.bytes,
        Transport::Tcp if by_port && payload.offset == 0 => match dns::split_frame(&payload.bytes) {
            Frame::Whole { message, .. } | Frame::Partial { message, .. } => message,
        },
        _ => return None,
    };
    let message = dns::parse(bytes).ok()?;
    let question = message.questions.first()?;
    let answers = || message.answers.iter().take(ANSWER_LIMIT);
    Some(Dns {
        ends: payload.ends,
        cookie: payload.cookie,
        direction: payload.direction,
        response: message.header.is_response(),
        id: message.header.id,
        query: question.name.as_str().into(),
        record_type: question.rtype.name().into(),
        rcode: message.header.rcode(),
        reserved: message.header.reserved(),
        answers: answers().map(|a| shown(&a.data).into()).collect(),
        addresses: answers()
            .filter_map(|a| match a.data {
                RecordData::A(ip) => Some(IpAddr::V4(ip)),
                RecordData::Aaaa(ip) => Some(IpAddr::V6(ip)),
                _ => None,
            })
            .collect(),
        len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    })
}

fn is_dns_by_form(bytes: &[u8]) -> bool {
    [wire::Direction::ToServer, wire::Direction::ToClient]
        .into_iter()
        .any(|direction| matches!(dns::probe(bytes, direction), wire::Probe::Certain(_)))
}

fn shown(data: &RecordData<'_>) -> String {
    match data {
        RecordData::A(ip) => ip.to_string(),
        RecordData::Aaaa(ip) => ip.to_string(),
        RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => name.clone(),
        RecordData::Mx { preference, exchange } => format!("{preference} {exchange}"),
        RecordData::Txt(strings) => {
            strings.iter().map(|s| s.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
        }
        RecordData::Srv { priority, weight, port, target } => format!("{priority} {weight} {port} {target}"),
        RecordData::Soa { primary, mailbox, serial } => format!("{primary} {mailbox} {serial}"),
        RecordData::Svcb { priority, target, .. } => format!("{priority} {target}"),
        RecordData::Raw(bytes) => format!("\\# {}", bytes.len()),
    }
}
