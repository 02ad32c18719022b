/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* The least that a receiver can do: count and drop. Only for the bench. */
#include "kernel.h"
#include "abi.h"

MAPPED_ARRAY(ports, struct port_record);

SECTION("xdp")
int counter(struct xdp_md *ctx)
{
	__u32 bank = ctx->rx_queue_index;
	struct port_record *port = bpf_map_lookup_elem(&ports, &bank);

	if (port)
		port->seen++;
	return XDP_DROP;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
