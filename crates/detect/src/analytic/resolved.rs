//! Analytic: names and addresses of a workload, and which of them do not belong together.
//!
//! In: DNS messages, connections and flows of workloads. Out, as facts on these events:
//!
//! | fact | on | holds where |
//! |---|---|---|
//! | `unresolved_address` | connection, flow | the address is outside, no DNS answer gave it to the workload, and answers were seen |
//! | `unasked_name` | flow | TLS or HTTP names what the workload never asked for, and its questions were seen |
//! | `encrypted_dns` | connection, flow | port 853, an offer of `dot` or `doq` in TLS, or a public resolver's name or address with port 443 |
//! | `direct_resolver` | DNS query, `encrypted_dns` | it goes outside, and a resolver inside has answered the workload |
//! | `new_domain` | DNS query | the registered domain is new after an hour of questions |
//! | `rare_top_level` | DNS query, flow | the name's last label is on the list |
//! | `special_address` | connection, flow | a cloud's metadata service, or what DNS gave for `kubernetes.default` |
//!
//! State: one [`Known`] per workload, dropped after a day, or when the table is full (the longest silent first, counted).
//! A workload that asks for more than fits is not judged by what is not known of it any more; it is counted once. Left out on
//! purpose: names from `/etc/hosts`, which no event tells; and DNS over another protocol, whose answers nobody sees.
//! Sources: RFC 7858 (port 853), RFC 9250 (`doq`), RFC 8484; the resolvers' and clouds' own pages.

use super::known::Known;
use super::port::leaves;
use super::registered_domain::{is_local, registered};
use super::{Analytic, Lru, Made, hash_of};
use compact_str::{CompactString, ToCompactString};
use event::field::workload;
use event::network::{ConnectionOp, Direction, Dns, Endpoints, Flow, Transport};
use event::{Event, Fact, FactName, Facts, Field, Kind};
use std::net::IpAddr;
use std::time::Duration;

/// The facts as fields: where no rule reads one of them, none is made.
pub(super) const FIELDS: [Field; 7] = [
    Field::FactUnresolvedAddress,
    Field::FactUnaskedName,
    Field::FactEncryptedDns,
    Field::FactDirectResolver,
    Field::FactNewDomain,
    Field::FactRareTopLevel,
    Field::FactSpecialAddress,
];
/// Workloads at once; with at most 11 kB each, 11 MB.
const WORKLOADS: usize = 1_024;
const DAY: Duration = Duration::from_secs(86_400);
/// How long a workload's domains are learned before one is called new.
const LEARNING: Duration = Duration::from_secs(3_600);
/// DNS over TLS and over QUIC.
const ENCRYPTED_PORT: u16 = 853;
const HTTPS_PORT: u16 = 443;
/// What pods call their API server by.
const KUBERNETES: &str = "kubernetes.default";

/// Public resolvers by name: what is below them counts as well.
pub(super) const RESOLVER_NAMES: [&str; 17] = [
    "adguard-dns.com",
    "chrome.cloudflare-dns.com",
    "cloudflare-dns.com",
    "dns.adguard.com",
    "dns.alidns.com",
    "dns.digitale-gesellschaft.ch",
    "dns.google",
    "dns.mullvad.net",
    "dns.nextdns.io",
    "dns.quad9.net",
    "dns.sb",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "doh.cleanbrowsing.org",
    "doh.opendns.com",
    "doh.pub",
    "one.one.one.one",
];
/// Public resolvers by address: Cloudflare, Google, Quad9, OpenDNS, AdGuard, AliDNS, DNSPod.
pub(super) const RESOLVER_ADDRESSES: [&str; 22] = [
    "1.0.0.1",
    "1.1.1.1",
    "8.8.4.4",
    "8.8.8.8",
    "9.9.9.9",
    "94.140.14.14",
    "94.140.15.15",
    "119.29.29.29",
    "149.112.112.112",
    "208.67.220.220",
    "208.67.222.222",
    "223.5.5.5",
    "223.6.6.6",
    "2001:4860:4860::8844",
    "2001:4860:4860::8888",
    "2606:4700:4700::1001",
    "2606:4700:4700::1111",
    "2620:119:35::35",
    "2620:119:53::53",
    "2620:fe::9",
    "2620:fe::fe",
    "1.12.12.12",
];
/// Services that tell an instance of a cloud about itself.
pub(super) const METADATA_ADDRESSES: [&str; 7] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd00:ec2::23",
];
/// Top-level domains that cost nothing or next to nothing, and under which abuse is reported far above their share.
pub(super) const RARE_TOP_LEVELS: [&str; 24] = [
    "bond", "buzz", "cf", "cfd", "click", "country", "cyou", "ga", "gq", "icu", "loan", "lol", "ml",
    "monster", "mov", "onion", "quest", "rest", "sbs", "su", "tk", "top", "xyz", "zip",
];

/// Lists of names and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lists {
    /// Public resolvers by name.
    pub(super) resolver_names: Vec<CompactString>,
    /// Public resolvers by address.
    pub(super) resolver_addresses: Vec<IpAddr>,
    /// Metadata services.
    pub(super) metadata_addresses: Vec<IpAddr>,
    /// Top-level domains.
    pub(super) top_levels: Vec<CompactString>,
}

impl Default for Lists {
    fn default() -> Self {
        let addresses = |list: &[&str]| list.iter().filter_map(|text| text.parse().ok()).collect();
        let texts = |list: &[&str]| list.iter().map(|text| CompactString::from(*text)).collect();
        Self {
            resolver_names: texts(&RESOLVER_NAMES),
            resolver_addresses: addresses(&RESOLVER_ADDRESSES),
            metadata_addresses: addresses(&METADATA_ADDRESSES),
            top_levels: texts(&RARE_TOP_LEVELS),
        }
    }
}

/// The analytic.
#[derive(Debug)]
pub(super) struct Resolved {
    workloads: Lru<Known>,
    lists: Lists,
}

impl Analytic for Resolved {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let is_asked = match &event.kind {
            Kind::Dns(_) => true,
            Kind::Connection(connection) => connection.op == ConnectionOp::Connect,
            Kind::Flow(flow) => flow.initiated,
            _ => false,
        };
        if !is_asked {
            return;
        }
        let Some(workload) = workload(event) else { return };
        let Some(known) = self.workloads.touch(hash_of(&workload), event.boot, Known::default) else {
            return;
        };
        let Event { kind, facts, context, boot, .. } = event;
        match kind {
            Kind::Dns(dns) => self.lists.dns(known, dns, *boot, facts),
            Kind::Connection(connection) => {
                let name = context.remote_name.as_deref().unwrap_or_default();
                self.lists.address(known, &connection.ends, name, facts);
                self.lists.encrypted(known, (&connection.ends, name), None, facts);
            }
            Kind::Flow(flow) => {
                let resolved = context.remote_name.as_deref().unwrap_or(&flow.names.dns);
                let claimed = [flow.names.sni.as_str(), host_name(&flow.names.host)];
                let claimed = claimed.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
                self.lists.address(known, &flow.ends, resolved, facts);
                self.lists.named(known, flow, claimed, facts);
                let name = if claimed.is_empty() { resolved } else { claimed };
                self.lists.encrypted(known, (&flow.ends, name), Some(flow), facts);
            }
            _ => {}
        }
    }

    fn lost(&mut self) -> u64 {
        self.workloads.take_evicted()
    }
}

impl Resolved {
    pub(super) fn new(lists: Lists) -> Self {
        Self { workloads: Lru::new(WORKLOADS, DAY), lists }
    }
}

impl Lists {
    /// A question of the workload, or an answer to it; what others ask it is not its own.
    fn dns(&self, known: &mut Known, dns: &Dns, now: event::BootTime, facts: &mut Facts) {
        let remote = dns.ends.remote_ip;
        if dns.response {
            if dns.direction == Direction::In {
                let inside = Some(remote).filter(|resolver| !is_outside(*resolver));
                known.answered(dns, inside, KUBERNETES);
            }
            return;
        }
        if dns.direction != Direction::Out {
            return;
        }
        around(known, &dns.ends, facts);
        let parts = registered(&dns.query).filter(|parts| !is_local(parts.suffix));
        let is_new = known.asked(&dns.query, parts.map(|parts| parts.domain), now);
        if let Some(age) = is_new.filter(|age| *age >= LEARNING) {
            let domain = parts.map(|parts| CompactString::from(parts.domain)).unwrap_or_default();
            let window_s = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
            facts.add(Fact { window_s, support: known.domains(), ..Fact::text(FactName::NewDomain, domain) });
        }
        self.top_level(&dns.query, facts);
    }

    fn address(&self, known: &Known, ends: &Endpoints, name: &str, facts: &mut Facts) {
        if self.metadata_addresses.contains(&ends.remote_ip.to_canonical()) {
            facts.add(Fact::text(FactName::SpecialAddress, "metadata"));
        } else if known.kubernetes() == Some(ends.remote_ip) {
            facts.add(Fact::text(FactName::SpecialAddress, "kubernetes"));
        }
        if name.is_empty() && is_outside(ends.remote_ip) && known.never_resolved(ends.remote_ip) {
            facts.add(Fact::flag(FactName::UnresolvedAddress));
        }
    }

    fn named(&self, known: &Known, flow: &Flow, claimed: &str, facts: &mut Facts) {
        if !claimed.is_empty() && is_outside(flow.ends.remote_ip) && known.never_asked(claimed) {
            facts.add(Fact::text(FactName::UnaskedName, claimed));
        }
        self.top_level(claimed, facts);
    }

    fn top_level(&self, name: &str, facts: &mut Facts) {
        let Some((_, last)) = name.trim_end_matches('.').rsplit_once('.') else { return };
        if let Some(listed) = self.top_levels.iter().find(|listed| listed.eq_ignore_ascii_case(last)) {
            facts.add(Fact::text(FactName::RareTopLevel, listed.clone()));
        }
    }

    fn encrypted(
        &self,
        known: &Known,
        (ends, name): (&Endpoints, &str),
        flow: Option<&Flow>,
        facts: &mut Facts,
    ) {
        if !leaves(ends) {
            return;
        }
        let spoken = flow.map_or("", |flow| flow.protocol.as_str());
        let offered = flow.map_or("", |flow| flow.names.alpn.as_str());
        let is = |protocols: &[&str]| spoken.is_empty() || protocols.contains(&spoken);
        let how = match (ends.transport, ends.remote_port) {
            _ if offered == "dot" => "tls",
            _ if offered == "doq" => "quic",
            (Transport::Tcp, ENCRYPTED_PORT) if is(&["tls"]) => "tls",
            (Transport::Udp, ENCRYPTED_PORT) if is(&["quic", "dtls"]) => "quic",
            (Transport::Tcp | Transport::Udp, HTTPS_PORT) if self.is_resolver(ends, name) => "https",
            _ => return,
        };
        facts.add(Fact::text(FactName::EncryptedDns, how));
        around(known, ends, facts);
    }

    /// By the name, or by the address where there is no name: at a resolver's address, another name is another service.
    fn is_resolver(&self, ends: &Endpoints, name: &str) -> bool {
        if name.is_empty() {
            return self.resolver_addresses.contains(&ends.remote_ip.to_canonical());
        }
        self.resolver_names.iter().any(|listed| is_at_or_below(name, listed))
    }
}

/// A resolver outside is asked by a workload that one inside has answered.
fn around(known: &Known, ends: &Endpoints, facts: &mut Facts) {
    if let Some(inside) = known.resolver().filter(|_| is_outside(ends.remote_ip)) {
        facts.add(Fact::text(FactName::DirectResolver, inside.to_compact_string()));
    }
}

/// Whether a name is another one or lies below it.
fn is_at_or_below(name: &str, above: &str) -> bool {
    let Some(at) = name.len().checked_sub(above.len()) else { return false };
    let is_label = at == 0 || name.as_bytes().get(at - 1) == Some(&b'.');
    is_label && name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(above))
}

/// The name in a Host of HTTP; empty for an address.
fn host_name(host: &str) -> &str {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    if host.starts_with('[') || name.parse::<IpAddr>().is_ok() { "" } else { name }
}

/// Whether an address belongs to somebody else: no network that everybody may use inside.
pub(super) fn is_outside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            // Carriers' inside, RFC 6598.
            let is_shared = first == 100 && (64..128).contains(&second);
            !(ip.is_private()
                || ip.is_link_local()
                || ip.is_loopback()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_unspecified()
                || is_shared)
        }
        IpAddr::V6(ip) => {
            !(ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_loopback()
                || ip.is_multicast()
                || ip.is_unspecified())
        }
    }
}
