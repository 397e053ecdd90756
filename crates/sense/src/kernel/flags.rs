//! Words for numbers in system calls: what flags and commands are called in the manual pages.
//!
//! Source: include/uapi/linux/{sched,ptrace,bpf,mount,io_uring,prctl}.h of Linux 6.18.

use compact_str::CompactString;

const CLONE: &[(u64, &str)] = &[
    (0x0000_0080, "CLONE_NEWTIME"),
    (0x0002_0000, "CLONE_NEWNS"),
    (0x0200_0000, "CLONE_NEWCGROUP"),
    (0x0400_0000, "CLONE_NEWUTS"),
    (0x0800_0000, "CLONE_NEWIPC"),
    (0x1000_0000, "CLONE_NEWUSER"),
    (0x2000_0000, "CLONE_NEWPID"),
    (0x4000_0000, "CLONE_NEWNET"),
];

const MOUNT: &[(u64, &str)] = &[
    (0x1, "MS_RDONLY"),
    (0x20, "MS_REMOUNT"),
    (0x1000, "MS_BIND"),
    (0x2000, "MS_MOVE"),
    (0x4000, "MS_REC"),
    (0x2_0000, "MS_UNBINDABLE"),
    (0x4_0000, "MS_PRIVATE"),
    (0x8_0000, "MS_SLAVE"),
    (0x10_0000, "MS_SHARED"),
];

const MEMFD: &[(u64, &str)] = &[
    (0x1, "MFD_CLOEXEC"),
    (0x2, "MFD_ALLOW_SEALING"),
    (0x4, "MFD_HUGETLB"),
    (0x8, "MFD_NOEXEC_SEAL"),
    (0x10, "MFD_EXEC"),
];

const PTRACE: &[(u64, &str)] = &[
    (0, "PTRACE_TRACEME"),
    (4, "PTRACE_POKETEXT"),
    (5, "PTRACE_POKEDATA"),
    (6, "PTRACE_POKEUSER"),
    (13, "PTRACE_SETREGS"),
    (15, "PTRACE_SETFPREGS"),
    (16, "PTRACE_ATTACH"),
    (0x4205, "PTRACE_SETREGSET"),
    (0x4206, "PTRACE_SEIZE"),
];

/// By command number from 0.
const BPF: &[&str] = &[
    "BPF_MAP_CREATE",
    "BPF_MAP_LOOKUP_ELEM",
    "BPF_MAP_UPDATE_ELEM",
    "BPF_MAP_DELETE_ELEM",
    "BPF_MAP_GET_NEXT_KEY",
    "BPF_PROG_LOAD",
    "BPF_OBJ_PIN",
    "BPF_OBJ_GET",
    "BPF_PROG_ATTACH",
    "BPF_PROG_DETACH",
    "BPF_PROG_TEST_RUN",
    "BPF_PROG_GET_NEXT_ID",
    "BPF_MAP_GET_NEXT_ID",
    "BPF_PROG_GET_FD_BY_ID",
    "BPF_MAP_GET_FD_BY_ID",
    "BPF_OBJ_GET_INFO_BY_FD",
    "BPF_PROG_QUERY",
    "BPF_RAW_TRACEPOINT_OPEN",
    "BPF_BTF_LOAD",
    "BPF_BTF_GET_FD_BY_ID",
    "BPF_TASK_FD_QUERY",
    "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
    "BPF_MAP_FREEZE",
    "BPF_BTF_GET_NEXT_ID",
    "BPF_MAP_LOOKUP_BATCH",
    "BPF_MAP_LOOKUP_AND_DELETE_BATCH",
    "BPF_MAP_UPDATE_BATCH",
    "BPF_MAP_DELETE_BATCH",
    "BPF_LINK_CREATE",
    "BPF_LINK_UPDATE",
    "BPF_LINK_GET_FD_BY_ID",
    "BPF_LINK_GET_NEXT_ID",
    "BPF_ENABLE_STATS",
    "BPF_ITER_CREATE",
    "BPF_LINK_DETACH",
    "BPF_PROG_BIND_MAP",
    "BPF_TOKEN_CREATE",
];

/// By operation number from 0.
const URING: &[&str] = &[
    "nop",
    "readv",
    "writev",
    "fsync",
    "read_fixed",
    "write_fixed",
    "poll_add",
    "poll_remove",
    "sync_file_range",
    "sendmsg",
    "recvmsg",
    "timeout",
    "timeout_remove",
    "accept",
    "async_cancel",
    "link_timeout",
    "connect",
    "fallocate",
    "openat",
    "close",
    "files_update",
    "statx",
    "read",
    "write",
    "fadvise",
    "madvise",
    "send",
    "recv",
    "openat2",
    "epoll_ctl",
    "splice",
    "provide_buffers",
    "remove_buffers",
    "tee",
    "shutdown",
    "renameat",
    "unlinkat",
    "mkdirat",
    "symlinkat",
    "linkat",
    "msg_ring",
    "fsetxattr",
    "setxattr",
    "fgetxattr",
    "getxattr",
    "socket",
    "uring_cmd",
    "send_zc",
    "sendmsg_zc",
    "read_multishot",
    "waitid",
    "futex_wait",
    "futex_wake",
    "futex_waitv",
    "fixed_fd_install",
    "ftruncate",
    "bind",
    "listen",
    "recv_zc",
    "epoll_wait",
    "readv_fixed",
    "writev_fixed",
    "pipe",
];

/// What the flags or the command among a call's arguments say.
pub(super) fn detail(name: &str, args: &[u64; 5]) -> Vec<CompactString> {
    let [first, second, _, fourth, _] = *args;
    match name {
        "clone" => set_bits(CLONE, first & !0xff),
        "clone3" => set_bits(CLONE, first),
        "unshare" => set_bits(CLONE, first),
        "setns" => set_bits(CLONE, second),
        "mount" => set_bits(MOUNT, fourth),
        "memfd_create" => set_bits(MEMFD, second),
        "ptrace" => PTRACE.iter().filter(|(n, _)| *n == first).map(|(_, w)| (*w).into()).collect(),
        "bpf" => {
            usize::try_from(first).ok().and_then(|n| BPF.get(n)).map(|w| (*w).into()).into_iter().collect()
        }
        "prctl" if first == 35 => vec!["PR_SET_MM".into()],
        _ => Vec::new(),
    }
}

/// Name of an io_uring operation.
pub(super) fn uring_operation(opcode: u32) -> Option<&'static str> {
    URING.get(usize::try_from(opcode).ok()?).copied()
}

fn set_bits(words: &[(u64, &'static str)], value: u64) -> Vec<CompactString> {
    words.iter().filter(|(bit, _)| value & bit != 0).map(|(_, word)| (*word).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_words_of_the_manual() {
        assert_eq!(detail("unshare", &[0x1002_0000, 0, 0, 0, 0]), ["CLONE_NEWNS", "CLONE_NEWUSER"]);
        assert_eq!(detail("clone", &[0x2000_0080 | 17, 0, 0, 0, 0]), ["CLONE_NEWPID"]);
        assert_eq!(detail("ptrace", &[16, 1, 0, 0, 0]), ["PTRACE_ATTACH"]);
        assert_eq!(detail("bpf", &[5, 0, 0, 0, 0]), ["BPF_PROG_LOAD"]);
        assert_eq!(detail("bpf", &[u64::MAX, 0, 0, 0, 0]), Vec::<&str>::new());
        assert_eq!(uring_operation(18), Some("openat"));
        assert_eq!(uring_operation(u32::MAX), None);
    }
}
