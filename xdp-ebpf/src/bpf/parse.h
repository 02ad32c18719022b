/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * Where the tag of a frame is, and whether the headers above it still hold. Pure:
 * also compiled for the host. `data` to `data_end` is what can be read directly;
 * `frame_bytes` is the whole frame, which may go on in further buffers.
 */
#ifndef LINERATE_PARSE_H
#define LINERATE_PARSE_H

#include "abi.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "written for little-endian hosts"
#endif

enum wire {
	ETHERNET_BYTES = 14,
	VLAN_BYTES = 4,
	VLANS_MAX = 4,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	UDP_BYTES = 8,
	TCP_BYTES = 20,
	ICMP_BYTES = 8,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMPV6 = 58,
	IPV4_FRAGMENT = 0x3fff,         /* more fragments, or an offset */
};

/*
 * Loads that may be unaligned, as XDP allows where it matters. Types without the
 * alignment would make clang load octet by octet.
 */
typedef __u16 __attribute__((may_alias)) load16;
typedef __u32 __attribute__((may_alias)) load32;
typedef __u64 __attribute__((may_alias)) load64;

INLINE __u32 be16(const void *at)
{
	return __builtin_bswap16(*(const load16 *)at);
}

INLINE __u32 be32(const void *at)
{
	return __builtin_bswap32(*(const load32 *)at);
}

INLINE __u64 be64(const void *at)
{
	return __builtin_bswap64(*(const load64 *)at);
}

/* One's complement sum, folded to 16 bits; in the byte order of the loads. */
INLINE __u32 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

enum l3_kind {
	L3_OTHER = 0,
	L3_IPV4 = 4,
	L3_IPV6 = 6,
};

/* The outermost L3 packet, as offsets in the frame. */
struct l3 {
	__u32 kind;
	__u32 offset;                   /* first octet after Ethernet and VLAN tags */
	__u32 payload;                  /* first octet after the L3 header, if `end` */
	__u32 end;                      /* first octet after the packet; 0: its lengths are nonsense */
	__u32 protocol;                 /* of the payload; 0 where it is a fragment */
};

INLINE int is_vlan(__u32 type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD;
}

INLINE struct l3 parse_l3(const void *data, const void *data_end, __u32 frame_bytes)
{
	struct l3 l3 = { .kind = L3_OTHER, .offset = ETHERNET_BYTES };
	const __u8 *header;
	__u32 type, bytes, total;

	if (data + ETHERNET_BYTES > data_end)
		return l3;
	type = be16(data + 12);
#pragma clang loop unroll(full)
	for (int i = 0; i < VLANS_MAX; i++) {
		if (!is_vlan(type) || data + l3.offset + VLAN_BYTES > data_end)
			break;
		type = be16(data + l3.offset + 2);
		l3.offset += VLAN_BYTES;
	}

	header = data + l3.offset;
	if (type == TYPE_IPV4) {
		l3.kind = L3_IPV4;
		if (header + IPV4_BYTES > (const __u8 *)data_end || header[0] >> 4 != 4)
			return l3;
		bytes = (header[0] & 0xf) * 4;
		total = be16(header + 2);
		l3.protocol = be16(header + 6) & IPV4_FRAGMENT ? 0 : header[9];
		if (bytes < IPV4_BYTES)
			return l3;
	} else if (type == TYPE_IPV6) {
		l3.kind = L3_IPV6;
		if (header + IPV6_BYTES > (const __u8 *)data_end || header[0] >> 4 != 6)
			return l3;
		bytes = IPV6_BYTES;
		total = IPV6_BYTES + be16(header + 4);
		l3.protocol = header[6];
	} else {
		return l3;
	}
	l3.payload = l3.offset + bytes;
	if (total >= bytes && l3.offset + total <= frame_bytes)
		l3.end = l3.offset + total;
	return l3;
}

struct tag {
	__u64 time_ns;                  /* modulo 2^TAG_TIME_BITS */
	__u32 nonce;
	__u32 trial;
	__u32 stream;
	__u32 sequence;
};

INLINE struct tag decode_tag(const void *at)
{
	__u64 head = be64(at);
	__u32 middle = be32(at + 8);

	return (struct tag){
		.nonce = head >> (40 + TAG_TRIAL_BITS),
		.trial = (head >> 40) & (TAG_TRIALS - 1),
		.stream = (head >> 24) & 0xffff,
		.sequence = (__u32)head << 8 | middle >> 24,
		.time_ns = (__u64)(middle & 0xffffff) << 16 | be16(at + 12),
	};
}

/*
 * Whether the header of a parsed packet contradicts its checksum, or the length
 * in its UDP header the one in L3. Asked only of tagged frames.
 */
INLINE int headers_damaged(const void *data, const void *data_end, const struct l3 *l3)
{
	const __u8 *header = data + l3->offset;
	const __u8 *payload;

	if (l3->kind == L3_IPV4) {
		__u64 sum = 0;

		if (header + IPV4_BYTES > (const __u8 *)data_end)
			return 1;
#pragma clang loop unroll(full)
		for (int i = 0; i < IPV4_BYTES; i += 4)
			sum += *(const load32 *)(header + i);
		for (int i = IPV4_BYTES; i < 60; i += 4) {
			const __u8 *option = header + i;

			if (l3->offset + i >= l3->payload)
				break;
			if (option + 4 > (const __u8 *)data_end)
				return 1;
			sum += *(const load32 *)option;
		}
		if (fold(sum) != 0xffff)
			return 1;
	}
	if (l3->protocol == PROTOCOL_UDP) {
		payload = data + l3->payload;
		if (payload + UDP_BYTES > (const __u8 *)data_end)
			return 1;
		if (be16(payload + 4) != l3->end - l3->payload)
			return 1;
	}
	return 0;
}

#endif
