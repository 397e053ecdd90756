/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AF_UNIX: who talks to which local service (a runtime's socket above all), and what becomes descriptor 0 to 2.
 * Out: WK_UNIX and WK_FD in the critical ring.
 *
 * The path of a connected socket is that of the listener's own socket file: the peer's kernel object names it, in
 * the listener's view up to the root of its mount tree, so that a bind mount under another name does not hide it.
 * Where there is no peer (the connect failed), what the process asked for is reported as claimed.
 *
 * The programs for connect and accept are continuations: network.bpf.c owns those calls and hands over the
 * sockets that are AF_UNIX.
 *
 * Left out: datagrams to a path without connect (syslog), socketpair.
 *
 * Needs Linux 5.8. Source: net/unix/af_unix.c, include/net/af_unix.h, include/uapi/linux/un.h.
 */
#include "call.h"

#define WK_NR_I386_SOCKETCALL 102
#define WK_SUN_PATH 108      /* sizeof sockaddr_un.sun_path */
#define WK_SUN_FAMILY 2      /* bytes of the family before the path */
#define WK_UNIX_BUDGET 256   /* records that a process may emit in a second */
#define WK_FD_BUDGET 64

/* The name of a bound socket from the kernel's copy: a path in the file system, or bytes after a NUL. */
static __always_inline void wk_put_bound_name(struct wk_unix *e, u64 *off, const struct wk_view *v,
					      struct unix_sock *bound)
{
	struct dentry *d = BPF_CORE_READ(bound, path.dentry);
	if (d) {
		e->path_resolved = 1;
		e->path_len = wk_put_path(e, off, v, &bound->path);
		return;
	}
	struct unix_address *a = BPF_CORE_READ(bound, addr);
	if (!a)
		return;
	u64 len = BPF_CORE_READ(a, len) - WK_SUN_FAMILY - 1, at = *off; /* without the NUL that marks it */
	if (len > WK_SUN_PATH)
		return;
	len &= 127;
	wk_mask(at, WK_SCRATCH - 1);
	wk_mask(len, 127);
	void *name = (void *)a + bpf_core_field_offset(struct unix_address, name);
	if (!len || bpf_probe_read_kernel((u8 *)e + at, len, name + WK_SUN_FAMILY + 1))
		return;
	e->abstract = 1;
	e->path_len = len;
	*off += len;
}

/* What a process asked for: sun_path of the address that it gave. */
static __always_inline void wk_put_asked_name(struct wk_unix *e, u64 *off, u64 address, u64 address_len)
{
	if (!address || address_len <= WK_SUN_FAMILY)
		return;
	u8 first = 0;
	u64 path = address + WK_SUN_FAMILY;
	bpf_probe_read_user(&first, sizeof(first), (void *)path);
	if (first) {
		e->path_len = wk_put_user_str(e, off, path, WK_SUN_PATH + 1);
		return;
	}
	u64 len = address_len - WK_SUN_FAMILY - 1;
	if (len > WK_SUN_PATH)
		return;
	e->abstract = 1;
	e->path_len = wk_put_user_bytes(e, off, path + 1, len, 128);
}

static __always_inline struct wk_unix *wk_unix_begin(const struct wk_view *v, const struct wk_call *c,
						     struct sock *sk, u32 op)
{
	struct wk_unix *e = wk_begin(v, WK_UNIX);
	if (!e)
		return NULL;
	if (c->compat)
		e->h.flags |= WK_F_COMPAT;
	e->op = op;
	e->ret = c->ret;
	e->inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
	e->path_len = e->abstract = e->path_resolved = 0;
	struct pid *peer = BPF_CORE_READ(sk, sk_peer_pid);
	e->peer_pid = peer ? BPF_CORE_READ(peer, numbers[0].nr) : 0;
	return e;
}

static __always_inline struct sock *wk_unix_sock(struct task_struct *t, s32 fd)
{
	struct sock *sk = wk_file_sock(wk_fd_file(t, fd));
	return sk && BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX ? sk : NULL;
}

/* i386's socketcall(call, args): the arguments lie in memory. */
static __always_inline void wk_unpack_socketcall(struct wk_call *c)
{
	u32 args[3] = {};
	bpf_probe_read_user(args, sizeof(args), (void *)c->args[1]);
	c->args[0] = args[0];
	c->args[1] = args[1];
	c->args[2] = args[2];
}

SEC("tp_btf/sys_exit")
int sx_unix_connect(struct wk_args *ctx)
{
	struct wk_call *c = wk_call_read(ctx);
	if (!c)
		return 0;
	if (c->compat && c->nr_raw == WK_NR_I386_SOCKETCALL)
		wk_unpack_socketcall(c);
	struct wk_view v;
	struct sock *sk = wk_unix_sock((void *)bpf_get_current_task(), c->args[0]);
	if (!sk || !wk_admit(&v, WK_UNIX) || !wk_limit_pass(WK_UNIX << 16, WK_UNIX_BUDGET))
		return 0;
	struct wk_unix *e = wk_unix_begin(&v, c, sk, WK_SK_CONNECT);
	if (!e)
		return 0;
	u64 off = sizeof(*e);
	struct unix_sock *peer = (void *)BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (c->ret == 0 && peer)
		wk_put_bound_name(e, &off, &v, peer);
	if (!e->path_len)
		wk_put_asked_name(e, &off, c->args[1], c->args[2]);
	return wk_emit_critical(e, off);
}

SEC("tp_btf/sys_exit")
int sx_unix_accept(struct wk_args *ctx)
{
	struct wk_call *c = wk_call_read(ctx);
	if (!c || c->ret < 0)
		return 0;
	struct wk_view v;
	struct sock *sk = wk_unix_sock((void *)bpf_get_current_task(), c->ret);
	if (!sk || !wk_admit(&v, WK_UNIX) || !wk_limit_pass(WK_UNIX << 16 | 1, WK_UNIX_BUDGET))
		return 0;
	struct wk_unix *e = wk_unix_begin(&v, c, sk, WK_SK_ACCEPT);
	if (!e)
		return 0;
	u64 off = sizeof(*e);
	wk_put_bound_name(e, &off, &v, (struct unix_sock *)sk);
	return wk_emit_critical(e, off);
}

/* ---- descriptors 0 to 2 ---- */

#define WK_F_DUPFD 0
#define WK_F_DUPFD_CLOEXEC 1030

/* dup, dup2, dup3, fcntl: a socket or pipe that becomes standard input, output or error. */
SEC("tp_btf/sys_exit")
int sx_dup(struct wk_args *ctx)
{
	s64 new_fd = ctx->args[1];
	if (new_fd < 0 || new_fd > 2)
		return 0;
	struct wk_call *c = wk_call_read(ctx);
	if (!c || (c->nr == 72 && c->args[1] != WK_F_DUPFD && c->args[1] != WK_F_DUPFD_CLOEXEC))
		return 0;
	struct wk_fd fd;
	wk_describe_fd(&fd, wk_fd_file((void *)bpf_get_current_task(), new_fd));
	if (fd.type != WK_FD_INET && fd.type != WK_FD_UNIX && fd.type != WK_FD_PIPE)
		return 0;
	struct wk_view v;
	if (!wk_admit(&v, WK_FD) || !wk_limit_pass(WK_FD << 16, WK_FD_BUDGET))
		return 0;
	struct wk_fd_change *e = wk_begin(&v, WK_FD);
	if (!e)
		return 0;
	if (c->compat)
		e->h.flags |= WK_F_COMPAT;
	e->old_fd = c->args[0];
	e->new_fd = new_fd;
	e->fd = fd;
	return wk_emit_critical(e, sizeof(*e));
}
