// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bursts of payload inside flows that go on: what a client says again and again without connecting anew. A burst is
 * payload behind half a second without any packet of its flow; packet.bpf.c measures the silence.
 *
 * In: the packet that begins a burst; the end of a connection (network.bpf.c). Out: WK_HEARTBEATS in the network
 * ring: once there are eight bursts over a minute, when there are twice as many or 64 more, and when the connection
 * closes. So a flow costs one record for many bursts, and a flow without silences nothing but the time of its last
 * packet. Left out: whether they are small and keep time, which user space judges; of more than 2,048 flows with
 * silences those whose last burst is longest ago.
 */

#define SILENCE_TICKS 477      /* of 2^20 ns: 500 ms */
#define BURSTS_LEAST 8         /* that are told: as many as the analytic needs */
#define BURSTS_MOST_BETWEEN 64 /* from one telling to the next */
#define BURSTS_AGE_NS 60000000000ull

struct wk_bursts {
	u64 first_ns, begin_ns; /* of the first burst, and of the one that goes on */
	u64 before[2];          /* payload of the flow before that, by direction: 0 in, 1 out */
	u32 gap_ms;             /* from the begin of the burst before it */
	u32 count;              /* all bursts, with the one that goes on */
	u32 next_telling;       /* the count from which on they are told again */
	u32 pad;
	struct wk_heartbeat over[WK_HEARTBEATS_KEPT]; /* the latest ones: number n at n modulo their number */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct wk_flow_key);
	__type(value, struct wk_bursts);
} bursts SEC(".maps");

/* What a new entry starts from: it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wk_bursts);
} blank_bursts SEC(".maps");

/* Time in units that fit 32 bits for weeks and cost no division; never 0. */
static __always_inline u32 wk_ticks(void)
{
	u32 now = bpf_ktime_get_boot_ns() >> 20;
	return now ? now : 1;
}

static __always_inline u64 wk_at_most(u64 most, u64 value)
{
	return value > most ? most : value;
}

/* The burst that goes on is over, with these bytes of payload of the flow in all. */
static __always_inline void wk_burst_over(struct wk_bursts *b, u64 in, u64 out)
{
	u32 at = (b->count - 1) & (WK_HEARTBEATS_KEPT - 1);
	struct wk_heartbeat *over = &b->over[at];
	over->gap_ms = b->gap_ms;
	over->bytes_in = in > b->before[0] ? wk_at_most(0xffff, in - b->before[0]) : 0;
	over->bytes_out = out > b->before[1] ? wk_at_most(0xffff, out - b->before[1]) : 0;
}

/* Writes the record; `e` has the ends. `count`: bursts that are over. */
static __noinline int wk_heartbeats_tell(struct wk_bursts *b, const struct wk_endpoint *e, u64 cookie, u64 cgroup,
					 u64 count)
{
	struct wk_heartbeats *r = wk_reserve(ring_network, WK_RING_NETWORK, sizeof(*r));
	if (!r)
		return 0;
	wk_owner_header(&r->h, WK_HEARTBEATS, cookie, cgroup);
	r->h.len = sizeof(*r);
	r->cookie = cookie;
	__builtin_memcpy(&r->e, e, sizeof(r->e));
	r->bytes_in = b->before[0];
	r->bytes_out = b->before[1];
	r->count = count;
	r->pad = 0;
	__builtin_memcpy(r->over, b->over, sizeof(r->over));
	return wk_submit(r, WK_RING_NETWORK);
}

static __always_inline struct wk_bursts *wk_bursts_of(const struct wk_flow_key *key)
{
	u32 zero = 0;
	struct wk_bursts *b = bpf_map_lookup_elem(&bursts, key), *blank;
	if (b)
		return b;
	blank = bpf_map_lookup_elem(&blank_bursts, &zero);
	if (!blank)
		return NULL;
	bpf_map_update_elem(&bursts, key, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&bursts, key);
}

/*
 * A burst begins; `in` and `out` are the payload of the flow before it. Returns how many are over where they are to be
 * told, else 0.
 */
static __always_inline u32 wk_burst_begins(struct wk_bursts *b, u64 in, u64 out)
{
	u64 now = bpf_ktime_get_boot_ns();
	if (b->count) {
		wk_burst_over(b, in, out);
		b->gap_ms = wk_at_most(0xffffffff, (now - b->begin_ns) / 1000000);
	} else {
		b->first_ns = now;
	}
	b->begin_ns = now;
	b->before[0] = in;
	b->before[1] = out;
	u32 count = ++b->count;
	if (count <= BURSTS_LEAST || count < b->next_telling || now - b->first_ns < BURSTS_AGE_NS)
		return 0;
	b->next_telling = count + wk_at_most(BURSTS_MOST_BETWEEN, count);
	return count - 1;
}

/* The connection closes: what was not told yet is, with the last burst. */
static __always_inline void wk_bursts_close(struct sock *sk, u64 cookie, u64 cgroup, u64 in, u64 out)
{
	struct wk_flow_key key = { cookie, 0 };
	struct wk_bursts *b = bpf_map_lookup_elem(&bursts, &key);
	if (!b)
		return;
	if (b->count >= BURSTS_LEAST && bpf_ktime_get_boot_ns() - b->first_ns >= BURSTS_AGE_NS) {
		struct wk_endpoint e;
		wk_endpoint(&e, sk);
		wk_burst_over(b, in, out);
		b->before[0] = in;
		b->before[1] = out;
		wk_heartbeats_tell(b, &e, cookie, cgroup, b->count);
	}
	bpf_map_delete_elem(&bursts, &key);
}
