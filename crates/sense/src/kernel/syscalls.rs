//! Which program runs at the end of which system call.
//!
//! The dispatcher at `tp_btf/sys_exit` tail-calls by number: `sysprogs` for calls through the 64-bit entry,
//! `sysprogs32` for those through the 32-bit one, whose numbers differ. The loader fills both arrays from
//! [`SYSCALLS`], and the programs turn a 32-bit number into the x86-64 one through [`normalised_numbers`]. What
//! the programs read of each call (which argument is a path, a descriptor, a process) stands beside them, in
//! `bpf/file.bpf.c` and `bpf/privilege.bpf.c`.
//!
//! Left out on purpose: calls that only 32-bit programs have and that a newer number replaced before Linux 5.10
//! (`oldumount`), and the `x32` entry, whose numbers are those of x86-64 with bit 30 set.
//!
//! Source: `arch/x86/entry/syscalls/syscall_64.tbl` and `syscall_32.tbl`.

use event::{Class, Wants, file::FileOp};

/// Entries of `sysprogs`, `sysprogs32` and the table of normalised numbers: above the highest number in use.
pub const SYSCALL_SLOTS: usize = 512;

/// One system call and the program that its end runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyscallHook {
    /// Name, as in the kernel's table for x86-64.
    pub name: &'static str,
    /// Number through the 64-bit entry.
    pub x86_64: u32,
    /// Numbers through the 32-bit entry: none, one, or several where it has an older and a newer form.
    pub i386: &'static [u32],
    /// Program in the object.
    pub program: &'static str,
}

impl SyscallHook {
    /// Whether somebody wants what the program reports of this call. What other parts of the product rest on is always
    /// wanted.
    fn is_wanted(&self, wants: &Wants) -> bool {
        match self.program {
            "sx_open" => [FileOp::OpenWrite, FileOp::Create, FileOp::OpenRead]
                .iter()
                .any(|op| wants.wants(Class::FileEvent, op.as_str())),
            "sx_file" => self.path_operations().iter().any(|op| wants.wants(Class::FileEvent, op.as_str())),
            "sx_dup" => wants.wants_class(Class::FdChange),
            "sx_memory" => wants.wants_class(Class::Memory),
            _ => true,
        }
    }

    /// What a call of `sx_file` is reported as, by a word of its name.
    fn path_operations(&self) -> &'static [FileOp] {
        const BY_WORD: [(&str, &[FileOp]); 11] = [
            ("rename", &[FileOp::Rename]),
            ("unlink", &[FileOp::Unlink, FileOp::Rmdir]),
            ("rmdir", &[FileOp::Rmdir]),
            ("symlink", &[FileOp::Symlink]),
            ("link", &[FileOp::Link]),
            ("mkdir", &[FileOp::Mkdir]),
            ("mknod", &[FileOp::Mknod]),
            ("chmod", &[FileOp::Chmod]),
            ("chown", &[FileOp::Chown]),
            ("truncate", &[FileOp::Truncate]),
            ("xattr", &[FileOp::SetXattr, FileOp::RemoveXattr]),
        ];
        BY_WORD.iter().find(|(word, _)| self.name.contains(word)).map_or(&[], |(_, operations)| operations)
    }
}

const fn hook(name: &'static str, x86_64: u32, i386: &'static [u32], program: &'static str) -> SyscallHook {
    SyscallHook { name, x86_64, i386, program }
}

/// Every hooked system call.
#[rustfmt::skip]
pub const SYSCALLS: &[SyscallHook] = &[
    // Files: opened, created, or opened for reading where watched.
    hook("open", 2, &[5], "sx_open"),
    hook("creat", 85, &[8], "sx_open"),
    hook("openat", 257, &[295], "sx_open"),
    hook("openat2", 437, &[437], "sx_open"),
    // Files: operations on paths and descriptors.
    hook("rename", 82, &[38], "sx_file"),
    hook("renameat", 264, &[302], "sx_file"),
    hook("renameat2", 316, &[353], "sx_file"),
    hook("unlink", 87, &[10], "sx_file"),
    hook("unlinkat", 263, &[301], "sx_file"),
    hook("rmdir", 84, &[40], "sx_file"),
    hook("link", 86, &[9], "sx_file"),
    hook("linkat", 265, &[303], "sx_file"),
    hook("symlink", 88, &[83], "sx_file"),
    hook("symlinkat", 266, &[304], "sx_file"),
    hook("mkdir", 83, &[39], "sx_file"),
    hook("mkdirat", 258, &[296], "sx_file"),
    hook("mknod", 133, &[14], "sx_file"),
    hook("mknodat", 259, &[297], "sx_file"),
    hook("chmod", 90, &[15], "sx_file"),
    hook("fchmod", 91, &[94], "sx_file"),
    hook("fchmodat", 268, &[306], "sx_file"),
    hook("fchmodat2", 452, &[452], "sx_file"),
    hook("chown", 92, &[182, 212], "sx_file"),
    hook("fchown", 93, &[95, 207], "sx_file"),
    hook("lchown", 94, &[16, 198], "sx_file"),
    hook("fchownat", 260, &[298], "sx_file"),
    hook("truncate", 76, &[92, 193], "sx_file"),
    hook("ftruncate", 77, &[93, 194], "sx_file"),
    hook("setxattr", 188, &[226], "sx_file"),
    hook("lsetxattr", 189, &[227], "sx_file"),
    hook("fsetxattr", 190, &[228], "sx_file"),
    hook("setxattrat", 463, &[463], "sx_file"),
    hook("removexattr", 197, &[235], "sx_file"),
    hook("lremovexattr", 198, &[236], "sx_file"),
    hook("fremovexattr", 199, &[237], "sx_file"),
    hook("removexattrat", 466, &[466], "sx_file"),
    // Privilege, namespaces, mounts, the kernel and other processes.
    hook("ptrace", 101, &[26], "sx_syscall"),
    hook("setns", 308, &[346], "sx_syscall"),
    hook("unshare", 272, &[310], "sx_syscall"),
    hook("clone", 56, &[120], "sx_syscall"),
    hook("clone3", 435, &[435], "sx_syscall"),
    hook("init_module", 175, &[128], "sx_syscall"),
    hook("finit_module", 313, &[350], "sx_syscall"),
    hook("delete_module", 176, &[129], "sx_syscall"),
    hook("bpf", 321, &[357], "sx_syscall"),
    hook("capset", 126, &[185], "sx_syscall"),
    hook("setuid", 105, &[23, 213], "sx_syscall"),
    hook("setgid", 106, &[46, 214], "sx_syscall"),
    hook("setreuid", 113, &[70, 203], "sx_syscall"),
    hook("setregid", 114, &[71, 204], "sx_syscall"),
    hook("setresuid", 117, &[164, 208], "sx_syscall"),
    hook("setresgid", 119, &[170, 210], "sx_syscall"),
    hook("setfsuid", 122, &[138, 215], "sx_syscall"),
    hook("setfsgid", 123, &[139, 216], "sx_syscall"),
    hook("setgroups", 116, &[81, 206], "sx_syscall"),
    hook("mount", 165, &[21], "sx_syscall"),
    hook("umount2", 166, &[52], "sx_syscall"),
    hook("move_mount", 429, &[429], "sx_syscall"),
    hook("open_tree", 428, &[428], "sx_syscall"),
    hook("open_tree_attr", 467, &[467], "sx_syscall"),
    hook("fsopen", 430, &[430], "sx_syscall"),
    hook("fsmount", 432, &[432], "sx_syscall"),
    hook("mount_setattr", 442, &[442], "sx_syscall"),
    hook("pivot_root", 155, &[217], "sx_syscall"),
    hook("chroot", 161, &[61], "sx_syscall"),
    hook("memfd_create", 319, &[356], "sx_syscall"),
    hook("process_vm_readv", 310, &[347], "sx_syscall"),
    hook("process_vm_writev", 311, &[348], "sx_syscall"),
    hook("pidfd_getfd", 438, &[438], "sx_syscall"),
    hook("kexec_load", 246, &[283], "sx_syscall"),
    hook("kexec_file_load", 320, &[], "sx_syscall"),
    hook("io_uring_setup", 425, &[425], "sx_syscall"),
    hook("userfaultfd", 323, &[374], "sx_syscall"),
    hook("perf_event_open", 298, &[336], "sx_syscall"),
    hook("personality", 135, &[136], "sx_syscall"),
    hook("open_by_handle_at", 304, &[342], "sx_syscall"),
    hook("prctl", 157, &[172], "sx_syscall"),
    hook("sethostname", 170, &[74], "sx_syscall"),
    hook("setdomainname", 171, &[121], "sx_syscall"),
    hook("settimeofday", 164, &[79], "sx_syscall"),
    hook("clock_settime", 227, &[264, 404], "sx_syscall"),
    hook("reboot", 169, &[88], "sx_syscall"),
    hook("swapon", 167, &[87], "sx_syscall"),
    hook("swapoff", 168, &[115], "sx_syscall"),
    hook("acct", 163, &[51], "sx_syscall"),
    hook("iopl", 172, &[110], "sx_syscall"),
    hook("ioperm", 173, &[101], "sx_syscall"),
    // Descriptors 0 to 2.
    hook("dup", 32, &[41], "sx_dup"),
    hook("dup2", 33, &[63], "sx_dup"),
    hook("dup3", 292, &[330], "sx_dup"),
    hook("fcntl", 72, &[55, 221], "sx_dup"),
    // Executable memory.
    hook("mmap", 9, &[90, 192], "sx_memory"),
    hook("mprotect", 10, &[125], "sx_memory"),
    hook("pkey_mprotect", 329, &[380], "sx_memory"),
    // Sockets (network.bpf.c).
    hook("socket", 41, &[359], "sx_socket"),
    hook("connect", 42, &[362], "sx_connect"),
    hook("accept", 43, &[], "sx_accept"),
    hook("accept4", 288, &[364], "sx_accept"),
    hook("listen", 50, &[363], "sx_listen"),
    hook("bind", 49, &[361], "sx_bind"),
];

/// The x86-64 number for each 32-bit one, 0 where the call is not hooked: the value of the object's constant
/// `wk_numbers32`.
pub fn normalised_numbers() -> [u16; SYSCALL_SLOTS] {
    let mut numbers = [0; SYSCALL_SLOTS];
    for hook in SYSCALLS {
        let Ok(number) = u16::try_from(hook.x86_64) else {
            continue;
        };
        for &i386 in hook.i386 {
            if let Some(slot) = usize::try_from(i386).ok().and_then(|i| numbers.get_mut(i)) {
                *slot = number;
            }
        }
    }
    numbers
}

/// By number: 1 where a program waits for the end of a call with it, through either entry, and somebody wants what it
/// reports; without `wants`, everybody does. The dispatcher reads this before all else.
pub fn hooked_numbers(only_32_bit: impl Iterator<Item = u32>, wants: Option<&Wants>) -> [u8; SYSCALL_SLOTS] {
    let mut hooked = [0; SYSCALL_SLOTS];
    let wanted = SYSCALLS.iter().filter(|hook| wants.is_none_or(|wants| hook.is_wanted(wants)));
    let numbers = wanted.flat_map(|hook| std::iter::once(hook.x86_64).chain(hook.i386.iter().copied()));
    for number in numbers.chain(only_32_bit) {
        if let Some(slot) = usize::try_from(number).ok().and_then(|i| hooked.get_mut(i)) {
            *slot = 1;
        }
    }
    hooked
}

/// The name of the system call with the given x86-64 number, where it is hooked.
pub fn syscall_name(x86_64: u32) -> Option<&'static str> {
    SYSCALLS.iter().find(|hook| hook.x86_64 == x86_64).map(|hook| hook.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_used_once_and_fits_the_arrays() {
        let mut x86_64: Vec<u32> = SYSCALLS.iter().map(|hook| hook.x86_64).collect();
        let mut i386: Vec<u32> = SYSCALLS.iter().flat_map(|hook| hook.i386.iter().copied()).collect();
        for numbers in [&mut x86_64, &mut i386] {
            let all = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), all, "a number stands twice");
            assert!(numbers.last().is_some_and(|&n| (n as usize) < SYSCALL_SLOTS));
        }
    }

    #[test]
    fn numbers_match_those_of_libc() {
        for (name, number) in [
            ("openat", libc::SYS_openat),
            ("openat2", libc::SYS_openat2),
            ("finit_module", libc::SYS_finit_module),
            ("mount_setattr", libc::SYS_mount_setattr),
            ("pidfd_getfd", libc::SYS_pidfd_getfd),
            ("clone3", libc::SYS_clone3),
            ("memfd_create", libc::SYS_memfd_create),
            ("accept4", libc::SYS_accept4),
            ("fchmodat2", libc::SYS_fchmodat2),
        ] {
            let number = u32::try_from(number).expect("system call numbers are positive");
            assert_eq!(syscall_name(number), Some(name));
        }
    }

    #[test]
    fn a_32_bit_number_becomes_that_of_x86_64() {
        let numbers = normalised_numbers();
        assert_eq!(numbers.get(295), Some(&257), "openat");
        assert_eq!(numbers.get(213), Some(&105), "setuid32");
        assert_eq!(numbers.get(1), Some(&0), "exit is not hooked");
    }

    #[test]
    fn the_dispatcher_passes_hooked_numbers_of_both_entries_and_no_other() {
        let hooked = hooked_numbers([102].into_iter(), None);
        for (number, name) in [(257, "openat"), (295, "openat, 32-bit"), (102, "socketcall, 32-bit")] {
            assert_eq!(hooked.get(number), Some(&1), "{name}");
        }
        assert_eq!(hooked.get(186), Some(&0), "gettid, and sigaltstack through the other entry");
    }

    #[test]
    fn what_nobody_wants_is_not_hooked_and_what_others_rest_on_is() {
        let classes = [Class::FileEvent].into();
        let operations = [(Class::FileEvent, [FileOp::Chmod.as_str().into()].into())].into();
        let wants = Wants { classes, operations, ..Wants::default() };
        let hooked = hooked_numbers(std::iter::empty(), Some(&wants));
        for (number, expected, name) in [
            (268, 1, "fchmodat is wanted"),
            (257, 0, "openat is not"),
            (33, 0, "dup2 is not"),
            (9, 0, "mmap is not"),
            (42, 1, "connect has an owner that payloads need"),
            (308, 1, "setns moves processes"),
        ] {
            assert_eq!(hooked.get(number), Some(&expected), "{name}");
        }
    }

    #[test]
    fn every_call_of_the_path_program_has_an_operation() {
        for hook in SYSCALLS.iter().filter(|hook| hook.program == "sx_file") {
            assert!(!hook.path_operations().is_empty(), "{}", hook.name);
        }
    }
}
