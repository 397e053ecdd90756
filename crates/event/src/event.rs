//! One normalised observation.

use crate::api::ApiActivity;
use crate::change::FileChange;
use crate::container::{Container, ContainerChange};
use crate::fact::{Fact, Facts, Turn};
use crate::file::File;
use crate::health::{ClockStep, Health, Loss, Metric, NetworkConfig};
use crate::identity::{BootTime, ContainerId, EventId, Owner, Sensor, WallTime};
use crate::kernel::{Cgroup, Syscall, Uring};
use crate::log::LogRecord;
use crate::network::{Connection, Dns, Flow, Http, Payload, SocketMade, UnixConnection};
use crate::process::{Actor, Exec, Exit, FdChange, FileHash, Fork, MemoryChange, Process, Signal, Snapshot};
use crate::text::is_default;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What sensors can give, by the names that a strategy's `requires` uses.
pub const SIGNALS: &[(&str, &str)] = &[
    ("process", "programs executed, processes made and ended"),
    ("file", "files opened for writing, path operations, watched reads"),
    ("integrity", "what changed in watched files: state and content before and after"),
    ("network", "connections, datagram destinations, listening sockets"),
    ("payload", "first payload bytes of flows"),
    ("dns", "DNS queries and answers"),
    ("flow", "whole flows with protocol, names, timing and volume"),
    ("http", "requests of plain HTTP/1 and HTTP/2"),
    ("privilege", "user, capability and namespace changes, mounts"),
    ("kernel", "modules, bpf, ptrace, io_uring, memory"),
    ("unix_socket", "connections to Unix sockets"),
    ("signal", "signals to guarded processes"),
    ("docker", "container lifecycle and facts from the Docker daemon"),
    ("kubernetes_audit", "requests to the Kubernetes API"),
    ("api", "requests to the container runtime's API with their caller"),
    (
        "log",
        "lines of system logs, and what they tell: logins, use of privilege, changes of users, jobs, services and logs",
    ),
    ("network_config", "addresses, routes, firewall rules"),
    ("metric", "resource use of containers"),
    ("health", "loss and state of the sensors themselves"),
];

/// Signals of the model that no sensor of this version gives: what requires them is blind.
pub const UNSENSED: &[&str] = &["api", "network_config", "metric"];

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A program was executed.
    Exec(Arc<Exec>),
    /// A process was made.
    Fork(Fork),
    /// A process ended.
    Exit(Exit),
    /// A process that was there before Watchkeeper.
    Snapshot(Box<Snapshot>),
    /// A descriptor was duplicated onto 0, 1 or 2.
    FdChange(FdChange),
    /// A signal to a guarded process.
    Signal(Signal),
    /// Executable memory without a file.
    Memory(Box<MemoryChange>),
    /// Hash of an executed file.
    FileHash(Box<FileHash>),
    /// A file operation.
    File(Box<File>),
    /// A watched file changed.
    FileChange(Box<FileChange>),
    /// An IP connection.
    Connection(Box<Connection>),
    /// A socket of an unusual family.
    Socket(Box<SocketMade>),
    /// A Unix socket connection.
    Unix(Box<UnixConnection>),
    /// First payload bytes.
    Payload(Box<Payload>),
    /// A DNS message.
    Dns(Box<Dns>),
    /// A flow.
    Flow(Box<Flow>),
    /// A request of HTTP.
    Http(Box<Http>),
    /// A sensitive system call.
    Syscall(Box<Syscall>),
    /// An io_uring operation.
    Uring(Uring),
    /// A cgroup changed.
    Cgroup(Box<Cgroup>),
    /// A container or an image changed.
    Container(Box<ContainerChange>),
    /// A request to an API.
    Api(Box<ApiActivity>),
    /// A line of a system log.
    Log(Arc<LogRecord>),
    /// A network configuration change.
    NetworkConfig(Box<NetworkConfig>),
    /// A measured value.
    Metric(Metric),
    /// A sensor's state.
    Health(Box<Health>),
    /// Observations lost.
    Loss(Box<Loss>),
    /// The wall clock moved.
    ClockStep(ClockStep),
    /// Time passed: holds, windows and eviction move on ticks.
    Tick,
    /// A fact about an entity began or ceased to hold.
    Fact(Box<Turn>),
}

impl Kind {
    /// Class of the event: what a rule's `logsource.category` selects.
    #[inline]
    pub fn class(&self) -> Class {
        match self {
            Kind::Exec(_) | Kind::Snapshot(_) => Class::ProcessCreation,
            Kind::Fork(_) => Class::ProcessFork,
            Kind::Exit(_) => Class::ProcessTermination,
            Kind::FdChange(_) => Class::FdChange,
            Kind::Signal(_) => Class::Signal,
            Kind::Memory(_) => Class::Memory,
            Kind::FileHash(_) => Class::FileHash,
            Kind::File(_) => Class::FileEvent,
            Kind::FileChange(_) => Class::FileChange,
            Kind::Connection(_) => Class::NetworkConnection,
            Kind::Socket(_) => Class::Socket,
            Kind::Unix(_) => Class::UnixSocket,
            Kind::Payload(_) => Class::NetworkPayload,
            Kind::Dns(_) => Class::Dns,
            Kind::Flow(_) => Class::NetworkFlow,
            Kind::Http(_) => Class::Http,
            Kind::Syscall(_) => Class::Syscall,
            Kind::Uring(_) => Class::IoUring,
            Kind::Cgroup(_) => Class::Cgroup,
            Kind::Container(_) => Class::Container,
            Kind::Api(_) => Class::Api,
            Kind::Log(record) => record.act.class(),
            Kind::NetworkConfig(_) => Class::NetworkConfig,
            Kind::Metric(_) => Class::Metric,
            Kind::Health(_) | Kind::Loss(_) | Kind::ClockStep(_) => Class::Health,
            Kind::Tick => Class::Tick,
            Kind::Fact(_) => Class::Fact,
        }
    }

    /// What exactly happened, within the class: the field `event.operation`.
    pub fn operation(&self) -> &str {
        match self {
            Kind::Exec(_) => "exec",
            Kind::Snapshot(_) => "snapshot",
            Kind::Fork(_) => "fork",
            Kind::Exit(_) => "exit",
            Kind::FdChange(_) => "dup",
            Kind::Signal(_) => "signal",
            Kind::Memory(_) => "executable",
            Kind::FileHash(_) => "hash",
            Kind::File(f) => f.op.as_str(),
            Kind::FileChange(c) => c.what.first().map_or("none", |change| change.as_str()),
            Kind::Connection(c) => c.op.as_str(),
            Kind::Socket(_) => "socket",
            Kind::Unix(u) => u.op.as_str(),
            Kind::Payload(p) => p.direction.as_str(),
            Kind::Dns(d) => {
                if d.response {
                    "response"
                } else {
                    "query"
                }
            }
            Kind::Flow(f) => f.state.as_str(),
            Kind::Http(_) => "request",
            Kind::Syscall(s) => &s.name,
            Kind::Uring(u) => &u.operation,
            Kind::Cgroup(c) => match c.op {
                crate::kernel::CgroupOp::Made => "made",
                crate::kernel::CgroupOp::Removed => "removed",
                crate::kernel::CgroupOp::Attached => "attached",
                crate::kernel::CgroupOp::Found => "found",
            },
            Kind::Container(c) => c.verb.as_str(),
            Kind::Api(a) => &a.verb,
            Kind::Log(record) => record.act.as_str(),
            Kind::NetworkConfig(n) => &n.verb,
            Kind::Metric(m) => &m.name,
            Kind::Health(_) => "state",
            Kind::Loss(_) => "loss",
            Kind::ClockStep(_) => "clock_step",
            Kind::Tick => "tick",
            Kind::Fact(turn) => turn.as_str(),
        }
    }
}

macro_rules! classes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $ocsf:literal, $signal:literal;)+) => {
        /// Class of an event: rules are indexed by it. Names follow Sigma's categories where Sigma has one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[repr(u8)]
        pub enum Class { $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+ }

        impl Class {
            /// All classes.
            pub const ALL: &'static [Class] = &[$(Class::$variant,)+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();
            /// Name, as in a rule's `logsource.category`.
            pub fn as_str(self) -> &'static str { match self { $(Class::$variant => $name,)+ } }
            /// OCSF class that it maps to.
            pub fn ocsf(self) -> &'static str { match self { $(Class::$variant => $ocsf,)+ } }
            /// Signal that gives it, one of [`SIGNALS`].
            pub fn signal(self) -> &'static str { match self { $(Class::$variant => $signal,)+ } }
            /// What it holds.
            pub fn doc(self) -> &'static str { match self { $(Class::$variant => concat!($($doc),+),)+ } }
            /// The class of this name.
            pub fn by_name(name: &str) -> Option<Class> { match name { $($name => Some(Class::$variant),)+ _ => None } }
        }
    };
}

classes! {
    /// A program was executed, or was running when Watchkeeper started.
    ProcessCreation = "process_creation", "process_activity (1007)", "process";
    /// A process was made by fork or clone.
    ProcessFork = "process_fork", "process_activity (1007)", "process";
    /// A process ended.
    ProcessTermination = "process_termination", "process_activity (1007)", "process";
    /// A descriptor was duplicated onto standard input, output or error.
    FdChange = "fd_change", "process_activity (1007)", "process";
    /// A signal to Watchkeeper, dockerd or containerd.
    Signal = "signal", "process_activity (1007)", "signal";
    /// Memory became executable without a file, or after being writable.
    Memory = "memory", "memory_activity (1004)", "kernel";
    /// The hash of an executed file became known.
    FileHash = "file_hash", "file_activity (1001)", "process";
    /// A file was opened for writing, read where watched, or its path changed.
    FileEvent = "file_event", "file_activity (1001)", "file";
    /// A watched file is not what it was: `event.operation` is the first of `change.what`.
    FileChange = "watched_file", "file_activity (1001)", "integrity";
    /// A connection, datagram destination, accept, listen or bind.
    NetworkConnection = "network_connection", "network_activity (4001)", "network";
    /// A raw, packet, netlink or vsock socket.
    Socket = "socket", "network_activity (4001)", "network";
    /// A connection to a Unix socket.
    UnixSocket = "unix_socket", "network_activity (4001)", "unix_socket";
    /// First payload bytes of a flow.
    NetworkPayload = "network_payload", "network_activity (4001)", "payload";
    /// A DNS message.
    Dns = "dns_query", "dns_activity (4003)", "dns";
    /// A flow: it began, goes on, or is over.
    NetworkFlow = "network_flow", "network_activity (4001)", "flow";
    /// A request of plain HTTP.
    Http = "http_request", "http_activity (4002)", "http";
    /// A privileged or sensitive system call.
    Syscall = "syscall", "kernel_activity (1003)", "privilege";
    /// An operation submitted through io_uring.
    IoUring = "io_uring", "kernel_activity (1003)", "kernel";
    /// A cgroup was made, removed or entered.
    Cgroup = "cgroup", "kernel_activity (1003)", "process";
    /// A container or image changed.
    Container = "container", "application_lifecycle (6002)", "docker";
    /// A request to an API.
    Api = "api_activity", "api_activity (6003)", "kubernetes_audit";
    /// An attempt to log in, as a log tells it.
    Authentication = "authentication", "authentication (3002)", "log";
    /// An act of a user or of the system that has a name, as a log tells it.
    UserActivity = "user_activity", "account_change (3001)", "log";
    /// Any other line of a log.
    SystemLog = "system_log", "base_event (0)", "log";
    /// A network configuration change.
    NetworkConfig = "network_config", "device_config_state_change (5019)", "network_config";
    /// A measured value.
    Metric = "metric", "base_event (0)", "metric";
    /// Loss, sensor state, clock steps.
    Health = "health", "base_event (0)", "health";
    /// Time passed.
    Tick = "tick", "base_event (0)", "health";
    /// A fact about an entity, such as a workload and a destination, began (`enter`) or ceased (`leave`) to hold.
    /// Fields of what it did so with are the event's.
    Fact = "fact", "base_event (0)", "health";
}

/// One normalised observation.
///
/// What is serialized is what crossed from sense to enrich; [`Context`] and [`Facts`] are made again on replay.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Source and arrival number.
    #[serde(default)]
    pub id: EventId,
    /// When, on the boot clock.
    #[serde(default)]
    pub boot: BootTime,
    /// When, on the wall clock: for display.
    #[serde(default)]
    pub wall: WallTime,
    /// Whose act it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub owner: Owner,
    /// The acting task, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What happened.
    pub kind: Kind,
    /// What enrichment adds.
    #[serde(skip)]
    pub context: Context,
    /// What analytics add.
    #[serde(skip)]
    pub facts: Facts,
}

impl Clone for Event {
    // Much code: one copy of it, where a derived one is made wherever events are cloned.
    #[inline(never)]
    fn clone(&self) -> Self {
        let Self { id, boot, wall, owner, actor, kind, context, facts } = self;
        Self {
            id: *id,
            boot: *boot,
            wall: *wall,
            owner: *owner,
            actor: actor.clone(),
            kind: kind.clone(),
            context: context.clone(),
            facts: facts.clone(),
        }
    }
}

impl Event {
    /// An event of `kind` at `boot` with nothing else known.
    pub fn new(sensor: Sensor, boot: BootTime, kind: Kind) -> Self {
        Self {
            id: EventId { sensor, sequence: 0 },
            boot,
            wall: WallTime(0),
            owner: Owner::Host,
            actor: None,
            kind,
            context: Context::default(),
            facts: Facts::default(),
        }
    }

    /// An event that follows from this one: of the same time, owner, process and container.
    #[must_use]
    pub fn followed_by(&self, kind: Kind) -> Self {
        let Self { id, boot, wall, owner, ref actor, kind: _, ref context, facts: _ } = *self;
        let (actor, context) = (actor.clone(), context.clone());
        Self { id, boot, wall, owner, actor, kind, context, facts: Facts::default() }
    }

    /// That facts about an entity began or ceased to hold with this event.
    #[must_use]
    pub fn turns(&self, subject: CompactString, holds: bool, facts: impl IntoIterator<Item = Fact>) -> Self {
        let (cause, sensor) = (self.kind.clone(), self.id.sensor);
        let mut event = self.followed_by(Kind::Fact(Box::new(Turn { subject, holds, cause, sensor })));
        facts.into_iter().for_each(|fact| event.facts.add(fact));
        event
    }

    /// What was observed: of a fact, what it began or ceased to hold with.
    pub fn seen(&self) -> &Kind {
        match &self.kind {
            Kind::Fact(turn) => &turn.cause,
            kind => kind,
        }
    }

    /// Class of the event.
    #[inline]
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    /// The container whose act it is, or that it is about.
    #[inline]
    pub fn container_id(&self) -> Option<&ContainerId> {
        match &self.kind {
            Kind::Container(change) => change.record.id.as_ref(),
            // Whoever acted comes first; of what nobody was seen to do, there is whose file it is.
            Kind::FileChange(change) => self.owner.container().or(change.container.as_ref()),
            _ => self.owner.container(),
        }
    }
}

/// What enrichment adds to an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    /// The acting process.
    pub process: Option<Arc<Process>>,
    /// The container; for a container event, the record itself.
    pub container: Option<Arc<Container>>,
    /// Name of the remote address, from the DNS answers that this container got.
    pub remote_name: Option<CompactString>,
    /// Path on the host that the event's path leads to, where the container reaches it through a mount.
    pub host_path: Option<CompactString>,
    /// Facts of the container did not arrive before the hold ended.
    pub container_late: bool,
}
