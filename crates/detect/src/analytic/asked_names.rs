//! Analytic: what goes out in the names that a workload asks for, and names that a program drew.
//!
//! In: DNS messages of workloads. Out, as facts about a workload, when a figure enters one of its levels:
//! * with a registered domain: `tunnel_bytes` and the other figures of [`super::dns_tunnel`];
//! * by itself: `failed_domains` and `failed_generated`, see [`super::generated_name::NameFailures`].
//!
//! State: one entry per workload and domain, dropped after a day, and one per workload, dropped after five minutes
//! without a failure, or when a table is full (the longest silent first, counted). Left out on purpose: names in TLS and
//! HTTP, and DNS over either, whose names nobody sees.

use super::check_ins::whole;
use super::dns_tunnel::{DnsTunnel, NXDOMAIN, Outcome, Query, Traffic, subject};
use super::generated_name::{Failures, NameFailures};
use super::levels::{Entered, Levels};
use super::{Analytic, Lru, Made, hash_of};
use compact_str::{CompactString, format_compact};
use event::field::{Workload, workload};
use event::network::Dns;
use event::{Event, Fact, FactName, Field, Kind};
use std::time::Duration;

/// Workloads with a domain each at once; with at most 3.5 kB each, 14 MB.
const PAIRS: usize = 4_096;
/// Workloads whose look-ups failed at once.
const WORKLOADS: usize = 4_096;
const DAY: Duration = Duration::from_secs(86_400);
const FAILURES: Duration = Duration::from_secs(300);
/// Bytes of distinct names within a minute, an hour or a day: whichever figure is larger enters.
pub(super) const TUNNEL_LEVELS: [u64; 7] = [60, 120, 250, 400, 1_000, 4_000, 20_000];
/// Registered domains that do not exist.
pub(super) const FAILED_LEVELS: [u64; 5] = [5, 10, 20, 40, 60];

/// The analytic.
#[derive(Debug)]
pub(super) struct AskedNames {
    tunnels: Lru<Tunnel>,
    tunnel_levels: Levels,
    failed: Lru<Failed>,
    failed_levels: Levels,
}

#[derive(Debug, Default)]
struct Tunnel {
    tunnel: Box<DnsTunnel>,
    entered: Entered,
}

#[derive(Debug)]
struct Failed {
    names: NameFailures,
    entered: Entered,
}

impl AskedNames {
    pub(super) fn new(tunnel_levels: Levels, failed_levels: Levels) -> Self {
        Self {
            tunnels: Lru::new(PAIRS, DAY),
            tunnel_levels,
            failed: Lru::new(WORKLOADS, FAILURES),
            failed_levels,
        }
    }
}

impl Analytic for AskedNames {
    fn observe(&mut self, event: &mut Event, made: &mut Made) {
        let Kind::Dns(dns) = &event.kind else { return };
        let Some(workload) = workload(event) else { return };
        made.extend(self.tunnel(workload, dns, event));
        if dns.response && dns.rcode == NXDOMAIN {
            made.extend(self.failure(workload, dns, event));
        }
    }

    fn lost(&mut self) -> u64 {
        self.tunnels.take_evicted() + self.failed.take_evicted()
    }
}

impl AskedNames {
    fn tunnel(&mut self, workload: Workload, dns: &Dns, event: &Event) -> Option<Event> {
        let parts = subject(&dns.query)?;
        let domain = CompactString::from(parts.domain).to_ascii_lowercase();
        let key = hash_of(&(workload, &domain));
        let Tunnel { tunnel, entered } = self.tunnels.touch(key, event.boot, Tunnel::default)?;
        let now = event.boot.0;
        if dns.response {
            tunnel.answer(now, parts.below, Outcome::of(dns.rcode, &dns.answers));
            return None;
        }
        tunnel.query(now, Query::new(parts.below, &dns.record_type));
        let most = u64::try_from(whole(tunnel.most_unique_bytes(now))).unwrap_or_default();
        let holds = self.tunnel_levels.turn(entered, most)?;
        let subject = format_compact!("{} to {domain}", Field::WorkloadName.of(event).to_text());
        Some(event.turns(subject, holds, tunnel_facts(domain, &tunnel.traffic(now))))
    }

    fn failure(&mut self, workload: Workload, dns: &Dns, event: &Event) -> Option<Event> {
        let window_ns = u64::try_from(FAILURES.as_nanos()).unwrap_or(u64::MAX);
        let make = || Failed { names: NameFailures::new(window_ns), entered: Entered::default() };
        let Failed { names, entered } = self.failed.touch(hash_of(&workload), event.boot, make)?;
        let Failures { domains, generated } = names.push(event.boot.0, &dns.query)?;
        let holds = self.failed_levels.turn(entered, domains.into())?;
        let facts = [(FactName::FailedDomains, domains), (FactName::FailedGenerated, generated)];
        let facts = facts.map(|(name, count)| Fact::number(name, count.into()));
        Some(event.turns(Field::WorkloadName.of(event).to_text(), holds, facts))
    }
}

fn tunnel_facts(domain: CompactString, traffic: &Traffic) -> Vec<Fact> {
    let [minute, hour, day] = traffic.unique_bytes;
    let mean = |at: usize| {
        let of = |figures: &[f64; 3]| figures.get(at).copied().unwrap_or_default();
        of(&traffic.unique_bytes) / of(&traffic.unique_names).max(1.0)
    };
    let mut facts = vec![Fact::text(FactName::TunnelDomain, domain)];
    let figures = [
        (FactName::TunnelBytes, minute),
        (FactName::TunnelBytesHour, hour),
        (FactName::TunnelBytesDay, day),
        (FactName::TunnelNames, traffic.unique_names[0]),
        (FactName::TunnelNameBytes, mean(0)),
        (FactName::TunnelNameBytesDay, mean(2)),
        (FactName::TunnelEntropy, traffic.entropy * 100.0),
    ];
    facts.extend(figures.map(|(name, figure)| Fact::number(name, whole(figure))));
    facts
}
