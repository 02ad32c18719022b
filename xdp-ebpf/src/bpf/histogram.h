/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * Log-linear buckets (enum histogram_shape). Pure: also compiled for the host and
 * tested against crate::histogram.
 */
#ifndef LINERATE_HISTOGRAM_H
#define LINERATE_HISTOGRAM_H

#include "abi.h"

/*
 * Index of the highest set bit; 0 for 0. Without branches, for a latency near a
 * power of two would mispredict them; clang has a count of leading zeros for BPF
 * only from 19 on.
 */
INLINE __u32 highest_bit(__u64 value)
{
	__u32 bit = (value > 0xffffffff) << 5;
	__u32 step;

	value >>= bit;
	step = (value > 0xffff) << 4;
	value >>= step;
	bit |= step;
	step = (value > 0xff) << 3;
	value >>= step;
	bit |= step;
	step = (value > 0xf) << 2;
	value >>= step;
	bit |= step;
	step = (value > 0x3) << 1;
	value >>= step;
	bit |= step;
	return bit | (value >> 1);
}

/*
 * Bucket of a value; values of max_bits and more fall in the last one. The octave
 * of a value is its highest bit, but everything below 2^(precision + 1) is exact.
 */
INLINE __u32 histogram_index(__u64 value, __u32 precision, __u32 max_bits)
{
	__u32 shift;

	if (value >> max_bits)
		value = (1ULL << max_bits) - 1;
	shift = highest_bit(value | (1ULL << precision)) - precision;
	return (shift << precision) + (value >> shift);
}

#endif
