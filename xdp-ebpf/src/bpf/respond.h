/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* The responder's parts: whose frames come, and how they are turned round. */
#ifndef LINERATE_RESPOND_H
#define LINERATE_RESPOND_H

#include "parse.h"

enum respond_wire {
	ECHO_PORT = 0x0700,             /* UDP port 7, as it is loaded */
	ICMP_ECHO = 8,                  /* its reply is 0 */
	ICMPV6_ECHO = 128,
	ICMPV6_ECHO_REPLY = 129,
};

/* The outermost IP header, wholly readable; null: there is none that holds together. */
struct ip {
	__u8 *header;
	__u32 version;
};

INLINE __s64 tag_time_difference(__u64 later, __u64 earlier)
{
	const int unused = 64 - TAG_TIME_BITS;

	return (__s64)((later - earlier) << unused) >> unused;
}

INLINE int is_within(__s64 apart_ns, __u64 most_ns)
{
	return apart_ns <= (__s64)most_ns && apart_ns >= -(__s64)most_ns;
}

INLINE void session_begin(struct respond_session *session, const struct tag *tag, __u64 clock_ns,
			  __u64 now_ns, __u32 frames)
{
	session->nonce = tag->nonce;
	session->clock_ns = clock_ns;
	session->compared_ns = now_ns;
	session->seen_ns = now_ns;
	session->frames = frames;
}

/* Whether a nonce that no session is certain of is one now: times that go with our clock. */
INLINE int session_grows(struct respond_session *session, const struct tag *tag, __u64 clock_ns,
			 __u64 now_ns)
{
	__s64 apart_ns = tag_time_difference(clock_ns, session->clock_ns);
	__u64 elapsed_ns = now_ns - session->compared_ns;

	if (session->nonce == tag->nonce && elapsed_ns < RESPOND_STEP_NS)
		return 0;
	if (session->nonce == tag->nonce && elapsed_ns < RESPOND_IDLE_NS &&
	    is_within(apart_ns, elapsed_ns / 2))
		session_begin(session, tag, clock_ns, now_ns, session->frames + 1);
	else
		session_begin(session, tag, clock_ns, now_ns, 1);
	return session->frames >= RESPOND_CERTAIN;
}

/*
 * Whether a tag is of the sender whose place this is. A nonce is a session's by a frame from
 * the very beginning of a stream, or by several whose times go with our clock; and so must
 * every frame's, which also ends what two responders would send each other for ever.
 */
INLINE int session_knows(struct respond_session *session, const struct tag *tag, __u64 now_ns)
{
	__u64 clock_ns = (now_ns - tag->time_ns) & ((1ULL << TAG_TIME_BITS) - 1);
	int begins = tag->sequence < RESPOND_FIRST_SEQUENCES && tag->time_ns >> RESPOND_TIME_BITS;
	int certain = session->frames >= RESPOND_CERTAIN;
	__u64 unseen_ns = now_ns - session->seen_ns;
	__s64 apart_ns;

	/* No trial has number 0, and much padding does. */
	if (!tag->trial)
		return 0;
	if (!certain || session->nonce != tag->nonce) {
		if (certain && unseen_ns < (begins ? 2ULL * RESPOND_SEEN_NS : RESPOND_IDLE_NS))
			return 0;
		if (!begins)
			return session_grows(session, tag, clock_ns, now_ns);
		session_begin(session, tag, clock_ns, now_ns, RESPOND_CERTAIN);
		return 1;
	}
	apart_ns = tag_time_difference(clock_ns, session->clock_ns);
	if (!is_within(apart_ns, RESPOND_APART_MAX_NS))
		return 0;
	if (unseen_ns > RESPOND_SEEN_NS)
		session->seen_ns = now_ns;
	if (!is_within(apart_ns, RESPOND_SETTLE_NS) &&
	    (apart_ns < 0 || now_ns - session->compared_ns > RESPOND_DRIFT_NS)) {
		session->clock_ns = clock_ns;
		session->compared_ns = now_ns;
	}
	return 1;
}

INLINE void swap16(void *a, void *b)
{
	__u16 was = *(load16 *)a;

	*(load16 *)a = *(load16 *)b;
	*(load16 *)b = was;
}

INLINE void swap32(void *a, void *b)
{
	__u32 was = *(load32 *)a;

	*(load32 *)a = *(load32 *)b;
	*(load32 *)b = was;
}

/* Of a frame in which is_group_mac() could look. */
INLINE void swap_macs(void *data)
{
	swap32(data, data + 6);
	swap16(data + 4, data + 10);
}

/* A frame that must not be turned round: from or to a group. */
INLINE int is_group_mac(const void *data, const void *data_end)
{
	if (data + ETHERNET_BYTES > data_end)
		return 1;
	return (*(const __u8 *)data | *(const __u8 *)(data + 6)) & 1;
}

/*
 * A constant of each way through the program. clang would look at the Ethernet type again,
 * and verifiers before 6.8 have forgotten by then what was found of it.
 */
INLINE __u32 known(__u32 constant)
{
	asm volatile("" : "+r"(constant));
	return constant;
}

INLINE struct ip find_ip(void *data, void *data_end, const struct l3 *l3, __u64 frame_bytes)
{
	__u8 *header = data + l3->offset;
	struct ip none = {}, ip = { .header = header };

	if (!claims_ip(data, data_end, l3) || header + IPV4_BYTES > (__u8 *)data_end)
		return none;
	if (*(const load16 *)(header - 2) == TYPE_IPV4) {
		if (header[0] >> 4 != 4 || (header[0] & 0xf) * 4 < IPV4_BYTES ||
		    l3->offset + be16(header + 2) > frame_bytes)
			return none;
		ip.version = known(4);
		return ip;
	}
	if (header + IPV6_BYTES > (__u8 *)data_end || header[0] >> 4 != 6 ||
	    l3->offset + IPV6_BYTES + be16(header + 4) > frame_bytes)
		return none;
	ip.version = known(6);
	return ip;
}

/* What a packet carries that find_ip() found, however short it is. */
INLINE struct l4 ip_l4(const void *data, const void *data_end, const struct l3 *l3)
{
	struct l3 any = { .offset = l3->offset, .end = 1 };

	return parse_l4(data, data_end, &any);
}

/* Multicast, broadcast, or no address at all, at either end: RFC 1122, 3.2.1.3. */
INLINE int is_group_ip(const struct ip *ip)
{
	const __u8 *at = ip->header;

	if (ip->version == 4)
		return at[12] >= 224 || at[16] >= 224 || !at[12];
	return at[8] == 0xff || at[24] == 0xff ||
	       !(*(const load64 *)(at + 8) | *(const load64 *)(at + 16));
}

INLINE void swap_ips(struct ip *ip)
{
	__u8 *at = ip->header;

	if (ip->version == 4) {
		swap32(at + 12, at + 16);
		return;
	}
#pragma clang loop unroll(full)
	for (int i = 0; i < 16; i += 4)
		swap32(at + 8 + i, at + 24 + i);
}

/* As the addresses of the map are written. */
INLINE struct respond_key destination(const struct ip *ip)
{
	const __u8 *at = ip->header;

	if (ip->version == 4)
		return (struct respond_key){ { 0, 0, 0xffff0000, *(const load32 *)(at + 16) } };
	return (struct respond_key){ {
		*(const load32 *)(at + 24), *(const load32 *)(at + 28),
		*(const load32 *)(at + 32), *(const load32 *)(at + 36),
	} };
}

/* A checksum after one word under it has changed: RFC 1624, equation 3. */
INLINE void update_checksum(void *checksum, __u16 was, __u16 is)
{
	__u32 sum = (__u16)~*(load16 *)checksum + (__u16)~was + is;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(load16 *)checksum = ~sum;
}

/* What the responder says itself has its own way ahead. */
INLINE void renew_ttl(struct ip *ip)
{
	__u16 was;

	if (ip->version == 6) {
		ip->header[7] = RESPOND_TTL;
		return;
	}
	was = *(load16 *)(ip->header + 8);
	ip->header[8] = RESPOND_TTL;
	update_checksum(ip->header + 10, was, *(load16 *)(ip->header + 8));
}

/* A request with its code, and of the protocol that goes with its IP version. */
INLINE int is_echo_request(const struct ip *ip, const struct l4 *l4, const __u8 *icmp)
{
	if (icmp[1])
		return 0;
	if (ip->version == 4)
		return l4->protocol == PROTOCOL_ICMP && icmp[0] == ICMP_ECHO;
	return l4->protocol == PROTOCOL_ICMPV6 && icmp[0] == ICMPV6_ECHO;
}

INLINE void make_echo_reply(const struct ip *ip, __u8 *icmp)
{
	__u16 was = *(load16 *)icmp;

	icmp[0] = ip->version == 4 ? 0 : ICMPV6_ECHO_REPLY;
	update_checksum(icmp + 2, was, *(load16 *)icmp);
}

#endif
