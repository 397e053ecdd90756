// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets of containers' sockets: the first bytes of each TCP flow and direction, the first packets of each UDP
 * flow, DNS whole; and where payload comes behind a silence. In: cgroup_skb programs at the root of the default
 * hierarchy (no task; the owner comes from network.bpf.c). Out: WK_PACKET in the network ring; bursts for
 * heartbeat.bpf.c. Left out: packets of AF_PACKET sockets, which pass no such hook; fragments behind the first;
 * transports without ports (ICMP), whose sockets are reported when they are made.
 */

const volatile u32 first_bytes = 1024;  /* payload bytes of each TCP flow and direction that are captured */
const volatile u32 first_packets = 4;   /* packets of each UDP flow and direction */
#define PACKET_BYTES 1500

struct wk_packet_view {
	u32 protocol, l4, payload; /* offsets from the IP header */
	u32 source_port, dest_port;
	u64 peer;                  /* address and port of the other side, mixed */
};

static __always_inline bool wk_parse_v4(struct __sk_buff *skb, struct wk_packet_view *p, bool out, u32 *addr)
{
	u8 h[20];
	if (bpf_skb_load_bytes(skb, 0, h, sizeof(h)))
		return false;
	p->protocol = h[9];
	p->l4 = (h[0] & 15) * 4;
	__builtin_memcpy(addr, out ? h + 16 : h + 12, 4);
	return p->l4 >= 20 && !(h[6] & 0x1f) && !h[7]; /* first fragment, or unfragmented */
}

static __always_inline bool wk_parse_v6(struct __sk_buff *skb, struct wk_packet_view *p, bool out, u32 *addr)
{
	u8 h[8];
	if (bpf_skb_load_bytes(skb, 0, h, sizeof(h)) || bpf_skb_load_bytes(skb, out ? 24 : 8, addr, 16))
		return false;
	p->protocol = h[6];
	p->l4 = 40;
#pragma unroll
	for (int i = 0; i < 3; i++) { /* hop-by-hop, routing, destination options: RFC 8200 §4 */
		if (p->protocol != 0 && p->protocol != 43 && p->protocol != 60)
			break;
		u8 next[2];
		if (bpf_skb_load_bytes(skb, p->l4, next, 2))
			return false;
		p->protocol = next[0];
		p->l4 += 8 + next[1] * 8;
	}
	return true;
}

static __always_inline bool wk_parse(struct __sk_buff *skb, struct wk_packet_view *p, bool out)
{
	u8 first;
	u32 addr[4] = {};
	u8 ports[4] = {};
	bool v4;
	if (bpf_skb_load_bytes(skb, 0, &first, 1))
		return false;
	v4 = first >> 4 == 4;
	if (!(v4 ? wk_parse_v4(skb, p, out, addr) : first >> 4 == 6 && wk_parse_v6(skb, p, out, addr)))
		return false;
	if (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP)
		return false;
	if (bpf_skb_load_bytes(skb, p->l4, ports, 4))
		return false;
	p->payload = p->l4 + 8;
	p->source_port = ports[0] << 8 | ports[1];
	p->dest_port = ports[2] << 8 | ports[3];
	if (p->protocol == IPPROTO_TCP) {
		u8 words;
		if (bpf_skb_load_bytes(skb, p->l4 + 12, &words, 1))
			return false;
		p->payload = p->l4 + (words >> 4) * 4;
		p->peer = 0;
		return true;
	}
	u32 port = out ? p->dest_port : p->source_port;
	p->peer = v4 ? wk_peer_v4(addr[0], port) : wk_peer_v6(addr, port);
	if (!p->peer) /* that is the whole socket's */
		p->peer = 1;
	return true;
}

/*
 * Copies the packet's first `want` bytes into a record. Ring memory is reserved in one of three constant sizes, the
 * smallest that fits.
 */
#define WK_CAPTURE(room)                                                                                 \
	({                                                                                               \
		struct wk_packet *e_ = wk_reserve(ring_network, WK_RING_NETWORK, sizeof(*e_) + (room));  \
		if (e_) {                                                                                \
			u64 n_ = want - 1;                                                               \
			asm volatile("if %0 < %1 goto +1\n\t%0 = %1" : "+r"(n_) : "i"((room) - 1));      \
			n_ += 1;                                                                         \
			wk_owner_header(&e_->h, WK_PACKET, cookie, cgroup);                              \
			e_->cookie = cookie;                                                             \
			e_->direction = out;                                                             \
			e_->wire_len = skb->len;                                                         \
			e_->ifindex = skb->ifindex;                                                      \
			e_->seen_bytes = seen;                                                           \
			e_->captured_len = bpf_skb_load_bytes(skb, 0, (u8 *)e_ + sizeof(*e_), n_) ? 0 : n_; \
			if (n_ < skb->len)                                                               \
				e_->h.flags |= WK_F_DATA_CUT;                                            \
			e_->h.len = sizeof(*e_) + e_->captured_len;                                      \
			wk_submit(e_, WK_RING_NETWORK);                                                  \
		}                                                                                        \
	})
static __noinline int wk_capture(struct __sk_buff *skb, u64 cookie, u64 seen, u32 out, u64 want)
{
	u64 cgroup = bpf_skb_cgroup_id(skb);
	if (want <= 128)
		WK_CAPTURE(128);
	else if (want <= 512)
		WK_CAPTURE(512);
	else
		WK_CAPTURE(PACKET_BYTES);
	return 1;
}

static __always_inline u32 wk_payload(const struct wk_packet_view *p, u32 len)
{
	return len > p->payload ? len - p->payload : 0;
}

/* How many bytes of the packet are wanted; counts them as seen. */
static __always_inline u32 wk_packet_want(struct wk_packet_view *p, struct wk_flow *f, u32 len, u32 out, u64 *seen)
{
	u32 payload = wk_payload(p, len);
	*seen = f->bytes[out];
	u32 packets = f->packets[out];
	f->bytes[out] = *seen + payload;
	f->packets[out] = packets + 1;
	if (p->protocol != IPPROTO_TCP)
		return packets < first_packets ? len : 0;
	if (!payload || *seen >= first_bytes)
		return 0;
	u64 left = first_bytes - *seen;
	return payload > left ? p->payload + left : len;
}

static __always_inline bool wk_is_dns(struct wk_packet_view *p, struct wk_flow *whole)
{
	if (p->protocol != IPPROTO_UDP)
		return false;
	if (p->source_port == DNS_PORT || p->dest_port == DNS_PORT)
		return true;
	u32 budget = whole->dns;
	if (budget && budget != DNS_CONNECTED)
		whole->dns = budget - 1;
	return budget;
}

/* The ends as the packet has them. */
static __always_inline void wk_packet_ends(struct __sk_buff *skb, const struct wk_packet_view *p, u32 out,
					    struct wk_endpoint *e)
{
	u8 first = 0, *source = out ? e->local : e->remote, *dest = out ? e->remote : e->local;
	bpf_skb_load_bytes(skb, 0, &first, 1);
	if (first >> 4 == 4) {
		e->family = AF_INET;
		bpf_skb_load_bytes(skb, 12, source, 4);
		bpf_skb_load_bytes(skb, 16, dest, 4);
	} else {
		e->family = AF_INET6;
		bpf_skb_load_bytes(skb, 8, source, 16);
		bpf_skb_load_bytes(skb, 24, dest, 16);
	}
	e->protocol = p->protocol;
	e->local_port = out ? p->source_port : p->dest_port;
	e->remote_port = out ? p->dest_port : p->source_port;
}

/*
 * A burst of the flow begins with this packet. Streams are counted by the kernel, since most of their packets are not
 * looked at; when this hook runs, it has not counted this one yet.
 */
static __noinline int wk_burst(struct __sk_buff *skb, const struct wk_packet_view *p, const struct wk_flow *f,
			       u64 cookie, u32 out)
{
	struct wk_flow_key key = { cookie, p->peer };
	struct wk_endpoint e = {};
	u64 sent = f->bytes[1], received = f->bytes[0];
	if (p->protocol == IPPROTO_TCP) {
		struct bpf_sock *sk = skb->sk;
		if (sk)
			sk = bpf_sk_fullsock(sk);
		struct bpf_tcp_sock *tcp = sk ? bpf_tcp_sock(sk) : NULL;
		if (!tcp)
			return 0;
		/* All was acknowledged, or its repetition would have broken the silence. */
		sent = tcp->bytes_acked;
		received = tcp->bytes_received;
		/* Or clang joins the two ways of reading, by arithmetic on the pointer. */
		asm volatile("" : "+r"(sent), "+r"(received));
		struct wk_owner *owner = bpf_map_lookup_elem(&socket_owners, &cookie);
		if (owner && owner->remote_port && sent)
			sent -= 1; /* its SYN, which was acknowledged too */
	}
	struct wk_bursts *b = wk_bursts_of(&key);
	u32 told = b ? wk_burst_begins(b, received, sent) : 0;
	if (!told)
		return 0;
	wk_packet_ends(skb, p, out, &e);
	return wk_heartbeats_tell(b, &e, cookie, bpf_skb_cgroup_id(skb), told);
}

/*
 * Whether it is a segment without payload, as half of the packets of a transfer are. Read where it lies: what is not
 * there, or has options or other headers before TCP's, is looked at in full.
 */
static __always_inline bool wk_is_bare_segment(struct __sk_buff *skb)
{
	const u8 *h = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	if (h + 60 <= end && h[0] >> 4 == 6 && h[6] == IPPROTO_TCP)
		return skb->len <= 40 + (h[52] >> 4) * 4u;
	if (h + 40 <= end && h[0] == 0x45 && h[9] == IPPROTO_TCP && !(h[6] & 0x1f) && !h[7])
		return skb->len <= 20 + (h[32] >> 4) * 4u;
	return false;
}

static __always_inline u32 wk_silence(struct wk_flow *f, u32 now)
{
	u32 last = f->last;
	f->last = now;
	return last ? now - last : 0;
}

static __always_inline int wk_packet(struct __sk_buff *skb, u32 out)
{
	struct wk_packet_view p = {};
	u64 cookie = bpf_get_socket_cookie(skb), seen = 0;
	struct wk_flow_key key = { cookie, 0 };
	struct wk_flow *whole = bpf_map_lookup_elem(&flows, &key);
	if (!whole || whole->verdict != FLOW_KEEP) {
		/* Plain host sockets get no entry: it would cost more than these look-ups, and push out others. */
		if (!cookie || !wk_has_owner(WK_PACKET, cookie, bpf_skb_cgroup_id(skb)))
			return 1;
		whole = wk_flow_of(cookie, 0);
		if (!whole)
			return 1;
		whole->verdict = FLOW_KEEP;
	}
	/* A stream whose first bytes are captured is looked at again only behind a silence. */
	u32 now = wk_ticks(), silence = wk_silence(whole, now);
	if (silence < SILENCE_TICKS && whole->bytes[out] && whole->bytes[out] >= first_bytes)
		return 1;
	if (wk_is_bare_segment(skb) || !wk_parse(skb, &p, out))
		return 1;
	struct wk_flow *f = p.peer ? wk_flow_of(cookie, p.peer) : whole;
	if (!f)
		return 1;
	if (f != whole)
		silence = wk_silence(f, now);
	if (silence >= SILENCE_TICKS && wk_payload(&p, skb->len))
		wk_burst(skb, &p, f, cookie, out);
	u32 want = wk_packet_want(&p, f, skb->len, out, &seen);
	if (wk_is_dns(&p, whole))
		want = skb->len;
	if (!want)
		return 1;
	if (want > PACKET_BYTES)
		want = PACKET_BYTES;
	return wk_capture(skb, cookie, seen, out, want);
}

SEC("cgroup_skb/ingress")
int cg_ingress(struct __sk_buff *skb) { return wk_packet(skb, 0); }
SEC("cgroup_skb/egress")
int cg_egress(struct __sk_buff *skb) { return wk_packet(skb, 1); }
