//! Scans: how many hosts and ports one workload tries for the first time, and how many of them do not answer.
//!
//! In: the connections of one workload, each with its destination and whether it was answered. Out: [`Sweep`]. A service
//! talks to few places, nearly all of which answer; who looks for places does not know them.
//!
//! | figure | formula |
//! |---|---|
//! | targets, hosts, ports | distinct over the window, exact up to 32 in half a window, then estimated (`distinct`) |
//! | walk | over first contacts: ln(0.8/0.2) for each that fails, minus that for each that is answered, never below 0 |
//!
//! The walk is the sequential test of Jung, Paxson, Berger and Balakrishnan 2004, with their θ0 = 0.8 and θ1 = 0.2; at
//! ln(0.99/0.01) = 4.6, which four failures in a row reach, their error rates are 1 % each way. It does not sink below
//! zero, so that a long innocent past buys nothing.
//!
//! Left out on purpose: brute force on one target, which is one first contact; and scans slower than the window.

use super::distinct::{Distinct, Item};
use std::net::IpAddr;

/// Steps of the walk: ln(θ0/θ1).
const STEP: f64 = 1.386_294_361_119_890_6;
/// Where the walk ends; more would only take longer to forget.
const HIGHEST: f64 = 64.0;

/// The first contacts of one workload.
#[derive(Clone, Debug)]
pub struct Scan {
    targets: Distinct,
    hosts: Distinct,
    ports: Distinct,
    failed: Distinct,
    walk: f64,
}

/// How a connection began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The other side answered.
    Answered,
    /// It refused, or said nothing.
    Failed,
}

/// What was tried of late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sweep {
    /// Distinct addresses with ports.
    pub targets: f64,
    /// Distinct addresses.
    pub hosts: f64,
    /// Distinct ports.
    pub ports: f64,
    /// Distinct addresses with ports that failed.
    pub failed: f64,
    /// Evidence of a scan, in the logarithm of odds; 4.6 is where the test decides.
    pub walk: f64,
}

impl Scan {
    /// Nothing yet.
    pub fn new(window_ns: u64) -> Self {
        let distinct = || Distinct::new(window_ns);
        Self { targets: distinct(), hosts: distinct(), ports: distinct(), failed: distinct(), walk: 0.0 }
    }

    /// Adds a connection. Returns what was tried of late where the destination is new in the window.
    pub fn push(&mut self, at_ns: u64, destination: (IpAddr, u16), contact: Contact) -> Option<Sweep> {
        let (address, port) = destination;
        let host = bytes(address);
        let item = |bytes: &[u8]| Item::of_bytes(bytes.iter().copied(), 1);
        let [high, low] = port.to_be_bytes();
        let mut both = [0; 18];
        for (slot, byte) in both.iter_mut().zip(host.into_iter().chain([high, low])) {
            *slot = byte;
        }
        if !self.targets.add(at_ns, item(&both)) {
            return None;
        }
        self.hosts.add(at_ns, item(&host));
        self.ports.add(at_ns, item(&[high, low]));
        let step = match contact {
            Contact::Answered => -STEP,
            Contact::Failed => {
                self.failed.add(at_ns, item(&both));
                STEP
            }
        };
        self.walk = (self.walk + step).clamp(0.0, HIGHEST);
        Some(self.sweep(at_ns))
    }

    /// What was tried until `at_ns`.
    pub fn sweep(&self, at_ns: u64) -> Sweep {
        let count = |distinct: &Distinct| distinct.estimate(at_ns)[0];
        Sweep {
            targets: count(&self.targets),
            hosts: count(&self.hosts),
            ports: count(&self.ports),
            failed: count(&self.failed),
            walk: self.walk,
        }
    }
}

/// An address in sixteen bytes.
fn bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const WINDOW: u64 = 60_000_000_000;

    fn host(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    #[test]
    fn four_hosts_that_do_not_answer_decide_the_test() {
        let mut scan = Scan::new(WINDOW);
        let sweeps: Vec<Sweep> =
            (1..=4).filter_map(|n| scan.push(1, (host(n), 22), Contact::Failed)).collect();
        assert!(sweeps[2].walk < 4.6 && sweeps[3].walk > 4.6);
        assert_eq!(
            (sweeps[3].targets, sweeps[3].hosts, sweeps[3].ports, sweeps[3].failed),
            (4.0, 4.0, 1.0, 4.0)
        );
    }

    #[test]
    fn ports_of_one_host_count_apart_from_hosts() {
        let mut scan = Scan::new(WINDOW);
        let last =
            (1..=1_000).filter_map(|port| scan.push(1, (host(1), port), Contact::Failed)).last().unwrap();
        assert_eq!(last.hosts, 1.0);
        assert!((500.0..1_500.0).contains(&last.ports), "{last:?}");
    }

    #[test]
    fn a_service_that_fails_on_the_same_place_over_and_over_is_no_scan() {
        let mut scan = Scan::new(WINDOW);
        let sweeps = (0..100).filter_map(|_| scan.push(1, (host(1), 5432), Contact::Failed)).count();
        assert_eq!(sweeps, 1);
        assert!(scan.sweep(1).walk < 4.6);
    }

    #[test]
    fn answers_take_back_and_the_past_buys_nothing() {
        let mut scan = Scan::new(WINDOW);
        for n in 0..50 {
            scan.push(1, (host(n), 80), Contact::Answered);
        }
        for n in 50..54 {
            scan.push(1, (host(n), 80), Contact::Failed);
        }
        assert!(scan.sweep(1).walk > 4.6);
        scan.push(1, (host(60), 80), Contact::Answered);
        assert!(scan.sweep(1).walk < 4.6);
    }
}
