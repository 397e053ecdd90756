//! How a flow behaved, as a small set.

use std::fmt;

/// One thing that is true of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// The protocol is known and the listener's port is not one of its own.
    ProtocolOnForeignPort,
    /// The port is assigned to a protocol that is known here, and the first bytes are not that protocol.
    WrongStart,
    /// Another protocol took over in mid-stream, as after STARTTLS or CONNECT.
    ProtocolChanged,
    /// The listener speaks as the protocol's client.
    DirectionMismatch,
    /// TCP: the same bytes were sent twice with different content.
    OverlappingSegments,
    /// TCP: a segment came before the one that it follows.
    OutOfOrder,
    /// TCP: bytes were sent again.
    Retransmission,
    /// TCP: bytes are missing in the capture.
    Gap,
    /// TCP: the opening was not seen, so the opener is a guess.
    OpeningNotSeen,
    /// Shell text in a plain session: a prompt, a command or a command's output.
    ShellText,
    /// A part of the payload was not captured.
    PayloadCut,
    /// It came in fragments of IP.
    Fragmented,
    /// It came through a tunnel of IP.
    Tunnelled,
    /// TLS: the server's certificate names the same subject and issuer.
    SelfIssuedCertificate,
    /// TLS: the names are made up in Tor's way.
    TorLikeNames,
    /// ICMP: echo data that no ping sends.
    UnusualEcho,
    /// ICMP: a reply with other data than its request.
    EchoDiffers,
}

/// Every fact with its name and meaning, in the order of the enum.
const NAMES: [(Fact, &str, &str); 17] = [
    (
        Fact::ProtocolOnForeignPort,
        "protocol_on_foreign_port",
        "the protocol is known and the listener's port is not one of its own",
    ),
    (
        Fact::WrongStart,
        "wrong_start",
        "the port is assigned to a protocol that is known here, and the first bytes are not that protocol",
    ),
    (
        Fact::ProtocolChanged,
        "protocol_changed",
        "another protocol took over in mid-stream, as after STARTTLS or CONNECT",
    ),
    (Fact::DirectionMismatch, "direction_mismatch", "the listener speaks as the protocol's client"),
    (
        Fact::OverlappingSegments,
        "overlapping_segments",
        "TCP: the same bytes were sent twice with different content",
    ),
    (Fact::OutOfOrder, "out_of_order", "TCP: a segment came before the one that it follows"),
    (Fact::Retransmission, "retransmission", "TCP: bytes were sent again"),
    (Fact::Gap, "gap", "TCP: bytes are missing in the capture"),
    (Fact::OpeningNotSeen, "opening_not_seen", "TCP: the opening was not seen, so the opener is a guess"),
    (
        Fact::ShellText,
        "shell_text",
        "shell text in a plain session: a prompt, a command or a command's output",
    ),
    (Fact::PayloadCut, "payload_cut", "a part of the payload was not captured"),
    (Fact::Fragmented, "fragmented", "it came in fragments of IP"),
    (Fact::Tunnelled, "tunnelled", "it came through a tunnel of IP"),
    (
        Fact::SelfIssuedCertificate,
        "self_issued_certificate",
        "TLS: the server's certificate names the same subject and issuer, as one that signs itself; the signature is not checked",
    ),
    (Fact::TorLikeNames, "tor_like_names", "TLS: the names are made up in Tor's way, which others may copy"),
    (
        Fact::UnusualEcho,
        "unusual_echo",
        "ICMP: echo data that no ping sends: neither constant nor counting up",
    ),
    (
        Fact::EchoDiffers,
        "echo_differs",
        "ICMP: a reply with other data than its request, which RFC 792 forbids",
    ),
];

impl Fact {
    /// All facts, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(fact, ..)| *fact)
    }

    /// The name in records and rules.
    pub fn as_str(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(_, name, _)| name)
    }

    /// What it says, for people.
    pub fn meaning(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(.., meaning)| meaning)
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of facts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Facts(u32);

impl Facts {
    /// Adds one.
    pub fn insert(&mut self, fact: Fact) {
        self.0 |= fact.bit();
    }

    /// Adds all of another set.
    pub fn extend(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// True if it is in the set.
    pub fn contains(self, fact: Fact) -> bool {
        self.0 & fact.bit() != 0
    }

    /// The facts in the set, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Fact> {
        Fact::all().filter(move |fact| self.contains(*fact))
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_enum() {
        for (index, (fact, ..)) in NAMES.iter().enumerate() {
            assert_eq!(*fact as usize, index);
        }
    }

    #[test]
    fn a_set_gives_back_what_was_put_in() {
        let mut facts = Facts::default();
        facts.insert(Fact::Tunnelled);
        facts.insert(Fact::WrongStart);
        assert_eq!(facts.iter().collect::<Vec<_>>(), [Fact::WrongStart, Fact::Tunnelled]);
        let mut more = Facts::default();
        more.insert(Fact::Gap);
        more.extend(facts);
        assert!([Fact::Gap, Fact::WrongStart, Fact::Tunnelled].iter().all(|fact| more.contains(*fact)));
        assert_eq!(more.iter().count(), 3);
    }
}
