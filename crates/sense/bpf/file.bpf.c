/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files: what was opened for writing, created, renamed, removed or changed, and what is watched and was opened
 * for reading. Out: WK_FILE in the file ring.
 *
 * Everything runs at the end of the call. A path that the call left behind as an open file comes from the
 * kernel's own objects (`resolved`), so that no other thread can change it between the call and our look at it.
 * Other calls leave nothing but the string that the process gave (`claimed`): it stands in str1 or str2, and the
 * directory that it is relative to, which is a kernel object, in path1 or path2.
 *
 * Calls that fail are reported only where permission failed them: that is an attempt, the rest is noise.
 *
 * Left out: opens of /dev/null for writing (every shell does it, nobody can learn from it); O_PATH opens, which
 * read and write nothing; opens through io_uring (uring.bpf.c has the operation, not the path).
 *
 * Needs Linux 5.8. Source: fs/open.c, fs/namei.c, include/linux/fs.h.
 */
#include "call.h"

/* struct file.f_mode, include/linux/fs.h: the same values from 5.10 to 6.18 */
#define WK_FMODE_WRITE 0x2
#define WK_FMODE_PATH 0x4000
#define WK_FMODE_CREATED 0x100000

/* include/uapi/asm-generic/fcntl.h */
#define WK_O_WRONLY 01
#define WK_O_RDWR 02
#define WK_O_CREAT 0100
#define WK_O_TRUNC 01000
#define WK_O_PATH 010000000
#define WK_O_CHANGES (WK_O_WRONLY | WK_O_RDWR | WK_O_CREAT | WK_O_TRUNC)
#define WK_AT_REMOVEDIR 0x200

#define WK_DEV_NULL ((1 << 20) | 3) /* dev_t of /dev/null */

/* Objects whose opening for reading is reported. Values are the caller's own; any value means "watched". */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wk_watched_inode);
	__type(value, u32);
} watched_inodes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct wk_watched_name);
	__type(value, u32);
} watched_names SEC(".maps");

/*
 * Which argument is what, for each call by its x86-64 number. A field holds the argument's number plus one; zero
 * means that the call has none. A path without a directory is relative to the working directory.
 */
struct wk_file_plan {
	u8 op;         /* enum wk_file_op; zero: not a file operation */
	u8 fd;         /* descriptor of the file itself */
	u8 dir1, str1; /* first path */
	u8 dir2, str2; /* second path */
	u8 name;       /* attribute name; goes where the second string would */
	u8 oflags, arg;
	u8 pad[7];
};
#define ARG(n) ((n) + 1)

static const volatile struct wk_file_plan wk_file_plans[WK_SYSCALLS] = {
	[76] = { .op = WK_FILE_TRUNCATE, .str1 = ARG(0), .arg = ARG(1) },                                   /* truncate */
	[77] = { .op = WK_FILE_TRUNCATE, .fd = ARG(0), .arg = ARG(1) },                                     /* ftruncate */
	[82] = { .op = WK_FILE_RENAME, .str1 = ARG(0), .str2 = ARG(1) },                                    /* rename */
	[83] = { .op = WK_FILE_MKDIR, .str1 = ARG(0), .oflags = ARG(1) },                                   /* mkdir */
	[84] = { .op = WK_FILE_RMDIR, .str1 = ARG(0) },                                                     /* rmdir */
	[86] = { .op = WK_FILE_LINK, .str1 = ARG(0), .str2 = ARG(1) },                                      /* link */
	[87] = { .op = WK_FILE_UNLINK, .str1 = ARG(0) },                                                    /* unlink */
	[88] = { .op = WK_FILE_SYMLINK, .str1 = ARG(0), .str2 = ARG(1) },                                   /* symlink */
	[90] = { .op = WK_FILE_CHMOD, .str1 = ARG(0), .oflags = ARG(1) },                                   /* chmod */
	[91] = { .op = WK_FILE_CHMOD, .fd = ARG(0), .oflags = ARG(1) },                                     /* fchmod */
	[92] = { .op = WK_FILE_CHOWN, .str1 = ARG(0), .oflags = ARG(1), .arg = ARG(2) },                    /* chown */
	[93] = { .op = WK_FILE_CHOWN, .fd = ARG(0), .oflags = ARG(1), .arg = ARG(2) },                      /* fchown */
	[94] = { .op = WK_FILE_CHOWN, .str1 = ARG(0), .oflags = ARG(1), .arg = ARG(2) },                    /* lchown */
	[133] = { .op = WK_FILE_MKNOD, .str1 = ARG(0), .oflags = ARG(1), .arg = ARG(2) },                   /* mknod */
	[188] = { .op = WK_FILE_SETXATTR, .str1 = ARG(0), .name = ARG(1) },                                 /* setxattr */
	[189] = { .op = WK_FILE_SETXATTR, .str1 = ARG(0), .name = ARG(1) },                                 /* lsetxattr */
	[190] = { .op = WK_FILE_SETXATTR, .fd = ARG(0), .name = ARG(1) },                                   /* fsetxattr */
	[197] = { .op = WK_FILE_REMOVEXATTR, .str1 = ARG(0), .name = ARG(1) },                              /* removexattr */
	[198] = { .op = WK_FILE_REMOVEXATTR, .str1 = ARG(0), .name = ARG(1) },                              /* lremovexattr */
	[199] = { .op = WK_FILE_REMOVEXATTR, .fd = ARG(0), .name = ARG(1) },                                /* fremovexattr */
	[258] = { .op = WK_FILE_MKDIR, .dir1 = ARG(0), .str1 = ARG(1), .oflags = ARG(2) },                  /* mkdirat */
	[259] = { .op = WK_FILE_MKNOD, .dir1 = ARG(0), .str1 = ARG(1), .oflags = ARG(2), .arg = ARG(3) },   /* mknodat */
	[260] = { .op = WK_FILE_CHOWN, .dir1 = ARG(0), .str1 = ARG(1), .oflags = ARG(2), .arg = ARG(3) },   /* fchownat */
	[263] = { .op = WK_FILE_UNLINK, .dir1 = ARG(0), .str1 = ARG(1), .oflags = ARG(2) },                 /* unlinkat */
	[264] = { .op = WK_FILE_RENAME, .dir1 = ARG(0), .str1 = ARG(1), .dir2 = ARG(2), .str2 = ARG(3) },   /* renameat */
	[265] = { .op = WK_FILE_LINK, .dir1 = ARG(0), .str1 = ARG(1), .dir2 = ARG(2), .str2 = ARG(3), .oflags = ARG(4) }, /* linkat */
	[266] = { .op = WK_FILE_SYMLINK, .str1 = ARG(0), .dir2 = ARG(1), .str2 = ARG(2) },                  /* symlinkat */
	[268] = { .op = WK_FILE_CHMOD, .dir1 = ARG(0), .str1 = ARG(1), .oflags = ARG(2) },                  /* fchmodat */
	[316] = { .op = WK_FILE_RENAME, .dir1 = ARG(0), .str1 = ARG(1), .dir2 = ARG(2), .str2 = ARG(3), .oflags = ARG(4) }, /* renameat2 */
	[452] = { .op = WK_FILE_CHMOD, .dir1 = ARG(0), .str1 = ARG(1), .oflags = ARG(2) },                  /* fchmodat2 */
	[463] = { .op = WK_FILE_SETXATTR, .dir1 = ARG(0), .str1 = ARG(1), .name = ARG(3) },                 /* setxattrat */
	[466] = { .op = WK_FILE_REMOVEXATTR, .dir1 = ARG(0), .str1 = ARG(1), .name = ARG(3) },              /* removexattrat */
};

static __always_inline void wk_file_object(struct wk_file *e, struct file *f)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	e->inode = BPF_CORE_READ(inode, i_ino);
	e->mode = BPF_CORE_READ(inode, i_mode);
	e->dev = BPF_CORE_READ(sb, s_dev);
	e->fs_magic = BPF_CORE_READ(sb, s_magic);
}

static __always_inline struct wk_file *wk_file_begin(const struct wk_view *v, const struct wk_call *c, u32 op)
{
	struct wk_file *e = wk_begin(v, WK_FILE);
	if (!e)
		return NULL;
	if (c->compat)
		e->h.flags |= WK_F_COMPAT;
	e->op = op;
	e->ret = c->ret;
	e->inode = 0;
	e->dev = e->mode = e->oflags = e->arg = e->fs_magic = e->resolved = 0;
	e->str1_len = e->path1_len = e->str2_len = e->path2_len = 0;
	return e;
}

/* A string and the directory that it is relative to: what one path argument of a call appends. */
struct wk_claim {
	u32 str_len, path_len;
	bool is_file; /* the string was empty: the descriptor itself is meant (AT_EMPTY_PATH) */
};

static __always_inline struct wk_claim wk_put_claim(struct wk_file *e, u64 *off, const struct wk_view *v, s32 dir,
						    u64 address)
{
	struct wk_claim claim = {};
	u64 at = *off;
	claim.str_len = wk_put_claimed(e, off, address);
	wk_mask(at, WK_SCRATCH - 1);
	u8 first = *((u8 *)e + at);
	if (claim.str_len > 1 && first == '/')
		return claim;
	if (dir == AT_FDCWD) {
		claim.path_len = wk_put_path(e, off, v, wk_working_directory(v->task));
		return claim;
	}
	struct file *f = wk_fd_file(v->task, dir);
	if (!f) { /* closed meanwhile: what the string is relative to is not known */
		e->h.flags |= WK_F_READ_FAIL;
		return claim;
	}
	/* 5.10 and 6.1 give an empty string the length 0, later kernels that of its NUL */
	claim.is_file = claim.str_len <= 1 && !(e->h.flags & WK_F_READ_FAIL);
	claim.path_len = wk_put_path(e, off, v, &f->f_path);
	return claim;
}

/* ---- open ---- */

/* The flags of an open as far as the registers hold them; those of openat2 are in memory, which may change. */
static __always_inline u32 wk_open_flags(const struct wk_call *c)
{
	u32 flags = 0;
	switch (c->nr) {
	case 2: /* open */
		return c->args[1];
	case 85: /* creat */
		return WK_O_CREAT | WK_O_WRONLY | WK_O_TRUNC;
	case 257: /* openat */
		return c->args[2];
	default: /* openat2 */
		bpf_probe_read_user(&flags, sizeof(flags), (void *)c->args[2]);
		return flags;
	}
}

/* Eight bytes with their ASCII letters as small ones; the rest as it is. */
static __always_inline __u64 wk_small_letters(__u64 bytes)
{
	const __u64 each = 0x0101010101010101ull, high = 0x80 * each;
	__u64 low = bytes & ~high;
	__u64 from_a = low + (0x80 - 'A') * each, behind_z = low + (0x7f - 'Z') * each;

	return bytes | (((from_a ^ behind_z) & ~bytes & high) >> 2);
}

static __always_inline bool wk_is_watched(struct file *f)
{
	struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct wk_watched_inode object = {};
	union {
		struct wk_watched_name name;
		__u64 words[WK_WATCHED_NAME_LEN / 8];
	} last = {};
	int i;

	object.inode = BPF_CORE_READ(inode, i_ino);
	object.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	if (bpf_map_lookup_elem(&watched_inodes, &object))
		return true;
	if (BPF_CORE_READ(d, d_name.len) >= WK_WATCHED_NAME_LEN)
		return false;
	bpf_probe_read_kernel_str(last.name.name, sizeof(last.name), BPF_CORE_READ(d, d_name.name));
	for (i = 0; i < WK_WATCHED_NAME_LEN / 8; i++)
		last.words[i] = wk_small_letters(last.words[i]);
	return bpf_map_lookup_elem(&watched_names, &last.name) != NULL;
}

static __always_inline bool wk_is_dev_null(struct file *f)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	return BPF_CORE_READ(inode, i_rdev) == WK_DEV_NULL && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFCHR;
}

static __always_inline int wk_open_refused(const struct wk_call *c, u32 flags)
{
	if (!wk_refused(c->ret) || (flags & WK_O_PATH) || !(flags & WK_O_CHANGES))
		return 0;
	struct wk_view v;
	if (!wk_admit(&v, WK_FILE))
		return 0;
	struct wk_file *e = wk_file_begin(&v, c, flags & WK_O_CREAT ? WK_FILE_CREATE : WK_FILE_OPEN_WRITE);
	if (!e)
		return 0;
	bool at = c->nr == 257 || c->nr == 437;
	u64 off = sizeof(*e), address = c->args[0];
	s32 dir = AT_FDCWD;
	if (at) {
		dir = c->args[0];
		address = c->args[1];
	}
	e->oflags = flags;
	struct wk_claim claim = wk_put_claim(e, &off, &v, dir, address);
	e->str1_len = claim.str_len;
	e->path1_len = claim.path_len;
	return wk_emit_file(e, off);
}

/*
 * A plain host task, as one look-up tells: nobody wants its reads. It spares the host's own opens the search for
 * watched objects. A task that entered a container unnoticed is found at its next other event (wk_look).
 */
static __always_inline bool wk_is_bystander(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	if (host_events & 1u << WK_FILE || bpf_map_lookup_elem(&lineage, &tgid))
		return false;
	return !bpf_core_field_exists(t->loginuid) || BPF_CORE_READ(t, loginuid.val) == ~0u;
}

SEC("tp_btf/sys_exit")
int sx_open(struct wk_args *ctx)
{
	struct wk_call *c = wk_call_read(ctx);
	if (!c)
		return 0;
	u32 flags = wk_open_flags(c);
	if (c->ret < 0)
		return wk_open_refused(c, flags);
	if (!(flags & WK_O_CHANGES) && wk_is_bystander())
		return 0;
	struct file *f = wk_fd_file((void *)bpf_get_current_task(), c->ret);
	u32 mode = BPF_CORE_READ(f, f_mode), op = WK_FILE_OPEN_READ;
	if (!f || (mode & WK_FMODE_PATH))
		return 0;
	if (mode & WK_FMODE_CREATED)
		op = WK_FILE_CREATE;
	else if ((mode & WK_FMODE_WRITE) || (flags & WK_O_TRUNC))
		op = WK_FILE_OPEN_WRITE;
	if (op == WK_FILE_OPEN_READ ? !wk_is_watched(f) : wk_is_dev_null(f))
		return 0;

	struct wk_view v;
	if (!wk_admit(&v, WK_FILE))
		return 0;
	struct wk_file *e = wk_file_begin(&v, c, op);
	if (!e)
		return 0;
	u64 off = sizeof(*e);
	e->oflags = flags;
	e->resolved = 1;
	wk_file_object(e, f);
	e->path1_len = wk_put_path(e, &off, &v, &f->f_path);
	return wk_emit_file(e, off);
}

/* ---- operations on paths and descriptors ---- */

static __always_inline s32 wk_plan_dir(const struct wk_call *c, u8 field)
{
	return field ? (s32)wk_call_arg(c, field) : AT_FDCWD;
}

static __always_inline void wk_put_first(struct wk_file *e, u64 *off, const struct wk_view *v, const struct wk_call *c,
					 const volatile struct wk_file_plan *plan)
{
	struct file *f = NULL;
	if (plan->fd) {
		f = wk_fd_file(v->task, wk_call_arg(c, plan->fd));
		if (f)
			e->path1_len = wk_put_path(e, off, v, &f->f_path);
	} else if (e->op == WK_FILE_SYMLINK) { /* a text, relative to nothing */
		e->str1_len = wk_put_claimed(e, off, wk_call_arg(c, plan->str1));
	} else {
		s32 dir = wk_plan_dir(c, plan->dir1);
		struct wk_claim claim = wk_put_claim(e, off, v, dir, wk_call_arg(c, plan->str1));
		e->str1_len = claim.str_len;
		e->path1_len = claim.path_len;
		if (claim.is_file)
			f = wk_fd_file(v->task, dir);
	}
	if (f) {
		e->resolved = 1;
		wk_file_object(e, f);
	}
}

SEC("tp_btf/sys_exit")
int sx_file(struct wk_args *ctx)
{
	struct wk_call *c = wk_call_read(ctx);
	if (!c || (c->ret < 0 && !wk_refused(c->ret)))
		return 0;
	const volatile struct wk_file_plan *plan = &wk_file_plans[c->nr & (WK_SYSCALLS - 1)];
	struct wk_view v;
	if (!plan->op || !wk_admit(&v, WK_FILE))
		return 0;
	struct wk_file *e = wk_file_begin(&v, c, plan->op);
	if (!e)
		return 0;
	u64 off = sizeof(*e);
	if (plan->oflags)
		e->oflags = wk_call_arg(c, plan->oflags);
	if (plan->arg)
		e->arg = wk_call_arg(c, plan->arg);
	if (e->op == WK_FILE_UNLINK && (e->oflags & WK_AT_REMOVEDIR))
		e->op = WK_FILE_RMDIR;

	wk_put_first(e, &off, &v, c, plan);
	if (plan->str2) {
		struct wk_claim claim =
			wk_put_claim(e, &off, &v, wk_plan_dir(c, plan->dir2), wk_call_arg(c, plan->str2));
		e->str2_len = claim.str_len;
		e->path2_len = claim.path_len;
	} else if (plan->name) {
		e->str2_len = wk_put_claimed(e, &off, wk_call_arg(c, plan->name));
	}
	return wk_emit_file(e, off);
}
