/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The responder: sends test frames (or datagrams to the echo port) back where they came
 * from, answers pings to the addresses that it plays, and passes everything else.
 *
 * Swapping addresses and ports leaves every Internet checksum as it was: right where it was
 * right, and wrong where the frame was damaged, for the sender to see.
 */
#include "kernel.h"
#include "respond.h"

struct respond_control control SECTION(".bss");

/* By the low bits of the nonce. Shared by all queues: what a race costs is a recognition
 * that comes a frame later. */
struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, RESPOND_SESSIONS);
	TYPE(key, __u32);
	TYPE(value, struct respond_session);
} sessions SECTION(".maps");

/* enum respond_address; written before the attach. */
struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 1);
	TYPE(key, struct respond_key);
	TYPE(value, __u32);
} addresses SECTION(".maps");

MAPPED_ARRAY(banks, struct respond_record);

/* Whether a tag at this offset is of a session. */
INLINE int is_tag(struct xdp_md *ctx, __u32 offset, __u64 now_ns)
{
	struct respond_session *session;
	__u64 octets[2];
	struct tag tag;
	__u32 slot;

	if (bpf_xdp_load_bytes(ctx, offset, octets, TAG_BYTES))
		return 0;
	tag = decode_tag(octets);
	slot = tag.nonce & (RESPOND_SESSIONS - 1);
	session = bpf_map_lookup_elem(&sessions, &slot);
	return session && session_knows(session, &tag, now_ns);
}

INLINE int is_test_frame(struct xdp_md *ctx, const struct l3 *l3, __u64 frame_bytes)
{
	__u64 now_ns = bpf_ktime_get_ns();

	if (frame_bytes < l3->offset + TAG_BYTES)
		return 0;
	return (l3->end && is_tag(ctx, l3->end - TAG_BYTES, now_ns)) ||
	       (l3->end != frame_bytes && is_tag(ctx, frame_bytes - TAG_BYTES, now_ns));
}

INLINE int sent_back(struct respond_record *record, __u64 frame_bytes)
{
	record->reflected++;
	record->reflected_bytes += frame_bytes;
	return XDP_TX;
}

/* With swapped MAC addresses and, if asked for, IP addresses. */
INLINE int reflect(struct xdp_md *ctx, struct respond_record *record, const struct l3 *l3,
		   __u64 frame_bytes)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct ip ip;

	if (!is_test_frame(ctx, l3, frame_bytes))
		return XDP_PASS;
	if (is_group_mac(data, data_end)) {
		record->refused_group++;
		return XDP_DROP;
	}
	if (control.mode == RESPOND_L3) {
		ip = find_ip(data, data_end, l3, frame_bytes);
		if (!ip.header) {
			record->refused_no_ip++;
			return XDP_DROP;
		}
		if (is_group_ip(&ip)) {
			record->refused_group++;
			return XDP_DROP;
		}
		swap_ips(&ip);
	}
	swap_macs(data);
	return sent_back(record, frame_bytes);
}

INLINE __u32 *address_of(const struct ip *ip)
{
	struct respond_key key = destination(ip);

	return bpf_map_lookup_elem(&addresses, &key);
}

/* Sends a datagram to the echo port back, with swapped ports (RFC 862). */
INLINE int echo(struct respond_record *record, void *data, void *data_end, struct ip *ip,
		const struct l4 *l4, __u64 frame_bytes)
{
	__u8 *udp = data + l4->offset;

	if (udp + UDP_BYTES > (__u8 *)data_end || *(const load16 *)(udp + 2) != ECHO_PORT ||
	    !address_of(ip))
		return XDP_PASS;
	if (*(const load16 *)udp == ECHO_PORT) {
		record->refused_loop++;
		return XDP_DROP;
	}
	if (is_group_mac(data, data_end) || is_group_ip(ip)) {
		record->refused_group++;
		return XDP_DROP;
	}
	swap16(udp, udp + 2);
	swap_ips(ip);
	renew_ttl(ip);
	swap_macs(data);
	return sent_back(record, frame_bytes);
}

/* Answers a ping (RFC 792, RFC 4443 section 4.2). */
INLINE int answer_ping(struct respond_record *record, void *data, void *data_end, struct ip *ip,
		       const struct l4 *l4)
{
	__u8 *icmp = data + l4->offset;
	__u32 *address;

	if (icmp + ICMP_BYTES > (__u8 *)data_end || !is_echo_request(ip, l4, icmp))
		return XDP_PASS;
	address = address_of(ip);
	if (!address || *address != RESPOND_PLAYED || is_group_mac(data, data_end) ||
	    is_group_ip(ip))
		return XDP_PASS;
	make_echo_reply(ip, icmp);
	swap_ips(ip);
	renew_ttl(ip);
	swap_macs(data);
	record->answered++;
	return XDP_TX;
}

SECTION("xdp")
int responder(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 bank = control.bank_by_cpu ? bpf_get_smp_processor_id() : ctx->rx_queue_index;
	__u64 frame_bytes = bpf_xdp_get_buff_len(ctx);
	struct respond_record *record = bpf_map_lookup_elem(&banks, &bank);
	struct l3 l3;
	struct l4 l4;
	struct ip ip;

	if (UNLIKELY(!record)) {
		__sync_fetch_and_add(&control.unbanked, 1);
		return XDP_PASS;
	}
	record->seen++;
	l3 = parse_l3(data, data_end, frame_bytes);
	if (control.mode != RESPOND_UDP_ECHO) {
		int action = reflect(ctx, record, &l3, frame_bytes);

		if (action != XDP_PASS)
			return action;
	}
	ip = find_ip(data, data_end, &l3, frame_bytes);
	if (!ip.header)
		return XDP_PASS;
	l4 = ip_l4(data, data_end, &l3);
	if (control.mode == RESPOND_UDP_ECHO && l4.protocol == PROTOCOL_UDP)
		return echo(record, data, data_end, &ip, &l4, frame_bytes);
	if (l4.protocol == PROTOCOL_ICMP || l4.protocol == PROTOCOL_ICMPV6)
		return answer_ping(record, data, data_end, &ip, &l4);
	return XDP_PASS;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
