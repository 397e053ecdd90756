//! Facts: typed records that analytics add, and that rules judge.

use crate::event::Kind;
use crate::identity::Sensor;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The facts that exist. Each is a field `fact.<name>` of the event that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactName {
    /// The workload has no history yet, so nothing can be called new or usual. Value: true.
    NoHistory,
    /// No protocol that Watchkeeper knows is assigned to the destination port. Value: true.
    UnregisteredPort,
    /// Application protocol by content. Value: its name.
    Protocol,
    /// How sure the protocol is, in percent.
    ProtocolConfidence,
    /// The protocol by content is not the one that the port is registered for. Value: the registered one.
    ProtocolMismatch,
    /// Shell command text, prompt or output in a plain session. Value: what was found.
    CommandText,
    /// Standard input, output or error of the process leads to a network socket. Value: which.
    SocketStdio,
    /// The program is a client of an interactive plain-text protocol, by its name and command line. Value: protocol.
    PlaintextClient,
    /// Destination named on the command line of such a client. Value: `host:port`.
    IntendedDestination,
    /// Port named on the command line of such a client.
    IntendedPort,
    /// The path on the host that a path in the container leads to, through a mount. Value: the host's path.
    HostPath,
    /// The file is one of the host's own system files, reached through a mount. Value: its directory.
    HostSystemFile,
    /// The container's mounts include a container runtime's socket. Value: the socket.
    RuntimeSocket,
    /// The image was not on the host when Watchkeeper started, nor run since. Value: true.
    UnknownImage,
    /// The container publishes or opens a port on which web services run. Value: the port.
    WebService,
    /// What comes in begins as a program does. Value: what sort of program.
    ExecutableContent,
    /// What goes out tells of the host: its system, users, names, hardware. Value: of what.
    HostFacts,
    /// How sure it is that a program keeps time with one destination. Value: thousandths.
    Beacon,
    /// Median time between check-ins, the missed ones put back. Value: seconds.
    BeaconPeriod,
    /// Width of the sleeps. Value: percent of the longest.
    BeaconJitter,
    /// Check-ins that were looked at. Value: their number.
    BeaconCheckIns,
    /// Registered domain below which distinct names were asked for. Value: its name.
    TunnelDomain,
    /// Bytes of distinct names below the domain within a minute. Value: their number.
    TunnelBytes,
    /// The same within an hour.
    TunnelBytesHour,
    /// The same within a day.
    TunnelBytesDay,
    /// Distinct names below the domain within a minute. Value: their number.
    TunnelNames,
    /// Mean bytes of a distinct name within a minute.
    TunnelNameBytes,
    /// The same within a day.
    TunnelNameBytesDay,
    /// Entropy of the bytes of distinct names. Value: hundredths of a bit a byte.
    TunnelEntropy,
    /// Registered domains that the workload asked for and that do not exist. Value: how many within five minutes.
    FailedDomains,
    /// Those of them whose names look generated. Value: how many.
    FailedGenerated,
    /// Addresses that a workload tried for the first time. Value: how many within ten minutes.
    ScanHosts,
    /// Ports among these first contacts. Value: how many.
    ScanPorts,
    /// Addresses with ports of which no session came. Value: how many.
    ScanFailed,
    /// Evidence of a scan. Value: logarithm of odds in hundredths.
    ScanWalk,
    /// Protocol of attempts to log in. Value: its name.
    LoginProtocol,
    /// Short sessions of it with one peer. Value: how many within five minutes.
    LoginSessions,
    /// Refusals that the service said in plain. Value: how many within five minutes.
    LoginRefusals,
    /// No DNS answer gave the workload the address, and answers to it were seen. Value: true.
    UnresolvedAddress,
    /// Name in TLS or HTTP that the workload did not ask for. Value: the name.
    UnaskedName,
    /// DNS over another protocol. Value: which.
    EncryptedDns,
    /// A resolver outside is asked by a workload that has one inside. Value: the one inside.
    DirectResolver,
    /// Registered domain that the workload asks for the first time. Value: its name.
    NewDomain,
    /// Top-level domain below which services rarely stand. Value: its name.
    RareTopLevel,
    /// What the peer's address serves. Value: `metadata` or `kubernetes`.
    SpecialAddress,
    /// Bytes sent to one destination. Value: how many within ten minutes.
    UploadBytes,
    /// How many times more that is than what came back.
    UploadRatio,
    /// How many times more that is than is usual.
    UploadExcess,
    /// Earlier periods that had any bytes. Value: how many.
    UploadPeriods,
    /// Uploads of one size in a row. Value: how many.
    UploadRun,
    /// Intel list that has what is seen. Value: its name.
    IntelList,
    /// What of it is on the list. Value: the indicator.
    IntelIndicator,
    /// Kind of indicator. Value: its name.
    IntelKind,
    /// Package manager or configuration management whose run the acting process belongs to. Value: its name.
    ManagedBy,
    /// Neighbour to which a container connects over loopback or a Unix socket. Value: its name.
    PodPeer,
}

impl FactName {
    /// All of them.
    pub const ALL: [FactName; 55] = [
        FactName::NoHistory,
        FactName::UnregisteredPort,
        FactName::Protocol,
        FactName::ProtocolConfidence,
        FactName::ProtocolMismatch,
        FactName::CommandText,
        FactName::SocketStdio,
        FactName::PlaintextClient,
        FactName::IntendedDestination,
        FactName::IntendedPort,
        FactName::HostPath,
        FactName::HostSystemFile,
        FactName::RuntimeSocket,
        FactName::UnknownImage,
        FactName::WebService,
        FactName::ExecutableContent,
        FactName::HostFacts,
        FactName::Beacon,
        FactName::BeaconPeriod,
        FactName::BeaconJitter,
        FactName::BeaconCheckIns,
        FactName::TunnelDomain,
        FactName::TunnelBytes,
        FactName::TunnelBytesHour,
        FactName::TunnelBytesDay,
        FactName::TunnelNames,
        FactName::TunnelNameBytes,
        FactName::TunnelNameBytesDay,
        FactName::TunnelEntropy,
        FactName::FailedDomains,
        FactName::FailedGenerated,
        FactName::ScanHosts,
        FactName::ScanPorts,
        FactName::ScanFailed,
        FactName::ScanWalk,
        FactName::LoginProtocol,
        FactName::LoginSessions,
        FactName::LoginRefusals,
        FactName::UnresolvedAddress,
        FactName::UnaskedName,
        FactName::EncryptedDns,
        FactName::DirectResolver,
        FactName::NewDomain,
        FactName::RareTopLevel,
        FactName::SpecialAddress,
        FactName::UploadBytes,
        FactName::UploadRatio,
        FactName::UploadExcess,
        FactName::UploadPeriods,
        FactName::UploadRun,
        FactName::IntelList,
        FactName::IntelIndicator,
        FactName::IntelKind,
        FactName::ManagedBy,
        FactName::PodPeer,
    ];
}

/// Value of a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// It holds.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A measured number.
    Real(f64),
    /// A text.
    Text(CompactString),
}

/// A typed record about an event or an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Which fact.
    pub name: FactName,
    /// Its value.
    pub value: FactValue,
    /// What the value was made from, in the order of the formula.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<(CompactString, CompactString)>,
    /// Seconds of event time that it looks back on; 0 for a fact about one event.
    #[serde(default, skip_serializing_if = "crate::text::is_default")]
    pub window_s: u32,
    /// Observations that it rests on; 0 for a fact about one event.
    #[serde(default, skip_serializing_if = "crate::text::is_default")]
    pub support: u32,
}

impl Fact {
    /// A fact about one event.
    pub fn new(name: FactName, value: FactValue) -> Self {
        Self { name, value, terms: Vec::new(), window_s: 0, support: 0 }
    }
    /// A fact that simply holds.
    pub fn flag(name: FactName) -> Self {
        Self::new(name, FactValue::Flag(true))
    }
    /// A fact whose value is a text.
    pub fn text(name: FactName, value: impl Into<CompactString>) -> Self {
        Self::new(name, FactValue::Text(value.into()))
    }
    /// A fact whose value is a whole number.
    pub fn number(name: FactName, value: i64) -> Self {
        Self::new(name, FactValue::Number(value))
    }
}

/// A fact about an entity, such as a workload and a destination, began or ceased to hold. Its value is among the
/// event's [`Facts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// What it is about, in words: `172.17.0.2 to 203.0.113.9:443`.
    pub subject: CompactString,
    /// It began to hold; else it ceased.
    pub holds: bool,
    /// The observation with which it did. Never a fact.
    pub cause: Kind,
    /// Which sensor observed that.
    pub sensor: Sensor,
}

impl Turn {
    /// Name in rules.
    pub fn as_str(&self) -> &'static str {
        if self.holds { "enter" } else { "leave" }
    }
}

/// The facts of one event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts(SmallVec<[Box<Fact>; 2]>);

impl Facts {
    /// Adds a fact, in the place of one with the same name.
    pub fn add(&mut self, fact: Fact) {
        match self.0.iter_mut().find(|known| known.name == fact.name) {
            Some(known) => **known = fact,
            None => self.0.push(Box::new(fact)),
        }
    }
    /// The fact of this name.
    pub fn find(&self, name: FactName) -> Option<&Fact> {
        self.0.iter().find(|fact| fact.name == name).map(|fact| &**fact)
    }
    /// All facts, in the order of their making.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter().map(|fact| &**fact)
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
