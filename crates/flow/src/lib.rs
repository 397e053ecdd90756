//! Packets with a time in, flows out.
//!
//! In: layer-3 packets in the order in which they were captured, each with its time in nanoseconds since 1970. Out:
//! one [`Flow`] per connection or exchange of datagrams, when it ends: who opened it, packets and bytes both ways,
//! timing, what it speaks ([`wire::identify`]), the names that belong to it, and [`Fact`]s about how it behaved.
//!
//! | module | holds |
//! |---|---|
//! | `table` | the flows that are open: index, idle ends, memory cap |
//! | `entry` | one open flow |
//! | `stream` | the first bytes of a TCP direction, put in order |
//! | `judge` | payloads to a verdict and names, until it is sure |
//! | `messages` | first messages to names, details and facts |
//! | `conversation` | the same for who has payloads without packets |
//! | `fragments` | parts of IP packets, joined |
//! | `names` | which name led a client to an address |
//! | `seen` | what one packet is to its flow, for who follows flows as they go |
//! | `record` | what is known of a flow, as events have it |
//!
//! A table shares nothing: run one per core, or one per capture. It reads no clock, so the same packets give the
//! same flows. Everything is bounded by [`Limits`] and by the constants at the head of each module; what a bound cost
//! is counted in [`Counts`].
//!
//! Left out on purpose: links and files (see `sense::capture`), transports other than TCP, UDP and ICMP, checksums,
//! and every judgement of what is suspicious.
#![forbid(unsafe_code)]

mod conversation;
mod detail;
mod entry;
mod fact;
mod fragments;
mod judge;
mod key;
mod messages;
mod names;
mod record;
pub mod reference;
mod seen;
mod stream;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use wire::{Protocol, Verdict};

pub use conversation::{Conversation, Said};
pub use detail::{Detail, Details};
pub use entry::{BYTES_PER_FLOW, facts_of_port};
pub use fact::{Fact, Facts};
pub use record::describe;
pub use seen::Seen;
pub use table::Table;

/// What a table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of open flows, with their index and the payload kept for judging. Above it the flow that has been idle
    /// longest, roughly, ends as [`End::Evicted`].
    pub max_bytes: usize,
    /// Seed of the index. A random one keeps an attacker from choosing addresses that collide; it changes no output.
    pub seed: u64,
}

impl Default for Limits {
    /// 256 MiB, which is about a million flows.
    fn default() -> Self {
        Self { max_bytes: 256 << 20, seed: 0 }
    }
}

/// What carries a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// A byte stream.
    Tcp,
    /// Datagrams.
    Udp,
    /// Control messages of IPv4 and IPv6; the ports are 0.
    Icmp,
}

impl From<wire::Transport> for Transport {
    fn from(transport: wire::Transport) -> Self {
        match transport {
            wire::Transport::Tcp => Self::Tcp,
            wire::Transport::Udp => Self::Udp,
        }
    }
}

impl Transport {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

/// An address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// The address; IPv4 stays IPv4.
    pub ip: IpAddr,
    /// The port; 0 for ICMP.
    pub port: u16,
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Packets.
    pub packets: u32,
    /// Bytes of IP packets, headers included.
    pub bytes: u64,
    /// Bytes of payload, retransmissions included.
    pub payload_bytes: u64,
    /// The largest payload of one packet.
    pub largest_payload_bytes: u16,
}

/// Times between one packet of the flow and the next, of either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Intervals {
    /// Mean, in seconds.
    pub mean_s: f64,
    /// Standard deviation over the flow's own packets, in seconds.
    pub deviation_s: f64,
    /// The longest silence, in seconds.
    pub longest_s: f64,
}

/// Names that belong to a flow. All come from packets and are hostile text, escaped to printable ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The name whose DNS answer gave the opener this address, last before the flow began.
    pub dns: Option<Box<str>>,
    /// The server name of TLS and QUIC.
    pub sni: Option<Box<str>>,
    /// The Host of HTTP.
    pub host: Option<Box<str>>,
    /// The first application protocol that the client of TLS or QUIC offers.
    pub alpn: Option<Box<str>>,
    /// The User-Agent of HTTP.
    pub agent: Option<Box<str>>,
    /// The fingerprint of the client's TLS or QUIC.
    pub ja4: Option<Box<str>>,
    /// What else the first messages say.
    pub details: Details,
}

impl Names {
    /// Bytes that these hold in memory beside themselves.
    pub(crate) fn heap_bytes(&self) -> usize {
        let names = [&self.dns, &self.sni, &self.host, &self.alpn, &self.agent, &self.ja4];
        names.into_iter().flatten().map(|name| name.len()).sum::<usize>() + self.details.heap_bytes()
    }
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// TCP: both sides said that they are done.
    Closed,
    /// TCP: reset.
    Reset,
    /// Nothing came for the transport's idle time.
    Idle,
    /// The memory cap.
    Evicted,
    /// The input ended.
    Input,
    /// It goes on: the record is the flow so far.
    Open,
}

impl End {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Idle => "idle",
            Self::Evicted => "evicted",
            Self::Input => "input",
            Self::Open => "open",
        }
    }
}

/// One connection or exchange of datagrams.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// In the order of first packets, from 0.
    pub number: u64,
    /// What carries it.
    pub transport: Transport,
    /// Who opened it.
    pub opener: Endpoint,
    /// Who was asked.
    pub listener: Endpoint,
    /// Nanoseconds since 1970 of the first packet.
    pub first_ns: u64,
    /// Nanoseconds since 1970 of the last packet.
    pub last_ns: u64,
    /// From the opener.
    pub sent: Volume,
    /// To the opener.
    pub received: Volume,
    /// Timing.
    pub intervals: Intervals,
    /// What it speaks.
    pub verdict: Verdict,
    /// How many packets with payload it took until the verdict named this protocol; 0 for a class.
    pub payloads_until_verdict: u8,
    /// The protocol that took over in mid-stream.
    pub changed_to: Option<Protocol>,
    /// Names.
    pub names: Names,
    /// How it behaved.
    pub facts: Facts,
    /// Why it ended.
    pub end: End,
}

/// What a table has seen and what its bounds cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets given.
    pub packets: u64,
    /// Packets that became part of a flow.
    pub in_flows: u64,
    /// Packets of other transports than TCP, UDP and ICMP.
    pub other_transports: u64,
    /// Packets whose headers are cut or malformed.
    pub unreadable: u64,
    /// Fragments that were kept for joining or given up.
    pub fragments: u64,
    /// Packets that were joined from fragments.
    pub joined: u64,
    /// Fragments that never made a packet: parts missing, or no room.
    pub fragments_lost: u64,
    /// Tunnels inside tunnels beyond the depth that is followed.
    pub tunnels_too_deep: u64,
    /// Flows that began.
    pub flows: u64,
    /// Flows that the memory cap ended.
    pub evicted: u64,
}
