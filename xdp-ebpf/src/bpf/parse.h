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
	/* Compared as they are loaded, unswapped. */
	TYPE_IPV4 = 0x0008,             /* 0x0800 */
	TYPE_IPV6 = 0xdd86,             /* 0x86dd */
	TYPE_VLAN = 0x0081,             /* 0x8100 */
	TYPE_QINQ = 0xa888,             /* 0x88a8 */
	TYPE_QINQ_OLD = 0x0091,         /* 0x9100 */
	EXTENSION_BYTES = 8,            /* the least, and what lengths count in */
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_DESTINATION_OPTIONS = 60,
	IPV4_FRAGMENT = 0xff3f,         /* 0x3fff: more fragments, or an offset */
	OFFSET_MAX = 0x3fff,            /* at which a tag is looked for */
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

/*
 * One's complement sum in 16 bits, in the byte order of the loads; or a little more
 * than 16, but then not 0xffff: the result is only ever compared with that.
 */
INLINE __u64 fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32 & 0xffff) + (sum >> 48);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * The outermost L3 packet. Little, for the fewer values live, the faster is the
 * program; what kind it is, is read from the frame where it matters.
 */
struct l3 {
	__u32 offset;                   /* first octet after Ethernet and VLAN tags */
	__u32 end;                      /* first octet after the IP packet; 0: none, nonsense, or no room for a tag */
};

INLINE int is_vlan(__u32 type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD;
}

INLINE struct l3 parse_l3(const void *data, const void *data_end, __u64 frame_bytes)
{
	struct l3 l3 = { .offset = ETHERNET_BYTES };
	const __u8 *header;
	__u32 type, bytes, total;

	if (UNLIKELY(data + ETHERNET_BYTES > data_end))
		return l3;
	type = *(const load16 *)(data + 12);
#pragma clang loop unroll(full)
	for (int i = 0; i < VLANS_MAX; i++) {
		if (!is_vlan(type) || data + l3.offset + VLAN_BYTES > data_end)
			break;
		type = *(const load16 *)(data + l3.offset + 2);
		l3.offset += VLAN_BYTES;
	}

	header = data + l3.offset;
	if (UNLIKELY(header + IPV4_BYTES > (const __u8 *)data_end))
		return l3;
	if (type == TYPE_IPV4) {
		bytes = (header[0] & 0xf) * 4;
		total = be16(header + 2);
		if (UNLIKELY(header[0] >> 4 != 4 || bytes < IPV4_BYTES))
			return l3;
	} else {
		if (type != TYPE_IPV6 || header[0] >> 4 != 6)
			return l3;
		bytes = IPV6_BYTES;
		total = IPV6_BYTES + be16(header + 4);
	}
	total += l3.offset;
	if (total >= l3.offset + bytes + TAG_BYTES && total <= frame_bytes)
		l3.end = total;
	return l3;
}

/* Whether the Ethernet header says that the packet is IP. */
INLINE int claims_ip(const void *data, const void *data_end, const struct l3 *l3)
{
	const void *type = data + l3->offset - 2;

	return type + 2 <= data_end &&
	       (*(const load16 *)type == TYPE_IPV4 || *(const load16 *)type == TYPE_IPV6);
}

/* What an L3 packet carries. */
struct l4 {
	__u32 offset;                   /* 0: nothing that we know */
	__u32 protocol;                 /* 0 where it is a fragment, or on its way to another */
};

INLINE int is_extension(__u32 protocol)
{
	return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING ||
	       protocol == PROTOCOL_FRAGMENT || protocol == PROTOCOL_DESTINATION_OPTIONS;
}

/* What comes after the extension headers of IPv6, from `offset` on (RFC 8200 section 4). */
INLINE struct l4 skip_extensions(const void *data, const void *data_end, __u32 offset,
				 __u32 protocol)
{
	int known = 1;

#pragma clang loop unroll(full)
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		const __u8 *header = data + offset;

		if (!is_extension(protocol) || header + EXTENSION_BYTES > (const __u8 *)data_end)
			break;
		if (protocol == PROTOCOL_FRAGMENT) {
			/* Atomic (RFC 6946), or a piece; the low three bits are no offset. */
			known &= !(be16(header + 2) & 0xfff9);
			offset += EXTENSION_BYTES;
		} else {
			/* With segments left, the checksum is over another destination. */
			known &= protocol != PROTOCOL_ROUTING || !header[3];
			offset += (header[1] + 1) * EXTENSION_BYTES;
		}
		protocol = header[0];
	}
	return (struct l4){ offset, known && !is_extension(protocol) ? protocol : 0 };
}

/* Only of a packet that parse_l3() gave an end. */
INLINE struct l4 parse_l4(const void *data, const void *data_end, const struct l3 *l3)
{
	const __u8 *header = data + l3->offset;

	if (UNLIKELY(!l3->end || header + IPV4_BYTES > (const __u8 *)data_end))
		return (struct l4){};
	if (header[0] >> 4 == 4)
		return (struct l4){
			.offset = l3->offset + (header[0] & 0xf) * 4,
			.protocol = *(const load16 *)(header + 6) & IPV4_FRAGMENT ? 0 : header[9],
		};
	if (UNLIKELY(is_extension(header[6])))
		return skip_extensions(data, data_end, l3->offset + IPV6_BYTES, header[6]);
	return (struct l4){ .offset = l3->offset + IPV6_BYTES, .protocol = header[6] };
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
	__u32 middle = *(const load32 *)(at + 8);

	return (struct tag){
		.nonce = head >> (40 + TAG_TRIAL_BITS),
		.trial = (head >> 40) & (TAG_TRIALS - 1),
		.stream = (head >> 24) & 0xffff,
		.sequence = (__u32)head << 8 | (middle & 0xff),
		.time_ns = (__u64)(__builtin_bswap32(middle) & 0xffffff) << 16 | be16(at + 12),
	};
}

/* Whether an IPv4 header contradicts its checksum. */
INLINE int ipv4_damaged(const __u8 *header, const void *data_end)
{
	__u32 bytes;
	__u64 sum;

	if (UNLIKELY(header + IPV4_BYTES > (const __u8 *)data_end))
		return 1;
	bytes = (header[0] & 0xf) * 4;
	sum = *(const load32 *)header;
	sum += *(const load32 *)(header + 4);
	sum += *(const load32 *)(header + 8);
	sum += *(const load32 *)(header + 12);
	sum += *(const load32 *)(header + 16);
	if (UNLIKELY(bytes > IPV4_BYTES)) {
#pragma clang loop unroll(full)
		for (__u32 i = IPV4_BYTES; i < 60; i += 4) {
			const __u8 *option = header + i;

			if (i >= bytes)
				break;
			if (option + 4 > (const __u8 *)data_end)
				return 1;
			sum += *(const load32 *)option;
		}
	}
	return fold(sum) != 0xffff;
}

/*
 * Whether the header of a packet that has an end contradicts its checksum, or the
 * length in its UDP header the one in L3. Asked only of tagged frames.
 */
INLINE int headers_damaged(const void *data, const void *data_end, const struct l3 *l3)
{
	const __u8 *ip = data + l3->offset;
	struct l4 l4;

	if (UNLIKELY(!l3->end))
		return 0;
	if (UNLIKELY(ip + IPV4_BYTES > (const __u8 *)data_end))
		return 1;
	if (ip[0] >> 4 == 4 && ipv4_damaged(ip, data_end))
		return 1;
	l4 = parse_l4(data, data_end, l3);
	if (l4.protocol == PROTOCOL_UDP) {
		const void *header = data + l4.offset;

		if (UNLIKELY(header + UDP_BYTES > data_end))
			return 1;
		return be16(header + 4) != l3->end - l4.offset;
	}
	return 0;
}

/*
 * An offset that is at most OFFSET_MAX, as the verifier sees it. clang compares a copy, and
 * verifiers before 6.8 do not see what that says of the register that is added.
 */
INLINE __u64 bounded(__u64 offset)
{
#ifdef __bpf__
	asm volatile("%0 &= 0x3fff" : "+r"(offset));
#endif
	return offset;
}

/*
 * The quick way to the tag of a frame as most are: Ethernet, IPv4 without options, UDP, with
 * nothing that headers_damaged() would object to, and all of it to be read directly. 0: of
 * any other frame, parse_l3() tells more.
 */
INLINE int plain_tag(const void *data, const void *data_end, const void **tag)
{
	const __u8 *ip = data + ETHERNET_BYTES;
	__u64 first, sum, total;
	__u32 third;

	if (UNLIKELY((const void *)ip + IPV4_BYTES + UDP_BYTES > data_end))
		return 0;
	if (UNLIKELY(*(const load16 *)(data + 12) != TYPE_IPV4))
		return 0;
	/* Version and header length, and of the third word of 16 bits what makes a fragment. */
	first = *(const load64 *)ip;
	if (UNLIKELY((first & ((__u64)IPV4_FRAGMENT << 48 | 0xff)) != 0x45))
		return 0;
	third = *(const load32 *)(ip + 8);
	if (UNLIKELY((third & 0xff00) != PROTOCOL_UDP << 8))
		return 0;
	/* No carry is lost: the last octets of `first` are flags. */
	sum = first + third;
	sum += *(const load32 *)(ip + 12);
	sum += *(const load32 *)(ip + 16);
	/* A sum that folds to 0xffff is a multiple of it: times its inverse it is small. */
	if (UNLIKELY(sum * 0xfffefffefffeffff > 0x0001000100010001))
		return 0;
	total = be16(ip + 2);
	if (UNLIKELY(be16(ip + IPV4_BYTES + 4) + IPV4_BYTES != total))
		return 0;
	if (UNLIKELY(total < IPV4_BYTES + TAG_BYTES || total > OFFSET_MAX))
		return 0;
	*tag = data + ETHERNET_BYTES - TAG_BYTES + bounded(total);
	return *tag + TAG_BYTES <= data_end;
}

#endif
