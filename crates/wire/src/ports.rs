//! Which protocol a port number promises.
//!
//! Two questions, two tables:
//! * [`registered`]: of the protocols in [`Protocol`], which one belongs on this port? This is what
//!   "unregistered port" means in strategies: *no protocol that Watchkeeper knows is assigned to it*.
//!   TCP 4444 has names in the IANA registry (`krb524`, `nv-video`) and is unregistered in this sense,
//!   because neither is a protocol that Watchkeeper could find there.
//! * [`is_registered_port`]: does a service in common use hold an IANA assignment, known to Watchkeeper
//!   or not? It keeps a BGP or rsync port from being called odd.
//!
//! Where a protocol runs inside TLS from the first byte (HTTPS, IMAPS), the promise is
//! [`Protocol::Tls`], because that is what a listener sees.
//!
//! Source: IANA Service Name and Transport Protocol Port Number Registry. Lines marked `default` are not
//! IANA's: the protocol's own reference implementation sets them. Protocols that adversaries bring with
//! them (stratum, tor, bittorrent) have no line on purpose: a port that is only customary for those must
//! not look promised.

use crate::{Protocol, Transport};

/// The transports of one table line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Tcp,
    Udp,
    Both,
}

impl On {
    fn holds(self, transport: Transport) -> bool {
        match self {
            Self::Both => true,
            Self::Tcp => transport == Transport::Tcp,
            Self::Udp => transport == Transport::Udp,
        }
    }
}

/// The protocol whose port this is, if Watchkeeper knows that protocol.
///
/// ```
/// use wire::{Protocol, Transport, ports::registered};
/// assert_eq!(registered(23, Transport::Tcp), Some(Protocol::Telnet));
/// assert_eq!(registered(4444, Transport::Tcp), None);
/// ```
pub fn registered(port: u16, transport: Transport) -> Option<Protocol> {
    look_up(KNOWN, port, transport)
}

/// The IANA service name of a commonly used assigned port; `None` says only that the port is not in the
/// table. Every port with a [`registered`] protocol has a name here.
///
/// ```
/// use wire::{Transport, ports::is_registered_port};
/// assert_eq!(is_registered_port(179, Transport::Tcp), Some("bgp"));
/// assert_eq!(is_registered_port(4444, Transport::Tcp), None);
/// ```
pub fn is_registered_port(port: u16, transport: Transport) -> Option<&'static str> {
    look_up(SERVICES, port, transport).or_else(|| registered(port, transport).map(Protocol::as_str))
}

/// Finds the line of `port` and `transport`; a port may have one line per transport, side by side.
fn look_up<T: Copy>(table: &[(u16, On, T)], port: u16, transport: Transport) -> Option<T> {
    let first = table.partition_point(|(line, _, _)| *line < port);
    table
        .iter()
        .skip(first)
        .take_while(|(line, _, _)| *line == port)
        .find(|(_, on, _)| on.holds(transport))
        .map(|(_, _, value)| *value)
}

/// Sorted by port.
const KNOWN: &[(u16, On, Protocol)] = &[
    (20, On::Tcp, Protocol::Ftp),
    (21, On::Tcp, Protocol::Ftp),
    (22, On::Tcp, Protocol::Ssh),
    (23, On::Tcp, Protocol::Telnet),
    (25, On::Tcp, Protocol::Smtp),
    (53, On::Both, Protocol::Dns),
    (67, On::Udp, Protocol::Dhcp),
    (68, On::Udp, Protocol::Dhcp),
    (69, On::Udp, Protocol::Tftp),
    (80, On::Tcp, Protocol::Http),
    (88, On::Both, Protocol::Kerberos),
    (110, On::Tcp, Protocol::Pop3),
    (123, On::Udp, Protocol::Ntp),
    (139, On::Tcp, Protocol::Smb),
    (143, On::Tcp, Protocol::Imap),
    (161, On::Udp, Protocol::Snmp),
    (162, On::Udp, Protocol::Snmp),
    (194, On::Tcp, Protocol::Irc),
    (389, On::Both, Protocol::Ldap),
    (443, On::Tcp, Protocol::Tls),
    (443, On::Udp, Protocol::Quic),
    (445, On::Tcp, Protocol::Smb),
    (465, On::Tcp, Protocol::Tls),
    (514, On::Udp, Protocol::Syslog),
    (546, On::Udp, Protocol::Dhcp),
    (547, On::Udp, Protocol::Dhcp),
    (587, On::Tcp, Protocol::Smtp),
    (601, On::Tcp, Protocol::Syslog),
    (636, On::Tcp, Protocol::Tls),
    (853, On::Tcp, Protocol::Tls),
    (853, On::Udp, Protocol::Quic),
    (989, On::Tcp, Protocol::Tls),
    (990, On::Tcp, Protocol::Tls),
    (992, On::Tcp, Protocol::Tls),
    (993, On::Tcp, Protocol::Tls),
    (995, On::Tcp, Protocol::Tls),
    (1080, On::Tcp, Protocol::Socks),
    (1194, On::Both, Protocol::Openvpn),
    (1812, On::Udp, Protocol::Radius),
    (1813, On::Udp, Protocol::Radius),
    (1883, On::Tcp, Protocol::Mqtt),
    (2049, On::Both, Protocol::Nfs),
    (2375, On::Tcp, Protocol::Http),
    (2376, On::Tcp, Protocol::Tls),
    (2379, On::Tcp, Protocol::Http2),
    (3268, On::Tcp, Protocol::Ldap),
    (3269, On::Tcp, Protocol::Tls),
    (3306, On::Tcp, Protocol::Mysql),
    (3389, On::Both, Protocol::Rdp),
    (3478, On::Both, Protocol::Stun),
    (4222, On::Tcp, Protocol::Nats), // default
    (5004, On::Udp, Protocol::Rtp),
    (5060, On::Both, Protocol::Sip),
    (5061, On::Tcp, Protocol::Tls),
    (5222, On::Tcp, Protocol::Xmpp),
    (5269, On::Tcp, Protocol::Xmpp),
    (5349, On::Tcp, Protocol::Tls),
    (5353, On::Udp, Protocol::Mdns),
    (5355, On::Both, Protocol::Llmnr),
    (5432, On::Tcp, Protocol::Postgresql),
    (5671, On::Tcp, Protocol::Tls),
    (5672, On::Tcp, Protocol::Amqp),
    (5900, On::Tcp, Protocol::Vnc),
    (6379, On::Tcp, Protocol::Redis),
    (6443, On::Tcp, Protocol::Tls),
    (6514, On::Tcp, Protocol::Tls),
    (6665, On::Tcp, Protocol::Irc),
    (6666, On::Tcp, Protocol::Irc),
    (6667, On::Tcp, Protocol::Irc),
    (6668, On::Tcp, Protocol::Irc),
    (6669, On::Tcp, Protocol::Irc),
    (6697, On::Tcp, Protocol::Tls),
    (8008, On::Tcp, Protocol::Http),
    (8080, On::Tcp, Protocol::Http),
    (8443, On::Tcp, Protocol::Tls),
    (8883, On::Tcp, Protocol::Tls),
    (9042, On::Tcp, Protocol::Cassandra), // default
    (9092, On::Tcp, Protocol::Kafka),     // default
    (11211, On::Both, Protocol::Memcached),
    (27017, On::Tcp, Protocol::Mongodb),
    (51820, On::Udp, Protocol::Wireguard), // default
    (61613, On::Tcp, Protocol::Stomp),     // default
];

/// Sorted by port; IANA's service names.
const SERVICES: &[(u16, On, &str)] = &[
    (7, On::Both, "echo"),
    (9, On::Both, "discard"),
    (13, On::Both, "daytime"),
    (19, On::Both, "chargen"),
    (20, On::Tcp, "ftp-data"),
    (21, On::Tcp, "ftp"),
    (22, On::Tcp, "ssh"),
    (23, On::Tcp, "telnet"),
    (25, On::Tcp, "smtp"),
    (37, On::Both, "time"),
    (43, On::Tcp, "nicname"),
    (49, On::Both, "tacacs"),
    (53, On::Both, "domain"),
    (67, On::Udp, "bootps"),
    (68, On::Udp, "bootpc"),
    (69, On::Udp, "tftp"),
    (70, On::Tcp, "gopher"),
    (79, On::Tcp, "finger"),
    (80, On::Tcp, "http"),
    (88, On::Both, "kerberos"),
    (102, On::Tcp, "iso-tsap"),
    (104, On::Tcp, "acr-nema"),
    (110, On::Tcp, "pop3"),
    (111, On::Both, "sunrpc"),
    (113, On::Tcp, "ident"),
    (119, On::Tcp, "nntp"),
    (123, On::Udp, "ntp"),
    (135, On::Tcp, "epmap"),
    (137, On::Udp, "netbios-ns"),
    (138, On::Udp, "netbios-dgm"),
    (139, On::Tcp, "netbios-ssn"),
    (143, On::Tcp, "imap"),
    (161, On::Udp, "snmp"),
    (162, On::Udp, "snmptrap"),
    (179, On::Tcp, "bgp"),
    (194, On::Tcp, "irc"),
    (319, On::Udp, "ptp-event"),
    (320, On::Udp, "ptp-general"),
    (389, On::Both, "ldap"),
    (427, On::Both, "svrloc"),
    (443, On::Both, "https"),
    (445, On::Tcp, "microsoft-ds"),
    (464, On::Both, "kpasswd"),
    (465, On::Tcp, "submissions"),
    (500, On::Udp, "isakmp"),
    (502, On::Tcp, "mbap"),
    (512, On::Tcp, "exec"),
    (513, On::Tcp, "login"),
    (514, On::Tcp, "shell"),
    (514, On::Udp, "syslog"),
    (515, On::Tcp, "printer"),
    (520, On::Udp, "router"),
    (543, On::Tcp, "klogin"),
    (544, On::Tcp, "kshell"),
    (546, On::Udp, "dhcpv6-client"),
    (547, On::Udp, "dhcpv6-server"),
    (548, On::Tcp, "afpovertcp"),
    (554, On::Both, "rtsp"),
    (563, On::Tcp, "nntps"),
    (587, On::Tcp, "submission"),
    (601, On::Tcp, "syslog-conn"),
    (623, On::Udp, "asf-rmcp"),
    (631, On::Tcp, "ipp"),
    (636, On::Tcp, "ldaps"),
    (646, On::Both, "ldp"),
    (749, On::Tcp, "kerberos-adm"),
    (853, On::Both, "domain-s"),
    (873, On::Tcp, "rsync"),
    (989, On::Tcp, "ftps-data"),
    (990, On::Tcp, "ftps"),
    (992, On::Tcp, "telnets"),
    (993, On::Tcp, "imaps"),
    (995, On::Tcp, "pop3s"),
    (1080, On::Tcp, "socks"),
    (1099, On::Tcp, "rmiregistry"),
    (1194, On::Both, "openvpn"),
    (1352, On::Tcp, "lotusnote"),
    (1433, On::Tcp, "ms-sql-s"),
    (1434, On::Udp, "ms-sql-m"),
    (1521, On::Tcp, "ncube-lm"),
    (1701, On::Udp, "l2tp"),
    (1723, On::Tcp, "pptp"),
    (1812, On::Udp, "radius"),
    (1813, On::Udp, "radius-acct"),
    (1883, On::Tcp, "mqtt"),
    (1900, On::Udp, "ssdp"),
    (2049, On::Both, "nfs"),
    (2181, On::Tcp, "eforward"),
    (2375, On::Tcp, "docker"),
    (2376, On::Tcp, "docker-s"),
    (2377, On::Tcp, "swarm"),
    (2379, On::Tcp, "etcd-client"),
    (2380, On::Tcp, "etcd-server"),
    (2401, On::Tcp, "cvspserver"),
    (2628, On::Tcp, "dict"),
    (3050, On::Tcp, "gds-db"),
    (3205, On::Both, "isns"),
    (3260, On::Tcp, "iscsi-target"),
    (3268, On::Tcp, "msft-gc"),
    (3269, On::Tcp, "msft-gc-ssl"),
    (3306, On::Tcp, "mysql"),
    (3389, On::Both, "ms-wbt-server"),
    (3478, On::Both, "stun"),
    (3493, On::Both, "nut"),
    (3632, On::Tcp, "distcc"),
    (3689, On::Tcp, "daap"),
    (3690, On::Tcp, "svn"),
    (4190, On::Tcp, "sieve"),
    (4317, On::Tcp, "opentelemetry"),
    (4369, On::Tcp, "epmd"),
    (4500, On::Udp, "ipsec-nat-t"),
    (4505, On::Tcp, "salt-pub"),
    (4506, On::Tcp, "salt-ret"),
    (4789, On::Udp, "vxlan"),
    (4949, On::Tcp, "munin"),
    (5004, On::Udp, "avt-profile-1"),
    (5060, On::Both, "sip"),
    (5061, On::Tcp, "sips"),
    (5222, On::Tcp, "xmpp-client"),
    (5269, On::Tcp, "xmpp-server"),
    (5349, On::Tcp, "stuns"),
    (5353, On::Udp, "mdns"),
    (5355, On::Both, "llmnr"),
    (5432, On::Tcp, "postgresql"),
    (5666, On::Tcp, "nrpe"),
    (5671, On::Tcp, "amqps"),
    (5672, On::Tcp, "amqp"),
    (5683, On::Udp, "coap"),
    (5900, On::Tcp, "rfb"),
    (5984, On::Tcp, "couchdb"),
    (5985, On::Tcp, "wsman"),
    (5986, On::Tcp, "wsmans"),
    (6000, On::Tcp, "x11"),
    (6081, On::Udp, "geneve"),
    (6379, On::Tcp, "redis"),
    (6443, On::Tcp, "sun-sr-https"),
    (6514, On::Tcp, "syslog-tls"),
    (6665, On::Tcp, "ircu"),
    (6666, On::Tcp, "ircu"),
    (6667, On::Tcp, "ircu"),
    (6668, On::Tcp, "ircu"),
    (6669, On::Tcp, "ircu"),
    (6697, On::Tcp, "ircs-u"),
    (8008, On::Tcp, "http-alt"),
    (8080, On::Tcp, "http-alt"),
    (8140, On::Tcp, "puppet"),
    (8443, On::Tcp, "pcsync-https"),
    (8883, On::Tcp, "secure-mqtt"),
    (9418, On::Tcp, "git"),
    (10050, On::Tcp, "zabbix-agent"),
    (10051, On::Tcp, "zabbix-trapper"),
    (11211, On::Both, "memcache"),
    (11371, On::Tcp, "hkp"),
    (27017, On::Tcp, "mongodb"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_sorted_and_name_a_port_and_transport_once() {
        fn check<T>(table: &[(u16, On, T)]) {
            for pair in table.windows(2) {
                let [(port, on, _), (next_port, next_on, _)] = pair else { continue };
                assert!(port <= next_port, "{port} stands before {next_port}");
                if port == next_port {
                    assert!(on != next_on && *on != On::Both && *next_on != On::Both, "{port} twice");
                }
            }
        }
        check(KNOWN);
        check(SERVICES);
    }

    #[test]
    fn a_port_answers_by_transport() {
        assert_eq!(registered(443, Transport::Tcp), Some(Protocol::Tls));
        assert_eq!(registered(443, Transport::Udp), Some(Protocol::Quic));
        assert_eq!(registered(23, Transport::Udp), None);
        assert_eq!(is_registered_port(514, Transport::Tcp), Some("shell"));
        assert_eq!(is_registered_port(514, Transport::Udp), Some("syslog"));
    }

    #[test]
    fn customary_ports_of_adversaries_promise_nothing() {
        for port in [0, 1337, 3333, 4444, 4445, 5555, 9001, 9050, 31337, u16::MAX] {
            assert_eq!(registered(port, Transport::Tcp), None, "{port}");
            assert_eq!(is_registered_port(port, Transport::Tcp), None, "{port}");
        }
    }

    #[test]
    fn every_known_port_has_a_service_name() {
        for (port, on, _) in KNOWN {
            for transport in [Transport::Tcp, Transport::Udp] {
                if on.holds(transport) {
                    assert!(is_registered_port(*port, transport).is_some(), "{port}");
                }
            }
        }
    }
}
