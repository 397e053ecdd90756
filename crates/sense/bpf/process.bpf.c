// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes: exec, fork and exit, and the jump to the programs of system calls.
 * In: raw tracepoints. Out: WK_EXEC, WK_FORK and WK_EXIT in the critical ring; the map `lineage`.
 * Left out: threads (thread groups only).
 */
#include "call.h"

/* ---- exec ---- */
#define ARGV_HEAD 2048 /* powers of two */
#define ARGV_TAIL 512
#define FILE_NAME 512
#define ENV_ENTRIES 64
#define ENV_ENTRY 256
#define ENV_BYTES 1024
#define ENV_CUT 0x80000000u

/* Compares n constant bytes; a macro, because the loop must unroll before the verifier sees it. */
#define WK_SAME(name, word, n)                          \
	({                                              \
		bool same_ = true;                      \
		_Pragma("unroll") for (u32 i_ = 0; i_ < (n); i_++) same_ &= (name)[i_] == (word)[i_]; \
		same_;                                  \
	})
#define NAMED(name, word) WK_SAME(name, word, sizeof(word))      /* the whole name, with its NUL */
#define BEGINS(name, word) WK_SAME(name, word, sizeof(word) - 1)

/* Programs that make containers, and their clients. Only believed of processes outside of containers. */
static __always_inline bool wk_is_runtime(struct dentry *d)
{
	char n[24] = {};
	bpf_probe_read_kernel_str(n, sizeof(n), BPF_CORE_READ(d, d_name.name));
	if (n[0] == 'd')
		return NAMED(n, "docker") || NAMED(n, "dockerd");
	if (n[0] == 'c')
		return NAMED(n, "containerd") || BEGINS(n, "containerd-shim") || NAMED(n, "crio") || NAMED(n, "conmon") ||
		       NAMED(n, "crun");
	return NAMED(n, "runc") || NAMED(n, "podman") || NAMED(n, "kubectl");
}

/* What an exec changes in the lineage of its process. */
static __always_inline void wk_exec_lineage(struct wk_view *v, struct file *f)
{
	struct task_struct *t = v->task;
	u32 before = v->lineage, after = before;
	if (before & WK_L_CONTAINER) {
		if (BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum) == root_mnt_ns)
			return;
		after = (before | WK_L_EXECED) & ~WK_L_RUNTIME;
		struct wk_cgroup_owner *o = bpf_map_lookup_elem(&cgroup_owners, &v->cgroup);
		if (o)
			o->started = 1;
		v->flags &= ~WK_F_STARTUP;
	} else {
		struct task_struct *parent = BPF_CORE_READ(t, real_parent); /* who executes leads its group */
		/* The kernel starts helpers from its own threads; init alone is started so and is none. */
		if (BPF_CORE_READ(parent, flags) & PF_KTHREAD && v->tgid != 1) {
			after |= WK_L_HELPER;
			v->flags |= WK_F_HELPER;
		}
		if (wk_is_runtime(BPF_CORE_READ(f, f_path.dentry))) {
			after |= WK_L_RUNTIME;
			v->flags |= WK_F_RUNTIME;
		}
	}
	if (after == before)
		return;
	v->lineage = after;
	wk_identify(v);
	wk_set_lineage(v->tgid, v->start_ns, after, v->container);
}

static __always_inline u32 wk_exec_flags(struct file *f, struct inode *inode, u32 magic, u32 nlink, u32 mode)
{
	u32 x = 0;
	struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
	if (!nlink) {
		char name[8] = {};
		bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(d, d_name.name));
		x |= WK_X_DELETED;
		if (BPF_CORE_READ(d, d_parent) == d && BEGINS(name, "memfd:"))
			x |= WK_X_MEMFD;
	}
	if (mode & (S_ISUID | S_ISGID))
		x |= WK_X_SETID;
	if (magic == TMPFS_MAGIC)
		return x | WK_X_TMPFS;
	if (magic != OVERLAYFS_MAGIC)
		return x | WK_X_PRIVATE_MOUNT;
	/* struct ovl_inode holds the upper dentry right behind the inode (fs/overlayfs/ovl_entry.h). */
	struct dentry *upper = NULL;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return x | WK_X_OVERLAY | (upper ? WK_X_UPPER : 0);
}

/* Folds ASCII letters to lower case, eight at once; the constants below went through the same. */
#define FOLD(word) ((word) | 0x2020202020202020ull)
#define EIGHT(a, b, c, d, e, f, g, h)                                                               \
	FOLD((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
	     (u64)(g) << 48 | (u64)(h) << 56)

/* Environment that steers the loader, the proxy, or what the shell reads and records. */
static __always_inline bool wk_env_wanted(u64 word)
{
	if ((word & 0xffffff) == ('L' | 'D' << 8 | '_' << 16))
		return true;
	word = FOLD(word);
	return word == EIGHT('g', 'l', 'i', 'b', 'c', '_', 't', 'u') || word == EIGHT('h', 't', 't', 'p', '_', 'p', 'r', 'o') ||
	       word == EIGHT('h', 't', 't', 'p', 's', '_', 'p', 'r') || word == EIGHT('a', 'l', 'l', '_', 'p', 'r', 'o', 'x') ||
	       word == EIGHT('b', 'a', 's', 'h', '_', 'e', 'n', 'v') || word == EIGHT('h', 'i', 's', 't', 'f', 'i', 'l', 'e');
}

/*
 * Appends the selected entries of the environment at `off`; only these leave the kernel. Returns their bytes, with
 * ENV_CUT where the environment goes on behind the last entry that was read. Global: verified once.
 */
__noinline u32 wk_environment(u32 off)
{
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	struct task_struct *t = (void *)bpf_get_current_task();
	u64 from = BPF_CORE_READ(t, mm, env_start), end = BPF_CORE_READ(t, mm, env_end);
	if (!s)
		return 0;
	s->written = 0;
	for (int i = 0; i < ENV_ENTRIES; i++) {
		if (from >= end)
			return s->written;
		u64 at = off + s->written;
		wk_mask(at, WK_SCRATCH - 1);
		u8 *entry = s->record + at;
		__builtin_memset(entry, 0, 8);
		long n = bpf_probe_read_user_str(entry, ENV_ENTRY, (const void *)from);
		if (n <= 0 || s->written > ENV_BYTES)
			break;
		from += n < ENV_ENTRY ? n : n - 1; /* the rest of a long entry is read as one of its own */
		u64 word;
		__builtin_memcpy(&word, entry, 8);
		if (wk_env_wanted(word))
			s->written += n;
	}
	return s->written | ENV_CUT;
}

static __always_inline void wk_exec_file(struct wk_exec *e, struct file *f)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	e->inode = BPF_CORE_READ(inode, i_ino);
	e->ctime_ns = wk_ctime_ns(inode);
	e->size = BPF_CORE_READ(inode, i_size);
	e->dev = BPF_CORE_READ(sb, s_dev);
	e->nlink = BPF_CORE_READ(inode, i_nlink);
	e->mode = BPF_CORE_READ(inode, i_mode);
	e->fs_magic = BPF_CORE_READ(sb, s_magic);
	e->xflags = wk_exec_flags(f, inode, e->fs_magic, e->nlink, e->mode);
}

static __always_inline void wk_exec_memory(struct wk_exec *e, u64 *off, struct task_struct *t)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	u64 from = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end), total = end - from;
	e->argv_total = total;
	e->argv_head_len = wk_put_user_bytes(e, off, from, total, ARGV_HEAD);
	e->argv_tail_len = 0;
	if (total >= ARGV_HEAD) {
		u64 rest = total - (ARGV_HEAD - 1);
		e->h.flags |= WK_F_DATA_CUT;
		if (rest >= ARGV_TAIL)
			rest = ARGV_TAIL - 1;
		e->argv_tail_len = wk_put_user_bytes(e, off, end - rest, rest, ARGV_TAIL);
	}
	e->env_total = BPF_CORE_READ(mm, env_end) - BPF_CORE_READ(mm, env_start);
	u32 n = wk_environment(*off);
	if (n & ENV_CUT)
		e->xflags |= WK_X_ENV_CUT;
	n &= WK_SCRATCH - 1;
	e->env_len = n;
	*off += n;
}

/* Descriptors 0 to 2: a table has room for 64 and more (fs/file.c). */
static __always_inline void wk_exec_fds(struct wk_exec *e, struct task_struct *t)
{
	struct file **open = BPF_CORE_READ(t, files, fdt, fd), *files[3] = {};
	bpf_probe_read_kernel(files, sizeof(files), open);
#pragma unroll
	for (int i = 0; i < 3; i++)
		wk_describe_fd(&e->fd[i], files[i]);
}

SEC("raw_tp/sched_process_exec")
int on_exec(struct wk_args *ctx)
{
	struct linux_binprm *bprm = (void *)ctx->args[2];
	struct file *f = BPF_CORE_READ(bprm, file);
	struct wk_view v;
	wk_look(&v);
	wk_exec_lineage(&v, f);
	if (!wk_wanted(&v, WK_EXEC))
		return 0;
	struct wk_exec *e = wk_begin(&v, WK_EXEC);
	if (!e)
		return 0;
	struct task_struct *t = v.task;
	struct fs_struct *fs = BPF_CORE_READ(t, fs);
	const char *name = BPF_CORE_READ(bprm, filename), *interp = BPF_CORE_READ(bprm, interp);
	u64 off = sizeof(*e);
	wk_exec_file(e, f);
	wk_exec_fds(e, t);
	e->file_len = wk_put_kernel_str(e, &off, name, FILE_NAME);
	e->path_len = wk_put_path(e, &off, &v, &f->f_path);
	e->cwd_len = wk_put_path(e, &off, &v, &fs->pwd);
	wk_exec_memory(e, &off, t);
	e->interp_len = 0;
	if (interp != name)
		e->interp_len = wk_put_kernel_str(e, &off, interp, FILE_NAME);
	return wk_emit_critical(e, off);
}

/* ---- fork ---- */
/* The lineage that a new thread group starts with; true where it has any. */
static __always_inline bool wk_inherit(const struct wk_view *v, u32 child_pid, u64 child_start, u64 child_cgroup)
{
	u32 flags = v->lineage;
	if (!(flags & WK_L_CONTAINER)) {
		/* clone3 with CLONE_INTO_CGROUP makes no attach event. */
		struct wk_cgroup_owner *o = bpf_map_lookup_elem(&cgroup_owners, &child_cgroup);
		if (o) {
			u8 id[WK_ID_LEN];
			__builtin_memcpy(id, o->container, WK_ID_LEN);
			wk_set_lineage(child_pid, child_start, wk_entry_flags(flags), id);
			return true;
		}
	}
	if (!flags)
		return false;
	wk_set_lineage(child_pid, child_start, flags, v->container);
	return true;
}

SEC("raw_tp/sched_process_fork")
int on_fork(struct wk_args *ctx)
{
	struct task_struct *child = (void *)ctx->args[1];
	u32 pid = BPF_CORE_READ(child, tgid), pid_ns = 0;
	if (pid != (u32)BPF_CORE_READ(child, pid))
		return 0; /* a thread */
	struct wk_view v;
	wk_look(&v);
	u64 start = BPF_CORE_READ(child, start_boottime);
	bool inherited = wk_inherit(&v, pid, start, wk_cgroup_id(child));
	if (!wk_wanted(&v, WK_FORK) && !(inherited && !v.lineage))
		return 0;
	struct wk_fork *e = wk_begin(&v, WK_FORK);
	if (!e)
		return 0;
	e->child_pid = pid;
	e->child_vpid = wk_vpid(child, &pid_ns);
	e->child_start_ns = start;
	e->child_pid_ns = pid_ns;
	e->pad = 0;
	return wk_emit_critical(e, sizeof(*e));
}

/* ---- exit ---- */
SEC("raw_tp/sched_process_exit")
int on_exit(struct wk_args *ctx)
{
	struct task_struct *t = (void *)ctx->args[0];
	struct signal_struct *signal = BPF_CORE_READ(t, signal);
	if (BPF_CORE_READ(signal, live.counter))
		return 0; /* other threads live on */
	struct wk_view v;
	wk_look(&v);
	u32 pid = v.tgid;
	/* Two last threads can both see zero: who removes the entry reports. */
	if (v.stored && bpf_map_delete_elem(&lineage, &pid))
		return 0;
	if (!wk_wanted(&v, WK_EXIT))
		return 0;
	struct wk_exit *e = wk_begin(&v, WK_EXIT);
	if (!e)
		return 0;
	e->code = BPF_CORE_READ(signal, group_exit_code);
	if (!e->code)
		e->code = BPF_CORE_READ(t, exit_code);
	e->pad = 0;
	return wk_emit_critical(e, sizeof(*e));
}

/* ---- system calls: one program, which jumps by number ---- */
/*
 * Numbers that a program waits for, through either entry: set by the loader from SYSCALLS in src/kernel/syscalls.rs. Not a
 * constant: what is wanted is known only after the object is loaded.
 */
u8 wk_hooked[WK_SYSCALLS] SEC(".data.hooked") = {};

SEC("tp_btf/sys_exit")
int on_sys_exit(struct wk_args *ctx)
{
	const struct wk_regs *r = (void *)ctx->args[0]; /* a pointer whose type the verifier knows: no helper reads it */
	u64 nr = r->orig_ax & ~0x40000000ull; /* x32 calls have this bit */
	if (nr >= WK_SLOT_FIRST || !wk_hooked[nr & (WK_SYSCALLS - 1)])
		return 0; /* most calls end here: one read */
	if (wk_compat((void *)bpf_get_current_task()))
		bpf_tail_call(ctx, &sysprogs32, nr);
	else
		bpf_tail_call(ctx, &sysprogs, nr);
	return 0;
}
