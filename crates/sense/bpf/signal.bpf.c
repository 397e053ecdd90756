/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signals to guarded processes (map `guarded`: Watchkeeper, dockerd, containerd) from anybody, host tasks included.
 * Out: WK_SIGNAL in the critical ring; the header is the sender.
 *
 * The tracepoint sees every way to send: kill, tkill, tgkill, rt_sigqueueinfo, pidfd_send_signal, cgroup.kill.
 * Signals that the kernel sends for itself (child exit, faults, expired timers) and those of a process to itself
 * are left out. kill with signal 0 sends nothing and is not seen.
 *
 * Needs Linux 5.8. Source: include/trace/events/signal.h, kernel/signal.c.
 */
#include "call.h"

#define WK_SEND_SIG_PRIV ((void *)1) /* include/linux/sched/signal.h: from the kernel itself */
#define WK_SI_TIMER -2
#define WK_SIGALRM 14
#define WK_SIGVTALRM 26
#define WK_SIGPROF 27

/* Whether a task sent it on purpose. si_code is positive for what the kernel reports. */
static __always_inline bool wk_is_sent(struct kernel_siginfo *info, u32 signal)
{
	if (info == NULL) /* SEND_SIG_NOINFO: cgroup.kill, and drivers on behalf of the running task */
		return true;
	if (info == WK_SEND_SIG_PRIV)
		return false;
	s32 code = BPF_CORE_READ(info, si_code);
	if (code == WK_SI_TIMER && (signal == WK_SIGALRM || signal == WK_SIGVTALRM || signal == WK_SIGPROF))
		return false;
	return code <= 0;
}

SEC("raw_tp/signal_generate")
int on_signal(struct wk_args *ctx)
{
	u32 signal = ctx->args[0];
	struct task_struct *target = (void *)ctx->args[2];
	u32 target_pid = BPF_CORE_READ(target, tgid);
	u32 *guard = bpf_map_lookup_elem(&guarded, &target_pid);
	if (!guard || target_pid == bpf_get_current_pid_tgid() >> 32)
		return 0;
	if (!wk_is_sent((void *)ctx->args[1], signal))
		return 0;

	struct wk_view v; /* no filter: who sends is the point */
	wk_look(&v);
	struct wk_signal *e = wk_reserve(ring_critical, WK_RING_CRITICAL, sizeof(*e));
	if (!e)
		return 0;
	wk_fill(&e->h, &v, WK_SIGNAL);
	e->h.len = sizeof(*e);
	e->signal = signal;
	e->target_pid = target_pid;
	e->target_start_ns = BPF_CORE_READ(target, group_leader, start_boottime);
	e->ret = ctx->args[4]; /* 0: delivered; else TRACE_SIGNAL_*: ignored, already pending, lost */
	e->guarded = *guard;
	return wk_submit(e, WK_RING_CRITICAL);
}
