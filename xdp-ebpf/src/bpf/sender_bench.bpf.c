/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * A sender that costs as little as a tagged frame can, so that the receiver is what is
 * measured: live frames, each with its own sequence number, the clock read once per
 * burst. Only for the bench.
 */
#include "kernel.h"
#include "parse.h"

enum sending {
	FRAMES_PER_CLOCK = 16,
};

static __u32 sent SECTION(".data.sender");
static __u64 time_ns SECTION(".data.sender");

SECTION("xdp")
int sender(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	void *tag = data + ((data_end - data - TAG_BYTES) & 0x3fff);
	__u32 sequence = sent++;

	if (tag + TAG_BYTES > data_end)
		return XDP_ABORTED;
	if (sequence % FRAMES_PER_CLOCK == 0)
		time_ns = bpf_ktime_get_ns();
	*(load32 *)(tag + 5) = __builtin_bswap32(sequence);
	*(__u8 *)(tag + 9) = time_ns >> 32;
	*(load32 *)(tag + 10) = __builtin_bswap32(time_ns);
	return XDP_TX;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
