/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The analyser: drops every test frame at the receiving queue, counted and timed,
 * and passes everything else untouched.
 */
#include "analyser.h"

INLINE __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port)
{
	(void)ctx;
	(void)port;
	return bpf_ktime_get_ns() + *(volatile __s64 *)&control.clock_offset_ns;
}

SECTION("xdp")
int analyser(struct xdp_md *ctx)
{
	return analyse(ctx);
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
