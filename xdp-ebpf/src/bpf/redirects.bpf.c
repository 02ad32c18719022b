/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * What becomes of redirected frames of one port. The caller of BPF_PROG_RUN is not told,
 * so the kernel's tracepoint is asked. Frames that other ports redirect to this one are
 * not ours and not counted.
 */
#include "abi.h"
#include "kernel.h"

/* The kernel's own structs, by name alone (CO-RE). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;
struct net_device {
	int ifindex;
	possible_net_t nd_net;
};
#pragma clang attribute pop

const volatile struct redirect_config config SECTION(".rodata") = { 0 };

struct redirect_counters redirects SECTION(".bss");

INLINE int is_ours(const struct net_device *device)
{
	return device->ifindex == (int)config.ifindex && device->nd_net.net->ns.inum == config.netns;
}

/* xdp_devmap_xmit(from, to, sent, drops, error): after every bulk of up to 16 frames. */
SECTION("tp_btf/xdp_devmap_xmit")
int redirect_done(__u64 *args)
{
	const struct net_device *from = (const struct net_device *)args[0];
	int sent = args[2], drops = args[3], error = args[4];

	/* XDP_TX of live frames goes from a port to itself. */
	if (args[0] != args[1] || !is_ours(from))
		return 0;
	__sync_fetch_and_add(&redirects.sent, sent);
	if (drops) {
		__sync_fetch_and_add(&redirects.dropped, drops);
		redirects.last_error = error;
		if (error == -6 /* ENXIO */)
			__sync_fetch_and_add(&redirects.no_receiver, drops);
	}
	return 0;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
