/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every program shares: maps, the filter by lineage and the record header; record.h, which it includes, has
 * the variable parts, output, and the files and system calls of a task.
 *
 * The shape of a program that writes a record of variable length (raw tracepoints only, see `scratch`):
 *
 *	struct wk_view v;
 *	if (!wk_admit(&v, WK_FILE)) return 0;                  // looks the task up, drops and counts
 *	struct wk_file *e = wk_begin(&v, WK_FILE);             // scratch memory with the header filled
 *	if (!e) return 0;
 *	u64 off = sizeof(*e);                                  // data begins behind the fixed part
 *	e->str1_len = wk_put_user_str(e, &off, pointer, 512);  // each put moves `off` on
 *	e->path1_len = wk_put_path(e, &off, &v, path);
 *	return wk_emit_file(e, off);
 *
 * A record of fixed length may take the same way, or reserve ring memory (see network.bpf.c), which also works
 * where a program can be preempted or interrupted by itself.
 *
 * Only helpers of Linux 5.10 are used. Offsets are masked with inline assembly, because clang removes masks that
 * it can prove redundant while the verifiers of 5.10 and 6.1 need them.
 */
#ifndef WATCHKEEPER_BASE_H
#define WATCHKEEPER_BASE_H

#include "kernel.h"
#include "layout.h"

_Static_assert(sizeof(struct wk_header) == 152, "the header's size is part of the contract");

/* ---- settings, written by the loader before the programs are verified ---- */
const volatile u32 tracked_v1 = 0;     /* 0: cgroups of the default hierarchy; else those of the v1 pids hierarchy */
const volatile u32 root_mnt_ns = 0;    /* inode of the host's mount namespace */
const volatile u32 host_events = 0;    /* bit per kind: plain host tasks pass too */
const volatile u32 runtime_events = ~0u; /* bit per kind: dockerd, containerd, shims, runc and their children pass */
const volatile u32 login_events = ~0u;   /* bit per kind: tasks with a login uid pass */

/* ---- maps ---- */
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4 << 20); } ring_critical SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 8 << 20); } ring_file SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4 << 20); } ring_network SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WK_MAX_CPUS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct wk_counters);
} counters SEC(".maps");

/* thread group → where it descends from. Not LRU: an entry that goes missing is an owner lost. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, u32);
	__type(value, struct wk_lineage);
} lineage SEC(".maps");

/* cgroup id → container. User space seeds it with the cgroups that exist at start. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct wk_cgroup_owner);
} cgroup_owners SEC(".maps");

/* thread group → 1 Watchkeeper, 2 dockerd, 3 containerd */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u32);
} guarded SEC(".maps");

/* system call number → program; from WK_SLOT_FIRST on: continuations that no system call number can reach */
#define WK_SLOT_FIRST 500
#define WK_SLOT_UNIX_CONNECT 500
#define WK_SLOT_UNIX_ACCEPT 501
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 512); __type(key, u32); __type(value, u32); } sysprogs SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 512); __type(key, u32); __type(value, u32); } sysprogs32 SEC(".maps");

/*
 * Memory for one record, one per processor. Only raw tracepoints that run in task context use it: they run with
 * preemption disabled, and nothing that interrupts them touches it.
 */
#define WK_SCRATCH 16384   /* power of two: offsets are masked with it */
#define WK_SCRATCH_TAIL 4096 /* the longest single write */
struct wk_scratch {
	struct dentry *dentry, *root_dentry; /* arguments of wk_walk */
	struct vfsmount *mnt, *root_mnt;
	/*
	 * Bytes that a loop has written. In memory and volatile, so that the verifier forgets its bounds: otherwise
	 * every iteration is a state of its own, and the loop exceeds a million instructions.
	 */
	volatile u64 written;
	u8 record[WK_SCRATCH + WK_SCRATCH_TAIL];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wk_scratch);
} scratch SEC(".maps");

/*
 * Neighbouring fields of a kernel struct, read at once into an array of u64: one read of a hundred bytes costs
 * hardly more than one of eight. A field that this kernel keeps elsewhere is read on its own; the verifier knows
 * the offsets and removes the way that is not taken.
 */
#define wk_span_read(span, p, type, first)                                         \
	bpf_probe_read_kernel(span, sizeof(span), (const void *)(p) + bpf_core_field_offset(type, first))
#define wk_span_get(span, p, type, first, field)                                   \
	({                                                                         \
		u64 at_ = bpf_core_field_offset(type, field) - bpf_core_field_offset(type, first); \
		__typeof__(((type *)0)->field) value_;                             \
		if (at_ <= sizeof(span) - sizeof(value_))                          \
			value_ = *(volatile __typeof__(value_) *)((u8 *)(span) + at_); \
		else                                                               \
			bpf_core_read(&value_, sizeof(value_), &((type *)(p))->field); \
		value_;                                                            \
	})

#define wk_mask(x, m) asm volatile("%0 &= %1" : "+r"(x) : "i"(m))

/* ---- counters ---- */
static __always_inline struct wk_counters *wk_counters(void)
{
	u32 cpu = bpf_get_smp_processor_id() & (WK_MAX_CPUS - 1);
	return bpf_map_lookup_elem(&counters, &cpu);
}
/* Atomic: an interrupt or, in preemptible programs, another task may count on the same slot. */
#define wk_count(field) ({ struct wk_counters *c_ = wk_counters(); if (c_) __sync_fetch_and_add(&c_->field, 1); })

/* ---- the task that runs, and what the filter knows of it ---- */
struct wk_view {
	struct task_struct *task, *leader; /* leader: NULL for a plain host task, until wk_identify */
	u64 start_ns;          /* of the leader */
	u64 cgroup;            /* present cgroup in the tracked hierarchy */
	u32 tgid, tid;
	u32 lineage;           /* WK_L_* */
	u32 flags;             /* WK_F_* for the header */
	u32 login_uid, session;
	u32 stored;            /* the map `lineage` has an entry */
	u8 container[WK_ID_LEN] __attribute__((aligned(8))); /* compared as words */
};

/*
 * User space knows start times in clock ticks of 10 ms, rounded down (/proc/PID/stat, field 22); entries that it
 * seeded must match too.
 */
#define WK_TICK_NS 10000000ull

static __always_inline bool wk_same_id(const u8 *a, const u8 *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;
	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

static __always_inline u64 wk_cgroup_id(struct task_struct *t)
{
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	if (!tracked_v1)
		return BPF_CORE_READ(set, dfl_cgrp, kn, id);
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return 0;
	u32 i = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	struct cgroup_subsys_state *css = NULL;
	bpf_core_read(&css, sizeof(css), &set->subsys[i & 31]);
	return BPF_CORE_READ(css, cgroup, kn, id);
}

static __always_inline struct wk_lineage *wk_lineage_of(u32 tgid, u64 start_ns)
{
	struct wk_lineage *l = bpf_map_lookup_elem(&lineage, &tgid);
	return l && start_ns - l->start_ns < WK_TICK_NS ? l : NULL;
}

/* Copies the container that a thread group descends from; false (and zeroes) where it is none. */
static __always_inline bool wk_container_of(u32 tgid, u64 start_ns, u8 *to)
{
	struct wk_lineage *l = wk_lineage_of(tgid, start_ns);
	if (l && l->flags & WK_L_CONTAINER) {
		__builtin_memcpy(to, l->container, WK_ID_LEN);
		return true;
	}
	__builtin_memset(to, 0, WK_ID_LEN);
	return false;
}

/* Whether there was room. */
static __noinline int wk_set_lineage(u32 tgid, u64 start_ns, u32 flags, const u8 *container)
{
	struct wk_lineage l = { .start_ns = start_ns, .flags = flags };
	__builtin_memcpy(l.container, container, WK_ID_LEN);
	if (!bpf_map_update_elem(&lineage, &tgid, &l, BPF_ANY))
		return 1;
	wk_count(table_full);
	return 0;
}

/*
 * A thread group enters a container for the first time. What a runtime's child does until it executes the
 * container's program inside the container's mount namespace is start-up; anybody else is at work at once.
 */
static __always_inline u32 wk_entry_flags(u32 before)
{
	if (before & WK_L_RUNTIME)
		return WK_L_CONTAINER | WK_L_RUNTIME;
	return WK_L_CONTAINER | WK_L_EXECED | (before & WK_L_HELPER);
}

/* The leader of the thread group, and when it started. */
static __always_inline void wk_identify(struct wk_view *v)
{
	if (v->leader)
		return;
	struct task_struct *leader = v->task;
	if (v->tid != v->tgid)
		leader = BPF_CORE_READ(leader, group_leader);
	v->leader = leader;
	v->start_ns = BPF_CORE_READ(leader, start_boottime);
}

/* Login uid and audit session, which CONFIG_AUDIT adds, one behind the other. */
static __always_inline void wk_look_login(struct wk_view *v)
{
	struct task_struct *t = v->task;
	v->login_uid = v->session = ~0u;
	if (!bpf_core_field_exists(t->loginuid) || !bpf_core_field_exists(t->sessionid))
		return;
	u64 span[1] = { ~0ull };
	wk_span_read(span, t, struct task_struct, loginuid);
	v->login_uid = wk_span_get(span, t, struct task_struct, loginuid, loginuid.val);
	v->session = wk_span_get(span, t, struct task_struct, loginuid, sessionid);
}

/* Present cgroup of the running task. */
static __always_inline u64 wk_cgroup_here(struct task_struct *t)
{
	return tracked_v1 ? wk_cgroup_id(t) : bpf_get_current_cgroup_id();
}

/*
 * Fills the view of the running task. A task that is in a container's cgroup unnoticed is adopted here. Of a plain
 * host task, which the filter drops, no more is read than it takes to know it for one.
 */
static __noinline int wk_look(struct wk_view *v)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	u64 both = bpf_get_current_pid_tgid();
	u32 tgid = both >> 32;
	u64 cgroup = wk_cgroup_here(t);
	v->task = t;
	v->leader = NULL;
	v->start_ns = 0;
	v->tgid = tgid;
	v->tid = both;
	v->cgroup = cgroup;
	v->lineage = 0;
	v->flags = 0;
	v->stored = 0;
	wk_look_login(v);
	__builtin_memset(v->container, 0, WK_ID_LEN);

	struct wk_lineage *l = bpf_map_lookup_elem(&lineage, &tgid);
	struct wk_cgroup_owner *o = bpf_map_lookup_elem(&cgroup_owners, &cgroup);
	if (!l) {
		asm volatile("" ::: "memory"); /* clang would OR the two pointers, which the verifier forbids */
		if (!o && v->login_uid == ~0u && !host_events)
			return 0;
	}
	wk_identify(v);
	if (l && v->start_ns - l->start_ns >= WK_TICK_NS) /* of an earlier process with this number */
		l = NULL;
	if (l) {
		v->stored = 1;
		v->lineage = l->flags;
		__builtin_memcpy(v->container, l->container, WK_ID_LEN);
	}
	if (v->lineage & WK_L_CONTAINER) {
		if (!o || !wk_same_id(o->container, v->container))
			v->flags |= WK_F_MOVED;
	} else if (o) {
		v->lineage = wk_entry_flags(v->lineage);
		__builtin_memcpy(v->container, o->container, WK_ID_LEN);
		v->stored = wk_set_lineage(v->tgid, v->start_ns, v->lineage, v->container);
	}
	if (v->lineage & WK_L_HELPER)
		v->flags |= WK_F_HELPER;
	if (v->lineage & WK_L_RUNTIME && !(v->lineage & WK_L_CONTAINER))
		v->flags |= WK_F_RUNTIME;
	if ((v->lineage & (WK_L_CONTAINER | WK_L_EXECED)) == WK_L_CONTAINER)
		v->flags |= WK_F_STARTUP;
	if (v->login_uid != ~0u)
		v->flags |= WK_F_LOGIN;
	return 0;
}

/* Kinds that a runtime's start-up inside a new container would flood: dropped until its first exec there. */
#define WK_STARTUP_NOISE (1u << WK_FILE | 1u << WK_SYSCALL | 1u << WK_UNIX | 1u << WK_FD | 1u << WK_MEMORY | 1u << WK_URING)
#define WK_LIFE (1u << WK_EXEC | 1u << WK_EXIT)

/* Whether an event of this kind by the viewed task is wanted; a drop is counted. */
static __always_inline bool wk_wanted(const struct wk_view *v, u32 kind)
{
	u32 bit = 1u << kind;
	bool wanted = true;
	if (v->lineage & WK_L_CONTAINER) {
		if (v->flags & WK_F_STARTUP && WK_STARTUP_NOISE & bit) {
			wk_count(dropped_startup);
			return false;
		}
	} else {
		wanted = v->lineage & WK_L_HELPER || (v->lineage & WK_L_RUNTIME && runtime_events & bit) ||
			 (v->flags & WK_F_LOGIN && login_events & bit) || host_events & bit;
	}
	if (wanted != !!(WK_LIFE & bit)) {
		u32 tgid = v->tgid;
		u32 *guard = bpf_map_lookup_elem(&guarded, &tgid);
		if (WK_LIFE & bit)
			wanted = guard != NULL;
		else if (guard && *guard == 1)
			wanted = false;
	}
	if (!wanted)
		wk_count(dropped_host);
	return wanted;
}

/* Whether the running task is one of the host that nobody wants these kinds of: two look-ups, nothing kept. */
static __always_inline bool wk_is_plain(u32 kinds)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	if (host_events & kinds || bpf_map_lookup_elem(&lineage, &tgid))
		return false;
	u64 cgroup = wk_cgroup_here(t);
	if (bpf_map_lookup_elem(&cgroup_owners, &cgroup))
		return false;
	return !bpf_core_field_exists(t->loginuid) || BPF_CORE_READ(t, loginuid.val) == ~0u;
}

static __always_inline bool wk_admit(struct wk_view *v, u32 kind)
{
	wk_look(v);
	return wk_wanted(v, kind);
}

/* ---- the header ---- */
static __always_inline u32 wk_vpid(struct task_struct *leader, u32 *ns)
{
	struct pid *p = BPF_CORE_READ(leader, thread_pid);
	u32 level = BPF_CORE_READ(p, level) & 31; /* MAX_PID_NS_LEVEL is 32 */
	struct upid *u = (void *)p + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
	u64 span[2] = {};
	wk_span_read(span, u, struct upid, nr);
	struct pid_namespace *in = wk_span_get(span, u, struct upid, nr, ns);
	*ns = BPF_CORE_READ(in, ns.inum);
	return wk_span_get(span, u, struct upid, nr, nr);
}

/* The kernel's own encoding, as in super_block.s_dev: major << 20 | minor. */
static __always_inline u32 wk_tty(struct signal_struct *signal)
{
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);
	if (!tty)
		return 0;
	struct tty_driver *d = BPF_CORE_READ(tty, driver);
	return BPF_CORE_READ(d, major) << 20 | (BPF_CORE_READ(d, minor_start) + BPF_CORE_READ(tty, index));
}

/* The parent of a thread group's leader. */
static __always_inline void wk_fill_parent(struct wk_header *h, struct task_struct *leader)
{
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
	u64 span[1] = {};
	wk_span_read(span, parent, struct task_struct, pid);
	u32 tid = wk_span_get(span, parent, struct task_struct, pid, pid);
	u32 tgid = wk_span_get(span, parent, struct task_struct, pid, tgid);
	h->ppid = tgid;
	if (tid != tgid)
		parent = BPF_CORE_READ(parent, group_leader);
	h->parent_start_ns = BPF_CORE_READ(parent, start_boottime);
}

static __always_inline void wk_fill_cred(struct wk_header *h, const struct cred *cred)
{
	u64 span[8] = {};
	u32 caps[2];
	wk_span_read(span, cred, struct cred, uid);
	h->uid = wk_span_get(span, cred, struct cred, uid, uid.val);
	h->gid = wk_span_get(span, cred, struct cred, uid, gid.val);
	h->euid = wk_span_get(span, cred, struct cred, uid, euid.val);
	/* Two words before 6.3, one since: halves, for the alignment of the span. */
	u64 at = bpf_core_field_offset(struct cred, cap_effective) - bpf_core_field_offset(struct cred, uid);
	if (at <= sizeof(span) - sizeof(caps)) {
		caps[0] = *(volatile u32 *)((u8 *)span + at);
		caps[1] = *(volatile u32 *)((u8 *)span + at + 4);
	} else {
		bpf_core_read(caps, sizeof(caps), &cred->cap_effective);
	}
	h->caps = (u64)caps[1] << 32 | caps[0];
	h->user_ns = BPF_CORE_READ(cred, user_ns, ns.inum);
}

static __always_inline void wk_fill_namespaces(struct wk_header *h, struct nsproxy *ns)
{
	u64 span[3] = {};
	wk_span_read(span, ns, struct nsproxy, mnt_ns);
	struct mnt_namespace *mnt = wk_span_get(span, ns, struct nsproxy, mnt_ns, mnt_ns);
	struct net *net = wk_span_get(span, ns, struct nsproxy, mnt_ns, net_ns);
	h->mnt_ns = BPF_CORE_READ(mnt, ns.inum);
	h->net_ns = BPF_CORE_READ(net, ns.inum);
}

static __noinline int wk_fill(struct wk_header *h, const struct wk_view *v, u32 kind)
{
	struct task_struct *t = v->task, *leader = v->leader;
	u64 start_ns = v->start_ns, span[15] = {}; /* from cred to signal, with comm and nsproxy between */
	if (!leader) { /* a plain host task, wanted all the same */
		leader = BPF_CORE_READ(t, group_leader);
		start_ns = BPF_CORE_READ(leader, start_boottime);
	}
	h->kind = kind;
	h->flags = v->flags;
	h->len = 0;
	h->boot_ns = bpf_ktime_get_boot_ns();
	h->pid = v->tgid;
	h->tid = v->tid;
	h->start_ns = start_ns;
	h->login_uid = v->login_uid;
	h->session = v->session;
	h->cgroup = v->cgroup;
	wk_fill_parent(h, leader);
	wk_span_read(span, t, struct task_struct, cred);
	wk_fill_cred(h, wk_span_get(span, t, struct task_struct, cred, cred));
	wk_fill_namespaces(h, wk_span_get(span, t, struct task_struct, cred, nsproxy));
	h->tty = wk_tty(wk_span_get(span, t, struct task_struct, cred, signal));
	u32 pid_ns = 0;
	h->vpid = wk_vpid(leader, &pid_ns);
	h->pid_ns = pid_ns;
	bpf_get_current_comm(h->comm, WK_COMM_LEN);
	__builtin_memcpy(h->container, v->container, WK_ID_LEN);
	return 0;
}

static __always_inline void *wk_begin(const struct wk_view *v, u32 kind)
{
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s)
		return NULL;
	wk_fill((struct wk_header *)s->record, v, kind);
	return s->record;
}

#include "record.h"

#endif
