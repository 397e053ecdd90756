//! Limits of enrichment and the counts of what it did.

use event::identity::UnknownOwner;
use std::time::Duration;

/// Limits. Every table of the crate is bounded by one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long an event waits for the facts of its container, in event time. Default 250 ms.
    pub hold: Duration,
    /// Events that wait for one container. Default 4,096.
    pub hold_events: usize,
    /// Events that wait in all. Default 65,536.
    pub hold_events_all: usize,
    /// How long an ended process is kept for late events. Default 10 s.
    pub keep_dead: Duration,
    /// How long a removed container is kept for late events. Default 60 s.
    pub keep_gone: Duration,
    /// How long a closed socket's owner is kept. Default 2 s.
    pub keep_closed: Duration,
    /// Processes in all. Default 65,536.
    pub processes: usize,
    /// Processes of one container (or of the host). Default 16,384.
    pub processes_per_container: usize,
    /// Containers, and images known from the start. Default 8,192.
    pub containers: usize,
    /// Names of addresses in one container. Default 1,024.
    pub names_per_container: usize,
    /// Names of addresses in all. Default 65,536.
    pub names: usize,
    /// Sockets whose owner is remembered. Default 65,536.
    pub sockets: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hold: Duration::from_millis(250),
            hold_events: 4_096,
            hold_events_all: 65_536,
            keep_dead: Duration::from_secs(10),
            keep_gone: Duration::from_secs(60),
            keep_closed: Duration::from_secs(2),
            processes: 65_536,
            processes_per_container: 16_384,
            containers: 8_192,
            names_per_container: 1_024,
            names: 65_536,
            sockets: 65_536,
        }
    }
}

/// What enrichment did since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Events that came in.
    pub events: u64,
    /// Events that waited for their container's facts.
    pub held: u64,
    /// Events that left without them: the hold ended, overflowed, or the runtime could not tell.
    pub late: u64,
    /// Of these, events that left before their time because too many waited.
    pub hold_overflow: u64,
    /// Events whose actor came from their socket.
    pub repaired: u64,
    /// Events of packets whose socket has no owner.
    pub socket_without_owner: u64,
    /// Events without a task.
    pub no_task: u64,
    /// Events whose source names no owner.
    pub owner_not_said: u64,
    /// Ended processes that left before [`Config::keep_dead`] was over.
    pub dead_evicted_early: u64,
    /// Running processes that were evicted, or not taken in because their container's share was used up.
    pub processes_lost: u64,
    /// Containers that were not taken in.
    pub containers_lost: u64,
    /// Names and socket owners that were evicted or not taken in.
    pub names_lost: u64,
    /// Owners of open sockets that were evicted.
    pub sockets_lost: u64,
}

impl Stats {
    pub(crate) fn count_unknown(&mut self, reason: UnknownOwner) {
        match reason {
            UnknownOwner::SocketWithoutOwner => self.socket_without_owner += 1,
            UnknownOwner::NoTask => self.no_task += 1,
            UnknownOwner::NotSaid => self.owner_not_said += 1,
        }
    }

    /// State that was given up because a table was full.
    pub(crate) fn state_lost(&self) -> u64 {
        self.processes_lost + self.containers_lost + self.names_lost + self.sockets_lost
    }
}
