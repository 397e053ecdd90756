//! Which protocol is this, judged by the first payload bytes of both directions, whatever the port says.
//!
//! In: payloads as they come, at most [`MAX_KEPT_BYTES`] kept per direction. Out: a [`Verdict`]: protocol,
//! confidence and the evidence in words. Ask at any time; more payload only makes the verdict better.
//!
//! How it judges: every probe of `table` that a payload's first byte allows (`starts`) says *certain*, *unsure* or *no*
//! of each direction, and the two answers are combined (see `confidence`): a mark on one side that the other side contradicts weighs
//! less than one that it confirms. If no protocol reaches [`MIN_CONFIDENCE`], the payload is put into
//! a class: text that people or shells exchange (`plaintext`), bytes that look random ([`encrypted`]), or
//! unknown.
//!
//! A protocol that is only recognised has its probe here, by family: `text`, `mail`, `binary`,
//! `datagram`, `stores`, `overlays`. One with a parser brings the probe of its own module, as [`crate::dns`] does.
//!
//! Left out on purpose: ports and addresses (the caller compares the verdict with [`crate::ports`]), so
//! multicast DNS and LLMNR are called `dns` here; a change of protocol in mid-stream; flow state.
//!
//! Sources: the RFC or vendor document named at each probe.

mod binary;
mod datagram;
pub mod encrypted;
mod mail;
mod overlays;
mod plaintext;
mod starts;
mod stores;
mod table;
#[cfg(test)]
mod tests;
mod text;

use crate::{Direction, Probe, Protocol, Transport};

/// Payload kept per direction: as much as the kernel sensor copies of one.
pub const MAX_KEPT_BYTES: usize = 512;
/// What a verdict loses when the roles are reversed: it needs two errors of the same kind, or a mark
/// strong enough to stand alone.
const REVERSED_PENALTY: u8 = 15;
/// Percent below which a protocol is not named. A lone unsure mark reaches it, a contradicted one does
/// not.
pub const MIN_CONFIDENCE: u8 = 50;
/// Both sides bear the protocol's own mark.
const MAX_CONFIDENCE: u8 = 99;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The protocol or class.
    pub protocol: Protocol,
    /// Percent, 0 to 99. Ordered, not calibrated: a larger number is better evidence.
    pub confidence: u8,
    /// Why, as a fixed text.
    pub evidence: &'static str,
    /// The listener speaks as the protocol's client and the opener as its server: either the opening was
    /// not seen, or a reverse connection.
    pub reversed: bool,
}

impl Verdict {
    fn new(protocol: Protocol, confidence: u8, evidence: &'static str) -> Self {
        Self { protocol, confidence, evidence, reversed: false }
    }
}

/// Collects the first bytes of one connection or exchange of datagrams.
///
/// ```
/// use wire::{Direction, Identifier, Protocol, Transport};
/// let mut identifier = Identifier::new(Transport::Tcp);
/// identifier.feed(Direction::ToClient, b"SSH-2.0-OpenSSH_9.2\r\n");
/// assert_eq!(identifier.verdict().protocol, Protocol::Ssh);
/// ```
#[derive(Clone, Debug)]
pub struct Identifier {
    transport: Transport,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

impl Identifier {
    /// Starts without payload.
    pub fn new(transport: Transport) -> Self {
        Self { transport, to_server: Vec::new(), to_client: Vec::new() }
    }

    /// Takes the next payload of a direction. Streams are joined; of datagrams the first one of each
    /// direction is kept, since a datagram stands alone.
    pub fn feed(&mut self, direction: Direction, payload: &[u8]) {
        let kept = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        if self.transport == Transport::Udp && !kept.is_empty() {
            return;
        }
        let room = MAX_KEPT_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(payload.get(..room).unwrap_or(payload));
    }

    /// True when more payload cannot change the verdict: both directions are full, or each has its
    /// datagram. A caller may stop feeding then and drop the identifier.
    pub fn is_full(&self) -> bool {
        [&self.to_server, &self.to_client].into_iter().all(|kept| match self.transport {
            Transport::Tcp => kept.len() >= MAX_KEPT_BYTES,
            Transport::Udp => !kept.is_empty(),
        })
    }

    /// Judges what was fed so far. Costs one pass of the probes that the first bytes allow.
    pub fn verdict(&self) -> Verdict {
        judge(self.transport, &self.to_server, &self.to_client)
    }
}

/// Judges the first bytes of both directions; for datagrams, one of each. Who joins the streams elsewhere asks here
/// and keeps no second copy. Costs one pass of the probes that the first bytes allow.
pub fn judge(transport: Transport, to_server: &[u8], to_client: &[u8]) -> Verdict {
    if to_server.is_empty() && to_client.is_empty() {
        return Verdict::new(Protocol::Unknown, 0, "no payload seen");
    }
    recognise(transport, to_server, to_client).unwrap_or_else(|| classify(transport, to_server, to_client))
}

/// The protocol of the bytes, if one is recognised, whichever way round.
pub fn recognise(transport: Transport, to_server: &[u8], to_client: &[u8]) -> Option<Verdict> {
    known_protocol(transport, to_server, to_client)
        .or_else(|| reversed_protocol(transport, to_server, to_client))
}

/// The verdict that both sides bear the mark of this protocol, if they do: then no other is surer, and none needs to be asked.
/// Who knows the protocol by one side asks here first when the other answers.
pub fn confirm(
    protocol: Protocol,
    transport: Transport,
    to_server: &[u8],
    to_client: &[u8],
) -> Option<Verdict> {
    let bits = table::bits(protocol);
    let client = table::candidates(transport, Direction::ToServer, to_server) & bits;
    let server = table::candidates(transport, Direction::ToClient, to_client) & bits;
    best_of(client, server, to_server, to_client).filter(|verdict| verdict.confidence == MAX_CONFIDENCE)
}

/// The class of bytes that no protocol claims.
pub fn classify(transport: Transport, to_server: &[u8], to_client: &[u8]) -> Verdict {
    let (to_server, to_client) =
        (binary::behind_false_record(to_server), binary::behind_false_record(to_client));
    plaintext::judge(transport, to_server, to_client)
        .or_else(|| encrypted::judge(to_server, to_client))
        .unwrap_or(Verdict::new(Protocol::Unknown, 50, "bytes of no protocol or class that is recognised"))
}

/// The protocol that fits if the two directions change places.
fn reversed_protocol(transport: Transport, to_server: &[u8], to_client: &[u8]) -> Option<Verdict> {
    let verdict = known_protocol(transport, to_client, to_server)?;
    let confidence = verdict.confidence.saturating_sub(REVERSED_PENALTY);
    (confidence >= MIN_CONFIDENCE).then_some(Verdict { confidence, reversed: true, ..verdict })
}

/// The best-supported protocol; of equals, the one that the table lists first.
fn known_protocol(transport: Transport, to_server: &[u8], to_client: &[u8]) -> Option<Verdict> {
    let client = table::candidates(transport, Direction::ToServer, to_server);
    let server = table::candidates(transport, Direction::ToClient, to_client);
    best_of(client, server, to_server, to_client)
}

/// The best of those whose bit is set for a side.
fn best_of(client: u64, server: u64, to_server: &[u8], to_client: &[u8]) -> Option<Verdict> {
    let mut best: Option<Verdict> = None;
    let mut left = client | server;
    while left != 0 {
        let bit = left & left.wrapping_neg();
        left ^= bit;
        let Some(entry) = usize::try_from(bit.trailing_zeros()).ok().and_then(|at| table::ENTRIES.get(at))
        else {
            break;
        };
        let judged = |direction, asked: u64, bytes: &[u8]| {
            (entry.judges(direction) && !bytes.is_empty())
                .then(|| if asked & bit == 0 { Probe::No } else { (entry.probe)(bytes, direction) })
        };
        let client = judged(Direction::ToServer, client, to_server);
        let server = judged(Direction::ToClient, server, to_client);
        let Some((confidence, evidence)) = confidence(client, server) else { continue };
        if confidence >= MIN_CONFIDENCE && best.is_none_or(|best| best.confidence < confidence) {
            best = Some(Verdict::new(entry.protocol, confidence, evidence));
            if confidence == MAX_CONFIDENCE {
                break; // None that follows is better.
            }
        }
    }
    best
}

/// Combines what a probe says of the two directions; `None` stands for a direction without bytes, or
/// one that the probe does not judge.
///
/// | one side \ other | certain | unsure | nothing | no |
/// |---|---|---|---|---|
/// | certain | 99 | 95 | 90 | 65 |
/// | unsure | 95 | 80 | 50 | 25 |
fn confidence(to_server: Option<Probe>, to_client: Option<Probe>) -> Option<(u8, &'static str)> {
    use Probe::{Certain, No, Unsure};
    let (strong, weak) = match (to_server.unwrap_or(No), to_client.unwrap_or(No)) {
        (No, No) => return None,
        (Certain(_), _) => (to_server, to_client),
        (_, Certain(_)) => (to_client, to_server),
        (Unsure(_), _) => (to_server, to_client),
        (No, Unsure(_)) => (to_client, to_server),
    };
    match (strong?, weak) {
        (Certain(evidence), Some(Certain(_))) => Some((MAX_CONFIDENCE, evidence)),
        (Certain(evidence), Some(Unsure(_))) => Some((95, evidence)),
        (Certain(evidence), None) => Some((90, evidence)),
        (Certain(evidence), Some(No)) => Some((65, evidence)),
        (Unsure(evidence), Some(Unsure(_))) => Some((80, evidence)),
        (Unsure(evidence), None) => Some((50, evidence)),
        (Unsure(evidence), Some(_)) => Some((25, evidence)),
        (No, _) => None,
    }
}
