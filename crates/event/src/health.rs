//! What the monitoring says of itself: loss, health, clock, ticks; and the classes that later sensors fill.

use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Where observations were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossAt {
    /// The ring of process, security and cgroup records.
    #[default]
    RingCritical,
    /// The ring of file records.
    RingFile,
    /// The ring of network records.
    RingNetwork,
    /// Records that could not be decoded.
    Decode,
    /// A table of the kernel filter was full.
    KernelTable,
    /// The channel from the container runtime.
    Runtime,
    /// Lines of system logs.
    Log,
    /// Events held for an owner's facts beyond the limit.
    Hold,
    /// State of a correlation that was evicted.
    Correlation,
    /// State of an analytic or of enrichment that was evicted.
    State,
    /// Changes of watched files that could not be looked at.
    Integrity,
    /// The recording could not be written.
    Recording,
    /// Alerts could not be delivered.
    Output,
}

impl LossAt {
    /// Name in rules and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            LossAt::RingCritical => "ring_critical",
            LossAt::RingFile => "ring_file",
            LossAt::RingNetwork => "ring_network",
            LossAt::Decode => "decode",
            LossAt::KernelTable => "kernel_table",
            LossAt::Runtime => "runtime",
            LossAt::Log => "log",
            LossAt::Hold => "hold",
            LossAt::Correlation => "correlation",
            LossAt::State => "state",
            LossAt::Integrity => "integrity",
            LossAt::Recording => "recording",
            LossAt::Output => "output",
        }
    }
}

/// Observations that were lost since the last such event of the same place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Loss {
    /// Where.
    pub at: LossAt,
    /// How many.
    pub count: u64,
    /// What they were, where that is known.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub detail: Text,
}

/// State of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorState {
    /// It works.
    #[default]
    Up,
    /// It works in part.
    Degraded,
    /// It does not work any more.
    Down,
    /// It has not worked since Watchkeeper started.
    Absent,
}

impl SensorState {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            SensorState::Up => "up",
            SensorState::Degraded => "degraded",
            SensorState::Down => "down",
            SensorState::Absent => "absent",
        }
    }
}

/// A signal became available, partly available, or unavailable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// The signal, as in a strategy's `requires`: one of [`crate::event::SIGNALS`].
    pub signal: CompactString,
    /// Its state.
    pub state: SensorState,
    /// Why, and what is unseen.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub reason: Text,
}

/// The wall clock moved against the boot clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockStep {
    /// By how many nanoseconds; negative is backwards.
    pub by_ns: i64,
}

/// The network configuration of a namespace changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// `link`, `address`, `route`, `neighbour`, `rule`, `nftables`, `sysctl`.
    pub object: CompactString,
    /// `added`, `removed`, `changed`.
    pub verb: CompactString,
    /// What it is now.
    pub detail: Text,
    /// Inode of the network namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub net_ns: u32,
}

/// A measured value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metric {
    /// Name with unit, as `cpu_seconds`.
    pub name: CompactString,
    /// Value.
    pub value: f64,
}
