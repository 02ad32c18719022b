/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * What the bench adds around a program, and so to both sides of its comparison: one
 * clock read, and a tag that makes each repetition of a test run a new frame. The
 * frame's tag is its last 14 octets.
 */
#ifndef LINERATE_BENCH_H
#define LINERATE_BENCH_H

#include "kernel.h"
#include "parse.h"

/*
 * Bumps the sequence number and stamps a time 10 to 74 us ago, in the pieces that
 * decode_tag() loads, or it would wait for the stores. Gives the time now.
 */
INLINE __u64 next_frame(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u32 offset = (data_end - data - TAG_BYTES) & 0x3fff;
	__u64 now_ns = bpf_ktime_get_ns();
	__u64 head, time_ns;
	__u32 sequence;
	void *tag = data + offset;

	if (tag + TAG_BYTES > data_end)
		return now_ns;
	head = be64(tag);
	sequence = ((__u32)head << 8 | *(__u8 *)(tag + 8)) + 1;
	time_ns = now_ns - 10000 - (sequence * 2654435761U >> 16);
	*(load64 *)tag = __builtin_bswap64((head & ~0xffffffULL) | sequence >> 8);
	*(load32 *)(tag + 8) = __builtin_bswap32(sequence << 24 | (time_ns >> 16 & 0xffffff));
	*(load16 *)(tag + 12) = __builtin_bswap16(time_ns);
	return now_ns;
}

#endif
