//! Analytic: what is on a list of what is known to be bad.
//!
//! In: events with addresses, names, URLs, digests or images. Out, as facts on these events: `intel_list`, `intel_indicator`,
//! `intel_kind`, of the first thing that is on a list. The lists are those of the configuration and, for what the strategies
//! name themselves, the list `strategies` ([`crate::intel`]).
//!
//! | event | is asked about |
//! |---|---|
//! | DNS | the name, and the addresses of an answer |
//! | connection (`connect`, `accept`) | the peer's address |
//! | flow | the peer's address; server name, host and the name that led there |
//! | HTTP request | the URL, the host, and the peer's address |
//! | hash of a program | the SHA-256 |
//! | container | image reference and image id |
//!
//! State: none. Left out on purpose: addresses of others than the peer in a payload.

use super::{Analytic, Made};
use crate::intel::{Builder, Listed, Set, indicator};
use compact_str::CompactString;
use event::container::Container;
use event::network::{Connection, ConnectionOp, Dns, Endpoints, Flow, Http};
use event::{Event, Fact, FactName, Kind};
use std::sync::Arc;

/// Name of the list whose indicators stand in strategies.
const OWN_LIST: &str = "strategies";

/// The analytic.
#[derive(Debug, Default)]
pub(super) struct OnLists {
    /// Of the strategies.
    own: Set,
    /// Of the configuration.
    lists: Arc<Set>,
}

impl OnLists {
    /// With the indicators of strategies, which were found to be such.
    pub(super) fn new(indicators: &[CompactString]) -> Self {
        let mut builder = Builder::new();
        builder.begin(OWN_LIST);
        for (place, text) in (1..).zip(indicators) {
            if let Ok(found) = indicator(text) {
                builder.add(place, &found);
            }
        }
        Self { own: builder.finish().0, lists: Arc::default() }
    }

    /// Takes the lists of the configuration.
    pub(super) fn take(&mut self, lists: Arc<Set>) {
        self.lists = lists;
    }

    fn sets(&self) -> impl Iterator<Item = &Set> {
        [&self.own, &*self.lists].into_iter().filter(|set| !set.is_empty())
    }
}

impl Analytic for OnLists {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let Some(found) = self.sets().find_map(|set| find(set, event)) else { return };
        let facts = [
            (FactName::IntelList, found.list.into()),
            (FactName::IntelIndicator, found.indicator),
            (FactName::IntelKind, found.kind.as_str().into()),
        ];
        let facts = facts.map(|(name, text): (_, CompactString)| Fact::text(name, text));
        facts.into_iter().for_each(|fact| event.facts.add(fact));
    }
}

fn find<'a>(set: &'a Set, event: &Event) -> Option<Listed<'a>> {
    match &event.kind {
        Kind::Dns(dns) => of_dns(set, dns),
        Kind::Connection(connection) => of_connection(set, connection),
        Kind::Flow(flow) => of_flow(set, flow),
        Kind::Http(http) => of_http(set, http),
        Kind::FileHash(hash) => set.digest(hash.sha256.as_deref()?),
        Kind::Container(change) => {
            of_container(set, event.context.container.as_deref().unwrap_or(&change.record))
        }
        _ => None,
    }
}

fn of_dns<'a>(set: &'a Set, dns: &Dns) -> Option<Listed<'a>> {
    // A port is none of an answer's.
    let of_answer = || dns.addresses.iter().find_map(|address| set.address(*address, 0));
    set.name(&dns.query).or_else(of_answer)
}

fn of_connection<'a>(set: &'a Set, connection: &Connection) -> Option<Listed<'a>> {
    let is_asked = matches!(connection.op, ConnectionOp::Connect | ConnectionOp::Accept);
    is_asked.then(|| peer(set, &connection.ends)).flatten()
}

fn peer<'a>(set: &'a Set, ends: &Endpoints) -> Option<Listed<'a>> {
    set.address(ends.remote_ip, ends.remote_port)
}

fn of_flow<'a>(set: &'a Set, flow: &Flow) -> Option<Listed<'a>> {
    let names = [&flow.names.sni, &flow.names.host, &flow.names.dns];
    let mut names = names.into_iter().filter(|name| !name.is_empty());
    peer(set, &flow.ends).or_else(|| names.find_map(|name| set.name(without_port(name))))
}

fn of_http<'a>(set: &'a Set, http: &Http) -> Option<Listed<'a>> {
    let host = http.host.as_str();
    set.url(host, http.target.as_str())
        .or_else(|| set.name(without_port(host)))
        .or_else(|| peer(set, &http.ends))
}

fn of_container<'a>(set: &'a Set, record: &Container) -> Option<Listed<'a>> {
    set.image(&record.image).or_else(|| set.digest(&record.image_id))
}

fn without_port(host: &str) -> &str {
    host.split_once(':').map_or(host, |(name, _)| name)
}
