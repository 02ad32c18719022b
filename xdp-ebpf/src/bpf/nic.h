/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* From the NIC's clock to CLOCK_MONOTONIC. Pure: also compiled for the host and tested there. */
#ifndef LINERATE_NIC_H
#define LINERATE_NIC_H

#include "abi.h"

/* 0: the line does not reach as far as this stamp. */
INLINE int nic_to_monotonic(const struct nic_fit *fit, __u64 stamp_ns, __u64 *monotonic_ns)
{
	__s64 since = (__s64)(stamp_ns - fit->nic_ns);

	/* One comparison for both ends, and none is within a reach of 0. */
	if ((__u64)since + fit->reach_ns >= 2 * fit->reach_ns)
		return 0;
	*monotonic_ns = fit->monotonic_ns + since + (since * fit->drift_q38 >> NIC_DRIFT_BITS);
	return 1;
}

#endif
