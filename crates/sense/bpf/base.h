/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every program shares: maps, the filter by lineage, the record header, path walk and output.
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
	struct task_struct *task, *leader;
	u64 start_ns;          /* of the leader */
	u64 cgroup;            /* present cgroup in the tracked hierarchy */
	u32 tgid, tid;
	u32 lineage;           /* WK_L_* */
	u32 flags;             /* WK_F_* for the header */
	u32 login_uid;
	u32 stored;            /* the map `lineage` has an entry */
	u8 container[WK_ID_LEN];
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

/* Fills the view of the running task. A task that is in a container's cgroup unnoticed is adopted here. */
static __noinline int wk_look(struct wk_view *v)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);
	v->task = t;
	v->leader = leader;
	v->tgid = BPF_CORE_READ(t, tgid);
	v->tid = BPF_CORE_READ(t, pid);
	v->start_ns = BPF_CORE_READ(leader, start_boottime);
	v->cgroup = wk_cgroup_id(t);
	v->lineage = 0;
	v->flags = 0;
	v->stored = 0;
	v->login_uid = ~0u;
	if (bpf_core_field_exists(t->loginuid))
		v->login_uid = BPF_CORE_READ(t, loginuid.val);
	__builtin_memset(v->container, 0, WK_ID_LEN);

	struct wk_lineage *l = wk_lineage_of(v->tgid, v->start_ns);
	struct wk_cgroup_owner *o = bpf_map_lookup_elem(&cgroup_owners, &v->cgroup);
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
	*ns = BPF_CORE_READ(u, ns, ns.inum);
	return BPF_CORE_READ(u, nr);
}

/* The kernel's own encoding, as in super_block.s_dev: major << 20 | minor. */
static __always_inline u32 wk_tty(struct task_struct *t)
{
	struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);
	if (!tty)
		return 0;
	struct tty_driver *d = BPF_CORE_READ(tty, driver);
	return BPF_CORE_READ(d, major) << 20 | (BPF_CORE_READ(d, minor_start) + BPF_CORE_READ(tty, index));
}

static __noinline int wk_fill(struct wk_header *h, const struct wk_view *v, u32 kind)
{
	struct task_struct *t = v->task, *leader = v->leader;
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
	const struct cred *cred = BPF_CORE_READ(t, cred);
	struct nsproxy *ns = BPF_CORE_READ(t, nsproxy);
	h->kind = kind;
	h->flags = v->flags;
	h->len = 0;
	h->boot_ns = bpf_ktime_get_boot_ns();
	h->pid = v->tgid;
	h->tid = v->tid;
	h->ppid = BPF_CORE_READ(parent, tgid);
	h->start_ns = v->start_ns;
	h->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	h->uid = BPF_CORE_READ(cred, uid.val);
	h->gid = BPF_CORE_READ(cred, gid.val);
	h->euid = BPF_CORE_READ(cred, euid.val);
	h->login_uid = v->login_uid;
	bpf_core_read(&h->caps, sizeof(h->caps), &cred->cap_effective); /* two words before 6.3, one since */
	h->cgroup = v->cgroup;
	h->session = bpf_core_field_exists(t->sessionid) ? BPF_CORE_READ(t, sessionid) : ~0u;
	h->tty = wk_tty(t);
	u32 pid_ns = 0;
	h->vpid = wk_vpid(leader, &pid_ns);
	h->pid_ns = pid_ns;
	h->mnt_ns = BPF_CORE_READ(ns, mnt_ns, ns.inum);
	h->net_ns = BPF_CORE_READ(ns, net_ns, ns.inum);
	h->user_ns = BPF_CORE_READ(cred, user_ns, ns.inum);
	bpf_core_read(h->comm, WK_COMM_LEN, &t->comm);
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

/* ---- variable parts: `record` is what wk_begin gave, `off` the bytes written so far ---- */

/* At most `max` bytes with the closing NUL, which is part of the length; 0 where nothing can be read. */
#define WK_PUT_STR(read, record, off, from, max)                                   \
	({                                                                         \
		u64 at_ = *(off);                                                  \
		wk_mask(at_, WK_SCRATCH - 1);                                      \
		long n_ = read((u8 *)(record) + at_, max, (const void *)(from));   \
		if (n_ < 0) {                                                      \
			((struct wk_header *)(record))->flags |= WK_F_READ_FAIL;   \
			n_ = 0;                                                    \
		}                                                                  \
		if (n_ == (max))                                                   \
			((struct wk_header *)(record))->flags |= WK_F_DATA_CUT;    \
		*(off) += n_;                                                      \
		(u32)n_;                                                           \
	})
#define wk_put_user_str(record, off, from, max) WK_PUT_STR(bpf_probe_read_user_str, record, off, from, max)
#define wk_put_kernel_str(record, off, from, max) WK_PUT_STR(bpf_probe_read_kernel_str, record, off, from, max)

/* `len` bytes of the process, of which at most max (a power of two) minus one are taken. */
static __always_inline u32 wk_put_user_bytes(void *record, u64 *off, u64 from, u64 len, const u32 max)
{
	u64 at = *off;
	wk_mask(at, WK_SCRATCH - 1);
	if (len >= max)
		len = max - 1;
	wk_mask(len, max - 1);
	if (!len)
		return 0;
	if (bpf_probe_read_user((u8 *)record + at, len, (const void *)from)) {
		((struct wk_header *)record)->flags |= WK_F_READ_FAIL;
		return 0;
	}
	*off += len;
	return len;
}

#define WK_PATH_PARTS 40  /* components and crossed mounts */
#define WK_PATH_BYTES 4096 /* PATH_MAX */
#define WK_NAME_BYTES 256 /* NAME_MAX and NUL */
#define WK_WALK_CUT 0x80000000u

/*
 * Appends the components of scratch's dentry at `off` of the record, leaf first. Returns their bytes, and
 * WK_WALK_CUT where the walk ended elsewhere than at the root that was given. Global, so that the verifier
 * walks the loop once for the whole object.
 */
__noinline u32 wk_walk(u32 off)
{
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s)
		return WK_WALK_CUT;
	struct dentry *d = s->dentry, *root = s->root_dentry;
	struct vfsmount *mnt = s->mnt, *root_mnt = s->root_mnt;
	s->written = 0;
	for (int i = 0; i < WK_PATH_PARTS; i++) {
		if (d == root && mnt == root_mnt)
			return s->written;
		if (d == BPF_CORE_READ(mnt, mnt_root)) {
			struct mount *m = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
			struct mount *up = BPF_CORE_READ(m, mnt_parent);
			if (m == up)
				break;
			d = BPF_CORE_READ(m, mnt_mountpoint);
			mnt = (void *)up + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		u64 at = off + s->written;
		wk_mask(at, WK_SCRATCH - 1);
		int n = bpf_probe_read_kernel_str(s->record + at, WK_NAME_BYTES, BPF_CORE_READ(d, d_name.name));
		if (n <= 0 || s->written > WK_PATH_BYTES)
			break;
		s->written += n;
		struct dentry *parent = BPF_CORE_READ(d, d_parent);
		if (parent == d) /* belongs to no tree: memfd, pipe, socket */
			break;
		d = parent;
	}
	/* A mount of a single file that is attached nowhere: its name is all there is. */
	if (!s->written) {
		u64 at = off;
		wk_mask(at, WK_SCRATCH - 1);
		int n = bpf_probe_read_kernel_str(s->record + at, WK_NAME_BYTES, BPF_CORE_READ(d, d_name.name));
		if (n > 0)
			s->written = n;
	}
	return s->written | WK_WALK_CUT;
}

/* Appends the path as the viewed task sees it. */
static __always_inline u32 wk_put_path(void *record, u64 *off, const struct wk_view *v, struct path *p)
{
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s || *off > WK_SCRATCH - WK_PATH_BYTES - 2 * WK_NAME_BYTES)
		return 0;
	struct task_struct *t = v->task;
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	s->dentry = BPF_CORE_READ(p, dentry);
	s->mnt = BPF_CORE_READ(p, mnt);
	s->root_dentry = BPF_CORE_READ(fs, root.dentry);
	s->root_mnt = BPF_CORE_READ(fs, root.mnt);
	u32 n = wk_walk(*off);
	if (n & WK_WALK_CUT)
		((struct wk_header *)record)->flags |= WK_F_PATH_CUT;
	n &= WK_SCRATCH - 1;
	*off += n;
	return n;
}

/* ---- output ---- */
/*
 * Flags 0 let the kernel wake the reader only when it had caught up: one wake-up per emptied ring, and the last
 * record of a burst is never left without one.
 */
#define WK_DEFINE_EMIT(name, ring, index)                                          \
	static __always_inline int wk_emit_##name(void *record, u64 len)           \
	{                                                                          \
		wk_mask(len, WK_SCRATCH - 1);                                      \
		((struct wk_header *)record)->len = len;                           \
		struct wk_counters *c = wk_counters();                             \
		long failed = bpf_ringbuf_output(&ring, record, len, 0);           \
		if (c)                                                             \
			__sync_fetch_and_add(failed ? &c->lost[index] : &c->emitted[index], 1); \
		return 0;                                                          \
	}
WK_DEFINE_EMIT(critical, ring_critical, WK_RING_CRITICAL)
WK_DEFINE_EMIT(file, ring_file, WK_RING_FILE)
WK_DEFINE_EMIT(network, ring_network, WK_RING_NETWORK)

/*
 * Ring memory of a constant size, for records that need no scratch. Counts what does not fit. After wk_reserve
 * gave memory, wk_submit must follow on every way.
 */
#define wk_reserve(ring, index, size)                                              \
	({                                                                         \
		void *memory_ = bpf_ringbuf_reserve(&ring, size, 0);               \
		if (!memory_)                                                      \
			wk_count(lost[index]);                                     \
		memory_;                                                           \
	})
#define wk_submit(record, index)                                                   \
	({                                                                         \
		bpf_ringbuf_submit(record, 0);                                     \
		wk_count(emitted[index]);                                          \
		0;                                                                 \
	})

/* ---- files of a task ---- */
static __always_inline struct file *wk_fd_file(struct task_struct *t, s32 fd)
{
	struct fdtable *table = BPF_CORE_READ(t, files, fdt);
	if (fd < 0 || (u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	struct file **files = BPF_CORE_READ(table, fd), *f = NULL;
	bpf_probe_read_kernel(&f, sizeof(f), files + fd);
	return f;
}

static __always_inline bool wk_is_socket(struct file *f)
{
	return (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) == S_IFSOCK;
}

/* The socket behind a file; NULL where it is none. */
static __always_inline struct sock *wk_file_sock(struct file *f)
{
	if (!f || !wk_is_socket(f))
		return NULL;
	struct socket *so = BPF_CORE_READ(f, private_data);
	return BPF_CORE_READ(so, sk);
}

/* What a descriptor is, for descriptors 0 to 2 and copies onto them. */
static __always_inline void wk_describe_fd(struct wk_fd *to, struct file *f)
{
	to->type = WK_FD_NONE;
	to->pad = 0;
	to->inode = 0;
	if (!f)
		return;
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	u32 format = BPF_CORE_READ(inode, i_mode) & S_IFMT, dev = BPF_CORE_READ(inode, i_rdev), major = dev >> 20;
	to->inode = BPF_CORE_READ(inode, i_ino);
	to->type = WK_FD_OTHER;
	if (format == S_IFREG)
		to->type = WK_FD_FILE;
	else if (format == S_IFIFO)
		to->type = WK_FD_PIPE;
	else if (format == S_IFCHR && dev == (1 << 20 | 3)) /* /dev/null */
		to->type = WK_FD_NULL;
	else if (format == S_IFCHR && (major == 4 || major == 5 || (major >= 136 && major <= 143)))
		to->type = WK_FD_TTY; /* virtual and serial consoles, /dev/tty, pseudo terminals */
	else if (format == S_IFSOCK) {
		struct sock *sk = wk_file_sock(f);
		u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
		if (family == AF_INET || family == AF_INET6)
			to->type = WK_FD_INET;
		else if (family == AF_UNIX)
			to->type = WK_FD_UNIX;
	}
}

static __always_inline u64 wk_ctime_ns(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec))
		return BPF_CORE_READ(inode, i_ctime_sec) * 1000000000ull + BPF_CORE_READ(inode, i_ctime_nsec);
	struct inode___2023 *middle = (void *)inode;
	if (bpf_core_field_exists(middle->__i_ctime))
		return BPF_CORE_READ(middle, __i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(middle, __i_ctime.tv_nsec);
	struct inode___2007 *old = (void *)inode;
	if (bpf_core_field_exists(old->i_ctime))
		return BPF_CORE_READ(old, i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(old, i_ctime.tv_nsec);
	return 0;
}

/* ---- system calls, at their exit: args[0] is the pt_regs, args[1] the result ---- */
#ifndef __TARGET_ARCH_x86
#error "system call registers are known for x86-64 only"
#endif

static __always_inline bool wk_compat(struct task_struct *t)
{
	return BPF_CORE_READ(t, thread_info.status) & TS_COMPAT;
}

/* Argument i (0 to 5, constant) as the call got it; the kernel leaves these registers alone. */
static __always_inline u64 wk_arg(struct pt_regs *r, const int i, bool compat)
{
	u64 v = 0;
	if (compat) {
		switch (i) {
		case 0: v = BPF_CORE_READ(r, bx); break;
		case 1: v = BPF_CORE_READ(r, cx); break;
		case 2: v = BPF_CORE_READ(r, dx); break;
		case 3: v = BPF_CORE_READ(r, si); break;
		case 4: v = BPF_CORE_READ(r, di); break;
		default: v = BPF_CORE_READ(r, bp); break;
		}
		return (u32)v;
	}
	switch (i) {
	case 0: return BPF_CORE_READ(r, di);
	case 1: return BPF_CORE_READ(r, si);
	case 2: return BPF_CORE_READ(r, dx);
	case 3: return BPF_CORE_READ(r, r10);
	case 4: return BPF_CORE_READ(r, r8);
	default: return BPF_CORE_READ(r, r9);
	}
}

#endif
