/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* What a frame is known by (abi.h, matcher). Pure. */
#ifndef LINERATE_FINGERPRINT_H
#define LINERATE_FINGERPRINT_H

#include "parse.h"

enum fingerprint_limits {
	FINGERPRINT_CHUNKS_MAX = 9344 / FINGERPRINT_BYTES,
};

/* The octets that are hashed. */
struct extent {
	__u32 from;
	__u32 to;
	__u32 version;                  /* of IP; 0: the whole frame */
};

INLINE struct extent extent_of(const void *data, const void *data_end, __u32 frame_bytes)
{
	struct extent whole = { .to = frame_bytes };
	struct l3 l3 = parse_l3(data, data_end, frame_bytes);
	const __u8 *header = data + l3.offset;
	__u32 total, least;

	if (header + IPV4_BYTES > (const __u8 *)data_end || !claims_ip(data, data_end, &l3))
		return whole;
	if (header[0] >> 4 == 4) {
		total = be16(header + 2);
		least = IPV4_BYTES;
	} else {
		total = IPV6_BYTES + be16(header + 4);
		least = IPV6_BYTES;
	}
	if (total < least || l3.offset + total > frame_bytes)
		return whole;
	return (struct extent){ l3.offset, l3.offset + total, header[0] >> 4 };
}

/* Takes what routers change out of the first chunk of an IP packet. */
INLINE void chunk_forget_hop(__u64 *chunk, __u32 version)
{
	if (version == 4) {
		chunk[0] &= ~0xff00ULL;
		chunk[1] &= ~0xffff00ffULL;
	} else if (version == 6) {
		chunk[0] &= ~0xff0000000000f00fULL;
	}
}

INLINE __u64 fingerprint_add(__u64 hash, const __u64 *chunk)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < FINGERPRINT_WORDS; i++) {
		hash = (hash ^ chunk[i]) * FINGERPRINT_FACTOR;
		hash ^= hash >> FINGERPRINT_SHIFT;
	}
	return hash;
}

#endif
