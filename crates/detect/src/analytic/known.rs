//! What a workload learned from DNS: the addresses that it was given, the names that it asked for, its resolver.
//!
//! In: its questions and the answers to it, with their times. Out: whether something is among them. Things are kept as
//! hashes of four bytes in order, so that a name that was never asked for is taken for one that was in one of four million
//! cases at most; the other way it never errs. A list that is full is not asked any more, which the
//! strategies name among their blind spots.

use super::hash_of;
use compact_str::CompactString;
use event::BootTime;
use event::network::Dns;
use std::net::IpAddr;
use std::time::Duration;

/// Things of one sort.
const MOST: usize = 1_024;
/// Registered domains.
const MOST_DOMAINS: usize = 512;

/// What one workload learned.
#[derive(Debug)]
pub(super) struct Known {
    addresses: Hashes,
    names: Hashes,
    domains: Hashes,
    /// The first question.
    since: Option<BootTime>,
    /// A resolver inside that answered.
    resolver: Option<IpAddr>,
    /// The API server of its cluster.
    kubernetes: Option<IpAddr>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            addresses: Hashes::new(MOST),
            names: Hashes::new(MOST),
            domains: Hashes::new(MOST_DOMAINS),
            since: None,
            resolver: None,
            kubernetes: None,
        }
    }
}

impl Known {
    /// An answer came, from a resolver inside where that is one. `kubernetes` begins the names of the API server.
    pub(super) fn answered(&mut self, dns: &Dns, inside: Option<IpAddr>, kubernetes: &str) {
        self.resolver = self.resolver.or(inside);
        for address in &dns.addresses {
            self.addresses.add(hash(&address.to_canonical()));
        }
        self.names.add(hash_name(&dns.query));
        if dns.query.get(..kubernetes.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(kubernetes)) {
            self.kubernetes = dns.addresses.first().copied().or(self.kubernetes);
        }
    }

    /// A question was asked: how long after the first one, if its registered domain is new.
    pub(super) fn asked(&mut self, name: &str, domain: Option<&str>, now: BootTime) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        self.names.add(hash_name(name));
        let is_new = self.domains.add(hash_name(domain?));
        is_new.then(|| now.since(since))
    }

    /// Whether no answer gave it the address, as far as that can be said.
    pub(super) fn never_resolved(&self, address: IpAddr) -> bool {
        self.addresses.lacks(hash(&address.to_canonical()))
    }

    /// Whether it never asked for the name, as far as that can be said.
    pub(super) fn never_asked(&self, name: &str) -> bool {
        self.names.lacks(hash_name(name))
    }

    /// Registered domains that it asked for.
    pub(super) fn domains(&self) -> u32 {
        u32::try_from(self.domains.sorted.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn resolver(&self) -> Option<IpAddr> {
        self.resolver
    }

    pub(super) fn kubernetes(&self) -> Option<IpAddr> {
        self.kubernetes
    }
}

/// A set of hashes with a limit.
#[derive(Debug)]
struct Hashes {
    sorted: Vec<u32>,
    limit: usize,
    is_full: bool,
}

impl Hashes {
    fn new(limit: usize) -> Self {
        Self { sorted: Vec::new(), limit, is_full: false }
    }

    /// Whether it was not there, and is now.
    fn add(&mut self, hash: u32) -> bool {
        let Err(place) = self.sorted.binary_search(&hash) else { return false };
        if self.sorted.len() >= self.limit {
            self.is_full = true;
            return false;
        }
        self.sorted.insert(place, hash);
        true
    }

    /// Whether it is not there, though others are. A full list cannot say.
    fn lacks(&self, hash: u32) -> bool {
        !self.is_full && !self.sorted.is_empty() && self.sorted.binary_search(&hash).is_err()
    }
}

/// The upper half, which is as good as the lower.
fn hash(thing: &impl std::hash::Hash) -> u32 {
    u32::try_from(hash_of(thing) >> 32).unwrap_or_default()
}

fn hash_name(name: &str) -> u32 {
    hash(&CompactString::from(name.trim_end_matches('.')).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn nothing_is_missing_before_anything_was_seen() {
        let mut known = Known::default();
        assert!(!known.never_asked("a.test") && !known.never_resolved([198, 51, 100, 1].into()));
        let addresses = vec![[198, 51, 100, 1].into()];
        let dns = Dns { query: "A.test.".into(), addresses, response: true, ..Dns::default() };
        known.answered(&dns, None, "kubernetes.default");
        assert!(!known.never_asked("a.TEST") && known.never_asked("b.test"));
        assert!(!known.never_resolved("::ffff:198.51.100.1".parse().unwrap()));
        assert!(known.never_resolved([198, 51, 100, 2].into()));
    }

    #[test]
    fn a_full_list_says_nothing() {
        let mut known = Known::default();
        for number in 0..MOST {
            known.asked(&format!("n{number}.test"), None, BootTime(0));
            assert!(known.never_asked("other.test"));
        }
        known.asked("more.test", None, BootTime(0));
        assert!(!known.never_asked("other.test"));
    }

    #[test]
    fn a_domain_is_new_once_and_its_age_is_that_of_the_first_question() {
        let mut known = Known::default();
        let at = |seconds| BootTime(seconds * SECOND);
        assert_eq!(known.asked("w.a.test", Some("a.test"), at(10)), Some(Duration::ZERO));
        assert_eq!(known.asked("v.a.test", Some("a.test"), at(20)), None);
        assert_eq!(known.asked("b.test", Some("b.test"), at(30)), Some(Duration::from_secs(20)));
        assert_eq!(known.domains(), 2);
    }
}
