/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The layout of every record that the kernel programs write into a ring buffer. This header is the only
 * source of that layout: the C programs include it, and src/kernel/layout.rs holds the same offsets, checked
 * against the BTF of the built object by a test.
 *
 * All integers are in the byte order of the machine. Every struct is naturally aligned with explicit padding.
 * A record is `struct wk_header`, then the fixed part of its kind, then `data`: variable parts one behind the
 * other, in the order that the comment names, without separators. `header.len` is the record's true length; its
 * entry in the ring can be longer, and what lies behind `len` means nothing.
 *
 * Strings keep their closing NUL, which their `_len` counts. Device numbers (`dev`, `tty`) are the kernel's own:
 * major << 20 | minor.
 *
 * Paths are written leaf first: components, each ended by NUL, up to the root of the process; user space
 * reverses them; length 0 is the root itself. The bit `WK_PATH_CUT` in the length says that the walk ended elsewhere
 * than at the root: too deep, or outside of the root (memfd, pipe, a directory that the process got from the host).
 */
#ifndef WATCHKEEPER_LAYOUT_H
#define WATCHKEEPER_LAYOUT_H

#define WK_COMM_LEN 16
#define WK_ID_LEN 32 /* a container id: 64 hexadecimal digits, packed */
#define WK_ADDR_LEN 16
#define WK_PATH_CUT 0x80000000u /* in the length of a path, see above */

enum wk_kind {
	WK_EXEC = 1,
	WK_FORK,
	WK_EXIT,
	WK_CGROUP,      /* cgroup made, removed, or a task moved into one */
	WK_FILE,        /* open for writing, path operations, watched reads */
	WK_SYSCALL,     /* privilege, namespace, kernel and mount operations with raw arguments */
	WK_SOCKET,      /* socket made, connect, accept, listen, bind, datagram destination */
	WK_TCP,         /* TCP state: established, closed with byte counts */
	WK_UNIX,        /* AF_UNIX connect and accept */
	WK_PACKET,      /* first bytes of a flow, and DNS in full */
	WK_FD,          /* dup2/dup3 onto descriptors 0 to 2 */
	WK_SIGNAL,      /* signal sent to a guarded process */
	WK_MEMORY,      /* memory that is executable and anonymous, or writable before */
	WK_URING,       /* operation submitted through io_uring */
	WK_HEARTBEATS,  /* bursts of payload inside a flow that goes on */
	WK_KIND_END
};

/* header.flags */
#define WK_F_COMPAT 0x0001     /* 32-bit system call */
#define WK_F_URING 0x0002      /* done through io_uring */
#define WK_F_HELPER 0x0004     /* usermode helper: child of kthreadd */
#define WK_F_MOVED 0x0008      /* present cgroup does not belong to `container`: the task left it */
#define WK_F_OWNER_MAP 0x0010  /* task fields are the socket owner's, not those of the running task */
#define WK_F_NO_OWNER 0x0020   /* no task is known for this record: task fields are zero, container is the socket's */
#define WK_F_DATA_CUT 0x0080   /* a string or payload was longer than its field */
#define WK_F_READ_FAIL 0x0100  /* memory of the process could not be read */
#define WK_F_STARTUP 0x0200    /* runtime's own start-up inside a new container, before its first exec */
#define WK_F_GUEST_CGROUP 0x0400 /* the cgroup was made below a container's own cgroup */
#define WK_F_RUNTIME 0x0800    /* host task of the runtime class: dockerd, containerd, shim, runc and their children */
#define WK_F_LOGIN 0x1000      /* host task with a login uid */

struct wk_header {
	__u16 kind;           /* enum wk_kind */
	__u16 flags;          /* WK_F_* */
	__u32 len;            /* whole record, bytes */
	__u64 boot_ns;        /* CLOCK_BOOTTIME */
	__u32 pid, tid;       /* in the initial pid namespace; pid is the thread group */
	__u32 ppid, vpid;     /* real parent's pid; own pid in its innermost namespace */
	__u64 start_ns;       /* boot time at which the thread group leader started: (pid, start_ns) never repeats */
	__u64 parent_start_ns;
	__u32 uid, gid;       /* real */
	__u32 euid, login_uid;/* login uid 0xffffffff: none */
	__u64 caps;           /* effective capabilities */
	__u64 cgroup;         /* present cgroup id in the tracked hierarchy */
	__u32 session, tty;   /* audit session (0xffffffff: none); dev_t of the controlling terminal, 0: none */
	__u32 pid_ns, mnt_ns; /* inode numbers */
	__u32 net_ns, user_ns;
	__u8 comm[WK_COMM_LEN];
	__u8 container[WK_ID_LEN]; /* lineage: the container that this task descends from; all zero: none */
}; /* 152 bytes */

/* ---- WK_EXEC ---- */
#define WK_X_MEMFD 0x01       /* an anonymous file made by memfd_create */
#define WK_X_DELETED 0x02     /* link count zero at exec */
#define WK_X_UPPER 0x04       /* on an overlay's writable layer: not in the image */
#define WK_X_OVERLAY 0x08     /* on an overlay at all */
#define WK_X_SETID 0x10       /* set-user-id or set-group-id file */
#define WK_X_TMPFS 0x20       /* on tmpfs (e.g. /dev/shm) */
#define WK_X_PRIVATE_MOUNT 0x40 /* neither overlay nor tmpfs: volume or bind mount, or the host's own disk */
#define WK_X_ENV_CUT 0x80     /* the environment goes on behind what was searched */

/* type of descriptors 0 to 2 */
enum wk_fd_type { WK_FD_NONE, WK_FD_OTHER, WK_FD_FILE, WK_FD_PIPE, WK_FD_TTY, WK_FD_INET, WK_FD_UNIX, WK_FD_NULL };

struct wk_fd { __u32 type, pad; __u64 inode; }; /* for INET and UNIX: the socket's inode */

struct wk_exec {
	struct wk_header h;
	__u64 inode;          /* of the executed file */
	__u64 ctime_ns;
	__u64 size;
	__u32 dev, nlink;
	__u32 mode, fs_magic;
	__u32 xflags;         /* WK_X_* */
	__u32 argv_total;     /* bytes of the argument area in the process, before cutting */
	__u32 file_len;       /* what was asked for: bprm->filename */
	__u32 path_len;       /* resolved path of the executed file */
	__u32 cwd_len;
	__u32 argv_head_len;  /* NUL separated, from the process's own memory */
	__u32 argv_tail_len;  /* last bytes, only where argv_total exceeds the head */
	__u32 env_len;        /* selected environment entries, NUL separated */
	__u32 interp_len;     /* bprm->interp where it differs from filename (scripts), else 0 */
	__u32 env_total;
	struct wk_fd fd[3];
	/* data: file, path, cwd, argv head, argv tail, env, interp */
};

/* ---- WK_FORK ---- */
struct wk_fork {
	struct wk_header h;   /* the parent */
	__u32 child_pid, child_vpid;
	__u64 child_start_ns;
	__u32 child_pid_ns, pad;
};

/* ---- WK_EXIT ---- */
struct wk_exit {
	struct wk_header h;
	__s32 code;           /* wait status */
	__u32 pad;
};

/* ---- WK_CGROUP ---- */
enum wk_cgroup_op { WK_CG_MKDIR = 1, WK_CG_RMDIR, WK_CG_ATTACH };
struct wk_cgroup {
	struct wk_header h;
	__u64 id;             /* the cgroup */
	__u32 op;             /* enum wk_cgroup_op */
	__u32 level;
	__u32 moved_pid;      /* ATTACH: the task that was moved */
	__u32 path_len;
	__u64 moved_start_ns;
	__u8 container[WK_ID_LEN]; /* container that the cgroup belongs to; zero: none */
	/* data: path as the kernel names it */
};

/* ---- WK_FILE ---- */
enum wk_file_op {
	WK_FILE_OPEN_WRITE = 1, WK_FILE_CREATE, WK_FILE_OPEN_READ, WK_FILE_RENAME, WK_FILE_UNLINK, WK_FILE_LINK,
	WK_FILE_SYMLINK, WK_FILE_MKDIR, WK_FILE_RMDIR, WK_FILE_CHMOD, WK_FILE_CHOWN, WK_FILE_TRUNCATE,
	WK_FILE_SETXATTR, WK_FILE_REMOVEXATTR, WK_FILE_MKNOD
};
struct wk_file {
	struct wk_header h;
	__u32 op;             /* enum wk_file_op */
	__s32 ret;            /* result of the call: >= 0, or -errno */
	__u64 inode;          /* where known */
	__u32 dev, mode;
	__u32 oflags;         /* open flags; mode for chmod, mkdir and mknod; uid for chown; flags of renameat2, linkat, unlinkat */
	__u32 arg;            /* gid for chown; device for mknod; low half of the length for truncate */
	__u32 fs_magic;       /* of the file's file system, where known */
	__u32 resolved;       /* bit 0: first path comes from a kernel object; bit 1: the second does */
	__u32 str1_len;       /* string given by the process (claimed), empty where resolved */
	__u32 path1_len;      /* resolved path, or the directory that str1 is relative to */
	__u32 str2_len, path2_len; /* second path of rename, link and symlink; str2 of xattr calls: attribute name */
	/* data: str1, path1, str2, path2 */
};

/* Keys of the maps `watched_inodes` and `watched_names`: opens for reading that are reported. */
#define WK_WATCHED_NAME_LEN 32
struct wk_watched_inode {
	__u64 inode;
	__u32 dev, pad;       /* dev: major << 20 | minor */
};
struct wk_watched_name {
	char name[WK_WATCHED_NAME_LEN]; /* last part of the path, ASCII letters as small ones, at most 31 bytes, rest zero */
};

/* ---- WK_SYSCALL ---- numbers are those of x86-64 whatever the caller's width */
struct wk_syscall {
	struct wk_header h;
	__u32 nr, path_len;   /* path: resolved path of the descriptor argument, where there is one */
	__s64 ret;
	__u64 args[5];
	__u32 str1_len, str2_len; /* claimed strings: mount source; mount target with the type behind it, module parameters, …
				     (setns: str1 is the namespace's kind and args[2] its inode number, both resolved;
				     clone3: args[0] are the flags) */
	__u32 target_pid, target_pad; /* ptrace, process_vm_*, kill, pidfd_getfd, setns: the other process */
	__u64 target_start_ns;
	__u8 target_container[WK_ID_LEN];
	/* data: path, str1, str2 */
};

/* ---- WK_SOCKET ---- */
enum wk_socket_op { WK_SK_CREATE = 1, WK_SK_CONNECT, WK_SK_ACCEPT, WK_SK_LISTEN, WK_SK_BIND, WK_SK_SEND,
	WK_SK_CONNECT_DONE /* result of connect() at the end of the call */ };
struct wk_endpoint {
	__u8 local[WK_ADDR_LEN], remote[WK_ADDR_LEN]; /* IPv4 in the first four bytes */
	__u16 local_port, remote_port;                /* host order */
	__u16 family, protocol;                       /* AF_*, IPPROTO_* */
};
struct wk_socket {
	struct wk_header h;
	__u32 op;             /* enum wk_socket_op */
	__s32 ret;
	__u64 cookie;         /* socket cookie: the key that joins records of one socket */
	__u64 inode;          /* socket inode, where known */
	struct wk_endpoint e;
	__u32 type;           /* SOCK_* */
	__u32 pad;
};

/* ---- WK_TCP ---- */
struct wk_tcp {
	struct wk_header h;
	__u64 cookie;
	__u64 bytes_sent, bytes_received; /* payload bytes */
	struct wk_endpoint e;
	__u32 old_state, new_state;
};

/* ---- WK_UNIX ---- */
struct wk_unix {
	struct wk_header h;
	__u32 op;             /* WK_SK_CONNECT or WK_SK_ACCEPT */
	__s32 ret;
	__u64 inode;          /* socket inode */
	__u32 peer_pid, path_len;
	__u32 abstract, path_resolved;
	/* data: path (resolved: leaf first; else as given) */
};

/* ---- WK_PACKET ---- layer 3 bytes; no task context, the owner comes from the cookie */
struct wk_packet {
	struct wk_header h;
	__u64 cookie;
	__u32 direction;      /* 0 towards the container's socket, 1 from it */
	__u32 wire_len;       /* length on the wire */
	__u32 captured_len;
	__u32 ifindex;
	__u64 seen_bytes;     /* payload bytes of this flow and direction before this packet */
	/* data: captured bytes from the IP header on */
};

/* ---- WK_HEARTBEATS ---- the owner comes from the cookie */
#define WK_HEARTBEATS_KEPT 64 /* power of two */
struct wk_heartbeat {
	__u32 gap_ms;         /* from the begin of the burst before; 0 for the flow's first */
	__u16 bytes_out, bytes_in; /* payload until the next burst; 65535 and more */
};
struct wk_heartbeats {
	struct wk_header h;
	__u64 cookie;
	struct wk_endpoint e;
	__u64 bytes_out, bytes_in; /* payload of the flow until the end of the last burst */
	__u32 count, pad;     /* bursts that are over; kept are the latest of them */
	struct wk_heartbeat over[WK_HEARTBEATS_KEPT]; /* burst number n at n modulo WK_HEARTBEATS_KEPT */
};

/* ---- WK_FD ---- */
struct wk_fd_change {
	struct wk_header h;
	__u32 old_fd, new_fd;
	struct wk_fd fd;
};

/* ---- WK_SIGNAL ---- */
struct wk_signal {
	struct wk_header h;
	__u32 signal, target_pid;
	__u64 target_start_ns;
	__s32 ret;
	__u32 guarded;        /* value of the guard map: 1 Watchkeeper, 2 dockerd, 3 containerd */
};

/* ---- WK_MEMORY ---- */
enum wk_known { WK_KNOWN_NO, WK_KNOWN_YES, WK_KNOWN_NOT };
struct wk_memory {
	struct wk_header h;
	__u64 address, length;
	__u32 prot, map_flags;
	__u32 anonymous, was_writable; /* enum wk_known */
	__u32 path_len, pad;
	/* data: path of the mapped file, where there is one */
};

/* ---- WK_URING ---- */
struct wk_uring {
	struct wk_header h;
	__u32 opcode, uring_flags;
	__u64 user_data;
};

/* Rings, by importance. Each has a counter slot per processor in `counters`. */
enum wk_ring { WK_RING_CRITICAL, WK_RING_FILE, WK_RING_NETWORK, WK_RING_COUNT };

/* The counters map: an array that user space maps, one entry a processor. */
#define WK_MAX_CPUS 256
struct wk_counters {
	__u64 emitted[WK_RING_COUNT];
	__u64 lost[WK_RING_COUNT];
	__u64 dropped_host;   /* host tasks' records that the filter dropped */
	__u64 dropped_startup; /* records of a runtime's start-up inside a new container */
	__u64 table_full;     /* lineage, owner or flow table had no room */
	__u64 limited;        /* records that a process's budget of repetitions withheld */
};

/* The kernel filter's entry for one thread group. */
struct wk_lineage {
	__u8 container[WK_ID_LEN];
	__u64 start_ns;       /* of the thread group leader; guards against reused pids */
	__u32 flags;          /* WK_L_* */
	__u32 pad;
};
#define WK_L_CONTAINER 0x1    /* descends from a container */
#define WK_L_EXECED 0x2       /* has executed a program since it entered the container */
#define WK_L_RUNTIME 0x4      /* dockerd, containerd, shims, runc, docker and kubectl clients, and their children */
#define WK_L_HELPER 0x8       /* usermode helper */

/* A cgroup that belongs to a container, or a cgroup below such a one. */
struct wk_cgroup_owner {
	__u8 container[WK_ID_LEN];
	__u32 depth;          /* 0: made by the runtime; more: made below it */
	__u32 started;        /* 1 once a program was executed in it */
};

#endif
