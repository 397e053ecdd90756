//! Logs of the network: DNS, Zeek, firewalls.
//!
//! Zeek tells who asked (`id.orig_h`) from who was asked (`id.resp_h`); events tell the own end from the peer's, so the
//! catalogue has fields for both views. Source: the reference of Zeek's `dns.log` and `conn.log`.

use super::{Code, Events, Meaning, Name, Others};
use event::{Class, Field};

/// DNS, of whatever product.
pub(super) const DNS: &[Events] =
    &[Events { class: Class::Dns, operations: &[], names: &[ANSWERS], text: &[] }];

/// Zeek's `dns.log`.
pub(super) const ZEEK_DNS: &[Events] =
    &[Events { class: Class::Dns, operations: &[], names: &[ANSWERS, ZEEK_ENDS, ZEEK_DNS_NAMES], text: &[] }];

/// Zeek's `conn.log`.
pub(super) const ZEEK_CONN: &[Events] =
    &[Events { class: Class::NetworkConnection, operations: &[], names: &[ZEEK_ENDS], text: &[] }];

/// Firewalls.
pub(super) const FIREWALL: &[Events] =
    &[Events { class: Class::NetworkConnection, operations: &[], names: &[FIREWALL_NAMES], text: &[] }];

const NO_VERDICT: &str = "no sensor knows what a firewall decided";

const fn field(name: &'static str, field: &'static [Field]) -> Name {
    Name { name, meaning: Meaning::Fields(field) }
}

/// Names of DNS beside `query`, `record_type` and `answer`, which the catalogue has.
pub(super) const ANSWERS: &[Name] = &[
    field("answers", &[Field::DnsAnswer]),
    field("QueryName", &[Field::DnsQuery]),
    field("QueryResults", &[Field::DnsAnswer]),
];

pub(super) const ZEEK_ENDS: &[Name] = &[
    field("id.orig_h", &[Field::NetworkOriginatorIp]),
    field("id.orig_p", &[Field::NetworkOriginatorPort]),
    field("id.resp_h", &[Field::NetworkResponderIp]),
    field("id.resp_p", &[Field::NetworkResponderPort]),
    field("proto", &[Field::Protocol]),
];

const ZEEK_DNS_NAMES: &[Name] = &[
    field("qtype_name", &[Field::DnsType]),
    field("rejected", &[Field::DnsRejected]),
    field("Z", &[Field::DnsReserved]),
    field("rcode", &[Field::DnsRcode]),
    Name { name: "rcode_name", meaning: Meaning::Coded(Field::DnsRcode, RCODES, Others::Unknown) },
];

/// Source: RFC 1035, section 4.1.1, with the names of the IANA registry.
const RCODES: &[(&str, &[Code])] = &[
    ("NOERROR", &[Code::Number(0)]),
    ("FORMERR", &[Code::Number(1)]),
    ("SERVFAIL", &[Code::Number(2)]),
    ("NXDOMAIN", &[Code::Number(3)]),
    ("NOTIMP", &[Code::Number(4)]),
    ("REFUSED", &[Code::Number(5)]),
];

const FIREWALL_NAMES: &[Name] = &[
    field("src_ip", &[Field::NetworkOriginatorIp]),
    field("src_port", &[Field::NetworkOriginatorPort]),
    field("dst_ip", &[Field::NetworkResponderIp]),
    field("dst_port", &[Field::NetworkResponderPort]),
    Name { name: "action", meaning: Meaning::Missing(NO_VERDICT) },
    Name { name: "blocked", meaning: Meaning::Missing(NO_VERDICT) },
];
