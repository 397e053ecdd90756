//! Every kernel program: where it is attached, and what stays unseen without it.
//!
//! The table is the only place that names programs; a test compares it with the object. The programs that the
//! system call exit dispatcher jumps to are listed in `syscalls`.

/// Where a program is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attach {
    /// A raw tracepoint of this name.
    Tracepoint(&'static str),
    /// The root of the unified hierarchy, when a socket connects or sends.
    SocketAddress,
    /// The root of the unified hierarchy, packets towards sockets.
    Ingress,
    /// The root of the unified hierarchy, packets from sockets.
    Egress,
}

/// Whether the sensor can do without a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Without it no event has an owner: the sensor does not start.
    Essential,
    /// Without it something is unseen, and said to be.
    Wanted,
    /// One of several for different kernels; the name of the others' group.
    OneOf(&'static str),
}

/// One program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hook {
    pub(super) program: &'static str,
    pub(super) attach: Attach,
    pub(super) need: Need,
    /// What nobody sees when it is missing.
    pub(super) unseen: &'static str,
    /// The signals, of those in [`event::event::SIGNALS`], that are degraded without it.
    pub(super) signals: &'static [&'static str],
}

/// The signals that the kernel sensor gives.
pub(super) const SIGNALS: [&str; 9] =
    ["process", "file", "network", "payload", "dns", "privilege", "kernel", "unix_socket", "signal"];

/// The tail-call dispatcher: attached last, when its tables are filled.
pub(super) const DISPATCHER: Hook = Hook {
    program: "on_sys_exit",
    attach: Attach::Tracepoint("sys_exit"),
    need: Need::Wanted,
    unseen: "file, privilege, namespace, mount and listening-socket operations",
    signals: &["file", "network", "privilege", "kernel", "unix_socket"],
};

pub(super) const HOOKS: &[Hook] = &[
    tracepoint("on_cgroup_mkdir", "cgroup_mkdir", Need::Essential, "containers that start"),
    tracepoint("on_cgroup_attach", "cgroup_attach_task", Need::Essential, "processes that enter containers"),
    tracepoint("on_cgroup_rmdir", "cgroup_rmdir", Need::Wanted, "containers that end"),
    tracepoint("on_fork", "sched_process_fork", Need::Essential, "descent from a container"),
    tracepoint("on_exec", "sched_process_exec", Need::Essential, "executed programs"),
    tracepoint("on_exit", "sched_process_exit", Need::Essential, "ends of processes"),
];

const fn tracepoint(program: &'static str, at: &'static str, need: Need, unseen: &'static str) -> Hook {
    Hook { program, attach: Attach::Tracepoint(at), need, unseen, signals: &["process"] }
}
