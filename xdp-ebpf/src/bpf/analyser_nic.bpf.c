/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The analyser with the NIC's receive timestamps. Calls a metadata kfunc and so
 * must be loaded for one device; an object of its own, because not every loader
 * can do that.
 */
#include "analyser_stamped.h"

extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp)
	__attribute__((section(".ksyms")));

INLINE int nic_stamp(struct xdp_md *ctx, __u64 *stamp_ns)
{
	return bpf_xdp_metadata_rx_timestamp(ctx, stamp_ns);
}

SECTION("xdp")
int analyser_nic(struct xdp_md *ctx)
{
	return analyse(ctx);
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
