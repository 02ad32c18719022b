/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* The least that a receiver can do: count and drop. Only for the bench. */
#include "kernel.h"
#include "abi.h"

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(map_flags, BPF_F_MMAPABLE);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct port_record);
} ports SECTION(".maps");

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
