//! Who and when: identities that never repeat, and the two clocks.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Nanoseconds of `CLOCK_BOOTTIME`: windows, holds and eviction run on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootTime(pub u64);

/// Nanoseconds since 1970-01-01 UTC: for display only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime(pub u64);

impl BootTime {
    /// Time from `earlier` to this, zero where `earlier` is later.
    pub fn since(self, earlier: BootTime) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    /// This time plus `duration`.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> BootTime {
        BootTime(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl WallTime {
    /// Milliseconds since 1970, as OCSF wants them.
    pub fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

/// A full container id: 64 hexadecimal digits, packed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(pub [u8; 32]);

impl ContainerId {
    /// The first 12 digits, as Docker prints them.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }

    /// From the packed form of the kernel programs, where all zero means none.
    pub fn from_packed(bytes: [u8; 32]) -> Option<Self> {
        (bytes != [0; 32]).then_some(Self(bytes))
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A string that is not a full container id.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAContainerId;

impl fmt::Display for NotAContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a container id is 64 lower-case hexadecimal digits")
    }
}

impl std::error::Error for NotAContainerId {}

impl FromStr for ContainerId {
    type Err = NotAContainerId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| NotAContainerId)?;
        let mut id = [0u8; 32];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let mut value = 0u8;
            for digit in pair {
                value = value << 4
                    | match digit {
                        b'0'..=b'9' => digit - b'0',
                        b'a'..=b'f' => digit - b'a' + 10,
                        _ => return Err(NotAContainerId),
                    };
            }
            *byte = value;
        }
        Ok(Self(id))
    }
}

impl Serialize for ContainerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContainerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A process: pids are reused, (pid, start) is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
pub struct ProcessKey {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Boot time at which the thread group leader started.
    pub start: BootTime,
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensor {
    /// eBPF programs.
    #[default]
    Kernel,
    /// The Docker daemon.
    Docker,
    /// Late facts about files (hashes).
    Hash,
    /// Looks at watched files.
    Integrity,
    /// The Kubernetes API's audit log.
    KubernetesAudit,
    /// A capture of packets.
    Capture,
    /// Logs of Zeek.
    Zeek,
    /// Logs of the system, of services and of containers.
    Log,
    /// Analytics: what they make of events.
    Analytic,
    /// Watchkeeper itself: ticks, health, loss, clock.
    Own,
}

impl Sensor {
    /// Name in events and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Sensor::Kernel => "kernel",
            Sensor::Docker => "docker",
            Sensor::Hash => "hash",
            Sensor::Integrity => "integrity",
            Sensor::KubernetesAudit => "kubernetes_audit",
            Sensor::Capture => "capture",
            Sensor::Zeek => "zeek",
            Sensor::Log => "log",
            Sensor::Analytic => "analytic",
            Sensor::Own => "own",
        }
    }
}

/// Identity of an event within one recording: the sensor and the arrival sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// The source.
    pub sensor: Sensor,
    /// Arrival number, counted over all sensors.
    pub sequence: u64,
}

/// Whose act an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A process of the host that descends from no container.
    #[default]
    Host,
    /// A process that descends from this container, wherever it has moved since.
    Container(ContainerId),
    /// The owner could not be found; says why, and is counted.
    Unknown(UnknownOwner),
}

impl Owner {
    /// The container, where there is one.
    pub fn container(&self) -> Option<&ContainerId> {
        match self {
            Owner::Container(id) => Some(id),
            _ => None,
        }
    }
}

/// Why an owner could not be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownOwner {
    /// A packet whose socket no longer exists or never had a process.
    SocketWithoutOwner,
    /// The record carried no task.
    NoTask,
    /// The source of the event does not name one.
    NotSaid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_id_parses_only_full_lower_case_hex() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(text.parse::<ContainerId>().unwrap().to_string(), text);
        for bad in ["", "0123", &text[1..], &text.to_uppercase(), &format!("{}g", &text[1..])] {
            assert_eq!(bad.parse::<ContainerId>(), Err(NotAContainerId), "{bad}");
        }
    }
}
