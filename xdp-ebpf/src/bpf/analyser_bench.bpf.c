/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* The analyser's body over frames that differ; only for the bench. */
#include "analyser.h"
#include "bench.h"

static __u64 bench_now_ns SECTION(".data.bench");

INLINE __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port)
{
	(void)ctx;
	(void)port;
	return bench_now_ns;
}

SECTION("xdp")
int analyser_bench(struct xdp_md *ctx)
{
	bench_now_ns = next_frame(ctx);
	return analyse(ctx);
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
