// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets and TCP states, and who owns a socket.
 * In: cgroup programs at the root of the default hierarchy, the tracepoint inet_sock_set_state, and the socket
 * system calls at their exit. Out: WK_SOCKET and WK_TCP in the network ring; WK_SOCKET of unusual sockets in the
 * critical ring. Left out: AF_UNIX (unix.bpf.c), packets (packet.bpf.c).
 *
 * TCP states and packets are handled wherever the kernel happens to be, so the running task means nothing there.
 * The owner comes from `socket_owners`, keyed by socket cookie, which the hooks in task context fill; else from
 * the cgroup that the socket itself remembers.
 *
 * Records are written into reserved ring memory: cgroup programs can be preempted, and packet programs
 * interrupted, by themselves.
 */

#define DNS_PORT 53
#define DNS_BUDGET 8        /* packets captured after each datagram to port 53 on an unconnected socket */
#define DNS_CONNECTED 0xffffffffu /* the socket is connected to port 53: all of it is DNS */
#define TCP_ESTABLISHED_STATE 1 /* include/net/tcp_states.h */
#define TCP_SYN_RECV_STATE 3
#define TCP_CLOSE_STATE 7
#define TCP_LISTEN_STATE 10
#define SOCK_DONE_FLAG 1    /* enum sock_flags: a FIN was received */

/* The task that last connected, accepted, sent with or made the socket. */
struct wk_owner {
	struct wk_header h;
	/* Where it last asked to connect: the kernel forgets it when that fails, before the call returns. */
	u8 remote[WK_ADDR_LEN];
	u16 remote_port;
	u16 connecting; /* the call has not returned */
	u32 pad;
};

/* by cookie */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct wk_owner);
} socket_owners SEC(".maps");

struct wk_flow_key { u64 cookie, peer; }; /* peer 0: the whole socket */
enum { FLOW_KEEP = 1 };
struct wk_flow {
	u64 bytes[2];    /* payload, by direction: 0 in, 1 out */
	u32 packets[2];
	u32 verdict;     /* of a whole socket: FLOW_KEEP, or 0: no owner was looked for yet */
	u32 announced;   /* a WK_SK_SEND record was written */
	u32 dns;         /* of a whole socket: packets still captured whole as DNS */
	u32 last;        /* when the last packet came, in ticks (heartbeat.bpf.c); 0: none did */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct wk_flow_key);
	__type(value, struct wk_flow);
} flows SEC(".maps");

static __always_inline struct wk_flow *wk_flow_of(u64 cookie, u64 peer)
{
	struct wk_flow_key key = { cookie, peer };
	struct wk_flow *f = bpf_map_lookup_elem(&flows, &key);
	if (f)
		return f;
	struct wk_flow fresh = {};
	bpf_map_update_elem(&flows, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&flows, &key);
}

/* ---- owners ---- */
/* What a new owner starts from: it is too large for the stack beside the other frames. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wk_owner);
} blank_owner SEC(".maps");

/* Remembers the running task as the owner, and returns what it remembers; NULL where it cannot. */
static __always_inline struct wk_owner *wk_own(u64 cookie, const struct wk_view *v)
{
	u32 zero = 0;
	struct wk_owner *o = bpf_map_lookup_elem(&socket_owners, &cookie);
	if (!o && cookie) {
		struct wk_owner *blank = bpf_map_lookup_elem(&blank_owner, &zero);
		if (!blank)
			return NULL;
		bpf_map_update_elem(&socket_owners, &cookie, blank, BPF_ANY);
		o = bpf_map_lookup_elem(&socket_owners, &cookie);
	}
	if (o)
		wk_fill(&o->h, v, 0);
	return o;
}

/* Header of a record of the running task, which wk_own has just made the owner: filled once for both. */
static __always_inline void wk_fill_as(struct wk_header *h, const struct wk_view *v, const struct wk_owner *owner)
{
	if (owner)
		__builtin_memcpy(h, &owner->h, sizeof(*h));
	else
		wk_fill(h, v, WK_SOCKET);
	h->kind = WK_SOCKET;
}

/* Header of a record without a task, from the owner map or from the socket's cgroup. */
static __always_inline void wk_owner_header(struct wk_header *h, u32 kind, u64 cookie, u64 cgroup)
{
	struct wk_owner *owner = bpf_map_lookup_elem(&socket_owners, &cookie);
	if (owner) {
		__builtin_memcpy(h, &owner->h, sizeof(*h));
		h->flags |= WK_F_OWNER_MAP;
	} else {
		__builtin_memset(h, 0, sizeof(*h));
		h->flags = WK_F_NO_OWNER;
		h->login_uid = h->session = ~0u;
		h->cgroup = cgroup;
		struct wk_cgroup_owner *o = bpf_map_lookup_elem(&cgroup_owners, &cgroup);
		if (o)
			__builtin_memcpy(h->container, o->container, WK_ID_LEN);
	}
	h->kind = kind;
	h->boot_ns = bpf_ktime_get_boot_ns();
}

/* Whether wk_owner_header would find an owner: looked up before memory is reserved. False: a plain host socket. */
static __always_inline bool wk_has_owner(u32 kind, u64 cookie, u64 cgroup)
{
	return host_events & 1u << kind || bpf_map_lookup_elem(&cgroup_owners, &cgroup) ||
	       bpf_map_lookup_elem(&socket_owners, &cookie);
}

static __always_inline u64 wk_sock_cgroup(struct sock *sk)
{
	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	struct sock_cgroup_data___2016 *old = (void *)sk + bpf_core_field_offset(struct sock, sk_cgrp_data);
	if (!bpf_core_field_exists(old->val))
		return 0;
	u64 val = BPF_CORE_READ(old, val);
	struct cgroup *cg = (void *)val;
	return val & 1 ? 0 : BPF_CORE_READ(cg, kn, id);
}

static __always_inline u64 wk_cookie(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

static __always_inline void wk_endpoint(struct wk_endpoint *e, struct sock *sk)
{
	__builtin_memset(e, 0, sizeof(*e));
	struct sock_common *common = &sk->__sk_common;
	u64 span[3] = {}; /* from skc_daddr to skc_family, with the ports between */
	wk_span_read(span, common, struct sock_common, skc_daddr);
	e->family = wk_span_get(span, common, struct sock_common, skc_daddr, skc_family);
	e->protocol = BPF_CORE_READ(sk, sk_protocol);
	if (e->family != AF_INET && e->family != AF_INET6)
		return;
	struct inet_sock *inet = (void *)sk;
	e->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport)); /* skc_num is gone at the close */
	e->remote_port = bpf_ntohs(wk_span_get(span, common, struct sock_common, skc_daddr, skc_dport));
	if (e->family == AF_INET) {
		u32 local = wk_span_get(span, common, struct sock_common, skc_daddr, skc_rcv_saddr);
		u32 remote = wk_span_get(span, common, struct sock_common, skc_daddr, skc_daddr);
		__builtin_memcpy(e->local, &local, sizeof(local));
		__builtin_memcpy(e->remote, &remote, sizeof(remote));
	} else {
		bpf_core_read(e->local, WK_ADDR_LEN, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(e->remote, WK_ADDR_LEN, &sk->__sk_common.skc_v6_daddr);
	}
}

/* ---- connect and datagram destinations: before the address is used, so no process can change it ---- */
static __always_inline u64 wk_peer_v6(const u32 *a, u32 port)
{
	u64 high = (u64)a[0] << 32 | a[1], low = (u64)a[2] << 32 | a[3];
	return (high * 0x9e3779b97f4a7c15ull ^ low) * 0x9e3779b97f4a7c15ull ^ (u64)port << 48 ^ 1;
}
static __always_inline u64 wk_peer_v4(u32 a, u32 port)
{
	return (u64)a << 16 | port;
}

/*
 * One record for each connect, and for the first datagram of each socket to each destination. Port 53 marks the
 * socket as DNS: Docker's resolver rewrites the destination before any packet program sees it.
 */
static __always_inline int wk_destination(struct bpf_sock_addr *ctx, u32 op, bool v6)
{
	struct wk_view v;
	if (!wk_admit(&v, WK_SOCKET))
		return 1;
	u64 cookie = bpf_get_socket_cookie(ctx);
	u32 port = bpf_ntohs((u16)ctx->user_port), a[4] = {};
	if (v6) {
		a[0] = ctx->user_ip6[0];
		a[1] = ctx->user_ip6[1];
		a[2] = ctx->user_ip6[2];
		a[3] = ctx->user_ip6[3];
	} else {
		a[0] = ctx->user_ip4;
	}
	if (ctx->protocol != IPPROTO_TCP) {
		struct wk_flow *whole = wk_flow_of(cookie, 0);
		if (whole) {
			if (port == DNS_PORT)
				whole->dns = op == WK_SK_CONNECT ? DNS_CONNECTED : DNS_BUDGET;
			else if (op == WK_SK_CONNECT)
				whole->dns = 0;
		}
	}
	if (op == WK_SK_SEND) {
		struct wk_flow *f = wk_flow_of(cookie, v6 ? wk_peer_v6(a, port) : wk_peer_v4(a[0], port));
		if (f && f->announced)
			return 1;
		if (f)
			f->announced = 1;
	}
	struct wk_owner *owner = wk_own(cookie, &v);
	if (owner && op == WK_SK_CONNECT) {
		__builtin_memcpy(owner->remote, a, sizeof(a));
		owner->remote_port = port;
		owner->connecting = 1;
	}
	struct wk_socket *e = wk_reserve(ring_network, WK_RING_NETWORK, sizeof(*e));
	if (!e)
		return 1;
	wk_fill_as(&e->h, &v, owner);
	e->h.len = sizeof(*e);
	e->op = op;
	e->ret = 0;
	e->cookie = cookie;
	e->inode = 0;
	__builtin_memset(&e->e, 0, sizeof(e->e));
	__builtin_memcpy(e->e.remote, a, v6 ? 16 : 4);
	e->e.remote_port = port;
	e->e.family = v6 ? AF_INET6 : AF_INET;
	e->e.protocol = ctx->protocol;
	e->type = ctx->type;
	e->pad = 0;
	wk_submit(e, WK_RING_NETWORK);
	return 1;
}

SEC("cgroup/connect4")
int cg_connect4(struct bpf_sock_addr *ctx) { return wk_destination(ctx, WK_SK_CONNECT, false); }
SEC("cgroup/connect6")
int cg_connect6(struct bpf_sock_addr *ctx) { return wk_destination(ctx, WK_SK_CONNECT, true); }
SEC("cgroup/sendmsg4")
int cg_sendmsg4(struct bpf_sock_addr *ctx) { return wk_destination(ctx, WK_SK_SEND, false); }
SEC("cgroup/sendmsg6")
int cg_sendmsg6(struct bpf_sock_addr *ctx) { return wk_destination(ctx, WK_SK_SEND, true); }

/*
 * An internet socket gets its cookie where it is made, and its first owner, unless it is of TCP: that one is owned
 * when it connects, listens or is accepted, and moves nothing before.
 */
SEC("cgroup/sock_create")
int cg_sock_create(struct bpf_sock *ctx)
{
	if (wk_is_plain(~0u))
		return 1;
	u64 cookie = bpf_get_socket_cookie(ctx);
	if (ctx->protocol == IPPROTO_TCP)
		return 1;
	struct wk_view v;
	wk_look(&v);
	if (v.lineage || v.flags & WK_F_LOGIN)
		wk_own(cookie, &v);
	return 1;
}

/* Passive TCP sockets have no cookie of their own until somebody asks: ask when they are established. */
SEC("sockops")
int sk_established(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		bpf_get_socket_cookie(ctx);
	return 1;
}

/* ---- socket system calls, by descriptor ---- */
static __always_inline void wk_connect_returned(struct wk_endpoint *e, u64 cookie, s64 ret)
{
	struct wk_owner *o = bpf_map_lookup_elem(&socket_owners, &cookie);
	if (!o)
		return;
	o->connecting = 0;
	if (ret >= 0 || e->remote_port)
		return;
	__builtin_memcpy(e->remote, o->remote, WK_ADDR_LEN);
	e->remote_port = o->remote_port;
	bpf_map_delete_elem(&socket_owners, &cookie);
}

static __always_inline int wk_socket_record(const struct wk_view *v, u32 op, s64 ret, struct file *f, struct sock *sk)
{
	u64 cookie = wk_cookie(sk);
	struct wk_owner *owner = ret >= 0 && op != WK_SK_CONNECT_DONE ? wk_own(cookie, v) : NULL;
	if (op == WK_SK_ACCEPT) { /* packets came before anybody was known to own them */
		struct wk_flow *whole = wk_flow_of(cookie, 0);
		if (whole)
			whole->verdict = FLOW_KEEP;
	}
	struct wk_socket *e = wk_reserve(ring_network, WK_RING_NETWORK, sizeof(*e));
	if (!e)
		return 0;
	wk_fill_as(&e->h, v, owner);
	e->h.len = sizeof(*e);
	e->op = op;
	e->ret = ret;
	e->cookie = cookie;
	e->inode = BPF_CORE_READ(f, f_inode, i_ino);
	wk_endpoint(&e->e, sk);
	if (op == WK_SK_CONNECT_DONE)
		wk_connect_returned(&e->e, cookie, ret);
	e->type = BPF_CORE_READ(sk, sk_type);
	e->pad = 0;
	return wk_submit(e, WK_RING_NETWORK);
}

/* `slot`: continuation for AF_UNIX sockets, 0 where there is none. */
static __always_inline int wk_socket_call(struct wk_args *ctx, u32 op, s32 fd, u32 slot)
{
	s64 ret = ctx->args[1];
	if (op == WK_SK_ACCEPT) {
		if (ret < 0)
			return 0;
		fd = ret;
	}
	if (wk_is_plain(1u << WK_SOCKET | 1u << WK_UNIX)) {
		wk_count(dropped_host);
		return 0;
	}
	struct file *f = wk_fd_file((void *)bpf_get_current_task(), fd);
	struct sock *sk = wk_file_sock(f);
	if (!sk)
		return 0;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == AF_UNIX && slot)
		bpf_tail_call(ctx, &sysprogs, slot);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	struct wk_view v;
	if (!wk_admit(&v, WK_SOCKET))
		return 0;
	return wk_socket_record(&v, op, ret, f, sk);
}

static __always_inline s32 wk_first_arg(struct wk_args *ctx)
{
	struct pt_regs *r = (void *)ctx->args[0];
	return wk_arg(r, 0, wk_compat((void *)bpf_get_current_task()));
}

SEC("tp_btf/sys_exit")
int sx_connect(struct wk_args *ctx) { return wk_socket_call(ctx, WK_SK_CONNECT_DONE, wk_first_arg(ctx), WK_SLOT_UNIX_CONNECT); }
SEC("tp_btf/sys_exit")
int sx_accept(struct wk_args *ctx) { return wk_socket_call(ctx, WK_SK_ACCEPT, -1, WK_SLOT_UNIX_ACCEPT); }
SEC("tp_btf/sys_exit")
int sx_listen(struct wk_args *ctx) { return wk_socket_call(ctx, WK_SK_LISTEN, wk_first_arg(ctx), 0); }
SEC("tp_btf/sys_exit")
int sx_bind(struct wk_args *ctx) { return wk_socket_call(ctx, WK_SK_BIND, wk_first_arg(ctx), 0); }

/* Sockets other than AF_UNIX and plain TCP and UDP; failed attempts too, for what they tell. */
static __always_inline int wk_socket_made(s64 ret, u32 family, u32 type, u32 protocol)
{
	type &= 0xf; /* SOCK_TYPE_MASK: without SOCK_CLOEXEC and SOCK_NONBLOCK */
	if (family == AF_UNIX || ((family == AF_INET || family == AF_INET6) && type != SOCK_RAW))
		return 0;
	struct wk_view v;
	if (!wk_admit(&v, WK_SOCKET))
		return 0;
	if (v.flags & WK_F_STARTUP) { /* runc configures loopback through netlink */
		wk_count(dropped_startup);
		return 0;
	}
	struct wk_socket *e = wk_reserve(ring_critical, WK_RING_CRITICAL, sizeof(*e));
	if (!e)
		return 0;
	wk_fill(&e->h, &v, WK_SOCKET);
	struct file *f = wk_fd_file(v.task, ret);
	struct sock *sk = wk_file_sock(f);
	e->h.len = sizeof(*e);
	e->op = WK_SK_CREATE;
	e->ret = ret;
	e->cookie = sk ? wk_cookie(sk) : 0;
	e->inode = BPF_CORE_READ(f, f_inode, i_ino);
	__builtin_memset(&e->e, 0, sizeof(e->e));
	e->e.family = family;
	e->e.protocol = protocol;
	e->type = type;
	e->pad = 0;
	return wk_submit(e, WK_RING_CRITICAL);
}

SEC("tp_btf/sys_exit")
int sx_socket(struct wk_args *ctx)
{
	struct pt_regs *r = (void *)ctx->args[0];
	bool compat = wk_compat((void *)bpf_get_current_task());
	return wk_socket_made(ctx->args[1], wk_arg(r, 0, compat), wk_arg(r, 1, compat), wk_arg(r, 2, compat));
}

/* i386's socketcall(call, args): the arguments lie in memory. Numbers: include/uapi/linux/net.h. */
SEC("tp_btf/sys_exit")
int sx_socketcall32(struct wk_args *ctx)
{
	struct pt_regs *r = (void *)ctx->args[0];
	u32 call = wk_arg(r, 0, true), args[3] = {};
	if (bpf_probe_read_user(args, sizeof(args), (void *)wk_arg(r, 1, true)))
		return 0;
	switch (call) {
	case 1: return wk_socket_made(ctx->args[1], args[0], args[1], args[2]);
	case 2: return wk_socket_call(ctx, WK_SK_BIND, args[0], 0);
	case 3: return wk_socket_call(ctx, WK_SK_CONNECT_DONE, args[0], WK_SLOT_UNIX_CONNECT);
	case 4: return wk_socket_call(ctx, WK_SK_LISTEN, args[0], 0);
	case 5:
	case 18: return wk_socket_call(ctx, WK_SK_ACCEPT, -1, WK_SLOT_UNIX_ACCEPT);
	}
	return 0;
}

/* ---- TCP ---- */
static __always_inline void wk_bursts_close(struct sock *sk, u64 cookie, u64 cgroup, u64 in, u64 out);

/* Linux 4.16. Established and closed connections; byte counts are payload without retransmissions. */
SEC("raw_tp/inet_sock_set_state")
int on_tcp_state(struct wk_args *ctx)
{
	struct sock *sk = (void *)ctx->args[0];
	u32 before = ctx->args[1], after = ctx->args[2];
	if (after != TCP_ESTABLISHED_STATE && (after != TCP_CLOSE_STATE || before == TCP_LISTEN_STATE))
		return 0;
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	u64 cookie = wk_cookie(sk), cgroup = wk_sock_cgroup(sk);
	if (!wk_has_owner(WK_TCP, cookie, cgroup)) {
		wk_count(dropped_host);
		return 0;
	}
	struct tcp_sock *tcp = (void *)sk;
	u64 out = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
	u64 in = BPF_CORE_READ(tcp, bytes_received);
	/* The peer's FIN counts as a byte received. */
	if (in && BPF_CORE_READ(sk, __sk_common.skc_flags) & 1ul << SOCK_DONE_FLAG)
		in -= 1;
	if (after == TCP_CLOSE_STATE)
		wk_bursts_close(sk, cookie, cgroup, in, out);
	struct wk_tcp *e = wk_reserve(ring_network, WK_RING_NETWORK, sizeof(*e));
	if (!e)
		return 0;
	wk_owner_header(&e->h, WK_TCP, cookie, cgroup);
	e->h.len = sizeof(*e);
	e->cookie = cookie;
	e->bytes_sent = out;
	e->bytes_received = in;
	wk_endpoint(&e->e, sk);
	e->old_state = before;
	e->new_state = after;
	wk_submit(e, WK_RING_NETWORK);
	if (after != TCP_CLOSE_STATE)
		return 0;
	/* A failed connect that is still to return looks for where it went, and removes the owner then. */
	struct wk_owner *o = bpf_map_lookup_elem(&socket_owners, &cookie);
	if (!o || !o->connecting)
		bpf_map_delete_elem(&socket_owners, &cookie);
	return 0;
}
