//! Names of addresses, as one container learned them from the DNS answers that it got.
//!
//! A container that runs its own resolver can name addresses as it likes: a name is a claim of the container's
//! resolver, never proof. Names have no expiry: a connection that outlives the record's lifetime keeps its name.

use crate::config::Config;
use crate::recent::Recent;
use compact_str::CompactString;
use event::network::{Direction, Dns};
use std::net::IpAddr;

/// How many names there may be, and are, over all containers.
#[derive(Debug)]
pub(crate) struct NameBudget {
    max: usize,
    max_per_container: usize,
    used: usize,
    /// Names that were evicted or not taken in.
    pub lost: u64,
}

impl NameBudget {
    pub(crate) fn new(config: &Config) -> Self {
        Self { max: config.names, max_per_container: config.names_per_container, used: 0, lost: 0 }
    }

    /// The names of a container that is forgotten.
    pub(crate) fn give_back(&mut self, names: &Names) {
        self.used = self.used.saturating_sub(names.0.len());
    }
}

/// Names that one container (or the host) knows.
#[derive(Debug, Default)]
pub(crate) struct Names(Recent<IpAddr, CompactString>);

impl Names {
    /// Learns from a response that came in. The name is that of the question, whatever aliases led to the address.
    pub(crate) fn learn(&mut self, dns: &Dns, budget: &mut NameBudget) {
        if !dns.response || dns.direction != Direction::In || dns.rcode != 0 || dns.query.is_empty() {
            return;
        }
        for address in &dns.addresses {
            let address = address.to_canonical();
            let full = self.0.len() >= budget.max_per_container || budget.used >= budget.max;
            if full && self.0.get(&address).is_none() {
                budget.lost += 1;
                // The container that wants more gives up its own, never another's.
                if self.0.pop_oldest().is_none() {
                    continue;
                }
                budget.used -= 1;
            }
            if self.0.insert(address, dns.query.clone()) {
                budget.used += 1;
            }
        }
    }

    /// The name by which the container knows an address.
    pub(crate) fn name(&self, address: IpAddr) -> Option<&CompactString> {
        self.0.get(&address.to_canonical())
    }
}
