/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * Everything that crosses the kernel border, once: what all programs share here, the rest
 * in a file for those that receive and one for those that send. The BPF programs include
 * this file, and build.rs turns all into Rust (crate::abi) with bindgen. Constants are
 * enums and not macros, so that both sides get them with a type.
 *
 * Units stand in the names: _ns nanoseconds, _bytes octets without the FCS.
 */
#ifndef LINERATE_ABI_H
#define LINERATE_ABI_H

#include <linux/types.h>

/* One body for BPF and for the host's tests; UAPI's own __always_inline is but a hint. */
#define INLINE static inline __attribute__((always_inline))
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/*
 * The tag: 14 octets, network order, at the end of the outermost parsable L3
 * packet, else at the end of the frame.
 *
 *   octet 0..2   magic: session nonce (18 bits), trial number (6 bits)
 *         3..4   stream
 *         5..8   sequence, serial arithmetic (RFC 1982)
 *         9..13  transmit time, CLOCK_MONOTONIC ns modulo 2^40 (18 min)
 */
enum tag_layout {
	TAG_BYTES = 14,
	TAG_NONCE_BITS = 18,
	TAG_TRIAL_BITS = 6,
	TAG_TRIALS = 64,
	TAG_TIME_BITS = 40,
};

/*
 * Log-linear buckets (H2): below 2^(p+1) a bucket is one value; above, every
 * octave has 2^p buckets, so the relative error is at most 2^-p.
 */
enum histogram_shape {
	LATENCY_PRECISION = 7,          /* 0.78 % */
	LATENCY_MAX_BITS = 36,          /* 68.7 s */
	LATENCY_BUCKETS = (LATENCY_MAX_BITS - LATENCY_PRECISION + 1) << LATENCY_PRECISION,
	COARSE_PRECISION = 3,           /* 12.5 % */
	NEGATIVE_MAX_BITS = 30,         /* 1.07 s: an older "future" frame is not ours */
	NEGATIVE_BUCKETS = (NEGATIVE_MAX_BITS - COARSE_PRECISION + 1) << COARSE_PRECISION,
	GAP_MAX_BITS = 36,
	GAP_BUCKETS = (GAP_MAX_BITS - COARSE_PRECISION + 1) << COARSE_PRECISION,
};

enum interval_shape {
	INTERVALS = 64,                 /* ring of transmit-time bins, power of two */
};

#include "abi_receive.h"
#include "abi_respond.h"
#include "abi_send.h"

#endif
