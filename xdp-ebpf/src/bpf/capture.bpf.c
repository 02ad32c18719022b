/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * Capture: test frames go, stamped, to the AF_XDP socket of their queue; everything else
 * goes on to the kernel, where a packet socket copies it.
 *
 * Test frames are known without being told their nonce: several tags of one nonce that
 * were all sent within the last second are no chance. The first few of a session pass.
 */
#include "kernel.h"
#include "parse.h"
#include "record.h"

static long (*const bpf_redirect_map)(void *map, __u64 key, __u64 flags) =
	(void *)BPF_FUNC_redirect_map;
static long (*const bpf_xdp_adjust_meta)(struct xdp_md *ctx, int delta) =
	(void *)BPF_FUNC_xdp_adjust_meta;

struct match_control control SECTION(".bss");

/* By RX queue. */
struct {
	UINT(type, BPF_MAP_TYPE_XSKMAP);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, __u32);
} sockets SECTION(".maps");

/* By the low bits of the nonce. Shared by all queues: what a race costs is a recognition
 * that comes a frame later. */
struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, CAPTURE_SESSIONS);
	TYPE(key, __u32);
	TYPE(value, struct capture_session);
} sessions SECTION(".maps");

MAPPED_ARRAY(banks, struct capture_record);

/* Whether a tag at this offset is of a session. */
INLINE int is_tag(struct xdp_md *ctx, __u32 offset, __u64 now_ns)
{
	__u64 octets[2], age_ns;
	struct capture_session *session;
	struct tag tag;
	__u32 slot;

	if (bpf_xdp_load_bytes(ctx, offset, octets, TAG_BYTES))
		return 0;
	tag = decode_tag(octets);
	age_ns = (now_ns - tag.time_ns) & ((1ULL << TAG_TIME_BITS) - 1);
	if (age_ns > CAPTURE_AGE_MAX_NS)
		return 0;
	slot = tag.nonce & (CAPTURE_SESSIONS - 1);
	session = bpf_map_lookup_elem(&sessions, &slot);
	if (!session)
		return 0;
	if (session->nonce != tag.nonce) {
		session->nonce = tag.nonce;
		session->frames = 0;
	}
	if (session->frames >= CAPTURE_CERTAIN)
		return 1;
	session->frames++;
	return 0;
}

SECTION("xdp")
int capture(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	__u64 frame_bytes = bpf_xdp_get_buff_len(ctx), now_ns = bpf_ktime_get_ns();
	__u32 queue = ctx->rx_queue_index;
	__u32 bank = control.bank_by_cpu ? bpf_get_smp_processor_id() : queue;
	struct capture_record *record = bpf_map_lookup_elem(&banks, &bank);
	struct capture_stamp *stamp;
	struct l3 l3;

	if (UNLIKELY(!record)) {
		__sync_fetch_and_add(&control.unbanked, 1);
		return XDP_PASS;
	}
	record->seen++;
	l3 = parse_l3(data, data_end, frame_bytes);
	/* Sockets take one buffer: longer frames go the other way. */
	if (frame_bytes > (__u64)(data_end - data) || frame_bytes < l3.offset + TAG_BYTES)
		return XDP_PASS;
	if (!(l3.end && is_tag(ctx, l3.end - TAG_BYTES, now_ns)) &&
	    !(l3.end != frame_bytes && is_tag(ctx, frame_bytes - TAG_BYTES, now_ns)))
		return XDP_PASS;
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*stamp)))
		return XDP_PASS;
	stamp = (void *)(long)ctx->data_meta;
	if ((const void *)(stamp + 1) > (const void *)(long)ctx->data)
		return XDP_PASS;
	stamp->time_ns = now_ns;
	if (bpf_redirect_map(&sockets, queue, XDP_PASS) != XDP_REDIRECT)
		return XDP_PASS;
	record->redirected++;
	return XDP_REDIRECT;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
