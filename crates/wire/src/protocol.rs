//! The protocols that Watchkeeper can name, and their names.
//!
//! The names are a contract: they stand in flow records, events and rules. A protocol may be listed
//! here before [`crate::identify`] recognises it, because a recording of another tool can name it.

use std::fmt;
use std::str::FromStr;

/// A protocol, or one of the three classes for payloads of no known protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each variant is the protocol that `as_str` names")]
pub enum Protocol {
    Http,
    Http2,
    Websocket,
    Tls,
    Dtls,
    Quic,
    Dns,
    Mdns,
    Llmnr,
    Ssh,
    Telnet,
    Ftp,
    Smtp,
    Pop3,
    Imap,
    Irc,
    Xmpp,
    Mqtt,
    Amqp,
    Nats,
    Stomp,
    Redis,
    Memcached,
    Postgresql,
    Mysql,
    Mongodb,
    Cassandra,
    Kafka,
    Ldap,
    Kerberos,
    Smb,
    Nfs,
    Rdp,
    Vnc,
    Sip,
    Rtp,
    Stun,
    Ntp,
    Snmp,
    Dhcp,
    Radius,
    Syslog,
    Tftp,
    Socks,
    Openvpn,
    Wireguard,
    Tor,
    Bittorrent,
    Stratum,
    Icmp,
    /// Lines of plain text that people or shells exchange, in no known protocol.
    PlaintextInteractive,
    /// Bytes that look random from the first one on, in no known protocol.
    FullyEncrypted,
    /// Nothing that is recognised.
    Unknown,
}

/// Every protocol with its name, in the order of the enum.
const NAMES: [(Protocol, &str); 53] = [
    (Protocol::Http, "http"),
    (Protocol::Http2, "http2"),
    (Protocol::Websocket, "websocket"),
    (Protocol::Tls, "tls"),
    (Protocol::Dtls, "dtls"),
    (Protocol::Quic, "quic"),
    (Protocol::Dns, "dns"),
    (Protocol::Mdns, "mdns"),
    (Protocol::Llmnr, "llmnr"),
    (Protocol::Ssh, "ssh"),
    (Protocol::Telnet, "telnet"),
    (Protocol::Ftp, "ftp"),
    (Protocol::Smtp, "smtp"),
    (Protocol::Pop3, "pop3"),
    (Protocol::Imap, "imap"),
    (Protocol::Irc, "irc"),
    (Protocol::Xmpp, "xmpp"),
    (Protocol::Mqtt, "mqtt"),
    (Protocol::Amqp, "amqp"),
    (Protocol::Nats, "nats"),
    (Protocol::Stomp, "stomp"),
    (Protocol::Redis, "redis"),
    (Protocol::Memcached, "memcached"),
    (Protocol::Postgresql, "postgresql"),
    (Protocol::Mysql, "mysql"),
    (Protocol::Mongodb, "mongodb"),
    (Protocol::Cassandra, "cassandra"),
    (Protocol::Kafka, "kafka"),
    (Protocol::Ldap, "ldap"),
    (Protocol::Kerberos, "kerberos"),
    (Protocol::Smb, "smb"),
    (Protocol::Nfs, "nfs"),
    (Protocol::Rdp, "rdp"),
    (Protocol::Vnc, "vnc"),
    (Protocol::Sip, "sip"),
    (Protocol::Rtp, "rtp"),
    (Protocol::Stun, "stun"),
    (Protocol::Ntp, "ntp"),
    (Protocol::Snmp, "snmp"),
    (Protocol::Dhcp, "dhcp"),
    (Protocol::Radius, "radius"),
    (Protocol::Syslog, "syslog"),
    (Protocol::Tftp, "tftp"),
    (Protocol::Socks, "socks"),
    (Protocol::Openvpn, "openvpn"),
    (Protocol::Wireguard, "wireguard"),
    (Protocol::Tor, "tor"),
    (Protocol::Bittorrent, "bittorrent"),
    (Protocol::Stratum, "stratum"),
    (Protocol::Icmp, "icmp"),
    (Protocol::PlaintextInteractive, "plaintext_interactive"),
    (Protocol::FullyEncrypted, "fully_encrypted"),
    (Protocol::Unknown, "unknown"),
];

impl Protocol {
    /// All protocols, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(protocol, _)| *protocol)
    }

    /// The name in records and rules: lower case, underscores.
    pub fn as_str(self) -> &'static str {
        NAMES.get(self as usize).map_or("unknown", |(_, name)| name)
    }

    /// True for the classes that stand for "no known protocol".
    pub fn is_class(self) -> bool {
        matches!(self, Self::PlaintextInteractive | Self::FullyEncrypted | Self::Unknown)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A name that is no protocol's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("protocol name '{}' is not known", name.escape_debug())]
pub struct UnknownName {
    /// The name as given.
    pub name: String,
}

impl FromStr for Protocol {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(protocol, _)| *protocol)
            .ok_or_else(|| UnknownName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_protocol() {
        for protocol in Protocol::all() {
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
            assert_eq!(NAMES[protocol as usize].0, protocol, "NAMES is in the order of the enum");
        }
    }

    #[test]
    fn a_name_of_no_protocol_is_refused_with_the_name_escaped() {
        let error = "tel\x1bnet".parse::<Protocol>().expect_err("not a protocol");
        assert_eq!(error.to_string(), "protocol name 'tel\\u{1b}net' is not known");
    }
}
