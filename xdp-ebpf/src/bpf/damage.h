/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* STREAM_INTEGRITY_FULL in the kernel: payload.h over a frame in however many buffers. */
#ifndef LINERATE_DAMAGE_H
#define LINERATE_DAMAGE_H

#include "kernel.h"
#include "payload.h"

/* Lays the last 1 to CHUNK_BYTES octets before `to` over a chunk. */
INLINE int load_last(struct xdp_md *ctx, __u64 *chunk, __u32 from, __u32 to)
{
	/* In a form in which every verifier sees that it is neither 0 nor too much. */
	__u32 octets = ((to - from - 1) & (CHUNK_BYTES - 1)) + 1;

	return bpf_xdp_load_bytes(ctx, from, chunk, octets);
}

/* Global functions are verified by themselves: once, and not for every way to the call. */
__attribute__((noinline)) int checksum_wrong(struct xdp_md *ctx, __u32 from, __u32 to, __u64 sum)
{
	__u64 chunk[CHUNK_WORDS];

	for (int i = 0; i < CHUNKS_MAX && from + CHUNK_BYTES < to; i++) {
		if (bpf_xdp_load_bytes(ctx, from, chunk, CHUNK_BYTES))
			return 1;
		sum += chunk_sum(chunk);
		from += CHUNK_BYTES;
	}
	chunk_clear(chunk);
	if (from < to && load_last(ctx, chunk, from, to))
		return 1;
	return fold(sum + chunk_sum(chunk)) != 0xffff;
}

__attribute__((noinline)) int pattern_wrong(struct xdp_md *ctx, __u32 from, __u32 to)
{
	__u64 chunk[CHUNK_WORDS];
	__u32 position = 0;

	for (int i = 0; i < CHUNKS_MAX && from + CHUNK_BYTES < to; i++) {
		if (bpf_xdp_load_bytes(ctx, from, chunk, CHUNK_BYTES) ||
		    chunk_differs(chunk, position))
			return 1;
		from += CHUNK_BYTES;
		position += CHUNK_BYTES;
	}
	if (from >= to)
		return from != to;
	chunk_expect(chunk, position);
	return load_last(ctx, chunk, from, to) || chunk_differs(chunk, position);
}

/* The frame is parsed again: it costs little beside the walk, and the others nothing. */
__attribute__((noinline)) int payload_damaged(struct xdp_md *ctx, __u32 payload_offset,
					      __u32 tag_offset)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	struct l3 l3 = parse_l3(data, data_end, tag_offset + TAG_BYTES);
	struct l4 l4 = parse_l4(data, data_end, &l3);
	__u32 start;

	if (has_checksum(data, data_end, &l4) &&
	    checksum_wrong(ctx, l4.offset, l3.end, pseudo_header_sum(data, data_end, &l3, &l4)))
		return 1;
	if (payload_offset)
		start = payload_offset + (l4.offset ? l4.offset : l3.offset);
	else
		start = payload_start(data, data_end, &l4);
	return start && pattern_wrong(ctx, start, tag_offset);
}

#endif
