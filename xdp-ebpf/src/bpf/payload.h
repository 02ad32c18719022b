/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * STREAM_INTEGRITY_FULL: the L4 checksum and the payload of incrementing octets.
 * Both are walked in chunks that the caller copies out of the frame, so that they
 * work over several buffers too. Pure: also compiled for the host.
 */
#ifndef LINERATE_PAYLOAD_H
#define LINERATE_PAYLOAD_H

#include "parse.h"

enum chunk_shape {
	CHUNK_WORDS = 16,
	CHUNK_BYTES = CHUNK_WORDS * 8,
	CHUNKS_MAX = 9216 / CHUNK_BYTES + 1,
};

/* A chunk that adds nothing to a checksum, where no octets are laid over it. */
INLINE void chunk_clear(__u64 *chunk)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < CHUNK_WORDS; i++)
		chunk[i] = 0;
}

INLINE __u64 chunk_sum(const __u64 *chunk)
{
	__u64 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < CHUNK_WORDS; i++)
		sum += (chunk[i] & 0xffffffff) + (chunk[i] >> 32);
	return sum;
}

/* Eight incrementing octets; `position` is a multiple of 8, so that none carries. */
INLINE __u64 pattern_word(__u32 position)
{
	return 0x0706050403020100 + (__u64)(position & 0xff) * 0x0101010101010101;
}

/* What the payload holds from `position` on, where no octets are laid over it. */
INLINE void chunk_expect(__u64 *chunk, __u32 position)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < CHUNK_WORDS; i++)
		chunk[i] = pattern_word(position + 8 * i);
}

INLINE int chunk_differs(const __u64 *chunk, __u32 position)
{
	__u64 difference = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < CHUNK_WORDS; i++)
		difference |= chunk[i] ^ pattern_word(position + 8 * i);
	return difference != 0;
}

/*
 * What an L4 checksum covers besides L4 (RFC 768, 9293, 4443): addresses,
 * protocol and length. ICMP (RFC 792) covers nothing else.
 */
INLINE __u64 pseudo_header_sum(const void *data, const void *data_end, const struct l3 *l3,
			       const struct l4 *l4)
{
	__u64 sum = __builtin_bswap32(l4->protocol);
	const __u8 *header = data + l3->offset;
	__u32 first = 8, octets = 32;

	if (l4->protocol == PROTOCOL_ICMP)
		return 0;
	sum += __builtin_bswap32(l3->end - l4->offset);
	if (header + IPV4_BYTES > (const __u8 *)data_end)
		return 0;
	if (header[0] >> 4 == 4) {
		first = 12;
		octets = 8;
	}
	for (__u32 i = 0; i < 32; i += 4) {
		const __u8 *address = header + first + i;

		if (i >= octets || address + 4 > (const __u8 *)data_end)
			break;
		sum += *(const load32 *)address;
	}
	return sum;
}

/* Whether L4 carries a checksum that we know how to check. */
INLINE int has_checksum(const void *data, const void *data_end, const struct l4 *l4)
{
	const void *header = data + l4->offset;

	switch (l4->protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_TCP:
	case PROTOCOL_ICMPV6:
		return 1;
	case PROTOCOL_UDP:              /* 0: the sender made none */
		return header + UDP_BYTES <= data_end && be16(header + 6) != 0;
	default:
		return 0;
	}
}

/* Where the incrementing octets begin by the L4 header; 0: it does not tell. */
INLINE __u32 payload_start(const void *data, const void *data_end, const struct l4 *l4)
{
	const __u8 *header = data + l4->offset;

	switch (l4->protocol) {
	case PROTOCOL_UDP:
		return l4->offset + UDP_BYTES;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return l4->offset + ICMP_BYTES;
	case PROTOCOL_TCP:
		if (header + TCP_BYTES > (const __u8 *)data_end)
			return 0;
		return l4->offset + (header[12] >> 4) * 4;
	default:
		return 0;
	}
}

#endif
