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

#include "damage.h"
#include "kernel.h"
#include "usual.h"

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
MAPPED_ARRAY(records, struct record);           /* [trial bank][bank][stream] */
MAPPED_ARRAY(windows, struct window);           /* [stream_config.window] */
MAPPED_ARRAY(slabs, struct slab);               /* [0: nobody's], [trial bank][as allotted] */

static __u64 arrival_ns(struct xdp_md *ctx, struct port_record *port);

/* The tag at an offset; false if it cannot be there, or is not of this session. */
INLINE int find_tag(struct xdp_md *ctx, const void *data, const void *data_end, __u32 offset,
		    struct tag *tag)
{
	const void *at = data + bounded(offset);

	if (offset > OFFSET_MAX)
		return 0;
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

/* The buckets of a record; the first unique frame takes a slab while there are any. */
INLINE struct slab *slab_of(struct record *record, __u32 trial_bank)
{
	__u32 index;

	if (!record->slab) {
		if (*(volatile __u32 *)&control.slabs_used[trial_bank] >= config.slabs)
			return 0;
		index = __sync_fetch_and_add(&control.slabs_used[trial_bank], 1);
		if (index >= config.slabs)
			return 0;
		record->slab = trial_bank * config.slabs + index + 1;
	}
	return bpf_map_lookup_elem(&slabs, &record->slab);
}

INLINE int pass(struct port_record *port)
{
	port->passed++;
	return XDP_PASS;
}

INLINE int drop(struct port_record *port)
{
	port->matched++;
	/* XDP_PASS is the next one. */
	return XDP_DROP + *(volatile __u32 *)&port->listened;
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
INLINE int count_frame(struct xdp_md *ctx, struct port_record *port, __u64 frame_bytes)
{
	__u32 stream = count_match(ctx);
	struct record *record;
	__u64 now_ns;
	__u32 index;

	if (!stream)
		return 0;
	index = (*(volatile __u64 *)&port->trial >> TRIAL_RECORD_SHIFT) + stream - 1;
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

/* What speaks against a frame of this session. */
enum oddity {
	ODD_DAMAGED = 1,
	ODD_STALE = 2,
};

/* The tag of any frame, where it is, and what is odd; 0: there is none of this session. */
INLINE int search_tag(struct xdp_md *ctx, __u64 frame_bytes, __u64 trial, struct tag *tag,
		      __u32 *tag_offset, int *odd)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	/* A device may have popped a VLAN and padded the frame: L3 knows its end better. */
	struct l3 l3 = parse_l3(data, data_end, frame_bytes);

	*tag_offset = l3.end - TAG_BYTES;
	if (l3.end && find_tag(ctx, data, data_end, *tag_offset, tag)) {
		*odd = headers_damaged(data, data_end, &l3);
	} else {
		*tag_offset = frame_bytes - TAG_BYTES;
		if (l3.end == frame_bytes || frame_bytes < l3.offset + TAG_BYTES ||
		    !find_tag(ctx, data, data_end, *tag_offset, tag))
			return 0;
		*odd = claims_ip(data, data_end, &l3);
	}
	if (tag->trial != (trial & TRIAL_NUMBER))
		*odd = ODD_STALE;
	return 1;
}

/*
 * clang for BPF lays code out as it is written: what most frames do comes first and falls
 * through, what is rare stands behind it.
 */
INLINE int analyse(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	__u64 frame_bytes = data_end - data;
	__u32 stamp_mask = config.stamp_mask;
	__u32 bank = config.bank_by_cpu ? bpf_get_smp_processor_id() : ctx->rx_queue_index;
	int shared, consecutive, odd = 0;
	__u32 index, tag_offset;
	__u64 now_ns, trial, left = 0;
	__s64 latency, gap;
	struct port_record *port;
	struct record *record;
	struct window *window;
	struct slab *slab = 0;
	const void *at;
	struct tag tag;

	port = bpf_map_lookup_elem(&ports, &bank);
	if (UNLIKELY(!port))
		goto unbanked;
	if (config.multi_buffer)
		frame_bytes = bpf_xdp_get_buff_len(ctx);
	port->seen++;
	port->seen_bytes += frame_bytes;
	trial = *(volatile __u64 *)&port->trial;

	if (UNLIKELY(!plain_tag(data, data_end, &at)))
		goto search;
	tag = decode_tag(at);
	if (UNLIKELY((tag.nonce << TAG_TRIAL_BITS | tag.trial) != (trial & TRIAL_MAGIC)))
		goto search;
	tag_offset = at - data;

tagged:
	now_ns = is_stamped(stamp_mask, tag.sequence) ? arrival_ns(ctx, port) :
							recent_ns(ctx, port, tag.time_ns);
	latency = latency_ns(now_ns, tag.time_ns);
	if (UNLIKELY(tag.stream >= config.streams))
		goto implausible;
	index = (trial >> TRIAL_RECORD_SHIFT) + tag.stream;
	record = bpf_map_lookup_elem(&records, &index);
	if (UNLIKELY(!record))
		goto implausible;
	if (UNLIKELY(record->stream.role != STREAM_EXPECTED))
		goto elsewhere;
	window = bpf_map_lookup_elem(&windows, &record->stream.window);
	if (UNLIKELY(!window))
		goto implausible;
	if (UNLIKELY(odd))
		goto unusual;
	if (config.full_integrity && record->stream.flags & STREAM_INTEGRITY_FULL)
		goto unusual;
	if (stamp_mask == STAMP_EVERY) {
		if (UNLIKELY(!record->slab))
			goto unusual;
		slab = bpf_map_lookup_elem(&slabs, &record->slab);
		if (UNLIKELY(!slab))
			goto unusual;
	} else {
		if (UNLIKELY(is_stamped(stamp_mask, tag.sequence)))
			goto unusual;
		if (UNLIKELY(!latency_plausible(latency)))
			goto implausible;
	}
	shared = config.banks > 1 || config.shared_windows;
	if (UNLIKELY(!count_usual(record, window, slab,
				  &(struct arrived){ tag.sequence, frame_bytes, now_ns, latency },
				  config.interval_ns, stamp_mask == STAMP_EVERY, shared)))
		goto unusual;
	return drop(port);

search:
	if (search_tag(ctx, frame_bytes, trial, &tag, &tag_offset, &odd))
		goto tagged;
	if (config.count_rules && count_frame(ctx, port, frame_bytes))
		return drop(port);
	return pass(port);

unusual:
	if (!latency_plausible(latency))
		goto implausible;
	if (odd == ODD_STALE) {
		record->stale++;
		return drop(port);
	}
	/* 0 or 1, in a form in which every verifier sees it. */
	bank = trial & TRIAL_BANK ? 1 : 0;
	if (!sequence_plausible(record, tag.sequence, now_ns, control.base_ns[bank & 1]))
		goto implausible;
	if (odd || (config.full_integrity && record->stream.flags & STREAM_INTEGRITY_FULL &&
		    payload_damaged(ctx, record->stream.payload_offset, tag_offset))) {
		record->corrupt++;
		return drop(port);
	}
	shared = config.banks > 1 || config.shared_windows;
	switch (window_mark(window, tag.sequence, shared, &left)) {
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
	if (left >> 32 != (tag.sequence >> WINDOW_BITS | WINDOW_USED))
		record_lost(record, tag.sequence, left);
	record->bytes += frame_bytes;
	consecutive = tag.sequence == record->next_sequence;
	gap = record_unique(record, tag.sequence, now_ns);
	index = interval_slot(record, now_ns - latency, control.base_ns[bank & 1],
			      config.interval_ns);
	record->interval_unique[index]++;
	if (is_stamped(stamp_mask, tag.sequence))
		time_frame(record, slab_of(record, bank & 1),
			   latency - serialisation_ns(record, frame_bytes), gap, consecutive);
	return drop(port);

elsewhere:
	if (record->stream.role == STREAM_UNKNOWN || !latency_plausible(latency))
		goto implausible;
	record->misdirected++;
	return drop(port);

implausible:
	if (config.count_rules && count_frame(ctx, port, frame_bytes))
		return drop(port);
	port->implausible++;
	return pass(port);

unbanked:
	/* A queue that was added after load has no bank of its own to write. */
	__sync_fetch_and_add(&control.unbanked, 1);
	return XDP_PASS;
}

#endif
