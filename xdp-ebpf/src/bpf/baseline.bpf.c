/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* What analyser_bench costs without the analyser; only for the bench. */
#include "bench.h"

SECTION("xdp")
int baseline(struct xdp_md *ctx)
{
	next_frame(ctx);
	return XDP_DROP;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
