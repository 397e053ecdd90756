/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Executable memory that no file on disk backs, or that was writable before: what injected and unpacked code
 * needs. Out: WK_MEMORY in the critical ring, once for each process and kind: a just-in-time compiler does it all
 * day, and the first time says as much as the thousandth.
 *
 * `anonymous` and `was_writable` are tri-state (WK_KNOWN_*): mmap tells both from its arguments; mprotect does not
 * say what it covers, and is answered only where the address lies in the heap or near the stack's start.
 *
 * Left out: writes through a second mapping of the same memory (memfd mapped twice shows as a mapped file without
 * a name on disk), remap_file_pages, shmat with SHM_EXEC.
 *
 * Needs Linux 5.8. Source: mm/mmap.c, mm/mprotect.c, include/linux/mm_types.h.
 */
#include "call.h"

/* include/uapi/asm-generic/mman-common.h */
#define WK_PROT_WRITE 2
#define WK_PROT_EXEC 4
#define WK_MAP_ANONYMOUS 0x20

#define WK_NR_MMAP 9
#define WK_NR_I386_OLD_MMAP 90 /* its arguments lie in memory */
#define WK_STACK_REACH (8ull << 20) /* default RLIMIT_STACK: how far below its start the stack is looked for */

/* One bit set of what was seen of a process. */
enum wk_memory_sort {
	WK_MEM_MAP_ANONYMOUS = 1, /* executable from the start */
	WK_MEM_MAP_WRITABLE,      /* writable and executable at once */
	WK_MEM_MAP_UNLINKED,      /* a file without a name: memfd, deleted */
	WK_MEM_PROTECT,           /* made executable later */
	WK_MEM_PROTECT_WRITABLE,
	WK_MEM_PROTECT_HEAP,
	WK_MEM_PROTECT_STACK,
};

struct wk_seen_key {
	u32 pid, sort;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct wk_seen_key);
	__type(value, u64); /* start of the process: numbers are reused */
} memory_seen SEC(".maps");

/* The arguments of the three calls in one shape. */
struct wk_mapping {
	u64 address, length;
	u32 prot, flags;
	s32 fd;
	u32 sort, anonymous, was_writable;
	struct file *file;
};

static __always_inline void wk_mapping_read(struct wk_mapping *m, const struct wk_call *c)
{
	u32 old[6] = {};
	m->length = c->args[1];
	m->prot = c->args[2];
	m->fd = -1;
	if (c->nr != WK_NR_MMAP) {
		m->address = c->args[0];
		return;
	}
	m->address = c->ret;
	m->flags = c->args[3];
	m->fd = c->args[4];
	if (c->compat && c->nr_raw == WK_NR_I386_OLD_MMAP) {
		bpf_probe_read_user(old, sizeof(old), (void *)c->args[0]);
		m->length = old[1];
		m->prot = old[2];
		m->flags = old[3];
		m->fd = old[4];
	}
}

static __always_inline void wk_judge_map(struct wk_mapping *m, struct task_struct *t)
{
	bool writable = m->prot & WK_PROT_WRITE;
	m->was_writable = WK_KNOWN_NO;
	m->anonymous = WK_KNOWN_YES;
	if (m->flags & WK_MAP_ANONYMOUS) {
		m->sort = writable ? WK_MEM_MAP_WRITABLE : WK_MEM_MAP_ANONYMOUS;
		return;
	}
	m->anonymous = WK_KNOWN_NO;
	struct file *f = wk_fd_file(t, m->fd);
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	m->file = f;
	if (f && !BPF_CORE_READ(inode, i_nlink))
		m->sort = WK_MEM_MAP_UNLINKED;
	else if (writable)
		m->sort = WK_MEM_MAP_WRITABLE;
}

static __always_inline void wk_judge_protect(struct wk_mapping *m, struct task_struct *t)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	u64 stack = BPF_CORE_READ(mm, start_stack);
	m->anonymous = m->was_writable = WK_KNOWN_NOT;
	m->sort = m->prot & WK_PROT_WRITE ? WK_MEM_PROTECT_WRITABLE : WK_MEM_PROTECT;
	if (m->address >= BPF_CORE_READ(mm, start_brk) && m->address < BPF_CORE_READ(mm, brk))
		m->sort = WK_MEM_PROTECT_HEAP;
	else if (m->address <= stack && m->address + WK_STACK_REACH > stack)
		m->sort = WK_MEM_PROTECT_STACK;
	else
		return;
	m->anonymous = m->was_writable = WK_KNOWN_YES;
}

static __always_inline bool wk_first_time(const struct wk_view *v, u32 sort)
{
	struct wk_seen_key key = { .pid = v->tgid, .sort = sort };
	u64 start_ns = v->start_ns, *seen = bpf_map_lookup_elem(&memory_seen, &key);
	if (seen && *seen == start_ns)
		return false;
	bpf_map_update_elem(&memory_seen, &key, &start_ns, BPF_ANY);
	return true;
}

/* mmap, mprotect, pkey_mprotect */
SEC("tp_btf/sys_exit")
int sx_memory(struct wk_args *ctx)
{
	struct wk_call *c = wk_call_read(ctx);
	if (!c || (c->ret < 0 && c->ret > -4096))
		return 0;
	struct wk_mapping m = {};
	wk_mapping_read(&m, c);
	if (!(m.prot & WK_PROT_EXEC))
		return 0;
	struct task_struct *t = (void *)bpf_get_current_task();
	if (c->nr == WK_NR_MMAP)
		wk_judge_map(&m, t);
	else
		wk_judge_protect(&m, t);
	struct wk_view v;
	if (!m.sort || !wk_admit(&v, WK_MEMORY) || !wk_first_time(&v, m.sort))
		return 0;
	struct wk_memory *e = wk_begin(&v, WK_MEMORY);
	if (!e)
		return 0;
	if (c->compat)
		e->h.flags |= WK_F_COMPAT;
	e->address = m.address;
	e->length = m.length;
	e->prot = m.prot;
	e->map_flags = m.flags;
	e->anonymous = m.anonymous;
	e->was_writable = m.was_writable;
	e->path_len = e->pad = 0;
	u64 off = sizeof(*e);
	struct file *f = m.file;
	if (f)
		e->path_len = wk_put_path(e, &off, &v, &f->f_path);
	return wk_emit_critical(e, off);
}
