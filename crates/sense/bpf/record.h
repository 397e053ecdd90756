/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writing a record: strings, bytes and paths behind its fixed part, and the way into a ring. Then what records tell
 * of a task: its files, its sockets, its system call. Part of base.h.
 */
#ifndef WATCHKEEPER_RECORD_H
#define WATCHKEEPER_RECORD_H

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

/*
 * Appends the components of scratch's dentry at `off` of the record, leaf first. Returns their bytes, and
 * WK_PATH_CUT where the walk ended elsewhere than at the root that was given. Global, so that the verifier
 * walks the loop once for the whole object.
 */
__noinline u32 wk_walk(u32 off)
{
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s)
		return WK_PATH_CUT;
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
	return s->written | WK_PATH_CUT;
}

/* Appends the path as the viewed task sees it. Returns its length for the record, with WK_PATH_CUT. */
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
	*off += n & (WK_SCRATCH - 1);
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
