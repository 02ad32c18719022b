/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The receiver of the side-by-side: drops every frame in the driver, so that all
 * generators pay the same, and as little as can be, for the far end of the veth.
 */
#include <linux/bpf.h>

#define SECTION(name) __attribute__((section(name), used))

SECTION("xdp")
int drop_all(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
