/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's own types, cut down to the fields that the programs read. The loader relocates each access by
 * name against the BTF of the running kernel, so order, size and missing fields do not matter here.
 * A name with three underscores (`inode___2023`) is the same kernel type as some range of versions had it;
 * `bpf_core_field_exists` chooses between them. Maps, helper constants and the contexts of cgroup programs come
 * from the UAPI header <linux/bpf.h>, which is not relocated.
 */
#ifndef WATCHKEEPER_KERNEL_H
#define WATCHKEEPER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* ---- numbers and identities ---- */
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
typedef struct { u64 val; } kernel_cap_t;

struct proc_ns_operations { const char *name; };
struct ns_common { unsigned int inum; const struct proc_ns_operations *ops; };
struct user_namespace { struct ns_common ns; };
struct xarray { void *xa_head; };
struct xa_node { unsigned char shift; void *slots[64]; };
struct idr { struct xarray idr_rt; unsigned int idr_base; };
struct pid_namespace { struct ns_common ns; struct idr idr; };
struct mnt_namespace { struct ns_common ns; };
struct net { struct ns_common ns; };
struct nsproxy { struct mnt_namespace *mnt_ns; struct net *net_ns; };
struct upid { int nr; struct pid_namespace *ns; };
struct hlist_node { struct hlist_node *next; };
struct hlist_head { struct hlist_node *first; };
struct pid { unsigned int level; struct hlist_head tasks[4]; struct upid numbers[1]; };
struct cred { kuid_t uid, euid; kgid_t gid, egid; kernel_cap_t cap_effective; struct user_namespace *user_ns; };

/* ---- files ---- */
struct qstr { u32 len; const unsigned char *name; };
struct super_block { u32 s_dev; unsigned long s_magic; };
struct timespec64 { s64 tv_sec; long tv_nsec; };
struct inode {
	u16 i_mode;
	kuid_t i_uid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	u32 i_rdev;
	s64 i_size;
	void *i_private;
	s64 i_ctime_sec; /* 6.11 */
	u32 i_ctime_nsec;
};
struct inode___2023 { struct timespec64 __i_ctime; }; /* 6.6 to 6.10 */
struct inode___2007 { struct timespec64 i_ctime; };   /* up to 6.5 */
struct dentry { struct dentry *d_parent; struct qstr d_name; struct inode *d_inode; };
struct vfsmount { struct dentry *mnt_root; struct super_block *mnt_sb; };
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; };
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file { struct path f_path; struct inode *f_inode; unsigned int f_flags; unsigned int f_mode; void *private_data; };
struct fdtable { unsigned int max_fds; struct file **fd; };
struct files_struct { struct fdtable *fdt; };
struct fs_struct { struct path root, pwd; };
struct linux_binprm { struct file *file; const char *filename, *interp; };

/* ---- control groups ---- */
struct kernfs_node { const char *name; u64 id; };
struct cgroup;
struct cgroup_subsys_state { struct cgroup *cgroup; struct cgroup_subsys_state *parent; };
struct cgroup_root { int hierarchy_id; };
struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_subsys_state *subsys[1];
	struct cgroup_root *root;
};
struct css_set { struct cgroup_subsys_state *subsys[1]; struct cgroup *dfl_cgrp; };
enum cgroup_subsys_id { pids_cgrp_id = 1 };

/* ---- tasks ---- */
struct mm_struct { unsigned long arg_start, arg_end, env_start, env_end, start_brk, brk, start_stack; };
struct tty_driver { int major, minor_start; };
struct tty_struct { struct tty_driver *driver; int index; };
struct signal_struct { atomic_t live; int group_exit_code; struct tty_struct *tty; };
struct thread_info { u32 status; };
struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct css_set *cgroups;
	kuid_t loginuid;        /* CONFIG_AUDIT */
	unsigned int sessionid; /* CONFIG_AUDIT */
};
struct pt_regs { unsigned long r10, r9, r8, bx, bp, ax, cx, dx, si, di, orig_ax; };

/* ---- sockets ---- */
struct in6_addr { u8 bytes[16]; };
typedef struct { struct net *net; } possible_net_t;
struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
};
struct sock_cgroup_data { struct cgroup *cgroup; };  /* 5.15, and 5.10's later stable releases */
struct sock_cgroup_data___2016 { u64 val; };         /* a pointer, or with bit 0 set a class id */
struct sock {
	struct sock_common __sk_common;
	u16 sk_type, sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
	struct pid *sk_peer_pid;
	struct socket *sk_socket;
};
struct inet_sock { u16 inet_sport; };
struct tcp_sock { u64 bytes_sent, bytes_retrans, bytes_received; };
struct socket { short type; struct file *file; struct sock *sk; };
struct sockaddr_un { unsigned short sun_family; char sun_path[108]; };
struct unix_address { int len; struct sockaddr_un name[1]; };
struct unix_sock { struct sock sk; struct unix_address *addr; struct path path; struct sock *peer; };

/* ---- signals and io_uring ---- */
struct kernel_siginfo { int si_code; };
struct io_cqe { u64 user_data; };
struct io_kiocb { u8 opcode; unsigned int flags; struct io_cqe cqe; };
struct io_kiocb___2020 { u64 user_data; }; /* up to 5.18 */

#pragma clang attribute pop

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

/* The context of a raw tracepoint. Its own type: the loader refuses the flexible array of the UAPI one. */
struct wk_args { u64 args[8]; };

/* Constants that no UAPI header gives to BPF programs. */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_RAW 3
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define TS_COMPAT 0x0002      /* arch/x86/include/asm/thread_info.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 0004000
#define S_ISGID 0002000
#define OVERLAYFS_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define AT_FDCWD (-100)

#endif
