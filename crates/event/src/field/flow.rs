//! Flows and requests of HTTP as fields.

use super::read::{compact, strings, text, unsigned};
use super::{Field, Value};
use crate::network::{Flow, Http};

const NS_PER_MS: u64 = 1_000_000;

pub(super) fn of_flow(flow: &Flow, field: Field) -> Value<'_> {
    let Flow { sent, received, names, .. } = flow;
    match field {
        Field::NetworkBytesOut => unsigned(sent.payload_bytes),
        Field::NetworkBytesIn => unsigned(received.payload_bytes),
        Field::NetworkPacketsOut => unsigned(sent.packets),
        Field::NetworkPacketsIn => unsigned(received.packets),
        Field::NetworkIpBytesOut => unsigned(sent.ip_bytes),
        Field::NetworkIpBytesIn => unsigned(received.ip_bytes),
        Field::NetworkLargestOut => Value::Int(sent.largest_payload_bytes.into()),
        Field::NetworkLargestIn => Value::Int(received.largest_payload_bytes.into()),
        Field::NetworkStart => unsigned(flow.start.as_millis()),
        Field::NetworkDuration => unsigned(flow.duration_ns / NS_PER_MS),
        Field::NetworkInterval => unsigned(flow.interval_ns / NS_PER_MS),
        Field::NetworkIntervalDeviation => unsigned(flow.interval_deviation_ns / NS_PER_MS),
        Field::NetworkLongestSilence => unsigned(flow.longest_silence_ns / NS_PER_MS),
        Field::NetworkProtocol => compact(&flow.protocol),
        Field::NetworkConfidence if !flow.protocol.is_empty() => Value::Int(flow.confidence.into()),
        Field::NetworkEvidence => compact(&flow.evidence),
        Field::NetworkChangedTo => compact(&flow.changed_to),
        Field::NetworkFacts => strings(&flow.facts),
        Field::NetworkEnd => compact(&flow.end),
        Field::TlsSni => compact(&names.sni),
        Field::TlsAlpn => compact(&names.alpn),
        Field::TlsJa4 => compact(&names.ja4),
        Field::TlsSubject => compact(&names.subject),
        Field::TlsIssuer => compact(&names.issuer),
        Field::HttpHost => compact(&names.host),
        Field::HttpAgent => compact(&names.agent),
        _ => Value::Absent,
    }
}

pub(super) fn of_http(http: &Http, field: Field) -> Value<'_> {
    let part = |part| if str::is_empty(part) { Value::Absent } else { Value::Str(part) };
    match field {
        Field::HttpMethod => compact(&http.method),
        Field::HttpHost => text(&http.host),
        Field::HttpTarget => text(&http.target),
        Field::HttpPath => part(http.path()),
        Field::HttpQuery => part(http.query()),
        Field::HttpExtension => part(http.extension()),
        Field::HttpAgent => text(&http.agent),
        Field::HttpReferrer => text(&http.referrer),
        Field::HttpStatus if http.status != 0 => Value::Int(http.status.into()),
        Field::HttpMediaType => compact(&http.media_type),
        _ => Value::Absent,
    }
}
