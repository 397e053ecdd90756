//! Records about the kernel itself: sensitive system calls, cgroups, io_uring.

use compact_str::CompactString;
use event::{
    ContainerId, Text,
    kernel::{Area, Cgroup, CgroupOp, Syscall, Uring},
};

use super::{
    super::{
        flags,
        layout::{self, cgroup, syscall, uring},
        syscalls::syscall_name,
    },
    DecodeError, file,
    process::key,
    record::{Record, until_nul},
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

/// Area of a call by its name, and what its strings mean.
fn shape(name: &str) -> (Area, Strings) {
    use Strings::{Mount, Name, Namespace, Paths};
    match name {
        "clone" | "clone3" | "unshare" => (Area::Namespace, Name),
        "setns" => (Area::Namespace, Namespace),
        "pivot_root" | "chroot" => (Area::Namespace, Paths),
        "mount" | "move_mount" => (Area::Mount, Mount),
        "umount2" | "open_tree" | "open_tree_attr" | "mount_setattr" => (Area::Mount, Paths),
        "fsopen" | "fsmount" => (Area::Mount, Name),
        "init_module" | "finit_module" | "delete_module" | "kexec_load" | "kexec_file_load" => {
            (Area::Module, Name)
        }
        "bpf" | "perf_event_open" => (Area::Bpf, Name),
        "ptrace" | "process_vm_readv" | "process_vm_writev" | "pidfd_getfd" => (Area::Ptrace, Name),
        "memfd_create" | "userfaultfd" | "prctl" => (Area::Memory, Name),
        "io_uring_setup" => (Area::IoUring, Name),
        "open_by_handle_at" => (Area::Privilege, Paths),
        "setuid" | "setgid" | "setreuid" | "setregid" | "setresuid" | "setresgid" | "setfsuid"
        | "setfsgid" | "setgroups" | "capset" | "personality" | "iopl" | "ioperm" => (Area::Privilege, Name),
        "acct" | "swapon" | "swapoff" => (Area::System, Paths),
        _ => (Area::System, Name),
    }
}

pub(super) fn system_call(r: &Record<'_>) -> Result<Syscall, DecodeError> {
    let number = r.u32(syscall::NR)?;
    let name = syscall_name(number).unwrap_or_default();
    let (area, strings) = shape(name);
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
    let mut detail = flags::detail(name, &args);
    let (path, source) = match strings {
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
        area,
        name: if name.is_empty() {
            format!("syscall_{number}").into()
        } else {
            CompactString::const_new(name)
        },
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
