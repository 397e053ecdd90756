//! Registered domains that did not exist, per container, over a window.
//!
//! In: the failed look-ups of one container with their times. Out: [`Failures`]. A program that draws names asks for
//! many domains of which nearly none exist; a container that looks for its services fails on the same few, over and
//! over, and below names that are not registered at all.

use super::super::distinct::Item;
use super::super::registered_domain::{is_local, registered};
use super::{GENERATED, probability};
use std::collections::VecDeque;

/// Domains that are kept; a burst of more is as clear as one of this many.
pub const KEPT: usize = 64;
/// What failed within the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Registered domains that did not exist.
    pub domains: u32,
    /// Those of them that look generated.
    pub generated: u32,
}

/// The failed look-ups of one container. At most 64 domains of 32 bytes.
#[derive(Clone, Debug)]
pub struct NameFailures {
    window_ns: u64,
    /// Oldest first.
    domains: VecDeque<Domain>,
}

#[derive(Clone, Copy, Debug)]
struct Domain {
    name: Item,
    at_ns: u64,
    generated: bool,
}

impl NameFailures {
    /// Nothing yet.
    pub fn new(window_ns: u64) -> Self {
        Self { window_ns, domains: VecDeque::new() }
    }

    /// Adds a look-up of `name` that was answered with NXDOMAIN. Returns what failed within the window until now when
    /// the domain is new in it.
    pub fn push(&mut self, at_ns: u64, name: &str) -> Option<Failures> {
        let parts = registered(name)?;
        if is_local(parts.suffix) {
            return None;
        }
        while self.domains.front().is_some_and(|domain| at_ns.saturating_sub(domain.at_ns) > self.window_ns) {
            self.domains.pop_front();
        }
        let name = Item::of_text(parts.domain, 0);
        if let Some(at) = self.domains.iter().position(|domain| domain.name == name) {
            let again = self.domains.remove(at)?;
            self.domains.push_back(Domain { at_ns, ..again });
            return None;
        }
        if self.domains.len() >= KEPT {
            self.domains.pop_front();
        }
        let generated = probability(parts.domain).is_some_and(|probability| probability >= GENERATED);
        self.domains.push_back(Domain { name, at_ns, generated });
        let count = |holds: fn(&Domain) -> bool| {
            u32::try_from(self.domains.iter().filter(|domain| holds(domain)).count()).unwrap_or(u32::MAX)
        };
        Some(Failures { domains: count(|_| true), generated: count(|domain| domain.generated) })
    }
}
