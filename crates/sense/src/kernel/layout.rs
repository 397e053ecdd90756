//! Offsets and constants of the kernel records: the Rust side of `bpf/layout.h`.
//!
//! A test compiles one assertion per line of this file against that header, so the two cannot drift apart.

/// Rings: critical, file, network.
pub const RING_COUNT: usize = 3;
/// Bytes of a packed container id.
pub const ID_LEN: usize = 32;
/// Bytes of an address; IPv4 uses the first four.
pub const ADDR_LEN: usize = 16;
/// Bytes of a task's short name.
pub const COMM_LEN: usize = 16;
/// Slots of the counters map.
pub const MAX_CPUS: usize = 256;

/// Name, size and (field, offset) of every struct, for the test.
#[cfg(test)]
pub(super) type Struct = (&'static str, usize, &'static [(&'static str, usize)]);

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident $size:literal { $($field:ident = $offset:literal,)* })*) => {
        $($(#[$doc])* pub mod $name {
            #![allow(dead_code, missing_docs)]
            pub const BYTES: usize = $size;
            $(pub const $field: usize = $offset;)*
        })*
        #[cfg(test)]
        pub(super) const STRUCTS: &[Struct] =
            &[$((stringify!($name), $size, &[$((stringify!($field), $offset)),*])),*];
    };
}

macro_rules! constants {
    ($($name:ident: $type:ty = $value:literal,)*) => {
        $(#[allow(dead_code, missing_docs)] pub const $name: $type = $value;)*
        #[cfg(test)]
        pub(super) const CONSTANTS: &[(&str, u64)] = &[$((stringify!($name), $value)),*];
    };
}

records! {
    /// Start of every record.
    header 152 {
        KIND = 0, FLAGS = 2, LEN = 4, BOOT_NS = 8, PID = 16, TID = 20, PPID = 24, VPID = 28, START_NS = 32,
        PARENT_START_NS = 40, UID = 48, GID = 52, EUID = 56, LOGIN_UID = 60, CAPS = 64, CGROUP = 72,
        SESSION = 80, TTY = 84, PID_NS = 88, MNT_NS = 92, NET_NS = 96, USER_NS = 100, COMM = 104,
        CONTAINER = 120,
    }
    /// A descriptor: its type, and the inode of a socket.
    fd 16 {
        TYPE = 0, INODE = 8,
    }
    /// A program was executed.
    exec 280 {
        INODE = 152, CTIME_NS = 160, SIZE = 168, DEV = 176, NLINK = 180, MODE = 184, FS_MAGIC = 188,
        XFLAGS = 192, ARGV_TOTAL = 196, FILE_LEN = 200, PATH_LEN = 204, CWD_LEN = 208, ARGV_HEAD_LEN = 212,
        ARGV_TAIL_LEN = 216, ENV_LEN = 220, INTERP_LEN = 224, ENV_TOTAL = 228, FD = 232,
    }
    /// A thread group was made.
    fork 176 {
        CHILD_PID = 152, CHILD_VPID = 156, CHILD_START_NS = 160, CHILD_PID_NS = 168,
    }
    /// A thread group ended.
    exit 160 {
        CODE = 152,
    }
    /// A cgroup was made or removed, or a task entered one.
    cgroup 216 {
        ID = 152, OP = 160, LEVEL = 164, MOVED_PID = 168, PATH_LEN = 172, MOVED_START_NS = 176,
        CONTAINER = 184,
    }
    /// A file operation.
    file 208 {
        OP = 152, RET = 156, INODE = 160, DEV = 168, MODE = 172, OFLAGS = 176, ARG = 180, FS_MAGIC = 184,
        RESOLVED = 188, STR1_LEN = 192, PATH1_LEN = 196, STR2_LEN = 200, PATH2_LEN = 204,
    }
    /// Key of the watched inodes.
    watched_inode 16 {
        INODE = 0, DEV = 8,
    }
    /// Key of the watched names.
    watched_name 32 {
        NAME = 0,
    }
    /// A system call of the privilege, namespace, kernel and mount classes.
    syscall 264 {
        NR = 152, PATH_LEN = 156, RET = 160, ARGS = 168, STR1_LEN = 208, STR2_LEN = 212, TARGET_PID = 216,
        TARGET_START_NS = 224, TARGET_CONTAINER = 232,
    }
    /// The two ends of a connection.
    endpoint 40 {
        LOCAL = 0, REMOTE = 16, LOCAL_PORT = 32, REMOTE_PORT = 34, FAMILY = 36, PROTOCOL = 38,
    }
    /// A socket operation.
    socket 224 {
        OP = 152, RET = 156, COOKIE = 160, INODE = 168, E = 176, TYPE = 216,
    }
    /// A TCP state.
    tcp 224 {
        COOKIE = 152, BYTES_SENT = 160, BYTES_RECEIVED = 168, E = 176, OLD_STATE = 216, NEW_STATE = 220,
    }
    /// A local socket operation.
    unix 184 {
        OP = 152, RET = 156, INODE = 160, PEER_PID = 168, PATH_LEN = 172, ABSTRACT = 176,
        PATH_RESOLVED = 180,
    }
    /// Captured bytes from the IP header on.
    packet 184 {
        COOKIE = 152, DIRECTION = 160, WIRE_LEN = 164, CAPTURED_LEN = 168, IFINDEX = 172, SEEN_BYTES = 176,
    }
    /// A burst of payload.
    heartbeat 8 {
        GAP_MS = 0, BYTES_OUT = 4, BYTES_IN = 6,
    }
    /// Bursts of payload inside a flow that goes on.
    heartbeats 736 {
        COOKIE = 152, E = 160, BYTES_OUT = 200, BYTES_IN = 208, COUNT = 216, OVER = 224,
    }
    /// A descriptor landed on 0 to 2.
    fd_change 176 {
        OLD_FD = 152, NEW_FD = 156, FD = 160,
    }
    /// A signal to a guarded process.
    signal 176 {
        SIGNAL = 152, TARGET_PID = 156, TARGET_START_NS = 160, RET = 168, GUARDED = 172,
    }
    /// Executable memory.
    memory 192 {
        ADDRESS = 152, LENGTH = 160, PROT = 168, MAP_FLAGS = 172, ANONYMOUS = 176, WAS_WRITABLE = 180,
        PATH_LEN = 184,
    }
    /// An operation submitted through io_uring.
    uring 168 {
        OPCODE = 152, URING_FLAGS = 156, USER_DATA = 160,
    }
    /// One processor's slot of the counters map.
    counters 80 {
        EMITTED = 0, LOST = 24, DROPPED_HOST = 48, DROPPED_STARTUP = 56, TABLE_FULL = 64, LIMITED = 72,
    }
    /// Value of the lineage map.
    lineage 48 {
        CONTAINER = 0, START_NS = 32, FLAGS = 40,
    }
    /// Value of the cgroup_owners map.
    cgroup_owner 40 {
        CONTAINER = 0, DEPTH = 32, STARTED = 36,
    }
}

constants! {
    PATH_CUT: u32 = 0x8000_0000,
    F_COMPAT: u16 = 0x1,
    F_URING: u16 = 0x2,
    F_HELPER: u16 = 0x4,
    F_MOVED: u16 = 0x8,
    F_OWNER_MAP: u16 = 0x10,
    F_NO_OWNER: u16 = 0x20,
    F_DATA_CUT: u16 = 0x80,
    F_READ_FAIL: u16 = 0x100,
    F_STARTUP: u16 = 0x200,
    F_GUEST_CGROUP: u16 = 0x400,
    F_RUNTIME: u16 = 0x800,
    F_LOGIN: u16 = 0x1000,
    X_MEMFD: u32 = 0x1,
    X_DELETED: u32 = 0x2,
    X_UPPER: u32 = 0x4,
    X_OVERLAY: u32 = 0x8,
    X_SETID: u32 = 0x10,
    X_TMPFS: u32 = 0x20,
    X_PRIVATE_MOUNT: u32 = 0x40,
    X_ENV_CUT: u32 = 0x80,
    L_CONTAINER: u32 = 0x1,
    L_EXECED: u32 = 0x2,
    L_RUNTIME: u32 = 0x4,
    L_HELPER: u32 = 0x8,
    EXEC: u16 = 1,
    FORK: u16 = 2,
    EXIT: u16 = 3,
    CGROUP: u16 = 4,
    FILE: u16 = 5,
    SYSCALL: u16 = 6,
    SOCKET: u16 = 7,
    TCP: u16 = 8,
    UNIX: u16 = 9,
    PACKET: u16 = 10,
    FD: u16 = 11,
    SIGNAL: u16 = 12,
    MEMORY: u16 = 13,
    URING: u16 = 14,
    HEARTBEATS: u16 = 15,
    HEARTBEATS_KEPT: usize = 64,
    FD_NONE: u32 = 0,
    FD_OTHER: u32 = 1,
    FD_FILE: u32 = 2,
    FD_PIPE: u32 = 3,
    FD_TTY: u32 = 4,
    FD_INET: u32 = 5,
    FD_UNIX: u32 = 6,
    FD_NULL: u32 = 7,
    CG_MKDIR: u32 = 1,
    CG_RMDIR: u32 = 2,
    CG_ATTACH: u32 = 3,
    FILE_OPEN_WRITE: u32 = 1,
    FILE_CREATE: u32 = 2,
    FILE_OPEN_READ: u32 = 3,
    FILE_RENAME: u32 = 4,
    FILE_UNLINK: u32 = 5,
    FILE_LINK: u32 = 6,
    FILE_SYMLINK: u32 = 7,
    FILE_MKDIR: u32 = 8,
    FILE_RMDIR: u32 = 9,
    FILE_CHMOD: u32 = 10,
    FILE_CHOWN: u32 = 11,
    FILE_TRUNCATE: u32 = 12,
    FILE_SETXATTR: u32 = 13,
    FILE_REMOVEXATTR: u32 = 14,
    FILE_MKNOD: u32 = 15,
    SK_CREATE: u32 = 1,
    SK_CONNECT: u32 = 2,
    SK_ACCEPT: u32 = 3,
    SK_LISTEN: u32 = 4,
    SK_BIND: u32 = 5,
    SK_SEND: u32 = 6,
    SK_CONNECT_DONE: u32 = 7,
    KNOWN_NO: u32 = 0,
    KNOWN_YES: u32 = 1,
    KNOWN_NOT: u32 = 2,
    RING_CRITICAL: usize = 0,
    RING_FILE: usize = 1,
    RING_NETWORK: usize = 2,
}

#[cfg(test)]
mod tests {
    use std::{
        fmt::Write,
        io::Write as _,
        process::{Command, Stdio},
    };

    use super::{CONSTANTS, STRUCTS};

    #[test]
    fn offsets_and_constants_equal_the_c_header() {
        let bpf = concat!(env!("CARGO_MANIFEST_DIR"), "/bpf");
        let mut c = String::from("#include <linux/types.h>\n#include \"layout.h\"\n");
        for (name, size, fields) in STRUCTS {
            writeln!(c, "_Static_assert(sizeof(struct wk_{name}) == {size}, \"{name}\");").unwrap();
            for (field, offset) in *fields {
                let field = field.to_lowercase();
                writeln!(
                    c,
                    "_Static_assert(__builtin_offsetof(struct wk_{name}, {field}) == {offset}, \"{name}.{field}\");"
                )
                .unwrap();
            }
        }
        for (name, value) in CONSTANTS {
            writeln!(c, "_Static_assert(WK_{name} == {value}, \"{name}\");").unwrap();
        }
        let Some(clang) = ["clang", "clang-14"].into_iter().find(|c| {
            Command::new(c).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
        }) else {
            println!("SKIPPED: clang is not installed");
            return;
        };
        let mut child = Command::new(clang)
            .args(["-target", "bpfel", "-fsyntax-only", "-x", "c", "-I", bpf])
            .args(["-I", "/usr/include/x86_64-linux-gnu", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(c.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "layout.rs and bpf/layout.h differ");
    }
}
