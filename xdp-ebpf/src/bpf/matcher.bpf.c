/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The matcher: counts and drops every frame whose content is one of a list, and passes
 * everything else untouched. For frames that cannot carry a tag, such as a replay's.
 */
#include "kernel.h"
#include "fingerprint.h"

struct match_control control SECTION(".bss");

/* Fingerprint to place in `counts`; written before the attach. */
struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 1);
	TYPE(key, __u64);
	TYPE(value, __u32);
} contents SECTION(".maps");

/* Frames by content. */
MAPPED_ARRAY(counts, __u64);

MAPPED_ARRAY(banks, struct match_record);

INLINE void chunk_clear(__u64 *chunk)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < FINGERPRINT_WORDS; i++)
		chunk[i] = 0;
}

/*
 * Hashes the octets from `from` to `to`; 0 where they cannot be read. A global function is
 * verified once, by itself, and not for every way to the call.
 */
__attribute__((noinline)) __u64 fingerprint(struct xdp_md *ctx, __u32 from, __u32 to,
					    __u32 version)
{
	__u64 hash = FINGERPRINT_SEED ^ (__u64)(to - from);
	__u64 chunk[FINGERPRINT_WORDS];
	__u32 rest;

	for (int i = 0; i < FINGERPRINT_CHUNKS_MAX && from + FINGERPRINT_BYTES <= to; i++) {
		if (bpf_xdp_load_bytes(ctx, from, chunk, FINGERPRINT_BYTES))
			return 0;
		chunk_forget_hop(chunk, version);
		version = 0;
		hash = fingerprint_add(hash, chunk);
		from += FINGERPRINT_BYTES;
	}
	if (from >= to)
		return hash;
	chunk_clear(chunk);
	/* In a form in which every verifier sees that it is neither 0 nor too much. */
	rest = ((to - from - 1) & (FINGERPRINT_BYTES - 1)) + 1;
	if (bpf_xdp_load_bytes(ctx, from, chunk, rest))
		return 0;
	chunk_forget_hop(chunk, version);
	return fingerprint_add(hash, chunk);
}

SECTION("xdp")
int matcher(struct xdp_md *ctx)
{
	__u32 bank = control.bank_by_cpu ? bpf_get_smp_processor_id() : ctx->rx_queue_index;
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	__u64 hash, *count, now_ns, frame_bytes = bpf_xdp_get_buff_len(ctx);
	__u32 *content;
	struct extent extent;
	struct match_record *record = bpf_map_lookup_elem(&banks, &bank);

	if (UNLIKELY(!record)) {
		__sync_fetch_and_add(&control.unbanked, 1);
		return XDP_PASS;
	}
	record->seen++;
	record->seen_bytes += frame_bytes;
	extent = extent_of(data, data_end, frame_bytes);
	hash = fingerprint(ctx, extent.from, extent.to, extent.version);
	content = bpf_map_lookup_elem(&contents, &hash);
	if (!content)
		return XDP_PASS;
	count = bpf_map_lookup_elem(&counts, content);
	if (!count)
		return XDP_PASS;
	/* Frames of one content may come by several queues. */
	__sync_fetch_and_add(count, 1);
	now_ns = bpf_ktime_get_ns();
	if (!record->matched)
		record->first_rx_ns = now_ns;
	record->last_rx_ns = now_ns;
	record->matched_bytes += frame_bytes;
	record->matched++;
	return XDP_DROP;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
