//! Flows: all packets of one connection or exchange of datagrams, as one record.

use super::Endpoints;
use crate::identity::WallTime;
use crate::text::is_default;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// How far a flow has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    /// It began.
    Begin,
    /// It goes on: counts are those so far.
    Update,
    /// It is over: counts are final.
    #[default]
    End,
}

impl FlowState {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            FlowState::Begin => "begin",
            FlowState::Update => "update",
            FlowState::End => "end",
        }
    }
}

/// What went one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowVolume {
    /// Packets.
    pub packets: u64,
    /// Bytes of payload.
    pub payload_bytes: u64,
    /// Bytes of IP packets, headers included.
    #[serde(skip_serializing_if = "is_default")]
    pub ip_bytes: u64,
    /// The largest payload of one packet.
    #[serde(skip_serializing_if = "is_default")]
    pub largest_payload_bytes: u32,
}

/// Names that packets of a flow gave, all of them claims of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowNames {
    /// The name whose DNS answer gave the opener this address.
    #[serde(skip_serializing_if = "is_default")]
    pub dns: CompactString,
    /// Server name of TLS.
    #[serde(skip_serializing_if = "is_default")]
    pub sni: CompactString,
    /// The first application protocol that TLS offers.
    #[serde(skip_serializing_if = "is_default")]
    pub alpn: CompactString,
    /// Fingerprint of the client's TLS.
    #[serde(skip_serializing_if = "is_default")]
    pub ja4: CompactString,
    /// Subject of the server's certificate.
    #[serde(skip_serializing_if = "is_default")]
    pub subject: CompactString,
    /// Issuer of the server's certificate.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer: CompactString,
    /// Host of HTTP.
    #[serde(skip_serializing_if = "is_default")]
    pub host: CompactString,
    /// User agent of HTTP.
    #[serde(skip_serializing_if = "is_default")]
    pub agent: CompactString,
}

/// A burst of payload inside a flow, behind at least half a second of silence.
///
/// In JSON the three numbers in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "[u32; 3]", into = "[u32; 3]")]
pub struct Heartbeat {
    /// From the begin of the burst before, in milliseconds; 0 for the first.
    pub gap_ms: u32,
    /// Payload bytes out until the next burst.
    pub bytes_out: u32,
    /// Payload bytes in until the next burst.
    pub bytes_in: u32,
}

impl From<[u32; 3]> for Heartbeat {
    fn from([gap_ms, bytes_out, bytes_in]: [u32; 3]) -> Self {
        Self { gap_ms, bytes_out, bytes_in }
    }
}

impl From<Heartbeat> for [u32; 3] {
    fn from(beat: Heartbeat) -> Self {
        [beat.gap_ms, beat.bytes_out, beat.bytes_in]
    }
}

/// One connection or exchange of datagrams. Out is from the own end, in is to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// How far it has come.
    pub state: FlowState,
    /// The two ends.
    pub ends: Endpoints,
    /// The own end opened it.
    pub initiated: bool,
    /// Joins it with the other events of the same flow: a socket cookie, or the number of the flow.
    #[serde(skip_serializing_if = "is_default")]
    pub cookie: u64,
    /// When it began.
    pub start: WallTime,
    /// From the first to the last packet, in nanoseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub duration_ns: u64,
    /// What went out.
    pub sent: FlowVolume,
    /// What came in.
    pub received: FlowVolume,
    /// Mean time between packets, in nanoseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub interval_ns: u64,
    /// Standard deviation of it, in nanoseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub interval_deviation_ns: u64,
    /// The longest silence, in nanoseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub longest_silence_ns: u64,
    /// Application protocol by content; empty where nothing was seen of it.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: CompactString,
    /// How sure the protocol is, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub confidence: u8,
    /// Why it is that protocol.
    #[serde(skip_serializing_if = "is_default")]
    pub evidence: CompactString,
    /// The protocol that took over in mid-stream.
    #[serde(skip_serializing_if = "is_default")]
    pub changed_to: CompactString,
    /// Names.
    #[serde(skip_serializing_if = "is_default")]
    pub names: FlowNames,
    /// How it behaved, as `protocol_on_foreign_port`.
    #[serde(skip_serializing_if = "is_default")]
    pub facts: Vec<CompactString>,
    /// The latest bursts of payload, oldest first, where they are small and the flow has lived for long.
    #[serde(skip_serializing_if = "is_default")]
    pub heartbeats: Vec<Heartbeat>,
    /// Why it ended: `closed`, `reset`, `idle`, `evicted`, `input`; empty while it goes on.
    #[serde(skip_serializing_if = "is_default")]
    pub end: CompactString,
}
