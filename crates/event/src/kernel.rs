//! Operations on the kernel itself: privilege, namespaces, modules, BPF, ptrace, mounts, io_uring, cgroups.

use crate::file::Via;
use crate::identity::{ContainerId, ProcessKey};
use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// What kind of operation a system call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// User, group or capability change.
    #[default]
    Privilege,
    /// Namespace made or entered; root changed.
    Namespace,
    /// Mount operations.
    Mount,
    /// Kernel module.
    Module,
    /// bpf, perf_event_open.
    Bpf,
    /// ptrace, process_vm_*, pidfd_getfd: reaching into another process.
    Ptrace,
    /// memfd_create, userfaultfd: memory tricks.
    Memory,
    /// io_uring set up.
    IoUring,
    /// Clock, host name, swap, reboot and the like.
    System,
}

impl Area {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Area::Privilege => "privilege",
            Area::Namespace => "namespace",
            Area::Mount => "mount",
            Area::Module => "module",
            Area::Bpf => "bpf",
            Area::Ptrace => "ptrace",
            Area::Memory => "memory",
            Area::IoUring => "io_uring",
            Area::System => "system",
        }
    }
}

/// A privileged or sensitive system call, successful or refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Syscall {
    /// What kind it is.
    pub area: Area,
    /// Name of the call, as `setns`.
    pub name: CompactString,
    /// Result: 0 or more, else a negative errno.
    #[serde(skip_serializing_if = "is_default")]
    pub result: i64,
    /// Raw arguments.
    #[serde(skip_serializing_if = "is_default")]
    pub args: [u64; 5],
    /// What the flags or the command say, in the words of the manual page: `CLONE_NEWNS`, `PTRACE_ATTACH`.
    #[serde(skip_serializing_if = "is_default")]
    pub detail: Vec<CompactString>,
    /// Resolved path of the descriptor argument, or the mount target.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub path: Text,
    /// Mount source, memfd name or module parameters: claimed.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub source: Text,
    /// The other process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<ProcessKey>,
    /// The other process's container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_container: Option<ContainerId>,
    /// How the call came in.
    #[serde(skip_serializing_if = "is_default")]
    pub via: Via,
}

/// An operation submitted through io_uring.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uring {
    /// Name of the operation, as `openat`; `opcode 40` where it is not known.
    pub operation: CompactString,
    /// Number.
    pub opcode: u32,
}

/// What happened to a cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupOp {
    /// Made.
    #[default]
    Made,
    /// Removed.
    Removed,
    /// A process was moved into it.
    Attached,
    /// It was there when Watchkeeper started.
    Found,
}

/// A cgroup of the tracked hierarchy changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cgroup {
    /// What happened.
    pub op: CgroupOp,
    /// Id of the cgroup.
    pub id: u64,
    /// Path in its hierarchy.
    pub path: Text,
    /// Container that the cgroup belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// The process that was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<ProcessKey>,
}
