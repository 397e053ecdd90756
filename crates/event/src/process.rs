//! Processes: who acts, what is executed, and what a process is known as after enrichment.

use crate::identity::{BootTime, ContainerId, ProcessKey};
use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// No login uid or audit session: the value of the kernel for "unset".
pub const UNSET: u32 = u32::MAX;

/// The acting task as the sensor saw it at the moment of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actor {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Thread id.
    #[serde(skip_serializing_if = "is_default")]
    pub tid: u32,
    /// Parent's thread group id.
    pub ppid: u32,
    /// Pid in the innermost pid namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub vpid: u32,
    /// Boot time of the start of the thread group leader.
    pub start: BootTime,
    /// The same of the parent.
    #[serde(skip_serializing_if = "is_default")]
    pub parent_start: BootTime,
    /// Real user id.
    #[serde(skip_serializing_if = "is_default")]
    pub uid: u32,
    /// Real group id.
    #[serde(skip_serializing_if = "is_default")]
    pub gid: u32,
    /// Effective user id.
    #[serde(skip_serializing_if = "is_default")]
    pub euid: u32,
    /// Login user id, [`UNSET`] where there was no login.
    pub login_uid: u32,
    /// Audit session, [`UNSET`] where there is none.
    pub session: u32,
    /// Effective capabilities, one bit each.
    #[serde(skip_serializing_if = "is_default")]
    pub caps: u64,
    /// Present cgroup id.
    #[serde(skip_serializing_if = "is_default")]
    pub cgroup: u64,
    /// Inode of the pid namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub pid_ns: u32,
    /// Inode of the mount namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub mnt_ns: u32,
    /// Inode of the network namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub net_ns: u32,
    /// Inode of the user namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub user_ns: u32,
    /// Device number of the controlling terminal, 0 for none.
    #[serde(skip_serializing_if = "is_default")]
    pub tty: u32,
    /// Name of the task; a process can set it to anything.
    pub comm: CompactString,
    /// What the kernel filter knows of the task.
    #[serde(skip_serializing_if = "is_default")]
    pub role: Role,
    /// The present cgroup does not belong to the container that the task descends from.
    #[serde(skip_serializing_if = "is_default")]
    pub moved: bool,
}

impl Default for Actor {
    fn default() -> Self {
        Self {
            pid: 0,
            tid: 0,
            ppid: 0,
            vpid: 0,
            start: BootTime(0),
            parent_start: BootTime(0),
            uid: 0,
            gid: 0,
            euid: 0,
            login_uid: UNSET,
            session: UNSET,
            caps: 0,
            cgroup: 0,
            pid_ns: 0,
            mnt_ns: 0,
            net_ns: 0,
            user_ns: 0,
            tty: 0,
            comm: CompactString::const_new(""),
            role: Role::Ordinary,
            moved: false,
        }
    }
}

impl Actor {
    /// The identity of the process.
    pub fn key(&self) -> ProcessKey {
        ProcessKey { pid: self.pid, start: self.start }
    }
    /// The identity of the parent.
    pub fn parent_key(&self) -> ProcessKey {
        ProcessKey { pid: self.ppid, start: self.parent_start }
    }
}

/// Why a host process passes the kernel filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing special.
    #[default]
    Ordinary,
    /// Started by the kernel itself (core pattern, release agent, modprobe).
    UsermodeHelper,
    /// dockerd, containerd, shims, runc, their clients and their children.
    Runtime,
    /// Descends from a login.
    Login,
}

/// Command line of a process: its own memory, so claimed. Long ones keep head and tail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ArgvForm", into = "ArgvForm")]
pub struct Argv {
    /// The arguments that are known, in order.
    pub args: Vec<CompactString>,
    /// Index in `args` before which arguments are missing, and how many bytes that is.
    pub gap: Option<Gap>,
    /// Whether bytes that are not UTF-8 were replaced.
    pub lossy: bool,
}

/// Bytes that are missing inside a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Index of the argument before which the bytes are missing.
    pub before: u16,
    /// How many bytes are missing.
    pub bytes: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ArgvForm {
    Plain(Vec<CompactString>),
    Detailed {
        args: Vec<CompactString>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap: Option<Gap>,
        #[serde(default, skip_serializing_if = "is_default")]
        lossy: bool,
    },
}

impl From<ArgvForm> for Argv {
    fn from(form: ArgvForm) -> Self {
        match form {
            ArgvForm::Plain(args) => Argv { args, gap: None, lossy: false },
            ArgvForm::Detailed { args, gap, lossy } => Argv { args, gap, lossy },
        }
    }
}

impl From<Argv> for ArgvForm {
    fn from(argv: Argv) -> Self {
        if argv.gap.is_none() && !argv.lossy {
            return ArgvForm::Plain(argv.args);
        }
        ArgvForm::Detailed { args: argv.args, gap: argv.gap, lossy: argv.lossy }
    }
}

impl Argv {
    /// Arguments joined by spaces; a gap shows as `…`.
    pub fn command_line(&self) -> CompactString {
        let mut line = CompactString::default();
        for (index, arg) in self.args.iter().enumerate() {
            if index > 0 {
                line.push(' ');
            }
            if self.gap.is_some_and(|gap| usize::from(gap.before) == index) {
                line.push_str("… ");
            }
            line.push_str(arg);
        }
        line
    }
}

/// What a file descriptor leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FdType {
    /// Closed.
    #[default]
    None,
    /// Something else.
    Other,
    /// A regular file.
    File,
    /// A pipe or FIFO.
    Pipe,
    /// A terminal.
    Tty,
    /// An IPv4 or IPv6 socket.
    Inet,
    /// A Unix socket.
    Unix,
    /// `/dev/null`.
    Null,
}

impl FdType {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            FdType::None => "none",
            FdType::Other => "other",
            FdType::File => "file",
            FdType::Pipe => "pipe",
            FdType::Tty => "tty",
            FdType::Inet => "inet",
            FdType::Unix => "unix",
            FdType::Null => "null",
        }
    }
}

/// A descriptor's type and identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fd {
    /// What it is.
    #[serde(rename = "type")]
    pub fd_type: FdType,
    /// Its inode: two descriptors with one inode lead to the same socket or pipe.
    #[serde(skip_serializing_if = "is_default")]
    pub inode: u64,
}

/// A program was executed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exec {
    /// Path of the executed file as the process sees it, resolved by the kernel.
    pub path: Text,
    /// What the process asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub requested: Text,
    /// The script's interpreter as asked for, where a script was executed.
    #[serde(skip_serializing_if = "is_default")]
    pub interpreter: Text,
    /// Working directory.
    #[serde(skip_serializing_if = "is_default")]
    pub cwd: Text,
    /// Command line.
    pub argv: Argv,
    /// Selected environment entries (`LD_*`, `GLIBC_TUNABLES`, proxies).
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<Text>,
    /// Descriptors 0 to 2.
    #[serde(skip_serializing_if = "is_default")]
    pub stdio: [Fd; 3],
    /// The file.
    #[serde(skip_serializing_if = "is_default")]
    pub file: FileIdentity,
    /// Anonymous file made by `memfd_create`.
    #[serde(skip_serializing_if = "is_default")]
    pub memfd: bool,
    /// The file had no name left.
    #[serde(skip_serializing_if = "is_default")]
    pub deleted: bool,
    /// On the writable layer of the container: not in the image.
    #[serde(skip_serializing_if = "is_default")]
    pub not_in_image: bool,
    /// Set-user-id or set-group-id.
    #[serde(skip_serializing_if = "is_default")]
    pub setid: bool,
    /// On tmpfs, as `/dev/shm` is.
    #[serde(skip_serializing_if = "is_default")]
    pub on_tmpfs: bool,
    /// Neither on the image's overlay nor on tmpfs: a volume or a bind mount.
    #[serde(skip_serializing_if = "is_default")]
    pub on_mount: bool,
}

/// Identity of a file's content as far as the kernel can tell without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileIdentity {
    /// Device number as the kernel keeps it.
    pub dev: u32,
    /// Inode number.
    pub inode: u64,
    /// Change time in nanoseconds since 1970.
    pub ctime_ns: u64,
    /// Bytes.
    pub size: u64,
    /// File mode with type bits.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: u32,
}

/// A process was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fork {
    /// The child.
    pub child: ProcessKey,
    /// The child's pid in its innermost namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub child_vpid: u32,
}

/// A process ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exit {
    /// Exit code, where it exited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Signal, where it was killed by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
}

/// A process that was there before Watchkeeper; its start is known to the clock tick only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Snapshot {
    /// Executable, from `/proc/PID/exe`.
    pub path: Text,
    /// Command line.
    pub argv: Argv,
    /// Working directory.
    #[serde(skip_serializing_if = "is_default")]
    pub cwd: Text,
}

/// A descriptor was duplicated onto standard input, output or error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FdChange {
    /// The descriptor duplicated.
    pub old_fd: u32,
    /// 0, 1 or 2.
    pub new_fd: u32,
    /// What it leads to.
    pub fd: Fd,
}

/// A signal to a process that Watchkeeper guards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signal {
    /// Number.
    pub signal: u32,
    /// The receiver.
    pub target: ProcessKey,
    /// What the receiver is.
    pub guarded: Guarded,
    /// 0 or a negative errno.
    #[serde(skip_serializing_if = "is_default")]
    pub result: i32,
}

/// Processes whose end would blind the monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarded {
    /// One of Watchkeeper's own.
    #[default]
    Watchkeeper,
    /// The Docker daemon.
    Dockerd,
    /// containerd.
    Containerd,
}

impl Guarded {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Guarded::Watchkeeper => "watchkeeper",
            Guarded::Dockerd => "dockerd",
            Guarded::Containerd => "containerd",
        }
    }
}

/// Memory became executable that no file backs, or that was writable before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryChange {
    /// Start address.
    pub address: u64,
    /// Bytes.
    pub length: u64,
    /// No file behind it.
    pub anonymous: bool,
    /// Writable and executable at once, or writable before.
    pub was_writable: bool,
    /// The mapped file, where there is one.
    #[serde(skip_serializing_if = "is_default")]
    pub path: Text,
}

/// SHA-256 of an executed file: a late fact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileHash {
    /// The process that executed it.
    pub process: ProcessKey,
    /// The file.
    pub file: FileIdentity,
    /// Lower-case hexadecimal SHA-256, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<CompactString>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<CompactString>,
}

/// One line of ancestry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ancestor {
    /// Identity.
    pub key: ProcessKey,
    /// Executable.
    pub path: Text,
    /// Command line.
    pub command_line: CompactString,
    /// Container it belongs to.
    pub container: Option<ContainerId>,
}

/// A process as enrichment knows it: what it last executed and whom it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Process {
    /// This process as its descendants see it.
    pub own: Arc<Ancestor>,
    /// Parent first, up to the container's first process and the runtime that made it; bounded.
    pub ancestors: Vec<Arc<Ancestor>>,
    /// What it executed; `None` for a process forked from one whose exec was not seen.
    pub exec: Option<Arc<Exec>>,
    /// Boot time of that exec.
    pub exec_time: BootTime,
    /// SHA-256 of the executed file once known.
    pub sha256: Option<CompactString>,
    /// It, or an ancestor inside the container, was started by `docker exec` or the like.
    pub by_exec: bool,
}
