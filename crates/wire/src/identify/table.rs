//! The probes, in order of precedence between equals, each with the bytes that its sides can begin with.

use super::starts::Starts;
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
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) protocol: Protocol,
    pub(super) probe: fn(&[u8], Direction) -> Probe,
    /// `None` for both transports.
    transport: Option<Transport>,
    sides: Sides,
    /// First bytes of a client and of a server with which the probe can say anything but no.
    client: Starts,
    server: Starts,
}

impl Entry {
    const fn speaks(&self, transport: Transport) -> bool {
        match (self.transport, transport) {
            (None, _) | (Some(Transport::Tcp), Transport::Tcp) | (Some(Transport::Udp), Transport::Udp) => {
                true
            }
            (Some(Transport::Tcp), Transport::Udp) | (Some(Transport::Udp), Transport::Tcp) => false,
        }
    }

    pub(super) fn judges(&self, direction: Direction) -> bool {
        self.sides == Sides::Both || direction == Direction::ToServer
    }
}

type Judge = fn(&[u8], Direction) -> Probe;

const fn tcp(protocol: Protocol, probe: Judge, client: Starts, server: Starts) -> Entry {
    Entry { protocol, probe, transport: Some(Transport::Tcp), sides: Sides::Both, client, server }
}

const fn udp(protocol: Protocol, probe: Judge, client: Starts, server: Starts) -> Entry {
    Entry { transport: Some(Transport::Udp), ..tcp(protocol, probe, client, server) }
}

const fn client_only(entry: Entry) -> Entry {
    Entry { sides: Sides::Client, server: Starts::NONE, ..entry }
}

const fn both_transports(entry: Entry) -> Entry {
    Entry { transport: None, ..entry }
}

const ANY: Starts = Starts::ANY;
const HTTP_METHOD: Starts = Starts::of(b"-_").with(b'A', b'Z');
const TLS: Starts = Starts::NONE.with(20, 23).with(0x80, 0xbf);
const LETTERS: Starts = Starts::NONE.with(b'A', b'Z').with(b'a', b'z');
const BER: Starts = Starts::of(b"0");
const STUN: Starts = Starts::NONE.with(0, 0x3f);
const CASSANDRA: Starts = Starts::of(&[0xca]).with(1, 5).with(0x81, 0x85);
const MQTT_PUBLISH: Starts = Starts::NONE.with(0x30, 0x3d);
const KERBEROS: Starts = Starts::of(&[0]).with(0x60, 0x7f);
const XMPP: Starts = Starts::of(b"< \t\n\r\x0c");

const fn of(bytes: &[u8]) -> Starts {
    Starts::of(bytes)
}

const fn words(letters: &[u8]) -> Starts {
    Starts::words(letters)
}

/// Narrow marks stand before wide ones: WebSocket before the HTTP that carries it, Stratum's JSON
/// before plain lines.
pub(super) const ENTRIES: [Entry; 54] = [
    tcp(Protocol::Tls, binary::tls, TLS, TLS),
    tcp(Protocol::Websocket, text::websocket, HTTP_METHOD, of(b"H")),
    tcp(Protocol::Http2, text::http2, of(b"P"), of(&[0])),
    tcp(Protocol::Http, text::http, HTTP_METHOD, of(b"H")),
    tcp(Protocol::Ssh, text::ssh, of(b"S"), ANY),
    tcp(Protocol::Stratum, text::stratum, of(b"{"), of(b"{")),
    tcp(Protocol::Dns, dns::probe_stream, ANY, ANY),
    tcp(Protocol::Telnet, binary::telnet, ANY, ANY),
    tcp(Protocol::Smtp, mail::smtp, words(b"ehlm"), of(b"245")),
    tcp(Protocol::Ftp, mail::ftp, words(b"afpestu"), of(b"2345")),
    tcp(Protocol::Pop3, mail::pop3, words(b"acus"), of(b"+-")),
    tcp(Protocol::Imap, mail::imap, of(b".").with(b'0', b'9').with(b'A', b'Z').with(b'a', b'z'), of(b"*")),
    tcp(Protocol::Irc, text::irc, words(b"cpjun"), of(b":N")),
    tcp(Protocol::Xmpp, text::xmpp, XMPP, XMPP),
    tcp(
        Protocol::Mqtt,
        binary::mqtt,
        MQTT_PUBLISH.with(0x10, 0x10).with(0xc0, 0xc0),
        MQTT_PUBLISH.with(0x20, 0x20).with(0xd0, 0xd0),
    ),
    tcp(Protocol::Amqp, binary::amqp, of(b"A"), of(b"A\x01")),
    tcp(Protocol::Websocket, text::websocket_frame, of(&[0x81, 0x82]), of(&[0x81])),
    tcp(Protocol::Nats, text::nats, of(b"C"), of(b"I")),
    tcp(Protocol::Redis, text::redis, words(b"*picsf"), of(b"+-$:*%")),
    tcp(Protocol::Memcached, text::memcached, of(b"sargvf"), words(b"vse")),
    tcp(Protocol::Postgresql, binary::postgresql, of(&[0]), of(b"SNER")),
    tcp(Protocol::Mysql, binary::mysql, ANY, ANY),
    tcp(Protocol::Mongodb, binary::mongodb, ANY, ANY),
    tcp(Protocol::Cassandra, stores::cassandra, CASSANDRA, CASSANDRA),
    tcp(Protocol::Kafka, stores::kafka, ANY, ANY),
    tcp(Protocol::Stomp, stores::stomp, of(b"SC"), of(b"C")),
    tcp(Protocol::Nfs, stores::nfs_stream, of(&[0x80]), of(&[0x80])),
    tcp(Protocol::Ldap, binary::ldap, BER, BER),
    both_transports(tcp(Protocol::Kerberos, binary::kerberos, KERBEROS, KERBEROS)),
    tcp(Protocol::Smb, binary::smb, of(&[0, 0x81, 0x82]), of(&[0, 0x81, 0x82])),
    tcp(Protocol::Rdp, binary::rdp, of(&[3]), of(&[3])),
    tcp(Protocol::Vnc, binary::vnc, of(b"R"), of(b"R")),
    tcp(Protocol::Socks, binary::socks, of(&[4, 5]), of(&[0, 5])),
    tcp(Protocol::Openvpn, overlays::openvpn_stream, ANY, ANY),
    tcp(Protocol::Stun, datagram::stun, STUN, STUN),
    client_only(both_transports(tcp(Protocol::Sip, text::sip, LETTERS, ANY))),
    client_only(tcp(Protocol::Bittorrent, binary::bittorrent, of(&[0x13]), ANY)),
    udp(Protocol::Dns, dns::probe, ANY, ANY),
    udp(Protocol::Quic, datagram::quic, of(&[9, 13]).with(0xc0, 0xff), of(&[9, 13]).with(0xc0, 0xff)),
    udp(Protocol::Dtls, datagram::dtls, Starts::NONE.with(20, 25), Starts::NONE.with(20, 25)),
    udp(Protocol::Stun, datagram::stun, STUN, STUN),
    udp(Protocol::Dhcp, datagram::dhcp, of(&[1]), of(&[2])),
    udp(Protocol::Dhcp, datagram::dhcp6, Starts::NONE.with(1, 11), Starts::NONE.with(1, 11)),
    udp(Protocol::Nfs, stores::nfs, ANY, ANY),
    udp(Protocol::Radius, stores::radius, of(&[1, 4, 12, 40, 43]), of(&[2, 3, 5, 11, 13, 41, 42, 44, 45])),
    udp(Protocol::Openvpn, overlays::openvpn, of(&[0x38, 0x50]), of(&[0x40])),
    udp(Protocol::Bittorrent, overlays::bittorrent_datagram, ANY, ANY),
    udp(Protocol::Ldap, binary::ldap, BER, BER),
    udp(Protocol::Memcached, datagram::memcached, ANY, ANY),
    udp(Protocol::Wireguard, datagram::wireguard, of(&[1, 4]), of(&[2, 4])),
    udp(Protocol::Ntp, datagram::ntp, ANY, ANY),
    udp(Protocol::Snmp, datagram::snmp, BER, BER),
    client_only(both_transports(udp(Protocol::Syslog, datagram::syslog, of(b"<"), ANY))),
    udp(Protocol::Tftp, datagram::tftp, of(&[0]), of(&[0])),
];

/// For each first byte, a bit for each entry whose probe is worth asking.
struct Asked([u64; 256]);

/// Client's and server's side, over TCP and over UDP.
static TCP: [Asked; 2] = [asked(Transport::Tcp, true), asked(Transport::Tcp, false)];
static UDP: [Asked; 2] = [asked(Transport::Udp, true), asked(Transport::Udp, false)];

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "counted within the arrays; made by the compiler"
)]
const fn asked(transport: Transport, client: bool) -> Asked {
    // A bit for each entry.
    const { assert!(ENTRIES.len() <= 64) };
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut number = 0;
        while number < ENTRIES.len() {
            let entry = ENTRIES[number];
            let starts = if client { entry.client } else { entry.server };
            if entry.speaks(transport) && starts.has(byte as u8) {
                table[byte] |= 1 << number;
            }
            number += 1;
        }
        byte += 1;
    }
    Asked(table)
}

/// A bit for each entry that is worth asking about this side's bytes.
pub(super) fn candidates(transport: Transport, direction: Direction, bytes: &[u8]) -> u64 {
    let Some(first) = bytes.first() else { return 0 };
    let [client, server] = match transport {
        Transport::Tcp => &TCP,
        Transport::Udp => &UDP,
    };
    let side = match direction {
        Direction::ToServer => client,
        Direction::ToClient => server,
    };
    side.0.get(usize::from(*first)).copied().unwrap_or_default()
}

/// The bits of a protocol's entries.
pub(super) fn bits(protocol: Protocol) -> u64 {
    (0..).zip(&ENTRIES).filter(|(_, entry)| entry.protocol == protocol).map(|(at, _)| 1u64 << at).sum()
}

/// Every entry of the transport, for holding the candidates against.
#[cfg(test)]
pub(super) fn all(transport: Transport) -> u64 {
    (0..ENTRIES.len()).filter(|at| ENTRIES[*at].speaks(transport)).map(|at| 1 << at).sum()
}
