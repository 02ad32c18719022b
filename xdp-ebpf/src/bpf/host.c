/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
#include <string.h>

#include "host.h"
#include "edit.h"
#include "nic.h"
#include "payload.h"
#include "usual.h"

/* Tests run side by side. */
static __thread const struct host_worker *current;

static struct lane *lane_at(__u32 index)
{
	return index < current->lane_count ? &current->lanes[index] : 0;
}

static __u64 *value_at(__u32 index)
{
	return index < current->value_count ? (__u64 *)&current->values[index] : 0;
}

__u32 host_write_frame(const struct host_worker *worker, struct live_stream *stream,
		       __u32 magic, __u32 sequence, __u64 time_ns, __u8 *frame, __u32 room)
{
	struct stamp stamp = { time_ns, magic, sequence, stream->stream };
	const __u8 *first = (const __u8 *)stream->first;
	const struct size_variant *variant = 0;
	__u32 frame_bytes = stream->frame_bytes;
	__u32 laid = stream->tag_offset;
	const __u64 *number;
	int fits;

	current = worker;
	if (!(stream->flags & LIVE_SIMPLE)) {
		number = value_at(stream->cycle_first + stream->position);
		if (!number)
			return 0;
		variant = &worker->variants[stream->variant_first + *number];
		frame_bytes = variant->frame_bytes;
		laid = variant->tag_offset;
	}
	laid = laid ? laid : frame_bytes;
	if (frame_bytes > room)
		return 0;
	/* As lay() of generator.bpf.c does by helpers. */
	for (__u32 at = 0; at < laid; at++)
		frame[at] = at < HEADER_BYTES_MAX ? first[at] : at - stream->header_bytes;
	fits = write_frame(frame, frame + room, stream, variant, &stamp, shape_of(stream));
	return fits ? frame_bytes : 0;
}

__u32 host_stream_advance(struct live_stream *stream)
{
	return stream_advance(stream);
}

__u64 host_histogram_index(__u64 value, __u32 precision)
{
	return histogram_index(value, precision);
}

__u64 host_histogram_index_low(__u64 value, __u32 precision)
{
	return histogram_index_low(value, precision);
}

void host_parse(const __u8 *frame, __u32 frame_bytes, struct host_parsed *parsed)
{
	const void *end = frame + frame_bytes;
	struct l3 l3 = parse_l3(frame, end, frame_bytes);
	const void *tag;
	struct l4 l4;

	*parsed = (struct host_parsed){
		.claims_ip = claims_ip(frame, end, &l3),
		.offset = l3.offset,
		.end = l3.end,
	};
	if (plain_tag(frame, end, &tag))
		parsed->plain_tag_offset = (const __u8 *)tag - frame;
	if (!l3.end)
		return;
	l4 = parse_l4(frame, end, &l3);
	parsed->l4_offset = l4.offset;
	parsed->protocol = l4.protocol;
	parsed->headers_damaged = headers_damaged(frame, end, &l3);
	parsed->payload_start = payload_start(frame, end, &l4);
	parsed->has_checksum = has_checksum(frame, end, &l4);
	parsed->pseudo_header_sum = pseudo_header_sum(frame, end, &l3, &l4);
}

void host_decode_tag(const __u8 *at, struct host_tag *out)
{
	struct tag tag = decode_tag(at);

	*out = (struct host_tag){ tag.time_ns, tag.nonce, tag.trial, tag.stream, tag.sequence };
}

__u64 host_fold(__u64 sum)
{
	return fold(sum);
}

__u64 host_chunk_sum(const __u8 *octets, __u32 count)
{
	__u64 chunk[CHUNK_WORDS];

	chunk_clear(chunk);
	memcpy(chunk, octets, count);
	return chunk_sum(chunk);
}

__u32 host_pattern_differs(const __u8 *octets, __u32 count, __u32 position)
{
	__u64 chunk[CHUNK_WORDS];

	chunk_expect(chunk, position);
	memcpy(chunk, octets, count);
	return chunk_differs(chunk, position);
}

__u32 host_window_mark(struct window *window, __u32 sequence, __u32 shared)
{
	__u64 left;

	return window_mark(window, sequence, shared, &left);
}

__u32 host_window_follow(struct window *window, struct record *record, __u32 sequence)
{
	__u64 left = 0;
	enum arrival arrival = window_mark(window, sequence, 1, &left);

	if (arrival == ARRIVAL_UNIQUE)
		record_lost(record, sequence, left);
	return arrival;
}

__s64 host_latency_ns(__u64 now_ns, __u64 tag_time_ns)
{
	return latency_ns(now_ns, tag_time_ns);
}

__u32 host_latency_plausible(__s64 latency)
{
	return latency_plausible(latency);
}

__u32 host_sequence_plausible(const struct record *record, __u32 sequence, __u64 now_ns,
			      __u64 base_ns)
{
	return sequence_plausible(record, sequence, now_ns, base_ns);
}

__u32 host_interval_slot(struct record *record, __u64 tx_ns, __u64 base_ns, __u64 interval_ns)
{
	return interval_slot(record, tx_ns, base_ns, interval_ns);
}

__u32 host_is_stamped(__u32 stamp_mask, __u32 sequence)
{
	return is_stamped(stamp_mask, sequence);
}

__s64 host_record_unique(struct record *record, __u32 sequence, __u64 now_ns)
{
	return record_unique(record, sequence, now_ns);
}

void host_record_latency(struct record *record, __s64 latency)
{
	record_latency(record, latency);
}

__s64 host_record_variation(struct record *record, __s64 latency, __u32 consecutive)
{
	__s64 variation = record_variation(record, latency, consecutive);

	record->last_latency_ns = latency;
	return variation;
}

void host_slab_latency(struct slab *slab, __s64 latency)
{
	slab_latency(slab, latency);
}

void host_slab_gap(struct slab *slab, __s64 gap)
{
	slab_gap(slab, gap);
}

void host_slab_ipdv(struct slab *slab, __s64 variation)
{
	slab_ipdv(slab, variation);
}

__u32 host_count_usual(struct record *record, struct window *window, struct slab *slab,
		       const struct host_arrived *frame, __u64 interval_ns, __u32 every,
		       __u32 shared)
{
	const struct arrived arrived = { frame->sequence, frame->bytes, frame->now_ns,
					 frame->latency_ns };

	return count_usual(record, window, slab, &arrived, interval_ns, every, shared);
}

__u32 host_nic_to_monotonic(const struct nic_fit *fit, __u64 stamp_ns, __u64 *monotonic_ns)
{
	return nic_to_monotonic(fit, stamp_ns, monotonic_ns);
}
