/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Privilege, namespaces, mounts, kernel code and other processes' memory: calls that a workload seldom makes and
 * an intruder needs. Out: WK_SYSCALL in the critical ring, failures with their errno included.
 *
 * One program reads every call by a plan: which argument is a string, a descriptor, a process. Arguments are the
 * registers' values. Strings are claims; a descriptor's path and the target process are kernel objects: the
 * number that the caller gave is looked up in the caller's own pid namespace, as the kernel itself did.
 *
 * Left out: calls that read but change nothing (PTRACE_PEEK*, PTRACE_CONT, personality(0xffffffff)), prctl other
 * than PR_SET_MM, clone without a new namespace (fork.bpf reports processes).
 *
 * Needs Linux 5.8. Source: the system calls' own definitions in kernel/, fs/namespace.c, mm/; lib/xarray.c.
 */
#include "call.h"

enum wk_condition {
	WK_ALWAYS = 1,
	WK_WHEN_CLONE,       /* argument 0 has a new-namespace flag; not the child's own return */
	WK_WHEN_CLONE3,      /* the same, flags in memory */
	WK_WHEN_PTRACE,      /* attach, or a write to the tracee */
	WK_WHEN_PERSONALITY, /* not the query */
	WK_WHEN_PRCTL,       /* PR_SET_MM */
	WK_WHEN_SETNS,       /* descriptor of a namespace or of a process */
	WK_WHEN_CLONE_TREE,  /* open_tree with OPEN_TREE_CLONE */
};

/* Numbers of arguments plus one, zero: none. */
struct wk_syscall_plan {
	u8 when;       /* enum wk_condition; zero: not of this kind */
	u8 fd;         /* descriptor whose path is wanted; WK_ARG_RESULT: the call's result */
	u8 str1;
	u8 str2, str3; /* both go into str2, one behind the other */
	u8 pid;        /* a process by number in the caller's namespace */
	u8 pidfd;      /* a process by descriptor */
	u8 pad;
};
#define WK_ARG_RESULT 0xff

static const volatile struct wk_syscall_plan wk_syscall_plans[WK_SYSCALLS] = {
	[56] = { .when = WK_WHEN_CLONE },                                                     /* clone */
	[101] = { .when = WK_WHEN_PTRACE, .pid = ARG(1) },                                    /* ptrace */
	[105] = { .when = WK_ALWAYS },                                                        /* setuid */
	[106] = { .when = WK_ALWAYS },                                                        /* setgid */
	[113] = { .when = WK_ALWAYS },                                                        /* setreuid */
	[114] = { .when = WK_ALWAYS },                                                        /* setregid */
	[117] = { .when = WK_ALWAYS },                                                        /* setresuid */
	[119] = { .when = WK_ALWAYS },                                                        /* setresgid */
	[122] = { .when = WK_ALWAYS },                                                        /* setfsuid */
	[123] = { .when = WK_ALWAYS },                                                        /* setfsgid */
	[126] = { .when = WK_ALWAYS },                                                        /* capset */
	[135] = { .when = WK_WHEN_PERSONALITY },                                              /* personality */
	[155] = { .when = WK_ALWAYS, .str1 = ARG(0), .str2 = ARG(1) },                        /* pivot_root */
	[157] = { .when = WK_WHEN_PRCTL },                                                    /* prctl */
	[161] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* chroot */
	[163] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* acct */
	[164] = { .when = WK_ALWAYS },                                                        /* settimeofday */
	[165] = { .when = WK_ALWAYS, .str1 = ARG(0), .str2 = ARG(1), .str3 = ARG(2) },        /* mount */
	[166] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* umount2 */
	[167] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* swapon */
	[168] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* swapoff */
	[169] = { .when = WK_ALWAYS },                                                        /* reboot */
	[170] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* sethostname */
	[171] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* setdomainname */
	[172] = { .when = WK_ALWAYS },                                                        /* iopl */
	[173] = { .when = WK_ALWAYS },                                                        /* ioperm */
	[175] = { .when = WK_ALWAYS, .str1 = ARG(2) },                                        /* init_module */
	[176] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* delete_module */
	[227] = { .when = WK_ALWAYS },                                                        /* clock_settime */
	[246] = { .when = WK_ALWAYS },                                                        /* kexec_load */
	[272] = { .when = WK_ALWAYS },                                                        /* unshare */
	[298] = { .when = WK_ALWAYS },                                                        /* perf_event_open */
	[304] = { .when = WK_ALWAYS, .fd = WK_ARG_RESULT },                                   /* open_by_handle_at */
	[308] = { .when = WK_WHEN_SETNS, .pidfd = ARG(0) },                                   /* setns */
	[310] = { .when = WK_ALWAYS, .pid = ARG(0) },                                         /* process_vm_readv */
	[311] = { .when = WK_ALWAYS, .pid = ARG(0) },                                         /* process_vm_writev */
	[313] = { .when = WK_ALWAYS, .fd = ARG(0), .str1 = ARG(1) },                          /* finit_module */
	[319] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* memfd_create */
	[320] = { .when = WK_ALWAYS, .fd = ARG(0) },                                          /* kexec_file_load */
	[321] = { .when = WK_ALWAYS },                                                        /* bpf */
	[323] = { .when = WK_ALWAYS },                                                        /* userfaultfd */
	[425] = { .when = WK_ALWAYS },                                                        /* io_uring_setup */
	[428] = { .when = WK_WHEN_CLONE_TREE, .fd = ARG(0), .str1 = ARG(1) },                 /* open_tree */
	[429] = { .when = WK_ALWAYS, .fd = ARG(0), .str1 = ARG(1), .str2 = ARG(3) },          /* move_mount */
	[430] = { .when = WK_ALWAYS, .str1 = ARG(0) },                                        /* fsopen */
	[432] = { .when = WK_ALWAYS },                                                        /* fsmount */
	[435] = { .when = WK_WHEN_CLONE3 },                                                   /* clone3 */
	[438] = { .when = WK_ALWAYS, .pidfd = ARG(0) },                                       /* pidfd_getfd */
	[442] = { .when = WK_ALWAYS, .fd = ARG(0), .str1 = ARG(1) },                          /* mount_setattr */
	[467] = { .when = WK_WHEN_CLONE_TREE, .fd = ARG(0), .str1 = ARG(1) },                 /* open_tree_attr */
};

/* include/uapi/linux/sched.h: NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
#define WK_CLONE_NEW (0x80u | 0x00020000u | 0x02000000u | 0x04000000u | 0x08000000u | 0x10000000u | 0x20000000u | 0x40000000u)
#define WK_CSIGNAL 0xffu /* clone, not clone3: the low byte is the exit signal, so that NEWTIME cannot be asked for */

/* include/uapi/linux/ptrace.h */
#define WK_PTRACE_POKETEXT 4
#define WK_PTRACE_POKEUSR 6
#define WK_PTRACE_SETREGS 13
#define WK_PTRACE_SETFPREGS 15
#define WK_PTRACE_ATTACH 16
#define WK_PTRACE_SETREGSET 0x4205
#define WK_PTRACE_SEIZE 0x4206

#define WK_PR_SET_MM 35
#define WK_PERSONALITY_QUERY 0xffffffffu
#define WK_OPEN_TREE_CLONE 1
#define WK_NSFS_MAGIC 0x6e736673

/* Records of one system call that a process may emit in a second. */
#define WK_SYSCALL_BUDGET 64

static __always_inline bool wk_is_ptrace_change(u32 request)
{
	return (request >= WK_PTRACE_POKETEXT && request <= WK_PTRACE_POKEUSR) || request == WK_PTRACE_SETREGS ||
	       request == WK_PTRACE_SETFPREGS || request == WK_PTRACE_ATTACH || request == WK_PTRACE_SETREGSET ||
	       request == WK_PTRACE_SEIZE;
}

static __always_inline bool wk_when(const struct wk_call *c, u8 when)
{
	u64 flags = 0;
	switch (when) {
	case 0:
		return false;
	case WK_WHEN_CLONE: /* 0 is the child's return */
		return c->ret && (c->args[0] & WK_CLONE_NEW & ~WK_CSIGNAL);
	case WK_WHEN_CLONE3:
		bpf_probe_read_user(&flags, sizeof(flags), (void *)c->args[0]);
		return c->ret && (flags & WK_CLONE_NEW);
	case WK_WHEN_PTRACE:
		return wk_is_ptrace_change(c->args[0]);
	case WK_WHEN_PERSONALITY:
		return (u32)c->args[0] != WK_PERSONALITY_QUERY;
	case WK_WHEN_PRCTL:
		return (u32)c->args[0] == WK_PR_SET_MM;
	case WK_WHEN_CLONE_TREE:
		return c->args[2] & WK_OPEN_TREE_CLONE;
	default:
		return true;
	}
}

static __always_inline struct wk_syscall *wk_syscall_begin(const struct wk_view *v, const struct wk_call *c)
{
	struct wk_syscall *e = wk_begin(v, WK_SYSCALL);
	if (!e)
		return NULL;
	if (c->compat)
		e->h.flags |= WK_F_COMPAT;
	e->nr = c->nr;
	e->ret = c->ret;
	e->args[0] = c->args[0];
	e->args[1] = c->args[1];
	e->args[2] = c->args[2];
	e->args[3] = c->args[3];
	e->args[4] = c->args[4];
	e->path_len = e->str1_len = e->str2_len = 0;
	e->target_pid = e->target_pad = 0;
	e->target_start_ns = 0;
	__builtin_memset(e->target_container, 0, WK_ID_LEN);
	return e;
}

static __always_inline void wk_put_target(struct wk_syscall *e, struct task_struct *t)
{
	if (!t)
		return;
	e->target_pid = BPF_CORE_READ(t, tgid);
	e->target_start_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	wk_container_of(e->target_pid, e->target_start_ns, e->target_container);
}

/*
 * setns: argument 2, which the call does not have, becomes the inode number of the namespace, and the first
 * string its kind ("mnt", "net", …), both from the kernel's object.
 */
static __always_inline void wk_put_namespace(struct wk_syscall *e, u64 *off, struct file *f)
{
	e->args[2] = 0;
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	if (BPF_CORE_READ(inode, i_sb, s_magic) != WK_NSFS_MAGIC)
		return;
	e->args[2] = BPF_CORE_READ(inode, i_ino);
	struct ns_common *ns = BPF_CORE_READ(inode, i_private);
	e->str1_len = wk_put_kernel_str(e, off, BPF_CORE_READ(ns, ops, name), 16);
}

static __always_inline void wk_put_plan(struct wk_syscall *e, u64 *off, const struct wk_view *v, const struct wk_call *c,
					const volatile struct wk_syscall_plan *plan)
{
	struct file *f = NULL;
	if (plan->fd)
		f = wk_fd_file(v->task, plan->fd == WK_ARG_RESULT ? c->ret : (s64)wk_call_arg(c, plan->fd));
	if (f)
		e->path_len = wk_put_path(e, off, v, &f->f_path);
	if (plan->str1)
		e->str1_len = wk_put_claimed(e, off, wk_call_arg(c, plan->str1));
	if (plan->str2)
		e->str2_len = wk_put_claimed(e, off, wk_call_arg(c, plan->str2));
	if (plan->str3)
		e->str2_len += wk_put_claimed(e, off, wk_call_arg(c, plan->str3));
	if (plan->pid)
		wk_put_target(e, (void *)wk_task_by_number(wk_call_arg(c, plan->pid)));
	if (plan->pidfd) {
		f = wk_fd_file(v->task, wk_call_arg(c, plan->pidfd));
		wk_put_target(e, wk_task_of_pidfd(f));
		if (plan->when == WK_WHEN_SETNS)
			wk_put_namespace(e, off, f);
	}
}

SEC("tp_btf/sys_exit")
int sx_syscall(struct wk_args *ctx)
{
	struct wk_call *c = wk_call_read(ctx);
	if (!c)
		return 0;
	const volatile struct wk_syscall_plan *plan = &wk_syscall_plans[c->nr & (WK_SYSCALLS - 1)];
	struct wk_view v;
	if (!wk_when(c, plan->when) || !wk_admit(&v, WK_SYSCALL) ||
	    !wk_limit_pass(WK_SYSCALL << 16 | c->nr, WK_SYSCALL_BUDGET))
		return 0;
	struct wk_syscall *e = wk_syscall_begin(&v, c);
	if (!e)
		return 0;
	u64 off = sizeof(*e);
	if (plan->when == WK_WHEN_CLONE3) /* as clone has them; the process may change its memory at any time */
		bpf_probe_read_user(&e->args[0], sizeof(e->args[0]), (void *)c->args[0]);
	wk_put_plan(e, &off, &v, c, plan);
	return wk_emit_critical(e, off);
}
