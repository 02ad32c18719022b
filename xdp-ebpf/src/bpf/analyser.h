/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The analyser's maps and its way with one frame. Each program that includes this
 * says where its time comes from:
 *
 *     static __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port);
 *
 * and calls analyse() from its XDP entry.
 */
#ifndef LINERATE_ANALYSER_H
#define LINERATE_ANALYSER_H

#include "kernel.h"
#include "payload.h"
#include "record.h"

/* The values here are for loaders that set none; crate::Analyser sets all. */
const volatile struct analyser_config config SECTION(".rodata") = {
	.interval_ns = 1000000,
	.streams = 1,
	.banks = 1,
	.slabs = 1,
	.full_integrity = 1,
	.multi_buffer = 1,
	.count_rules = COUNT_RULES_MAX,
};

#include "count.h"

struct analyser_control control SECTION(".bss");

MAPPED_ARRAY(ports, struct port_record);        /* [bank] */
MAPPED_ARRAY(records, struct record);           /* [stream][bank][trial bank] */
MAPPED_ARRAY(windows, struct window);           /* [stream_config.window] */
MAPPED_ARRAY(slabs, struct slab);               /* [trial bank][as allotted] */

static __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port);

/* The tag at an offset; false if it cannot be there, or is not of this session. */
INLINE int find_tag(struct xdp_md *ctx, const void *data, const void *data_end, __u32 offset,
		    struct tag *tag)
{
	__u64 bounded = offset;
	const void *at;

	if (offset > 0x3fff)
		return 0;
	/*
	 * clang compares a copy, and verifiers before 6.8 do not see what that says of the
	 * register that is added.
	 */
	asm volatile("%0 &= 0x3fff" : "+r"(bounded));
	at = data + bounded;
	if (at + TAG_BYTES <= data_end) {
		*tag = decode_tag(at);
	} else if (config.multi_buffer) {
		__u64 octets[2];

		if (bpf_xdp_load_bytes(ctx, offset, octets, TAG_BYTES))
			return 0;
		*tag = decode_tag(octets);
	} else {
		return 0;
	}
	return tag->nonce == config.nonce;
}

/* Lays the last 1 to CHUNK_BYTES octets before `to` over a chunk. */
INLINE int load_last(struct xdp_md *ctx, __u64 *chunk, __u32 from, __u32 to)
{
	/* In a form in which every verifier sees that it is neither 0 nor too much. */
	__u32 octets = ((to - from - 1) & (CHUNK_BYTES - 1)) + 1;

	return bpf_xdp_load_bytes(ctx, from, chunk, octets);
}

/* Global functions are verified by themselves: once, and not for every way to the call. */
__attribute__((noinline)) int checksum_wrong(struct xdp_md *ctx, __u32 from, __u32 to, __u64 sum)
{
	__u64 chunk[CHUNK_WORDS];

	for (int i = 0; i < CHUNKS_MAX && from + CHUNK_BYTES < to; i++) {
		if (bpf_xdp_load_bytes(ctx, from, chunk, CHUNK_BYTES))
			return 1;
		sum += chunk_sum(chunk);
		from += CHUNK_BYTES;
	}
	chunk_clear(chunk);
	if (from < to && load_last(ctx, chunk, from, to))
		return 1;
	return fold(sum + chunk_sum(chunk)) != 0xffff;
}

__attribute__((noinline)) int pattern_wrong(struct xdp_md *ctx, __u32 from, __u32 to)
{
	__u64 chunk[CHUNK_WORDS];
	__u32 position = 0;

	for (int i = 0; i < CHUNKS_MAX && from + CHUNK_BYTES < to; i++) {
		if (bpf_xdp_load_bytes(ctx, from, chunk, CHUNK_BYTES) ||
		    chunk_differs(chunk, position))
			return 1;
		from += CHUNK_BYTES;
		position += CHUNK_BYTES;
	}
	if (from >= to)
		return from != to;
	chunk_expect(chunk, position);
	return load_last(ctx, chunk, from, to) || chunk_differs(chunk, position);
}

/* The frame is parsed again: it costs little beside the walk, and the others nothing. */
__attribute__((noinline)) int payload_damaged(struct xdp_md *ctx, __u32 payload_offset,
					      __u32 tag_offset)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	struct l3 l3 = parse_l3(data, data_end, tag_offset + TAG_BYTES);
	struct l4 l4 = parse_l4(data, data_end, &l3);
	__u32 start;

	if (has_checksum(data, data_end, &l4) &&
	    checksum_wrong(ctx, l4.offset, l3.end, pseudo_header_sum(data, data_end, &l3, &l4)))
		return 1;
	if (payload_offset)
		start = payload_offset + (l4.offset ? l4.offset : l3.offset);
	else
		start = payload_start(data, data_end, &l4);
	return start && pattern_wrong(ctx, start, tag_offset);
}

/* The buckets of a record; the first unique frame takes a slab while there are any. */
INLINE struct slab *slab_of(struct record *record, __u32 trial_bank)
{
	__u32 index = record->slab - 1;

	if (!record->slab) {
		if (*(volatile __u32 *)&control.slabs_used[trial_bank] >= config.slabs)
			return 0;
		index = __sync_fetch_and_add(&control.slabs_used[trial_bank], 1);
		if (index >= config.slabs)
			return 0;
		index += trial_bank * config.slabs;
		record->slab = index + 1;
	}
	return bpf_map_lookup_elem(&slabs, &index);
}

INLINE int pass(struct port_record *port)
{
	port->passed++;
	return XDP_PASS;
}

INLINE int drop(struct port_record *port)
{
	port->matched++;
	return *(volatile __u32 *)&control.listened ? XDP_PASS : XDP_DROP;
}

/*
 * The time, for a frame that gets no stamp: that of the last stamp, if the frame was sent
 * before it. So it is behind by less than the frame's latency.
 */
INLINE __u64 recent_ns(struct xdp_md *ctx, struct port_record *port, __u64 tag_time_ns)
{
	__s64 latency = latency_ns(port->clock_ns, tag_time_ns);

	if (port->clock_ns && latency >= 0 && latency >> LATENCY_MAX_BITS == 0)
		return port->clock_ns;
	port->clock_ns = arrival_ns(ctx, port);
	return port->clock_ns;
}

/* Counts a frame without a tag, if it is of a flow of this session. */
INLINE int count_frame(struct xdp_md *ctx, struct port_record *port, __u32 bank, __u64 frame_bytes)
{
	__u32 stream = count_match(ctx);
	struct record *record;
	__u64 now_ns;
	__u32 index;

	if (!stream)
		return 0;
	index = ((stream - 1) * config.banks + bank) << 1;
	index |= *(volatile __u32 *)&control.trial & TRIAL_BANK ? 1 : 0;
	record = bpf_map_lookup_elem(&records, &index);
	if (UNLIKELY(!record))
		return 0;
	if (UNLIKELY(record->stream.role != STREAM_EXPECTED)) {
		record->misdirected++;
		return 1;
	}
	now_ns = arrival_ns(ctx, port);
	if (!record->unique)
		record->first_rx_ns = now_ns;
	record->last_rx_ns = now_ns;
	record->bytes += frame_bytes;
	record->unique++;
	return 1;
}

/* What is kept of a frame with a stamp. Gaps and differences want one on every frame. */
INLINE void time_frame(struct record *record, struct slab *slab, __s64 latency, __s64 gap,
		       int consecutive)
{
	int every = config.stamp_mask == STAMP_EVERY && gap >= 0;
	__s64 variation = 0;

	record_latency(record, latency);
	if (every)
		variation = record_variation(record, latency, consecutive);
	record->last_latency_ns = latency;
	if (UNLIKELY(!slab)) {
		record->unbucketed++;
		return;
	}
	slab_latency(slab, latency);
	if (every)
		slab_gap(slab, gap);
	if (every && consecutive)
		slab_ipdv(slab, variation);
}

INLINE int analyse(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	__u64 frame_bytes = data_end - data;
	__u32 bank = config.bank_by_cpu ? bpf_get_smp_processor_id() : ctx->rx_queue_index;
	__u32 trial, trial_bank, index, tag_offset;
	int damaged, stamped, consecutive, implausible = 0;
	__s64 latency, gap;
	__u64 now_ns, left = 0;
	struct port_record *port;
	struct record *record;
	struct window *window;
	struct tag tag;
	struct l3 l3;

	port = bpf_map_lookup_elem(&ports, &bank);
	if (UNLIKELY(!port)) {
		/* A queue that was added after load has no bank of its own to write. */
		__sync_fetch_and_add(&control.unbanked, 1);
		return XDP_PASS;
	}
	if (config.multi_buffer)
		frame_bytes = bpf_xdp_get_buff_len(ctx);
	port->seen++;
	port->seen_bytes += frame_bytes;

	/* A device may have popped a VLAN and padded the frame: L3 knows its end better. */
	l3 = parse_l3(data, data_end, frame_bytes);
	tag_offset = l3.end - TAG_BYTES;
	if (UNLIKELY(!l3.end || !find_tag(ctx, data, data_end, tag_offset, &tag))) {
		tag_offset = frame_bytes - TAG_BYTES;
		if (l3.end == frame_bytes || frame_bytes < l3.offset + TAG_BYTES ||
		    !find_tag(ctx, data, data_end, tag_offset, &tag))
			goto untagged;
		damaged = claims_ip(data, data_end, &l3);
	} else {
		damaged = headers_damaged(data, data_end, &l3);
	}

	stamped = is_stamped(config.stamp_mask, tag.sequence);
	now_ns = stamped ? arrival_ns(ctx, port) : recent_ns(ctx, port, tag.time_ns);
	latency = latency_ns(now_ns, tag.time_ns);
	if (UNLIKELY(tag.stream >= config.streams || !latency_plausible(latency)))
		goto implausible;

	trial = *(volatile __u32 *)&control.trial;
	trial_bank = trial & TRIAL_BANK ? 1 : 0;
	index = (tag.stream * config.banks + bank) << 1 | trial_bank;
	record = bpf_map_lookup_elem(&records, &index);
	if (UNLIKELY(!record || record->stream.role == STREAM_UNKNOWN))
		goto implausible;
	if (UNLIKELY(record->stream.role != STREAM_EXPECTED)) {
		record->misdirected++;
		return drop(port);
	}
	if (UNLIKELY(tag.trial != (trial & TRIAL_NUMBER))) {
		record->stale++;
		return drop(port);
	}
	if (UNLIKELY(!sequence_plausible(record, tag.sequence, now_ns, control.base_ns[trial_bank])))
		goto implausible;
	if (UNLIKELY(damaged ||
		     (config.full_integrity && record->stream.flags & STREAM_INTEGRITY_FULL &&
		      payload_damaged(ctx, record->stream.payload_offset, tag_offset)))) {
		record->corrupt++;
		return drop(port);
	}

	index = record->stream.window;
	window = bpf_map_lookup_elem(&windows, &index);
	if (UNLIKELY(!window))
		goto implausible;
	switch (window_mark(window, tag.sequence, config.banks > 1 || config.shared_windows, &left)) {
	case ARRIVAL_LATE:
		record->late++;
		return drop(port);
	case ARRIVAL_DUPLICATE:
		record->duplicate++;
		record->bytes += frame_bytes;
		return drop(port);
	case ARRIVAL_UNIQUE:
		break;
	}

	if (UNLIKELY(left >> 32 != (tag.sequence >> WINDOW_BITS | WINDOW_USED)))
		record_lost(record, tag.sequence, left);
	record->bytes += frame_bytes;
	consecutive = tag.sequence == record->next_sequence;
	gap = record_unique(record, tag.sequence, now_ns);
	index = interval_slot(record, now_ns - latency, control.base_ns[trial_bank],
			      config.interval_ns);
	record->interval_unique[index]++;
	if (stamped)
		time_frame(record, slab_of(record, trial_bank),
			   latency - serialisation_ns(record, frame_bytes), gap, consecutive);
	return drop(port);

implausible:
	implausible = 1;
untagged:
	if (config.count_rules && count_frame(ctx, port, bank, frame_bytes))
		return drop(port);
	port->implausible += implausible;
	return pass(port);
}

#endif
