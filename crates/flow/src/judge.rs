//! Payloads of one flow to a verdict and names, until the verdict is sure.
//!
//! A verdict is sure when both directions agree, or when one is certain and the other stays silent or says nothing
//! for a while; after [`MAX_PAYLOADS`] whatever there is counts. Then the payload is dropped and only counters go on.

use wire::identify::{self, MAX_KEPT_BYTES};
use wire::session::command_text;
use wire::tls::Carrier;
use wire::{Direction, Protocol, Transport, Verdict, http, rtp, socks, tls};

use crate::stream::Stream;
use crate::{Fact, Facts, Names};

/// Packets with payload after which the verdict stands. Captures of real protocols need 4; interactive sessions
/// that send one byte at a time need more.
pub(crate) const MAX_PAYLOADS: u8 = 24;
/// After this many, one certain direction is enough.
const ONE_SIDED_PAYLOADS: u8 = 4;
/// One direction is certain.
const CERTAIN: u8 = 90;
/// Both directions agree.
const AGREED: u8 = 95;
/// Both directions fit, neither is certain.
const BOTH_UNSURE: u8 = 80;
/// What a stream of RTP packets is worth: the header has no mark of its own, three in a row are one.
const RTP_CONFIDENCE: u8 = 85;
/// RTP packets of one source in a row.
const RTP_IN_A_ROW: u8 = 3;

/// Payload and thoughts about a flow whose verdict is open.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    to_server: Half,
    to_client: Half,
    payloads: u8,
    verdict: Option<Verdict>,
    /// How many payloads it took to the verdict.
    after: u8,
}

/// What one direction said.
#[derive(Debug, Default)]
struct Half {
    /// TCP: the first bytes. UDP: the first datagram, as far as it is kept.
    stream: Stream,
    /// UDP: the latest datagram.
    latest: Vec<u8>,
    rtp: Option<rtp::Header>,
    rtp_in_a_row: u8,
}

/// What is known when the judge is done.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) payloads_until_verdict: u8,
    pub(crate) names: Names,
    pub(crate) facts: Facts,
    /// What the client sent behind its handshake with a proxy before the verdict was sure.
    pub(crate) relayed: Vec<u8>,
}

impl Judge {
    /// The verdict or, where no protocol is recognised, the class so far.
    pub(crate) fn verdict(&self, transport: Transport) -> Verdict {
        let [to_server, to_client] =
            [&self.to_server, &self.to_client].map(|half| head(&half.stream.bytes));
        self.verdict.unwrap_or_else(|| match (to_server, to_client) {
            ([], []) => identify::judge(transport, to_server, to_client),
            _ => identify::classify(transport, to_server, to_client),
        })
    }

    /// The verdict so far.
    pub(crate) fn so_far(&self) -> Option<Verdict> {
        self.verdict
    }

    fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// The stream of `direction` begins at `sequence`.
    pub(crate) fn begin(&mut self, direction: Direction, sequence: u32) {
        self.half(direction).stream.begin(sequence);
    }

    /// Takes a segment; true if the verdict is sure.
    pub(crate) fn segment(&mut self, direction: Direction, sequence: u32, payload: &[u8]) -> bool {
        if payload.is_empty() {
            return false;
        }
        self.payloads = self.payloads.saturating_add(1);
        let added = self.half(direction).stream.take(sequence, payload);
        if added {
            self.weigh_streams();
        }
        self.is_sure(Transport::Tcp)
    }

    fn weigh_streams(&mut self) {
        let (to_server, to_client) = (&self.to_server.stream, &self.to_client.stream);
        let weigh = |to_server: &[u8], to_client: &[u8]| {
            identify::recognise(Transport::Tcp, head(to_server), head(to_client))
        };
        let mut verdict = weigh(&to_server.bytes, &to_client.bytes);
        // Where bytes were sent twice with different content, the receiver may have taken either.
        if verdict.is_none() && (to_server.other.is_some() || to_client.other.is_some()) {
            verdict = weigh(to_server.second_reading(), to_client.second_reading());
        }
        // Where both directions agreed once, more bytes behind the first message take nothing away.
        let agreed = self.verdict.filter(|old| old.confidence >= BOTH_UNSURE);
        self.settle(verdict.or(agreed));
    }

    /// Takes a datagram; true if the verdict is sure.
    pub(crate) fn datagram(&mut self, direction: Direction, payload: &[u8]) -> bool {
        if payload.is_empty() {
            return false;
        }
        self.payloads = self.payloads.saturating_add(1);
        let kept = payload.get(..MAX_KEPT_DATAGRAM_BYTES).unwrap_or(payload);
        let half = self.half(direction);
        if half.stream.bytes.is_empty() {
            half.stream.bytes.extend_from_slice(kept);
        }
        half.latest.clear();
        half.latest.extend_from_slice(kept);
        half.count_rtp(payload);
        let verdict = identify::recognise(Transport::Udp, &self.to_server.latest, &self.to_client.latest);
        let is_rtp = self.half(direction).rtp_in_a_row >= RTP_IN_A_ROW;
        // What has a mark of its own counts for more than the look of a header.
        let media = (is_rtp && self.verdict.is_none()).then_some(Verdict {
            protocol: Protocol::Rtp,
            confidence: RTP_CONFIDENCE,
            evidence: "RTP packets of one source in sequence",
            reversed: false,
        });
        // STUN opens the way for DTLS on the same ports, RFC 7983 §7: what it opened for is what the flow speaks.
        let opened = |old: &Verdict| {
            old.protocol == Protocol::Stun && verdict.is_some_and(|new| new.protocol == Protocol::Dtls)
        };
        self.verdict = self.verdict.filter(|old| !opened(old));
        let best = [self.verdict, verdict, media]
            .into_iter()
            .flatten()
            .reduce(|best, next| if next.confidence > best.confidence { next } else { best });
        self.settle(best);
        self.is_sure(Transport::Udp)
    }

    fn settle(&mut self, verdict: Option<Verdict>) {
        if verdict.map(|new| new.protocol) != self.verdict.map(|old| old.protocol) {
            self.after = self.payloads;
        }
        self.verdict = verdict;
    }

    fn is_sure(&self, transport: Transport) -> bool {
        if self.payloads >= MAX_PAYLOADS {
            return true;
        }
        let Some(verdict) = self.verdict else {
            return transport == Transport::Tcp
                && [&self.to_server, &self.to_client]
                    .iter()
                    .all(|half| half.stream.bytes.len() >= MAX_KEPT_BYTES);
        };
        match transport {
            Transport::Udp => verdict.confidence >= RTP_CONFIDENCE && verdict.protocol != Protocol::Stun,
            Transport::Tcp => {
                let certain = verdict.confidence >= AGREED
                    || verdict.confidence >= CERTAIN && self.payloads >= ONE_SIDED_PAYLOADS;
                certain && self.names_are_in(verdict)
            }
        }
    }

    /// The bytes of who speaks as the client.
    fn client(&self, verdict: Verdict) -> &Stream {
        if verdict.reversed { &self.to_client.stream } else { &self.to_server.stream }
    }

    /// True if more bytes would not name the flow better.
    fn names_are_in(&self, verdict: Verdict) -> bool {
        let client = self.client(verdict);
        if client.is_full() || client.bytes.is_empty() {
            return true;
        }
        match verdict.protocol {
            Protocol::Tls => {
                tls::client_hello(&client.bytes).map_or(true, |hello| hello.incomplete.is_none())
            }
            Protocol::Http | Protocol::Websocket => {
                http::head(&client.bytes).is_none_or(|head| head.complete)
            }
            _ => true,
        }
    }

    /// Bytes that the judge holds in memory beside itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        [&self.to_server, &self.to_client]
            .iter()
            .map(|half| half.stream.heap_bytes() + half.latest.capacity())
            .sum()
    }

    /// The last word.
    pub(crate) fn finish(mut self, transport: Transport) -> Judged {
        if transport == Transport::Tcp {
            let skipped = [self.to_server.stream.skip_gap(), self.to_client.stream.skip_gap()];
            if skipped.contains(&true) {
                self.weigh_streams();
            }
        }
        let (to_server, to_client) = (head(&self.to_server.stream.bytes), head(&self.to_client.stream.bytes));
        let after = if self.verdict.is_some() { self.after } else { 0 };
        let verdict = self.verdict(transport);
        let mut facts = self.to_server.stream.facts;
        facts.extend(self.to_client.stream.facts);
        let is_plain = matches!(verdict.protocol, Protocol::PlaintextInteractive | Protocol::Telnet);
        if is_plain && [to_server, to_client].into_iter().any(|side| command_text(side).is_some()) {
            facts.insert(Fact::ShellText);
        }
        let relayed = match verdict.protocol {
            Protocol::Socks => socks::behind(&self.client(verdict).bytes).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        Judged { verdict, payloads_until_verdict: after, names: self.names(verdict), facts, relayed }
    }

    fn names(&self, verdict: Verdict) -> Names {
        let client = self.client(verdict);
        match verdict.protocol {
            Protocol::Tls => tls_names(&client.bytes),
            Protocol::Http | Protocol::Websocket => {
                let Some(head) = http::head(&client.bytes) else { return Names::default() };
                let (host, agent) = (head.host.map(printable), head.agent.map(printable));
                Names { host, agent, ..Names::default() }
            }
            _ => Names::default(),
        }
    }
}

/// What a ClientHello at the begin of `bytes` names.
pub(crate) fn tls_names(bytes: &[u8]) -> Names {
    let Ok(hello) = tls::client_hello(bytes) else { return Names::default() };
    Names {
        ja4: hello.ja4(Carrier::Tcp).map(Into::into),
        sni: hello.server_name.map(Into::into),
        alpn: hello.alpn.first().map(|name| printable(name)),
        ..Names::default()
    }
}

/// Bytes kept of a datagram: what tells a QUIC Initial by its length.
const MAX_KEPT_DATAGRAM_BYTES: usize = 1200;
/// Characters kept of a name that a peer chose.
const MAX_NAME_BYTES: usize = 255;

impl Half {
    fn count_rtp(&mut self, payload: &[u8]) {
        let header = rtp::header(payload);
        if header.is_some() && header == self.rtp {
            return; // The same packet again, as a mirror port shows it.
        }
        let follows = match (self.rtp, header) {
            (Some(last), Some(next)) => next.follows(&last),
            _ => false,
        };
        self.rtp_in_a_row = match (header, follows) {
            (None, _) => 0,
            (Some(_), true) => self.rtp_in_a_row.saturating_add(1),
            (Some(_), false) => 1,
        };
        self.rtp = header;
    }
}

fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..MAX_KEPT_BYTES).unwrap_or(bytes)
}

fn printable(name: &[u8]) -> Box<str> {
    name.get(..MAX_NAME_BYTES).unwrap_or(name).escape_ascii().to_string().into()
}
