/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * io_uring: operations that open, connect, send or change files without a system call of their own. Out: WK_URING
 * in the critical ring: the operation, once for each process and operation in a second; what that withholds is
 * counted.
 *
 * Left out: paths and addresses. They lie in the operation's private structures, which differ by version and hold
 * the process's own pointers until the operation runs; the TCP states and fanotify still show the result. On 5.10
 * and 5.11 a ring with a polling thread (IORING_SETUP_SQPOLL) submits as a kernel thread without lineage and is
 * not seen.
 *
 * Needs Linux 5.8: `io_uring_submit_sqe` up to 6.3, `io_uring_submit_req` from 6.4 on. The loader attaches what exists.
 * Source: include/trace/events/io_uring.h, include/uapi/linux/io_uring.h.
 */
#include "call.h"

/* enum io_uring_op of Linux 6.18, by bit: data transfer, polling and timers carry no news */
#define WK_URING_OPS                                                                                              \
	(1ull << 9  /* SENDMSG */ | 1ull << 13 /* ACCEPT */ | 1ull << 16 /* CONNECT */ | 1ull << 18 /* OPENAT */ |  \
	 1ull << 26 /* SEND */ | 1ull << 28 /* OPENAT2 */ | 1ull << 35 /* RENAMEAT */ | 1ull << 36 /* UNLINKAT */ | \
	 1ull << 37 /* MKDIRAT */ | 1ull << 38 /* SYMLINKAT */ | 1ull << 39 /* LINKAT */ | 1ull << 41 /* FSETXATTR */ | \
	 1ull << 42 /* SETXATTR */ | 1ull << 45 /* SOCKET */ | 1ull << 46 /* URING_CMD */ | 1ull << 47 /* SEND_ZC */ | \
	 1ull << 48 /* SENDMSG_ZC */ | 1ull << 55 /* FTRUNCATE */ | 1ull << 56 /* BIND */ | 1ull << 57 /* LISTEN */)
#define WK_URING_KNOWN 63 /* first operation that 6.18 does not have: reported, whatever it is */

static __always_inline int wk_uring(u32 opcode, u32 flags, u64 user_data)
{
	if (opcode < WK_URING_KNOWN && !(WK_URING_OPS >> opcode & 1))
		return 0;
	struct wk_view v;
	if (!wk_admit(&v, WK_URING) || !wk_limit_pass(WK_URING << 16 | opcode, 1))
		return 0;
	struct wk_uring *e = wk_reserve(ring_critical, WK_RING_CRITICAL, sizeof(*e));
	if (!e)
		return 0;
	wk_fill(&e->h, &v, WK_URING);
	e->h.flags |= WK_F_URING;
	e->h.len = sizeof(*e);
	e->opcode = opcode;
	e->uring_flags = flags;
	e->user_data = user_data;
	return wk_submit(e, WK_RING_CRITICAL);
}

static __always_inline int wk_uring_request(struct io_kiocb *req)
{
	struct io_kiocb___2020 *old = (void *)req;
	u64 user_data = 0;
	if (bpf_core_field_exists(req->cqe))
		user_data = BPF_CORE_READ(req, cqe.user_data);
	else if (bpf_core_field_exists(old->user_data))
		user_data = BPF_CORE_READ(old, user_data);
	return wk_uring(BPF_CORE_READ(req, opcode), BPF_CORE_READ(req, flags), user_data);
}

SEC("raw_tp/io_uring_submit_req")
int on_uring_request(struct wk_args *ctx)
{
	return wk_uring_request((void *)ctx->args[0]);
}

/*
 * The same under its older name, with three lists of arguments: (ring, operation, user data, …) in 5.10,
 * (ring, request, …) from 5.13, (request, …) from 6.0. An operation is a small number, a request a kernel address.
 */
SEC("raw_tp/io_uring_submit_sqe")
int on_uring_entry(struct wk_args *ctx)
{
	struct io_kiocb *req = (void *)ctx->args[0];
	if (ctx->args[1] >> 32)
		return wk_uring_request((void *)ctx->args[1]);
	if (bpf_core_field_exists(req->cqe))
		return wk_uring_request(req);
	return wk_uring((u8)ctx->args[1], 0, ctx->args[2]);
}
