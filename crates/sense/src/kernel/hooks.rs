//! Every kernel program: where it is attached, and what stays unseen without it.
//!
//! The table is the only place that names programs; a test compares it with the object. The programs that the
//! system call exit dispatcher jumps to are listed in `syscalls`.

/// Where a program is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attach {
    /// A raw tracepoint of this name.
    Tracepoint(&'static str),
    /// The end of every system call.
    SystemCallEnd,
    /// The root of the unified hierarchy, when a socket connects or sends.
    SocketAddress,
    /// The root of the unified hierarchy, when a socket is made.
    SocketMade,
    /// The root of the unified hierarchy, when a TCP socket changes its state.
    SocketOperation,
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
pub(super) const SIGNALS: [&str; 10] =
    ["process", "file", "network", "payload", "dns", "http", "privilege", "kernel", "unix_socket", "signal"];

/// The tail-call dispatcher: attached last, when its tables are filled.
pub(super) const DISPATCHER: Hook = Hook {
    program: "on_sys_exit",
    attach: Attach::SystemCallEnd,
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
    Hook {
        signals: &["network"],
        ..tracepoint(
            "on_tcp_state",
            "inet_sock_set_state",
            Need::Wanted,
            "TCP connections made and closed, byte counts",
        )
    },
    Hook {
        signals: &["signal"],
        ..tracepoint("on_signal", "signal_generate", Need::Wanted, "signals to Watchkeeper and the runtime")
    },
    Hook {
        signals: &["kernel"],
        ..tracepoint("on_uring_request", "io_uring_submit_req", URING, "operations through io_uring")
    },
    Hook {
        signals: &["kernel"],
        ..tracepoint("on_uring_entry", "io_uring_submit_sqe", URING, "operations through io_uring")
    },
    cgroup("cg_connect4", Attach::SocketAddress, &["network"], "IPv4 connections, and who makes them"),
    cgroup("cg_connect6", Attach::SocketAddress, &["network"], "IPv6 connections, and who makes them"),
    cgroup("cg_sendmsg4", Attach::SocketAddress, &["network"], "IPv4 datagram destinations"),
    cgroup("cg_sendmsg6", Attach::SocketAddress, &["network"], "IPv6 datagram destinations"),
    cgroup("cg_sock_create", Attach::SocketMade, &["network", "payload"], "owners of unconnected sockets"),
    cgroup(
        "sk_established",
        Attach::SocketOperation,
        &["network", "payload"],
        "owners of accepted connections",
    ),
    cgroup(
        "cg_ingress",
        Attach::Ingress,
        &["payload", "dns", "http"],
        "payload, DNS and HTTP towards containers",
    ),
    cgroup("cg_egress", Attach::Egress, &["payload", "dns", "http"], "payload, DNS and HTTP from containers"),
];

/// Linux 6.0 replaced one tracepoint by the other.
const URING: Need = Need::OneOf("io_uring");

/// Programs that other programs jump to by these slots of the jump tables; no system call has such a number.
pub(super) const CONTINUATIONS: [(u32, &str); 2] = [(500, "sx_unix_connect"), (501, "sx_unix_accept")];

/// System calls that only 32-bit callers have: number, name and program.
pub(super) const ONLY_32_BIT: [(u32, &str, &str); 1] = [(102, "socketcall", "sx_socketcall32")];

const fn tracepoint(program: &'static str, at: &'static str, need: Need, unseen: &'static str) -> Hook {
    Hook { program, attach: Attach::Tracepoint(at), need, unseen, signals: &["process"] }
}

const fn cgroup(
    program: &'static str,
    attach: Attach,
    signals: &'static [&'static str],
    unseen: &'static str,
) -> Hook {
    Hook { program, attach, need: Need::Wanted, unseen, signals }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernel::{loader::OBJECT, syscalls::SYSCALLS};

    #[test]
    fn the_tables_name_exactly_the_programs_of_the_object() {
        let object = aya_obj::Object::parse(OBJECT).unwrap();
        let object: BTreeSet<String> = object.programs.into_keys().collect();
        let mut named: BTreeSet<&str> = HOOKS.iter().map(|h| h.program).collect();
        named.insert(DISPATCHER.program);
        named.extend(SYSCALLS.iter().map(|s| s.program));
        named.extend(CONTINUATIONS.iter().map(|c| c.1));
        named.extend(ONLY_32_BIT.iter().map(|c| c.2));
        let named: BTreeSet<String> = named.into_iter().map(str::to_owned).collect();
        assert_eq!(object, named);
    }

    #[test]
    fn every_signal_of_a_hook_is_one_that_the_sensor_gives() {
        for hook in HOOKS.iter().chain([&DISPATCHER]) {
            assert!(hook.signals.iter().all(|s| SIGNALS.contains(s)), "{}", hook.program);
        }
        let known: Vec<&str> = event::event::SIGNALS.iter().map(|s| s.0).collect();
        assert!(SIGNALS.iter().all(|s| known.contains(s)));
    }
}
