/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The analyser with the NIC's receive timestamps. Calls a metadata kfunc and so
 * must be loaded for one device; an object of its own, because not every loader
 * can do that.
 */
#include "analyser.h"

extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp)
	__attribute__((section(".ksyms")));

/* 0 and errors both mean that the NIC did not stamp this frame. */
INLINE __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port)
{
	__u64 stamp = 0;

	if (bpf_xdp_metadata_rx_timestamp(ctx, &stamp) || !stamp)
		return bpf_ktime_get_ns();
	port->stamped++;
	return stamp + control.nic_offset_ns;
}

SECTION("xdp")
int analyser_nic(struct xdp_md *ctx)
{
	return analyse(ctx);
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
