/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs at the end of a system call share: the call itself (number, arguments, result) in one shape
 * for both entries, strings that the process gave, other processes by number, and a limit on repetition.
 *
 * Needs Linux 5.8. Source: arch/x86/include/asm/syscall.h, lib/xarray.c, kernel/pid.c.
 */
#ifndef WATCHKEEPER_CALL_H
#define WATCHKEEPER_CALL_H

#include "base.h"

#define WK_SYSCALLS 512      /* entries of sysprogs: above the highest number */
#define WK_NR_UNKNOWN 511    /* a 32-bit call that the loader named no x86-64 number for */
#define WK_STRING_MAX 1024   /* of a claimed string, with its NUL; a path may have 4096 */

/* errno of an attempt that permission refused */
#define WK_EPERM 1
#define WK_EACCES 13
#define WK_EROFS 30

/* The x86-64 number of each 32-bit call: set by the loader from SYSCALLS in src/kernel/syscalls.rs. */
const volatile u16 wk_numbers32[WK_SYSCALLS] = {};

/* struct pt_regs of x86-64, whose order user space knows too (asm/ptrace.h). */
struct wk_regs {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};

/* A system call at its end. */
struct wk_call {
	u64 args[8]; /* six in use; eight so that a masked index stays inside */
	s64 ret;
	u32 nr;      /* x86-64 */
	u32 nr_raw;  /* as the caller gave it */
	u32 compat, pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wk_call);
} calls SEC(".maps");

static __always_inline bool wk_refused(s64 ret)
{
	return ret == -WK_EPERM || ret == -WK_EACCES || ret == -WK_EROFS;
}

/* The call that ends here. Its place is per processor: it lasts until the program ends. */
static __always_inline struct wk_call *wk_call_read(struct wk_args *ctx)
{
	u32 zero = 0;
	struct wk_call *c = bpf_map_lookup_elem(&calls, &zero);
	if (!c)
		return NULL;
	const struct wk_regs *r = (void *)ctx->args[0];
	u64 nr = r->orig_ax;
	c->ret = ctx->args[1];
	c->nr_raw = nr;
	c->compat = wk_compat((void *)bpf_get_current_task());
	if (c->compat) {
		c->args[0] = (u32)r->bx;
		c->args[1] = (u32)r->cx;
		c->args[2] = (u32)r->dx;
		c->args[3] = (u32)r->si;
		c->args[4] = (u32)r->di;
		c->args[5] = (u32)r->bp;
		nr = wk_numbers32[nr & (WK_SYSCALLS - 1)];
		if (!nr)
			nr = WK_NR_UNKNOWN;
	} else {
		c->args[0] = r->di;
		c->args[1] = r->si;
		c->args[2] = r->dx;
		c->args[3] = r->r10;
		c->args[4] = r->r8;
		c->args[5] = r->r9;
	}
	c->nr = nr & (WK_SYSCALLS - 1); /* drops the x32 bit, too */
	return c;
}

/* The argument that a plan's field names: its number plus one. */
static __always_inline u64 wk_call_arg(const struct wk_call *c, u8 field)
{
	u64 i = field - 1;
	asm volatile("%0 &= 7" : "+r"(i));
	return c->args[i];
}

/* Appends a string that the process gave; none where the address is NULL, which calls allow. */
static __always_inline u32 wk_put_claimed(void *record, u64 *off, u64 address)
{
	return address ? wk_put_user_str(record, off, address, WK_STRING_MAX) : 0;
}

/* The working directory, as the kernel holds it: its address. */
static __always_inline struct path *wk_working_directory(struct task_struct *t)
{
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	return &fs->pwd;
}

/* ---- other processes ---- */

/* The task that a struct pid names as a thread, or NULL: pid_task(pid, PIDTYPE_PID). */
static __always_inline struct task_struct *wk_task_of_pid(struct pid *pid)
{
	void *link = BPF_CORE_READ(pid, tasks[0].first);
	return link ? link - bpf_core_field_offset(struct task_struct, pid_links) : NULL;
}

#define WK_XARRAY_LEVELS 6 /* of 64 entries each: more than any pid needs */

#define PIDFS_MAGIC 0x50494446 /* include/uapi/linux/magic.h; descriptors of processes live there since 6.9 */

/* The process behind a descriptor of pidfd_open, or NULL. */
static __always_inline struct task_struct *wk_task_of_pidfd(struct file *f)
{
	if (!f)
		return NULL;
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct pid *pid = NULL;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == PIDFS_MAGIC) {
		pid = BPF_CORE_READ(inode, i_private);
	} else {
		char name[8] = {};
		bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(f, f_path.dentry, d_name.name));
		if (name[0] == '[' && name[1] == 'p' && name[2] == 'i' && name[3] == 'd' && name[4] == 'f')
			pid = BPF_CORE_READ(f, private_data);
	}
	return pid ? wk_task_of_pid(pid) : NULL;
}

/*
 * The task with a number in the caller's pid namespace, or NULL: a walk of the namespace's number table, which
 * is what find_vpid() does. No helper does it on 5.10.
 */
__noinline u64 wk_task_by_number(u32 number)
{
	struct task_struct *me = (void *)bpf_get_current_task();
	struct pid *mine = BPF_CORE_READ(me, thread_pid);
	u32 level = BPF_CORE_READ(mine, level) & 31;
	struct upid *at_level =
		(void *)mine + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
	struct pid_namespace *ns = BPF_CORE_READ(at_level, ns);
	u64 entry = (u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);
	u64 index = number - BPF_CORE_READ(ns, idr.idr_base);

	for (int i = 0; i < WK_XARRAY_LEVELS; i++) {
		if ((entry & 3) != 2)
			break;
		struct xa_node *node = (void *)(entry - 2);
		u64 slot = index >> (BPF_CORE_READ(node, shift) & 63);
		if (i == 0 && slot > 63)
			return 0;
		slot &= 63;
		void *slots = (void *)node + bpf_core_field_offset(struct xa_node, slots);
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry), slots + slot * sizeof(void *));
	}
	if (!entry || (entry & 3))
		return 0;
	return (u64)wk_task_of_pid((void *)entry);
}

/* ---- limit on repetition ---- */

#define WK_LIMIT_WINDOW_NS 1000000000ull

struct wk_limit_key {
	u32 pid;
	u32 what; /* kind and number: one budget each */
};
struct wk_limit {
	u64 window_start_ns;
	u64 count;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct wk_limit_key);
	__type(value, struct wk_limit);
} limits SEC(".maps");

/*
 * Whether the running process may emit one more record of a sort in this second. What it withholds is counted:
 * a process that repeats a call a million times must not push another one's record out of the critical ring.
 */
static __always_inline bool wk_limit_pass(u32 what, u32 budget)
{
	struct wk_limit_key key = { .pid = bpf_get_current_pid_tgid() >> 32, .what = what };
	u64 now = bpf_ktime_get_boot_ns();
	struct wk_limit *l = bpf_map_lookup_elem(&limits, &key);
	if (!l || now - l->window_start_ns > WK_LIMIT_WINDOW_NS) {
		struct wk_limit fresh = { .window_start_ns = now, .count = 1 };
		bpf_map_update_elem(&limits, &key, &fresh, BPF_ANY);
		return true;
	}
	bool pass = l->count < budget;
	__sync_fetch_and_add(&l->count, 1); /* its result stays unused: fetching needs Linux 5.12 */
	if (pass)
		return true;
	wk_count(limited);
	return false;
}

#endif
