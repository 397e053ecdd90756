//! One open flow: counters always, payload only until the verdict is sure.

use wire::packet::TcpFlags;
use wire::{Direction, Protocol, Verdict, http, icmp, ports};

use crate::judge::{Judge, Judged};
use crate::key::{Address, Key, Side};
use crate::messages;
use crate::{End, Fact, Facts, Flow, Intervals, Names, Transport, Volume};

/// Bytes of a flow whose verdict is in: the entry, its place in the wheel and its share of an index that is at its
/// emptiest, half full. Names come on top; most flows have none, or one of some 20 bytes.
pub const BYTES_PER_FLOW: usize = size_of::<Option<Entry>>() + size_of::<u32>() + 2 * (size_of::<u32>() + 1);

/// A packet of a flow, as the entry needs it.
pub(crate) struct Part<'a> {
    pub(crate) time_ns: u64,
    /// The IP packet's length.
    pub(crate) len_bytes: usize,
    pub(crate) payload: &'a [u8],
    pub(crate) tcp_flags: TcpFlags,
    pub(crate) sequence: u32,
    pub(crate) facts: Facts,
}

/// What TCP showed of its opening and end.
#[derive(Clone, Copy, Debug, Default)]
struct Phase(u8);

impl Phase {
    const OPENING_SEEN: u8 = 1;
    const FIN_SENT: u8 = 2;
    const FIN_RECEIVED: u8 = 4;
    const RESET: u8 = 8;
    const SENT_BEGAN: u8 = 16;
    const RECEIVED_BEGAN: u8 = 32;

    fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }

    fn set(&mut self, bits: u8) {
        self.0 |= bits;
    }
}

/// An open flow.
#[derive(Debug)]
pub(crate) struct Entry {
    key: Key,
    number: u64,
    first_ns: u64,
    last_ns: u64,
    sent: Volume,
    received: Volume,
    /// Sum of squares of the times between packets, in seconds.
    squares: f64,
    longest_s: f32,
    /// TCP: where each direction goes on, once the judge is gone. ICMP: number and hash of the latest echo request.
    next: [u32; 2],
    verdict: Verdict,
    judge: Option<Box<Judge>>,
    names: Option<Box<Names>>,
    /// Bytes of the names, with their box.
    names_bytes: u32,
    facts: Facts,
    opener: Side,
    phase: Phase,
    payloads_until_verdict: u8,
    changed_to: Option<Protocol>,
    /// Set by a packet, cleared when the wheel looks.
    pub(crate) active: bool,
}

impl Entry {
    /// Begins with its first packet, which [`Self::add`] must still be given.
    pub(crate) fn new(number: u64, key: Key, sender: Side, part: &Part<'_>) -> Self {
        let mut entry = Self {
            key,
            number,
            first_ns: part.time_ns,
            last_ns: part.time_ns,
            sent: Volume::default(),
            received: Volume::default(),
            squares: 0.0,
            longest_s: 0.0,
            next: [0; 2],
            verdict: ICMP_VERDICT,
            judge: None,
            names: None,
            names_bytes: 0,
            facts: Facts::default(),
            opener: sender,
            phase: Phase::default(),
            payloads_until_verdict: 0,
            changed_to: None,
            active: true,
        };
        match key.transport() {
            Transport::Tcp => entry.open_tcp(sender, part.tcp_flags),
            Transport::Udp => {}
            Transport::Icmp => return entry,
        }
        entry.judge = Some(Box::default());
        entry
    }

    fn open_tcp(&mut self, sender: Side, flags: TcpFlags) {
        let (syn, ack) = (flags.contains(TcpFlags::SYN), flags.contains(TcpFlags::ACK));
        match (syn, ack) {
            (true, false) => self.phase.set(Phase::OPENING_SEEN),
            (true, true) => self.opener = sender.other(),
            (false, _) => {
                self.facts.insert(Fact::OpeningNotSeen);
                let assigned =
                    |side| ports::is_registered_port(self.key.port(side), wire::Transport::Tcp).is_some();
                if assigned(sender) && !assigned(sender.other()) {
                    self.opener = sender.other();
                }
            }
        }
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn last_ns(&self) -> u64 {
        self.last_ns
    }

    /// The opener's and the listener's address.
    pub(crate) fn addresses(&self) -> (Address, Address) {
        (self.key.address(self.opener), self.key.address(self.opener.other()))
    }

    /// Remembers the name that led here.
    pub(crate) fn set_dns_name(&mut self, name: &str) {
        self.add_names(Names { dns: Some(name.into()), ..Names::default() });
    }

    pub(crate) fn direction(&self, sender: Side) -> Direction {
        if sender == self.opener { Direction::ToServer } else { Direction::ToClient }
    }

    /// True when both sides said that they are done, or one reset.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase.has(Phase::RESET) || self.phase.has(Phase::FIN_SENT | Phase::FIN_RECEIVED)
    }

    /// True for TCP whose opening was not finished.
    pub(crate) fn is_half_open(&self) -> bool {
        self.sent.packets == 0 || self.received.packets == 0
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.verdict.protocol
    }

    /// True while payload is read for a verdict.
    pub(crate) fn is_judged_still(&self) -> bool {
        self.judge.is_some()
    }

    /// Counts of what went `direction` so far.
    pub(crate) fn volume(&self, direction: Direction) -> &Volume {
        match direction {
            Direction::ToServer => &self.sent,
            Direction::ToClient => &self.received,
        }
    }

    /// Nanoseconds since 1970 of the first packet.
    pub(crate) fn first_ns(&self) -> u64 {
        self.first_ns
    }

    pub(crate) fn facts(&self) -> Facts {
        self.facts
    }

    pub(crate) fn opener(&self) -> Side {
        self.opener
    }

    /// Bytes beside the entry itself.
    #[inline]
    pub(crate) fn heap_bytes(&self) -> usize {
        let judge = self.judge.as_ref().map_or(0, |judge| size_of::<Judge>() + judge.heap_bytes());
        judge + usize::try_from(self.names_bytes).unwrap_or(usize::MAX)
    }

    /// Counts a packet and reads its payload while the verdict is open.
    pub(crate) fn add(&mut self, sender: Side, part: &Part<'_>) {
        let direction = self.direction(sender);
        self.count(direction, part);
        self.facts.extend(part.facts);
        match self.key.transport() {
            Transport::Tcp => self.add_segment(direction, part),
            Transport::Udp => {
                if self.judge.as_mut().is_some_and(|judge| judge.datagram(direction, part.payload)) {
                    self.conclude();
                }
            }
            Transport::Icmp => self.add_echo(part.payload),
        }
    }

    /// Looks into the data of an echo. Each request's data is remembered by its hash, until the next.
    fn add_echo(&mut self, message: &[u8]) {
        let is_v6 = self.key.endpoint(Side::Low).ip.is_ipv6();
        let Some(echo) = icmp::echo(message, is_v6) else { return };
        if !echo.is_usual() {
            self.facts.insert(Fact::UnusualEcho);
        }
        let sequence = u32::from(echo.sequence) | ECHO_SEEN;
        let hash = short_hash(echo.data);
        let [known_sequence, known_hash] = self.next;
        if !echo.is_reply {
            self.next = [sequence, hash];
        } else if known_sequence == sequence && known_hash != hash {
            self.facts.insert(Fact::EchoDiffers);
        }
    }

    fn count(&mut self, direction: Direction, part: &Part<'_>) {
        if self.sent.packets + self.received.packets > 0 {
            // Captures of several interfaces are not strictly in order: time never goes back here.
            let interval_ns = part.time_ns.saturating_sub(self.last_ns);
            let interval_s = interval_ns as f64 / 1e9;
            self.squares += interval_s * interval_s;
            self.longest_s = self.longest_s.max(interval_s as f32);
        }
        self.last_ns = self.last_ns.max(part.time_ns);
        self.active = true;
        let volume = match direction {
            Direction::ToServer => &mut self.sent,
            Direction::ToClient => &mut self.received,
        };
        volume.packets = volume.packets.saturating_add(1);
        volume.bytes = volume.bytes.saturating_add(part.len_bytes as u64);
        volume.payload_bytes = volume.payload_bytes.saturating_add(part.payload.len() as u64);
        let payload_bytes = u16::try_from(part.payload.len()).unwrap_or(u16::MAX);
        volume.largest_payload_bytes = volume.largest_payload_bytes.max(payload_bytes);
    }

    fn add_segment(&mut self, direction: Direction, part: &Part<'_>) {
        let (index, began, fin) = match direction {
            Direction::ToServer => (0, Phase::SENT_BEGAN, Phase::FIN_SENT),
            Direction::ToClient => (1, Phase::RECEIVED_BEGAN, Phase::FIN_RECEIVED),
        };
        let flags = part.tcp_flags;
        let syn = flags.contains(TcpFlags::SYN);
        let sequence = part.sequence.wrapping_add(u32::from(syn));
        if let Some(judge) = &mut self.judge {
            if syn {
                judge.begin(direction, sequence);
            }
            // A reset may carry a text for people, RFC 9293 §3.5.3; it is no part of the stream.
            if !flags.contains(TcpFlags::RST) && judge.segment(direction, sequence, part.payload) {
                self.conclude();
            }
        } else if !part.payload.is_empty() {
            self.notice_change(part.payload);
            let order = self.next.get(index).map(|next| sequence.wrapping_sub(*next).cast_signed());
            if let Some(order) = order.filter(|_| self.phase.has(began)) {
                match order {
                    1.. => self.facts.insert(Fact::OutOfOrder),
                    ..=-2 => self.facts.insert(Fact::Retransmission),
                    _ => {}
                }
            }
        }
        let end = sequence.wrapping_add(u32::try_from(part.payload.len()).unwrap_or(u32::MAX));
        if let Some(next) = self.next.get_mut(index)
            && (!self.phase.has(began) || end.wrapping_sub(*next).cast_signed() > 0)
        {
            *next = end;
        }
        self.phase.set(began);
        if flags.contains(TcpFlags::FIN) {
            self.phase.set(fin);
        }
        if flags.contains(TcpFlags::RST) {
            self.phase.set(Phase::RESET);
        }
    }

    /// After the verdict: does a segment begin with another protocol's unmistakable mark?
    fn notice_change(&mut self, payload: &[u8]) {
        let new = match payload {
            [22, 3, 0..=4, _, _, 1, 0, _, _, 3, 0..=4, ..] => Protocol::Tls,
            [b'S', b'S', b'H', b'-', b'2', b'.', b'0', b'-', ..] => Protocol::Ssh,
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', b'1', b'0', b'1', ..] => {
                Protocol::Websocket
            }
            // Only behind a proxy's handshake: text in another protocol may begin alike.
            _ if self.verdict.protocol == Protocol::Socks
                && http::head(payload).is_some_and(|head| head.status == 0) =>
            {
                Protocol::Http
            }
            _ => return,
        };
        let is_upgrade_to_another = new == Protocol::Websocket && self.verdict.protocol != Protocol::Http;
        if new != self.verdict.protocol && self.changed_to.is_none() && !is_upgrade_to_another {
            self.changed_to = Some(new);
            self.facts.insert(Fact::ProtocolChanged);
            if new == Protocol::Tls {
                // Behind a proxy's answer or STARTTLS: read as far as this segment holds it.
                self.add_names(messages::tls_names(payload));
            }
            if new == Protocol::Http {
                self.add_names(messages::read(new, payload, &[]).names);
            }
        }
    }

    /// Takes the judge's last word and lets its payload go.
    fn conclude(&mut self) {
        let Some(judge) = self.judge.take() else { return };
        let Judged { verdict, payloads_until_verdict, names, facts, relayed } =
            judge.finish(match self.key.transport() {
                Transport::Tcp => wire::Transport::Tcp,
                Transport::Udp | Transport::Icmp => wire::Transport::Udp,
            });
        self.verdict = Verdict { protocol: by_port(verdict.protocol, self.listener_port()), ..verdict };
        self.payloads_until_verdict = payloads_until_verdict;
        self.facts.extend(facts);
        self.add_names(names);
        self.notice_change(&relayed);
    }

    /// Adds what is not known yet.
    fn add_names(&mut self, new: Names) {
        if new == Names::default() {
            return;
        }
        let mut old = self.names.take().map_or_else(Names::default, |names| *names);
        old.details.extend(new.details);
        let names = Box::new(Names {
            dns: old.dns.or(new.dns),
            sni: old.sni.or(new.sni),
            host: old.host.or(new.host),
            alpn: old.alpn.or(new.alpn),
            agent: old.agent.or(new.agent),
            ja4: old.ja4.or(new.ja4),
            details: old.details,
        });
        self.names_bytes = u32::try_from(size_of::<Names>() + names.heap_bytes()).unwrap_or(u32::MAX);
        self.names = Some(names);
    }

    fn listener_port(&self) -> u16 {
        self.key.port(self.opener.other())
    }

    /// The record of the flow, and its memory back.
    pub(crate) fn finish(mut self, end: End) -> Flow {
        self.conclude();
        self.note_port_and_role();
        let end = match end {
            End::Idle | End::Input if self.phase.has(Phase::RESET) => End::Reset,
            End::Idle | End::Input if self.is_closed() => End::Closed,
            other => other,
        };
        let names = self.names.take().map_or_else(Names::default, |names| *names);
        self.record(self.verdict, names, self.facts, end)
    }

    fn intervals(&self) -> Intervals {
        let packets = f64::from(self.sent.packets) + f64::from(self.received.packets);
        let count = packets - 1.0;
        if count < 1.0 {
            return Intervals::default();
        }
        let mean_s = self.last_ns.saturating_sub(self.first_ns) as f64 / 1e9 / count;
        let variance = (self.squares / count - mean_s * mean_s).max(0.0);
        Intervals { mean_s, deviation_s: variance.sqrt(), longest_s: f64::from(self.longest_s) }
    }

    fn note_port_and_role(&mut self) {
        self.facts.extend(facts_of_port(self.key.transport(), self.listener_port(), self.verdict));
        let is_open = self.verdict.confidence != 0 && self.key.transport() != Transport::Icmp;
        if is_open && self.verdict.reversed && self.phase.has(Phase::OPENING_SEEN) {
            self.facts.insert(Fact::DirectionMismatch);
        }
    }

    /// The record as it stands, of a flow that goes on.
    pub(crate) fn so_far(&self) -> Flow {
        let judged = self.judge.as_ref().and_then(|judge| judge.so_far());
        let verdict = judged.unwrap_or(self.verdict);
        let mut facts = self.facts;
        facts.extend(facts_of_port(self.key.transport(), self.listener_port(), verdict));
        self.record(verdict, self.names.as_deref().cloned().unwrap_or_default(), facts, End::Open)
    }

    fn record(&self, verdict: Verdict, names: Names, facts: Facts, end: End) -> Flow {
        Flow {
            number: self.number,
            transport: self.key.transport(),
            opener: self.key.endpoint(self.opener),
            listener: self.key.endpoint(self.opener.other()),
            first_ns: self.first_ns,
            last_ns: self.last_ns,
            intervals: self.intervals(),
            sent: self.sent,
            received: self.received,
            verdict,
            payloads_until_verdict: self.payloads_until_verdict,
            changed_to: self.changed_to,
            names,
            facts,
            end,
        }
    }
}

/// What the listener's port says about the protocol of a flow.
pub fn facts_of_port(transport: Transport, port: u16, verdict: Verdict) -> Facts {
    let mut facts = Facts::default();
    let transport = match transport {
        Transport::Tcp => wire::Transport::Tcp,
        Transport::Udp => wire::Transport::Udp,
        Transport::Icmp => return facts,
    };
    let protocol = verdict.protocol;
    if verdict.confidence == 0 {
        return facts; // No payload: nothing to compare.
    }
    let registered = ports::registered(port, transport);
    let at_home = registered.is_some_and(|registered| is_at_home(protocol, registered));
    if !protocol.is_class() && !at_home && has_own_port(protocol) {
        facts.insert(Fact::ProtocolOnForeignPort);
    }
    if registered.is_some() && !at_home {
        facts.insert(Fact::WrongStart);
    }
    facts
}

/// Tells a remembered request from none.
const ECHO_SEEN: u32 = 1 << 16;

/// FNV-1a: data that was changed on the way, not by somebody who knows this function, has another.
fn short_hash(data: &[u8]) -> u32 {
    data.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The verdict of what needs no payload.
const ICMP_VERDICT: Verdict = Verdict {
    protocol: Protocol::Icmp,
    confidence: 99,
    evidence: "ip protocol number of ICMP",
    reversed: false,
};

/// Multicast DNS and LLMNR have the form of DNS and are told apart by their ports, RFC 6762 §5.2 and RFC 4795 §2.
pub(crate) fn by_port(protocol: Protocol, port: u16) -> Protocol {
    match (protocol, port) {
        (Protocol::Dns, 5353) => Protocol::Mdns,
        (Protocol::Dns, 5355) => Protocol::Llmnr,
        (protocol, _) => protocol,
    }
}

/// Protocols that share a port by design.
fn is_at_home(protocol: Protocol, registered: Protocol) -> bool {
    use Protocol::{Dns, Dtls, Http, Http2, Llmnr, Mdns, Quic, Stun, Tls, Websocket};
    match registered {
        Http => matches!(protocol, Http | Http2 | Websocket),
        Http2 => matches!(protocol, Http2 | Http),
        // DTLS and QUIC use the ports of what they carry.
        Quic => matches!(protocol, Quic | Dtls),
        Tls => protocol == Tls,
        Stun => matches!(protocol, Stun | Tls | Dtls),
        Dns => matches!(protocol, Dns | Mdns | Llmnr),
        other => protocol == other,
    }
}

/// True if some port is assigned to the protocol; RTP takes any, and adversaries' own have none.
fn has_own_port(protocol: Protocol) -> bool {
    !matches!(
        protocol,
        Protocol::Rtp
            | Protocol::Stratum
            | Protocol::Tor
            | Protocol::Bittorrent
            | Protocol::Dtls
            | Protocol::Stun
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_whose_verdict_is_in_takes_at_most_256_bytes() {
        const { assert!(BYTES_PER_FLOW <= 256) };
    }
}
