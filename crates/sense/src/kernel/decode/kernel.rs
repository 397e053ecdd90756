//! Records about the kernel itself: sensitive system calls, cgroups, io_uring.

use compact_str::CompactString;
use event::{
    ContainerId, Text,
    kernel::{Area, Cgroup, CgroupOp, Syscall, Uring},
};

use super::{
    DecodeError, file,
    process::key,
    record::{Record, until_nul},
    super::{
        flags,
        layout::{self, cgroup, syscall, uring},
    },
};

/// What the strings of a call's record mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strings {
    /// The first is a path, the second another.
    Paths,
    /// The first is what is mounted, the second where, and behind it the file system's name.
    Mount,
    /// The first is a name or parameters.
    Name,
    /// The first is the kind of the namespace, from the kernel's own object.
    Namespace,
}

/// How a call is shown.
struct Call {
    number: u32,
    name: &'static str,
    area: Area,
    strings: Strings,
}

const fn call(number: u32, name: &'static str, area: Area, strings: Strings) -> Call {
    Call { number, name, area, strings }
}

/// Numbers from arch/x86/entry/syscalls/syscall_64.tbl, in order.
const CALLS: &[Call] = &[
    call(56, "clone", Area::Namespace, Strings::Name),
    call(101, "ptrace", Area::Ptrace, Strings::Name),
    call(105, "setuid", Area::Privilege, Strings::Name),
    call(106, "setgid", Area::Privilege, Strings::Name),
    call(113, "setreuid", Area::Privilege, Strings::Name),
    call(114, "setregid", Area::Privilege, Strings::Name),
    call(116, "setgroups", Area::Privilege, Strings::Name),
    call(117, "setresuid", Area::Privilege, Strings::Name),
    call(119, "setresgid", Area::Privilege, Strings::Name),
    call(122, "setfsuid", Area::Privilege, Strings::Name),
    call(123, "setfsgid", Area::Privilege, Strings::Name),
    call(126, "capset", Area::Privilege, Strings::Name),
    call(135, "personality", Area::Privilege, Strings::Name),
    call(155, "pivot_root", Area::Namespace, Strings::Paths),
    call(157, "prctl", Area::Memory, Strings::Name),
    call(161, "chroot", Area::Namespace, Strings::Paths),
    call(163, "acct", Area::System, Strings::Paths),
    call(164, "settimeofday", Area::System, Strings::Name),
    call(165, "mount", Area::Mount, Strings::Mount),
    call(166, "umount2", Area::Mount, Strings::Paths),
    call(167, "swapon", Area::System, Strings::Paths),
    call(168, "swapoff", Area::System, Strings::Paths),
    call(169, "reboot", Area::System, Strings::Name),
    call(170, "sethostname", Area::System, Strings::Name),
    call(171, "setdomainname", Area::System, Strings::Name),
    call(172, "iopl", Area::Privilege, Strings::Name),
    call(173, "ioperm", Area::Privilege, Strings::Name),
    call(175, "init_module", Area::Module, Strings::Name),
    call(176, "delete_module", Area::Module, Strings::Name),
    call(227, "clock_settime", Area::System, Strings::Name),
    call(246, "kexec_load", Area::Module, Strings::Name),
    call(272, "unshare", Area::Namespace, Strings::Name),
    call(298, "perf_event_open", Area::Bpf, Strings::Name),
    call(304, "open_by_handle_at", Area::Privilege, Strings::Paths),
    call(308, "setns", Area::Namespace, Strings::Namespace),
    call(310, "process_vm_readv", Area::Ptrace, Strings::Name),
    call(311, "process_vm_writev", Area::Ptrace, Strings::Name),
    call(313, "finit_module", Area::Module, Strings::Name),
    call(319, "memfd_create", Area::Memory, Strings::Name),
    call(320, "kexec_file_load", Area::Module, Strings::Name),
    call(321, "bpf", Area::Bpf, Strings::Name),
    call(323, "userfaultfd", Area::Memory, Strings::Name),
    call(425, "io_uring_setup", Area::IoUring, Strings::Name),
    call(428, "open_tree", Area::Mount, Strings::Paths),
    call(429, "move_mount", Area::Mount, Strings::Mount),
    call(430, "fsopen", Area::Mount, Strings::Name),
    call(432, "fsmount", Area::Mount, Strings::Name),
    call(435, "clone3", Area::Namespace, Strings::Name),
    call(438, "pidfd_getfd", Area::Ptrace, Strings::Name),
    call(442, "mount_setattr", Area::Mount, Strings::Paths),
    call(467, "open_tree_attr", Area::Mount, Strings::Paths),
];

pub(super) fn system_call(r: &Record<'_>) -> Result<Syscall, DecodeError> {
    let number = r.u32(syscall::NR)?;
    let known = CALLS.binary_search_by_key(&number, |c| c.number).ok().and_then(|at| CALLS.get(at));
    let mut args = [0; 5];
    for (i, arg) in args.iter_mut().enumerate() {
        *arg = r.u64(syscall::ARGS + i * 8)?;
    }
    let mut parts = r.parts(syscall::BYTES)?;
    let resolved = parts.path(r.u32(syscall::PATH_LEN)?)?;
    let first = parts.claimed(r.u32(syscall::STR1_LEN)?)?;
    let mut second = parts;
    let second_len = r.u32(syscall::STR2_LEN)?;
    let both = parts.bytes(second_len)?;
    let second = second.claimed(second_len)?;
    let mut detail = known.map_or_else(Vec::new, |c| flags::detail(c.name, &args));
    let (path, source) = match known.map_or(Strings::Name, |c| c.strings) {
        Strings::Name => (resolved, first),
        Strings::Paths if resolved.is_empty() => (first, second),
        Strings::Paths => (resolved, first),
        Strings::Mount => {
            let kind = until_nul(both.get(until_nul(both).len() + 1..).unwrap_or_default());
            if !kind.is_empty() {
                detail.push(CompactString::from_utf8_lossy(kind));
            }
            (second, if first.is_empty() { resolved } else { first })
        }
        Strings::Namespace => {
            detail.push(first.as_str().into());
            (resolved, Text::default())
        }
    };
    let target = key(r, syscall::TARGET_PID, syscall::TARGET_START_NS)?;
    Ok(Syscall {
        area: known.map_or(Area::System, |c| c.area),
        name: known.map_or_else(|| format!("syscall_{number}").into(), |c| c.name.into()),
        result: r.i64(syscall::RET)?,
        args,
        detail,
        path,
        source,
        target: (target.pid != 0).then_some(target),
        target_container: ContainerId::from_packed(r.array(syscall::TARGET_CONTAINER)?),
        via: file::via(r),
    })
}

pub(super) fn cgroup_changed(r: &Record<'_>) -> Result<Cgroup, DecodeError> {
    let op = match r.u32(cgroup::OP)? {
        layout::CG_MKDIR => CgroupOp::Made,
        layout::CG_RMDIR => CgroupOp::Removed,
        layout::CG_ATTACH => CgroupOp::Attached,
        value => return Err(DecodeError::Value { field: "cgroup.op", value: value.into() }),
    };
    let moved = key(r, cgroup::MOVED_PID, cgroup::MOVED_START_NS)?;
    // The kernel names cgroups from the root on, as text.
    let path = Text::from_bytes(
        until_nul(r.parts(cgroup::BYTES)?.bytes(r.u32(cgroup::PATH_LEN)?)?),
        event::Provenance::Resolved,
    );
    Ok(Cgroup {
        op,
        id: r.u64(cgroup::ID)?,
        path,
        container: ContainerId::from_packed(r.array(cgroup::CONTAINER)?),
        moved: (moved.pid != 0).then_some(moved),
    })
}

pub(super) fn uring_operation(r: &Record<'_>) -> Result<Uring, DecodeError> {
    let opcode = r.u32(uring::OPCODE)?;
    let operation = flags::uring_operation(opcode)
        .map_or_else(|| format!("opcode {opcode}").into(), CompactString::const_new);
    Ok(Uring { operation, opcode })
}

#[cfg(test)]
mod tests {
    use super::CALLS;

    #[test]
    fn calls_are_in_order_of_their_numbers() {
        assert!(CALLS.windows(2).all(|w| w[0].number < w[1].number));
    }
}
