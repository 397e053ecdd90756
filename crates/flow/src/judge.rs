//! Payloads of one flow to a verdict and names, until the verdict is sure.
//!
//! A verdict is sure when both directions agree, or when one is certain and the other stays silent or says nothing
//! for a while; after [`MAX_PAYLOADS`] whatever there is counts. What the messages say is awaited a little longer
//! (`messages`). Then the payload is dropped and only counters go on.

use wire::identify::{self, MAX_KEPT_BYTES};
use wire::session::command_text;
use wire::tls::Carrier;
use wire::{Direction, Protocol, Transport, Verdict, http, quic, rtp, socks, tls};

use crate::messages::{self, Told};
use crate::stream::Stream;
use crate::{Fact, Facts, Names};

/// Packets with payload after which the verdict stands. Captures of real protocols need 4; interactive sessions
/// that send one byte at a time need more.
pub(crate) const MAX_PAYLOADS: u8 = 24;
/// After this many, one certain direction is enough.
const ONE_SIDED_PAYLOADS: u8 = 4;
/// One direction is certain.
const CERTAIN: u8 = 90;
/// After so many payloads without a protocol none is expected: of datagrams, but for media, whose header proves itself only
/// in a row; of streams with so many bytes each way, fewer of which a person types.
const UNNAMED_PAYLOADS: u8 = 10;
const ENOUGH_BYTES: usize = 128;
/// One direction is certain and the other denies it.
const CONTRADICTED: u8 = 65;
/// Both directions agree.
const AGREED: u8 = 95;
/// Both directions fit, neither is certain.
const BOTH_UNSURE: u8 = 80;
/// What a stream of RTP packets is worth: the header has no mark of its own, three in a row are one.
const RTP_CONFIDENCE: u8 = 85;
/// Datagrams of a flow after which a client's hello that is not whole is left as it is: two with a post-quantum key share,
/// sent again, and the server's answers between.
const MAX_QUIC_PAYLOADS: u8 = 8;
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
    quic: Option<Box<quic::Client>>,
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
        let [to_server, to_client] = [&self.to_server, &self.to_client].map(|half| head(&half.stream.bytes));
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
        // Where both directions agree, only messages are awaited.
        if added && self.verdict.is_none_or(|verdict| verdict.confidence < AGREED) {
            self.weigh_streams();
        }
        self.is_sure(Transport::Tcp)
    }

    fn weigh_streams(&mut self) {
        let (to_server, to_client) = (&self.to_server.stream, &self.to_client.stream);
        let weigh = |to_server: &[u8], to_client: &[u8]| {
            identify::recognise(Transport::Tcp, head(to_server), head(to_client))
        };
        let mut verdict = self
            .verdict
            .filter(|known| known.confidence >= CERTAIN && !known.reversed)
            .and_then(|known| {
                let (to_server, to_client) = (head(&to_server.bytes), head(&to_client.bytes));
                identify::confirm(known.protocol, Transport::Tcp, to_server, to_client)
            })
            .or_else(|| weigh(&to_server.bytes, &to_client.bytes));
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
        let (to_server, to_client) = match direction {
            Direction::ToServer => (kept, self.to_client.latest.as_slice()),
            Direction::ToClient => (self.to_server.latest.as_slice(), kept),
        };
        let seen = identify::recognise(Transport::Udp, to_server, to_client);
        let media = self.media(direction, payload);
        let best = [self.verdict, seen, media]
            .into_iter()
            .flatten()
            .reduce(|best, next| if outweighs(&next, &best) { next } else { best });
        self.settle(best);
        self.open_quic(direction, payload);
        let sure = self.is_sure(Transport::Udp);
        if !sure {
            self.half(direction).keep(kept);
        }
        sure
    }

    /// Media, if the datagram is one of several RTP packets of a source in a row.
    fn media(&mut self, direction: Direction, payload: &[u8]) -> Option<Verdict> {
        let protocol = self.verdict.map(|verdict| verdict.protocol);
        let beside_stun = protocol == Some(Protocol::Stun);
        let half = self.half(direction);
        half.count_rtp(payload, beside_stun);
        // What has a mark of its own counts for more than the look of a header.
        let is_open = protocol.is_none() || beside_stun;
        (is_open && half.rtp_in_a_row >= RTP_IN_A_ROW).then_some(Verdict {
            protocol: Protocol::Rtp,
            confidence: RTP_CONFIDENCE,
            evidence: "RTP packets of one source in sequence",
            reversed: false,
        })
    }

    /// Collects the client's hello from a datagram of QUIC.
    fn open_quic(&mut self, direction: Direction, payload: &[u8]) {
        let Some(verdict) = self.verdict.filter(|verdict| verdict.protocol == Protocol::Quic) else { return };
        if (direction == Direction::ToClient) == verdict.reversed {
            self.quic.get_or_insert_default().take(payload);
        }
    }

    /// True if no more datagrams would tell more about a client of QUIC.
    fn is_quic_hello_over(&self) -> bool {
        self.quic.as_ref().is_none_or(|client| {
            !client.is_opened()
                || client.is_over()
                || self.payloads >= MAX_QUIC_PAYLOADS
                || tls::client_hello_message(client.handshake()).is_ok_and(|hello| hello.incomplete.is_none())
        })
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
        let Some(verdict) = self.verdict else { return self.is_hopeless(transport) };
        match transport {
            Transport::Udp => {
                verdict.confidence >= RTP_CONFIDENCE
                    && verdict.protocol != Protocol::Stun
                    && self.is_quic_hello_over()
            }
            Transport::Tcp => {
                let certain = verdict.confidence >= AGREED
                    || verdict.confidence >= CERTAIN && self.payloads >= ONE_SIDED_PAYLOADS;
                certain && self.messages_are_in(verdict)
            }
        }
    }

    /// True if no protocol was recognised and none will be.
    fn is_hopeless(&self, transport: Transport) -> bool {
        let halves = [&self.to_server, &self.to_client];
        let all = |is: fn(&Half) -> bool| halves.iter().all(|half| is(half));
        match transport {
            Transport::Tcp => {
                all(|half| half.stream.bytes.len() >= MAX_KEPT_BYTES)
                    || self.payloads >= UNNAMED_PAYLOADS
                        && all(|half| half.stream.bytes.is_empty() || half.stream.bytes.len() >= ENOUGH_BYTES)
            }
            Transport::Udp => {
                self.payloads >= UNNAMED_PAYLOADS && halves.iter().all(|half| half.rtp_in_a_row == 0)
            }
        }
    }

    /// The bytes of who speaks as the client, and of who speaks as the server.
    fn sides(&self, verdict: Verdict) -> (&Stream, &Stream) {
        let (to_server, to_client) = (&self.to_server.stream, &self.to_client.stream);
        if verdict.reversed { (to_client, to_server) } else { (to_server, to_client) }
    }

    /// True if more bytes would not say more about the flow.
    fn messages_are_in(&self, verdict: Verdict) -> bool {
        let (client, server) = self.sides(verdict);
        client.is_full()
            || client.bytes.is_empty()
            || server.is_full()
            || messages::are_in(verdict.protocol, &client.bytes, &server.bytes)
    }

    /// Bytes that the judge holds in memory beside itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        [&self.to_server, &self.to_client]
            .iter()
            .map(|half| half.stream.heap_bytes() + half.latest.capacity())
            .sum::<usize>()
            + self.quic.as_ref().map_or(0, |client| size_of::<quic::Client>() + client.heap_bytes())
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
        // Also where one side bears a protocol's mark and the other denies it: first bytes can be put in front of anything.
        let is_plain = matches!(verdict.protocol, Protocol::PlaintextInteractive | Protocol::Telnet)
            || transport == Transport::Tcp && verdict.confidence == CONTRADICTED;
        if is_plain && [to_server, to_client].into_iter().any(|side| command_text(side).is_some()) {
            facts.insert(Fact::ShellText);
        }
        let said = self.said(verdict);
        facts.extend(said.facts);
        let relayed = match verdict.protocol {
            Protocol::Socks => socks::behind(&self.sides(verdict).0.bytes).unwrap_or_default().to_vec(),
            _ => said.behind,
        };
        let verdict = self.upgraded(verdict);
        Judged { verdict, payloads_until_verdict: after, names: said.names, facts, relayed }
    }

    fn said(&self, verdict: Verdict) -> Told {
        if verdict.protocol == Protocol::Quic {
            let hello = self.quic.as_ref().map(|client| tls::client_hello_message(client.handshake()));
            let names = hello.and_then(Result::ok).map(|hello| messages::hello_names(hello, Carrier::Quic));
            return Told { names: names.unwrap_or_default(), ..Told::default() };
        }
        let (client, server) = self.sides(verdict);
        messages::read(verdict.protocol, &client.bytes, &server.bytes)
    }

    /// HTTP whose heads agree to go on as WebSocket, RFC 6455 §4.2.2, beyond the bytes that are judged.
    fn upgraded(&self, verdict: Verdict) -> Verdict {
        let is_wanted = |head: http::Head<'_>| {
            head.upgrade.is_some_and(|wanted| wanted.eq_ignore_ascii_case(b"websocket"))
        };
        let (client, server) = self.sides(verdict);
        let is_upgraded = verdict.protocol == Protocol::Http
            && server.bytes.get(8..13) == Some(b" 101 ")
            && http::head(&client.bytes).is_some_and(is_wanted)
            && http::head(&server.bytes).is_some_and(is_wanted);
        if is_upgraded {
            let evidence = "HTTP upgrade to WebSocket";
            return Verdict { protocol: Protocol::Websocket, evidence, ..verdict };
        }
        verdict
    }
}

/// Whether a verdict takes the place of another. STUN opens the way for DTLS and media on the same ports, RFC 7983 §7: what
/// it opened for is what the flow speaks, whichever is surer.
fn outweighs(next: &Verdict, best: &Verdict) -> bool {
    let is_opened_for = |verdict: &Verdict| matches!(verdict.protocol, Protocol::Dtls | Protocol::Rtp);
    match (best.protocol, next.protocol) {
        (Protocol::Stun, _) if is_opened_for(next) => true,
        (_, Protocol::Stun) if is_opened_for(best) => false,
        _ => next.confidence > best.confidence,
    }
}

/// Bytes kept of a datagram: what tells a QUIC Initial by its length.
const MAX_KEPT_DATAGRAM_BYTES: usize = 1200;

impl Half {
    /// Keeps what may still be asked about: the first datagram and the latest.
    fn keep(&mut self, datagram: &[u8]) {
        if self.stream.bytes.is_empty() {
            self.stream.bytes.extend_from_slice(datagram);
        }
        self.latest.clear();
        self.latest.extend_from_slice(datagram);
    }

    /// Beside STUN, what is no RTP interrupts nothing: its checks and RTCP's reports go on between the media.
    fn count_rtp(&mut self, payload: &[u8], beside_stun: bool) {
        let header = rtp::header(payload);
        if header.is_some() && header == self.rtp {
            return; // The same packet again, as a mirror port shows it.
        }
        if header.is_none() && beside_stun {
            return;
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
