/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The analyser over a NIC clock that is made up: 1000 s ahead at the kernel's 0, and slower
 * by 2^-14 (61 ppm). One frame in four has no stamp. Only for tests, for which no NIC is
 * needed: all but the source of the stamp is as in analyser_nic.
 */
#include "analyser_stamped.h"

static __u32 nic_frames SECTION(".data.nic");

INLINE int nic_stamp(struct xdp_md *ctx, __u64 *stamp_ns)
{
	__u64 now_ns = bpf_ktime_get_ns();

	(void)ctx;
	if (nic_frames++ & 3)
		*stamp_ns = now_ns - (now_ns >> 14) + 1000000000000ULL;
	return 0;
}

SECTION("xdp")
int analyser_clock(struct xdp_md *ctx)
{
	return analyse(ctx);
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
