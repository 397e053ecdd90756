//! The probes, in order of precedence between equals.

use super::{binary, datagram, mail, overlays, stores, text};
use crate::{Direction, Probe, Protocol, Transport, dns};

/// Which directions a probe has an opinion about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    Both,
    /// The server's bytes say nothing.
    Client,
}

/// One probe.
pub(super) struct Entry {
    pub(super) protocol: Protocol,
    pub(super) probe: fn(&[u8], Direction) -> Probe,
    /// `None` for both transports.
    transport: Option<Transport>,
    sides: Sides,
}

impl Entry {
    pub(super) fn speaks(&self, transport: Transport) -> bool {
        self.transport.is_none_or(|only| only == transport)
    }

    pub(super) fn judges(&self, direction: Direction) -> bool {
        self.sides == Sides::Both || direction == Direction::ToServer
    }
}

const fn tcp(protocol: Protocol, probe: fn(&[u8], Direction) -> Probe) -> Entry {
    Entry { protocol, probe, transport: Some(Transport::Tcp), sides: Sides::Both }
}

const fn udp(protocol: Protocol, probe: fn(&[u8], Direction) -> Probe) -> Entry {
    Entry { protocol, probe, transport: Some(Transport::Udp), sides: Sides::Both }
}

const fn client_only(entry: Entry) -> Entry {
    Entry { sides: Sides::Client, ..entry }
}

/// Narrow marks stand before wide ones: WebSocket before the HTTP that carries it, Stratum's JSON
/// before plain lines.
pub(super) const ENTRIES: &[Entry] = &[
    tcp(Protocol::Tls, binary::tls),
    tcp(Protocol::Websocket, text::websocket),
    tcp(Protocol::Http2, text::http2),
    tcp(Protocol::Http, text::http),
    tcp(Protocol::Ssh, text::ssh),
    tcp(Protocol::Stratum, text::stratum),
    tcp(Protocol::Dns, dns::probe_stream),
    tcp(Protocol::Telnet, binary::telnet),
    tcp(Protocol::Smtp, mail::smtp),
    tcp(Protocol::Ftp, mail::ftp),
    tcp(Protocol::Pop3, mail::pop3),
    tcp(Protocol::Imap, mail::imap),
    tcp(Protocol::Irc, text::irc),
    tcp(Protocol::Xmpp, text::xmpp),
    tcp(Protocol::Mqtt, binary::mqtt),
    tcp(Protocol::Amqp, binary::amqp),
    tcp(Protocol::Websocket, text::websocket_frame),
    tcp(Protocol::Nats, text::nats),
    tcp(Protocol::Redis, text::redis),
    tcp(Protocol::Memcached, text::memcached),
    tcp(Protocol::Postgresql, binary::postgresql),
    tcp(Protocol::Mysql, binary::mysql),
    tcp(Protocol::Mongodb, binary::mongodb),
    tcp(Protocol::Cassandra, stores::cassandra),
    tcp(Protocol::Kafka, stores::kafka),
    tcp(Protocol::Stomp, stores::stomp),
    tcp(Protocol::Nfs, stores::nfs_stream),
    tcp(Protocol::Ldap, binary::ldap),
    Entry { transport: None, ..tcp(Protocol::Kerberos, binary::kerberos) },
    tcp(Protocol::Smb, binary::smb),
    tcp(Protocol::Rdp, binary::rdp),
    tcp(Protocol::Vnc, binary::vnc),
    tcp(Protocol::Socks, binary::socks),
    tcp(Protocol::Openvpn, overlays::openvpn_stream),
    tcp(Protocol::Stun, datagram::stun),
    client_only(Entry { transport: None, ..tcp(Protocol::Sip, text::sip) }),
    client_only(tcp(Protocol::Bittorrent, binary::bittorrent)),
    udp(Protocol::Dns, dns::probe),
    udp(Protocol::Quic, datagram::quic),
    udp(Protocol::Dtls, datagram::dtls),
    udp(Protocol::Stun, datagram::stun),
    udp(Protocol::Dhcp, datagram::dhcp),
    udp(Protocol::Dhcp, datagram::dhcp6),
    udp(Protocol::Nfs, stores::nfs),
    udp(Protocol::Radius, stores::radius),
    udp(Protocol::Openvpn, overlays::openvpn),
    udp(Protocol::Bittorrent, overlays::bittorrent_datagram),
    udp(Protocol::Ldap, binary::ldap),
    udp(Protocol::Memcached, datagram::memcached),
    udp(Protocol::Wireguard, datagram::wireguard),
    udp(Protocol::Ntp, datagram::ntp),
    udp(Protocol::Snmp, datagram::snmp),
    client_only(Entry { transport: None, ..udp(Protocol::Syslog, datagram::syslog) }),
    udp(Protocol::Tftp, datagram::tftp),
];
