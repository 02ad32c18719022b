/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The analyser's time where it is the NIC's. Each program that includes this says where a
 * stamp comes from; what is not 0, and a stamp of 0, mean that there is none:
 *
 *     static int nic_stamp(struct xdp_md *ctx, __u64 *stamp_ns);
 */
#ifndef LINERATE_ANALYSER_STAMPED_H
#define LINERATE_ANALYSER_STAMPED_H

#include "analyser.h"
#include "nic.h"

static int nic_stamp(struct xdp_md *ctx, __u64 *stamp_ns);

/*
 * The number is read, then the line that it names, then the number again: while less than
 * NIC_FITS - 1 came after it, nobody has begun to write over that line.
 */
INLINE int nic_time(__u64 stamp_ns, __u64 *monotonic_ns)
{
	__u64 number = *(volatile __u64 *)&control.nic_fit;
	const volatile struct nic_fit *published = &control.nic_fits[number & (NIC_FITS - 1)];
	struct nic_fit fit;

	fit.nic_ns = published->nic_ns;
	fit.monotonic_ns = published->monotonic_ns;
	fit.drift_q38 = published->drift_q38;
	fit.reach_ns = published->reach_ns;
	if (UNLIKELY(*(volatile __u64 *)&control.nic_fit - number >= NIC_FITS - 1))
		return 0;
	return nic_to_monotonic(&fit, stamp_ns, monotonic_ns);
}

INLINE __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port)
{
	__s64 clock_offset_ns = *(volatile __s64 *)&control.clock_offset_ns;
	__u64 stamp_ns = 0, monotonic_ns;

	if (UNLIKELY(nic_stamp(ctx, &stamp_ns) || !stamp_ns || !nic_time(stamp_ns, &monotonic_ns))) {
		port->unstamped++;
		return bpf_ktime_get_ns() + clock_offset_ns;
	}
	port->stamped++;
	return monotonic_ns + clock_offset_ns;
}

#endif
