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
}

/// The tail-call dispatcher: attached last, when its tables are filled.
pub(super) const DISPATCHER: Hook = Hook {
    program: "on_sys_exit",
    attach: Attach::Tracepoint("sys_exit"),
    need: Need::Wanted,
    unseen: "file, privilege, namespace, mount and listening-socket operations",
};

pub(super) const HOOKS: &[Hook] = &[
    essential("on_cgroup_mkdir", "cgroup_mkdir", "containers that start"),
    essential("on_cgroup_attach", "cgroup_attach_task", "processes that enter containers"),
    wanted("on_cgroup_rmdir", "cgroup_rmdir", "containers that end"),
    essential("on_fork", "sched_process_fork", "descent from a container"),
    essential("on_exec", "sched_process_exec", "executed programs"),
    essential("on_exit", "sched_process_exit", "ends of processes"),
];

const fn essential(program: &'static str, tracepoint: &'static str, unseen: &'static str) -> Hook {
    Hook { program, attach: Attach::Tracepoint(tracepoint), need: Need::Essential, unseen }
}

const fn wanted(program: &'static str, tracepoint: &'static str, unseen: &'static str) -> Hook {
    Hook { program, attach: Attach::Tracepoint(tracepoint), need: Need::Wanted, unseen }
}
