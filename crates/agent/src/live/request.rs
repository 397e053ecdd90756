//! What the engine asks of the sensor: the way from the process without rights to one that has them.
//!
//! The engine may be an adversary's by then: THREAT_MODEL.md.

use event::ContainerId;
use event::Wants;
use event::change::Look;
use sense::kernel::HashRequest;
use serde::{Deserialize, Serialize};

/// From the engine to the sensor.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromEngine {
    /// The strategies are compiled and use this; said once, before it reads anything that an adversary writes.
    Wants(Box<Wants>),
    /// It reads the rings.
    Ready {
        /// Strategies that run.
        strategies: usize,
        /// Parts of the sandbox that this kernel does not have.
        sandbox_missing: Vec<String>,
    },
    /// A line for the user.
    Say(String),
    /// An executed file to hash.
    Hash(HashRequest),
    /// Watched files to look at.
    Look(Box<Look>),
    /// A container runs.
    Container {
        /// Which.
        container: ContainerId,
        /// One of its processes.
        pid: u32,
    },
    /// A container has ended.
    ContainerEnded {
        /// Which.
        container: ContainerId,
    },
    /// It ends; these are the alerts it raised.
    Done {
        /// Alerts raised.
        raised: u64,
        /// Events taken.
        events: u64,
        /// Observations lost.
        lost: u64,
    },
}
