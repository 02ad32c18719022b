/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * Log-linear buckets (enum histogram_shape). Pure: also compiled for the host and
 * tested against crate::histogram.
 */
#ifndef LINERATE_HISTOGRAM_H
#define LINERATE_HISTOGRAM_H

#include "abi.h"

/*
 * 1 if number > limit, else 0, by the borrow of a subtraction; both below 2^63. BPF has
 * no conditional set, and left to itself clang would make a branch of it.
 */
INLINE __u64 exceeds(__u64 number, __u64 limit)
{
	__u64 difference = limit - number;

	asm volatile("" : "+r"(difference));
	return difference >> 63;
}

/*
 * Bits that a number takes: 0 for 0, 1 for 1, 2 for 2 and 3, ... Without branches, for
 * latencies around a power of two would mispredict them; clang counts leading zeros for
 * BPF from version 19 on only. The constant holds the answers for 0 to 15.
 */
INLINE __u32 bit_length(__u64 number)
{
	__u64 bits = exceeds(number, 0xffff) << 4;
	__u64 step;

	number >>= bits;
	step = exceeds(number, 0xff) << 3;
	number >>= step;
	bits += step;
	step = exceeds(number, 0xf) << 2;
	number >>= step;
	return bits + step + (0x4444444433332210 >> (number << 2) & 0xf);
}

/* Bucket of a value below 2^(17 + precision), in fewer steps. */
INLINE __u64 histogram_index_low(__u64 value, __u32 precision)
{
	__u64 number = value >> (precision + 1);
	__u64 shift = exceeds(number, 0xff) << 3;
	__u64 step;

	number >>= shift;
	step = exceeds(number, 0xf) << 2;
	number >>= step;
	shift += step + (0x4444444433332210 >> (number << 2) & 0xf);
	return (shift << precision) + (value >> shift);
}

/* Bucket of a value below 2^(32 + precision). */
INLINE __u64 histogram_index(__u64 value, __u32 precision)
{
	__u64 shift = bit_length(value >> (precision + 1));

	return (shift << precision) + (value >> shift);
}

#endif
