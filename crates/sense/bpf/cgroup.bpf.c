// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Control groups: made, removed, entered. From these events every owner is known.
 * In: raw tracepoints, of the tracked hierarchy. Out: WK_CGROUP in the critical ring; the maps `cgroup_owners` and
 * `lineage`. Left out: the host's own cgroups.
 */

#define CGROUP_PATH 1024

/* Whether the cgroup is of the hierarchy that containers are told apart by. */
static __always_inline bool wk_tracked(struct cgroup *cg)
{
	int hierarchy = BPF_CORE_READ(cg, root, hierarchy_id);
	if (!tracked_v1)
		return hierarchy == 0;
	if (hierarchy == 0 || !bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return false;
	u32 i = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	struct cgroup_subsys_state *css = NULL;
	bpf_core_read(&css, sizeof(css), &cg->subsys[i & 31]);
	return css != NULL;
}

static __always_inline int wk_hex(u32 c)
{
	if (c - '0' < 10)
		return c - '0';
	if (c - 'a' < 6)
		return c - 'a' + 10;
	return -1;
}

/*
 * Reads the container id from a cgroup's name, which lies in scratch's record, and packs it behind the name.
 * Forms: 64 lower-case hexadecimal digits, behind nothing or a runtime's prefix, before nothing or ".scope".
 */
#define NAME_BYTES 128
__noinline u32 wk_parse_id(void)
{
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s)
		return 0;
	char *name = (char *)s->record;
	s->written = 0; /* the prefix; in memory, see there */
	if (BEGINS(name, "docker-") || BEGINS(name, "libpod-"))
		s->written = 7;
	else if (BEGINS(name, "cri-containerd-"))
		s->written = 15;
	else if (BEGINS(name, "crio-"))
		s->written = 5;
	for (u32 i = 0; i < WK_ID_LEN; i++) {
		u64 p = s->written + 2 * i;
		wk_mask(p, NAME_BYTES - 1);
		int high = wk_hex((u8)name[p]), low = wk_hex((u8)name[p + 1]);
		if (high < 0 || low < 0)
			return 0;
		s->record[NAME_BYTES + 8 + i] = high << 4 | low;
	}
	u64 end = s->written + 2 * WK_ID_LEN;
	wk_mask(end, NAME_BYTES - 1);
	return !name[end] || NAMED(name + end, ".scope");
}

/* The owner of a new cgroup: its parent's, or else the one that its name says. */
static __always_inline bool wk_new_owner(struct cgroup *cg, struct wk_cgroup_owner *to)
{
	u64 above = BPF_CORE_READ(cg, self.parent, cgroup, kn, id);
	struct wk_cgroup_owner *parent = bpf_map_lookup_elem(&cgroup_owners, &above);
	if (parent) {
		__builtin_memcpy(to->container, parent->container, WK_ID_LEN);
		to->depth = parent->depth + 1;
		return true;
	}
	u32 zero = 0;
	struct wk_scratch *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s)
		return false;
	__builtin_memset(s->record, 0, NAME_BYTES);
	bpf_probe_read_kernel_str(s->record, NAME_BYTES, BPF_CORE_READ(cg, kn, name));
	if (!wk_parse_id())
		return false;
	__builtin_memcpy(to->container, s->record + NAME_BYTES + 8, WK_ID_LEN);
	return true;
}

static __always_inline int wk_emit_cgroup(const struct wk_view *v, u32 op, struct cgroup *cg, const char *path,
					  const struct wk_cgroup_owner *o, struct task_struct *moved)
{
	struct wk_cgroup *e = wk_begin(v, WK_CGROUP);
	if (!e)
		return 0;
	u64 off = sizeof(*e);
	e->id = BPF_CORE_READ(cg, kn, id);
	e->op = op;
	e->level = BPF_CORE_READ(cg, level);
	e->moved_pid = 0;
	e->moved_start_ns = 0;
	if (moved) {
		e->moved_pid = BPF_CORE_READ(moved, tgid);
		e->moved_start_ns = BPF_CORE_READ(moved, group_leader, start_boottime);
	}
	__builtin_memset(e->container, 0, WK_ID_LEN);
	if (o) {
		__builtin_memcpy(e->container, o->container, WK_ID_LEN);
		if (o->depth)
			e->h.flags |= WK_F_GUEST_CGROUP;
	}
	e->path_len = wk_put_kernel_str(e, &off, path, CGROUP_PATH);
	return wk_emit_critical(e, off);
}

SEC("raw_tp/cgroup_mkdir")
int on_cgroup_mkdir(struct wk_args *ctx)
{
	struct cgroup *cg = (void *)ctx->args[0];
	if (!wk_tracked(cg))
		return 0;
	struct wk_cgroup_owner o = {};
	u64 id = BPF_CORE_READ(cg, kn, id);
	bool owned = wk_new_owner(cg, &o);
	if (owned && bpf_map_update_elem(&cgroup_owners, &id, &o, BPF_ANY))
		wk_count(table_full);
	struct wk_view v;
	wk_look(&v);
	if (!owned && !v.lineage)
		return 0; /* the host's own */
	return wk_emit_cgroup(&v, WK_CG_MKDIR, cg, (const char *)ctx->args[1], owned ? &o : NULL, NULL);
}

SEC("raw_tp/cgroup_rmdir")
int on_cgroup_rmdir(struct wk_args *ctx)
{
	struct cgroup *cg = (void *)ctx->args[0];
	u64 id = BPF_CORE_READ(cg, kn, id);
	if (!wk_tracked(cg))
		return 0;
	struct wk_cgroup_owner *known = bpf_map_lookup_elem(&cgroup_owners, &id);
	if (!known)
		return 0;
	struct wk_cgroup_owner o = *known;
	bpf_map_delete_elem(&cgroup_owners, &id);
	struct wk_view v;
	wk_look(&v);
	return wk_emit_cgroup(&v, WK_CG_RMDIR, cg, (const char *)ctx->args[1], &o, NULL);
}

/* Runs after the move. A task that has a container already keeps it. */
SEC("raw_tp/cgroup_attach_task")
int on_cgroup_attach(struct wk_args *ctx)
{
	struct cgroup *cg = (void *)ctx->args[0];
	struct task_struct *t = (void *)ctx->args[2];
	if (!wk_tracked(cg))
		return 0;
	u64 id = BPF_CORE_READ(cg, kn, id), start = BPF_CORE_READ(t, group_leader, start_boottime);
	u32 pid = BPF_CORE_READ(t, tgid), before = 0;
	struct wk_cgroup_owner *o = bpf_map_lookup_elem(&cgroup_owners, &id);
	struct wk_lineage *l = wk_lineage_of(pid, start);
	if (l)
		before = l->flags;
	if (!o && !(before & WK_L_CONTAINER))
		return 0;
	if (o && !(before & WK_L_CONTAINER)) {
		u8 container[WK_ID_LEN];
		__builtin_memcpy(container, o->container, WK_ID_LEN);
		wk_set_lineage(pid, start, wk_entry_flags(before), container);
	}
	struct wk_view v;
	wk_look(&v);
	return wk_emit_cgroup(&v, WK_CG_ATTACH, cg, (const char *)ctx->args[1], o, t);
}
