//! Falco's event types and our classes.
//!
//! In: the name of a system call, as `evt.type` has it. Out: the classes and operations that stand for it. Calls that do
//! the same are one operation: `open`, `openat` and `openat2` cannot be told apart, nor need they be.

use event::Class;

/// Which events of a class stand for an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operations {
    /// All.
    All,
    /// Those of these operations.
    These(&'static [&'static str]),
}

use Operations::{All, These};

/// The operations of an opened file.
pub const OPENED: &[&str] = &["open_write", "create", "open_read"];

/// Names, and what stands for them.
const TABLE: &[(&str, Class, Operations)] = &[
    ("execve execveat", Class::ProcessCreation, These(&["exec"])),
    ("fork vfork clone clone3", Class::ProcessFork, All),
    ("procexit", Class::ProcessTermination, All),
    ("dup dup2 dup3", Class::FdChange, All),
    ("kill tkill tgkill", Class::Signal, All),
    ("mmap mmap2 mprotect pkey_mprotect", Class::Memory, All),
    ("open openat openat2 creat", Class::FileEvent, These(OPENED)),
    ("rename renameat renameat2", Class::FileEvent, These(&["rename"])),
    ("unlink", Class::FileEvent, These(&["unlink"])),
    ("unlinkat", Class::FileEvent, These(&["unlink", "rmdir"])),
    ("rmdir", Class::FileEvent, These(&["rmdir"])),
    ("link linkat", Class::FileEvent, These(&["link"])),
    ("symlink symlinkat", Class::FileEvent, These(&["symlink"])),
    ("mkdir mkdirat", Class::FileEvent, These(&["mkdir"])),
    ("mknod mknodat", Class::FileEvent, These(&["mknod"])),
    ("chmod fchmod fchmodat fchmodat2", Class::FileEvent, These(&["chmod"])),
    ("chown fchown lchown fchownat", Class::FileEvent, These(&["chown"])),
    ("truncate ftruncate", Class::FileEvent, These(&["truncate"])),
    ("setxattr lsetxattr fsetxattr", Class::FileEvent, These(&["set_xattr"])),
    ("removexattr lremovexattr fremovexattr", Class::FileEvent, These(&["remove_xattr"])),
    ("connect", Class::NetworkConnection, These(&["connected"])),
    ("connect", Class::UnixSocket, All),
    ("sendto sendmsg sendmmsg", Class::NetworkConnection, These(&["connect"])),
    ("accept accept4", Class::NetworkConnection, These(&["accept"])),
    ("listen", Class::NetworkConnection, These(&["listen"])),
    ("bind", Class::NetworkConnection, These(&["bind"])),
    ("socket", Class::Socket, All),
];

/// Calls that are events of the class `syscall`, under their own names.
const SYSCALLS: &str = "ptrace setns unshare clone clone3 init_module finit_module delete_module bpf capset setuid setgid \
    setreuid setregid setresuid setresgid setfsuid setfsgid setgroups mount umount2 move_mount open_tree fsopen fsmount \
    mount_setattr pivot_root chroot memfd_create process_vm_readv process_vm_writev pidfd_getfd kexec_load \
    kexec_file_load io_uring_setup userfaultfd perf_event_open personality open_by_handle_at prctl sethostname \
    setdomainname settimeofday clock_settime reboot swapon swapoff acct iopl ioperm";

/// The classes of events that Falco's rules about system calls can be asked about.
pub const CLASSES: [Class; 11] = [
    Class::ProcessCreation,
    Class::ProcessFork,
    Class::ProcessTermination,
    Class::FdChange,
    Class::Signal,
    Class::Memory,
    Class::FileEvent,
    Class::NetworkConnection,
    Class::Socket,
    Class::UnixSocket,
    Class::Syscall,
];

/// What stands for the event type `name` in `class`; `None` where nothing does.
pub fn operations(name: &str, class: Class) -> Option<Operations> {
    let is_it = |names: &str| names.split_whitespace().any(|one| one == name);
    if class == Class::Syscall {
        let known = SYSCALLS.split_whitespace().find(|one| *one == name)?;
        return Some(These(slice_of(known)));
    }
    let found = TABLE.iter().find(|(names, own, _)| *own == class && is_it(names));
    found.map(|(.., operations)| *operations)
}

/// Whether anything stands for the event type `name`.
pub fn is_sensed(name: &str) -> bool {
    CLASSES.iter().any(|class| operations(name, *class).is_some())
}

/// All event types for which something stands.
pub fn all() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(names, ..)| names.split_whitespace()).chain(SYSCALLS.split_whitespace())
}

/// The name as the only operation. The names of [`SYSCALLS`] are made slices once.
fn slice_of(name: &'static str) -> &'static [&'static str] {
    static SLICES: std::sync::LazyLock<Vec<[&'static str; 1]>> =
        std::sync::LazyLock::new(|| SYSCALLS.split_whitespace().map(|name| [name]).collect());
    SLICES.iter().find(|slice| slice.contains(&name)).map_or(&[], |slice| slice.as_slice())
}
