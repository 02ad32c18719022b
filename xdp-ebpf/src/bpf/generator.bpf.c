/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The live-frame generator (BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES): every turn is
 * a page of the kernel's that becomes the next frame of the stream that is due, or is
 * dropped because none is. One program per worker, on one CPU: each word has one writer.
 *
 * A page comes back with whatever the far end left in it, so every octet is written.
 */
#include "kernel.h"
#include "edit.h"

struct generator_control control SECTION(".bss");

MAPPED_ARRAY(streams, struct live_stream);
MAPPED_ARRAY(lanes, struct lane);
MAPPED_ARRAY(values, __u64);                    /* tables of edits, cycles of sizes */
MAPPED_ARRAY(variants, struct size_variant);
MAPPED_ARRAY(dues, struct due);                 /* heap of the paced streams */
MAPPED_ARRAY(turns, __u64);                     /* the unpaced streams */

enum {
	NONE = 0xffffffff,
	HEAP_LEVELS = 17,               /* of LIVE_STREAMS_MAX entries */
	MANY_STREAMS = 64,              /* more than the first cache holds */
	TURNS_AHEAD = 2,
};

static struct lane *lane_at(__u32 index)
{
	return bpf_map_lookup_elem(&lanes, &index);
}

static __u64 *value_at(__u32 index)
{
	return bpf_map_lookup_elem(&values, &index);
}

static struct due *due_at(__u32 index)
{
	return bpf_map_lookup_elem(&dues, &index);
}

static __u64 *turn_at(__u32 index)
{
	return bpf_map_lookup_elem(&turns, &index);
}

#include "feed.h"
#include "sent.h"

INLINE void read_clock(void)
{
	__u64 now_ns = bpf_ktime_get_ns();

	control.now_ns = now_ns;
	control.ready_ns = now_ns < control.fed_from_ns ? now_ns : control.fed_from_ns - 1;
	control.clock_left = control.clock_frames;
	if (now_ns >= control.interval_end_ns && now_ns >= control.start_ns && control.interval_ns) {
		__u64 index = (now_ns - control.start_ns) / control.interval_ns;

		control.interval_end_ns = control.start_ns + (index + 1) * control.interval_ns;
		control.interval_slot = index % INTERVALS;
	}
}

INLINE int is_earlier(const struct due *a, const struct due *b)
{
	return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->stream < b->stream);
}

/* Lets an entry sink from the top of the heap to its place. */
INLINE void sink(struct due moving)
{
	__u32 hole = 0;
	struct due *at;

	for (int level = 0; level < HEAP_LEVELS; level++) {
		__u32 child = 2 * hole + 1;
		struct due *least, *other;

		if (child >= control.paced)
			break;
		least = due_at(child);
		other = child + 1 < control.paced ? due_at(child + 1) : 0;
		if (least && other && is_earlier(other, least)) {
			least = other;
			child++;
		}
		if (!least || !is_earlier(least, &moving))
			break;
		at = due_at(hole);
		if (at)
			*at = *least;
		hole = child;
	}
	at = due_at(hole);
	if (at)
		*at = moving;
}

INLINE void remove_paced(void)
{
	struct due *last;

	control.paced--;
	last = due_at(control.paced);
	if (last && control.paced)
		sink(*last);
}

INLINE void remove_unpaced(void)
{
	__u64 *last, *at = turn_at(control.turn);

	control.unpaced--;
	last = turn_at(control.unpaced);
	if (at && last)
		*at = *last;
}

/*
 * Has the lines of a stream that sends soon brought while other frames are made. BPF has no
 * prefetch, and a load holds up all that follows until it has retired; nothing waits for a
 * store. So each of the first lines of a simple stream has an octet to be written.
 */
INLINE void fetch_ahead(void)
{
	__u32 ahead = control.turn + TURNS_AHEAD;
	struct live_stream *stream;
	const __u64 *turn;
	__u32 index;

	if (ahead >= control.unpaced)
		ahead -= control.unpaced;
	turn = turn_at(ahead);
	if (!turn)
		return;
	index = *turn;
	stream = bpf_map_lookup_elem(&streams, &index);
	if (!stream)
		return;
	stream->touched = 0;
	stream->lane[0].edit.touched = 0;
	stream->lane[1].edit.touched = 0;
	stream->lane[1].edit.touched_too = 0;
}

/*
 * Of the paced streams the one that has been due longest; when none is due, the unpaced
 * ones in turn (tx/schedule.rs). The clock is read when its reading has served
 * `clock_frames` frames, and before anything is found not due.
 */
INLINE __u32 next_stream(enum source *source)
{
	const struct due *top;
	const __u64 *turn;

	*source = PACED;
	if (!control.clock_left)
		read_clock();
	if (control.now_ns < control.start_ns) {
		control.clock_left = 0;
		return NONE;
	}
	if (control.paced) {
		top = due_at(0);
		if (!top)
			return NONE;
		if (top->due_ns <= control.ready_ns)
			return top->stream;
		if (UNLIKELY(is_fed())) {
			/* What is left in the heap comes by the feed. */
			control.paced = 0;
		} else if (!control.unpaced) {
			if (control.clock_left != control.clock_frames)
				read_clock();
			if (top->due_ns <= control.ready_ns)
				return top->stream;
			control.clock_left = 0;
			return NONE;
		}
	}
	if (UNLIKELY(is_fed())) {
		__u32 stream = next_fed();

		*source = FED;
		if (stream != NONE)
			return stream;
	}
	if (UNLIKELY(!control.unpaced)) {
		/* All that is to come is not known yet, or not due. */
		control.clock_left = 0;
		return NONE;
	}
	*source = UNPACED;
	if (++control.turn >= control.unpaced)
		control.turn = 0;
	if (control.unpaced >= MANY_STREAMS)
		fetch_ahead();
	turn = turn_at(control.turn);
	return turn ? *turn : NONE;
}

/*
 * Lays the first octets of a frame, word by word: a call of a helper takes longer than that.
 * What the last word brings too much, the tag covers.
 */
INLINE int lay_first(struct xdp_md *ctx, struct live_stream *stream, __u32 octets)
{
	const void *data_end = (const void *)(long)ctx->data_end;
	__u64 *to = (void *)(long)ctx->data;
	__u64 *from = stream->first;
	__u32 laid;

	for (laid = 0; laid < HEADER_BYTES_MAX; laid += 16) {
		if (laid >= octets)
			return 1;
		if ((void *)(to + 2) > data_end)
			break;
		to[0] = from[0];
		to[1] = from[1];
		to += 2;
		from += 2;
	}
	if (laid >= octets)
		return 1;
	/* Less than two words to the end. */
	octets = ((octets - laid - 1) & 15) + 1;
	return !bpf_xdp_store_bytes(ctx, laid, from, octets);
}

/* Lays header and payload, which the far end may have changed, or another stream. */
INLINE int lay(struct xdp_md *ctx, struct live_stream *stream, __u32 frame_bytes, __u32 tag_offset)
{
	__u32 end = tag_offset ? tag_offset : frame_bytes;
	__u64 position = HEADER_BYTES_MAX - stream->header_bytes;

	if (frame_bytes != control.frame_bytes &&
	    bpf_xdp_adjust_tail(ctx, (int)frame_bytes - (int)control.frame_bytes))
		return 0;
	if (!lay_first(ctx, stream, end < HEADER_BYTES_MAX ? end : HEADER_BYTES_MAX))
		return 0;
	if (end <= HEADER_BYTES_MAX)
		return 1;
	end -= HEADER_BYTES_MAX;
	/* What is compared is to be the register that is added: Linux 6.1 does not see the tie. */
	asm volatile("" : "+r"(position));
	if (position > HEADER_BYTES_MAX || end > LIVE_FRAME_BYTES_MAX - HEADER_BYTES_MAX)
		return 0;
	return !bpf_xdp_store_bytes(ctx, HEADER_BYTES_MAX, control.pattern + position, end);
}

/* Makes the next frame of a stream: its octets, or 0, which is a defect. */
INLINE int write_variant(struct xdp_md *ctx, struct live_stream *stream,
			 const struct size_variant *variant, __u32 sequence,
			 const enum shape shape)
{
	const int simple = shape == SIMPLE;
	__u32 frame_bytes = simple ? stream->frame_bytes : variant->frame_bytes;
	__u32 tag_offset = simple ? stream->tag_offset : variant->tag_offset;
	struct stamp stamp;

	if (!lay(ctx, stream, frame_bytes, tag_offset))
		return 0;
	stamp.time_ns = control.now_ns;
	stamp.magic = control.magic;
	stamp.sequence = sequence;
	stamp.stream = stream->stream;
	if (!write_frame((void *)(long)ctx->data, (void *)(long)ctx->data_end, stream, variant,
			 &stamp, shape))
		return 0;
	return frame_bytes;
}

/* The same where what it needs is not all in the stream itself. */
INLINE int write_stored(struct xdp_md *ctx, __u32 index, __u32 sequence, const enum shape shape)
{
	struct live_stream *stream = bpf_map_lookup_elem(&streams, &index);
	const struct size_variant *variant;
	const __u64 *number;
	__u32 at;

	if (!stream)
		return 0;
	number = value_at(stream->cycle_first + stream->position);
	if (!number)
		return 0;
	at = stream->variant_first + *number;
	variant = bpf_map_lookup_elem(&variants, &at);
	return variant ? write_variant(ctx, stream, variant, sequence, shape) : 0;
}

/* Global functions are verified by themselves: once, and not for every way to the call. */
__attribute__((noinline)) int write_plain(struct xdp_md *ctx, __u32 index, __u32 sequence)
{
	return write_stored(ctx, index, sequence, PLAIN);
}

__attribute__((noinline)) int write_nested(struct xdp_md *ctx, __u32 index, __u32 sequence)
{
	return write_stored(ctx, index, sequence, NESTED);
}

INLINE int write_next(struct xdp_md *ctx, __u32 index, struct live_stream *stream, __u32 sequence)
{
	switch (shape_of(stream)) {
	case SIMPLE:
		return write_variant(ctx, stream, 0, sequence, SIMPLE);
	case PLAIN:
		return write_plain(ctx, index, sequence);
	default:
		return write_nested(ctx, index, sequence);
	}
}

SECTION("xdp")
int generator(struct xdp_md *ctx)
{
	struct live_counters *sent;
	struct live_stream *stream;
	enum source source;
	int bytes;
	__u32 index;

	control.turns++;
	if (control.stop || control.finished)
		return XDP_DROP;
	if (!control.paced && !control.unpaced && !feed_is_open()) {
		control.finished = 1;
		return XDP_DROP;
	}
	index = next_stream(&source);
	if (index == NONE)
		return XDP_DROP;
	stream = bpf_map_lookup_elem(&streams, &index);
	sent = bpf_map_lookup_elem(&counters, &index);
	if (!stream || !sent)
		return XDP_DROP;
	if (control.now_ns >= stream->over_ns) {
		bytes = 0;
	} else {
		bytes = write_next(ctx, index, stream, sent->frames);
		if (bytes <= 0) {
			control.defect = 1;
			control.finished = 1;
			return XDP_DROP;
		}
		count(sent, index, bytes);
		control.clock_left--;
		if (stream_advance(stream)) {
			if (source == PACED) {
				struct due next = { stream->pace.due_ns, index, 0 };

				sink(next);
			}
			if (source != FED)
				return XDP_TX;
		}
	}
	if (source == FED) {
		feed_taken();
	} else if (source == PACED) {
		remove_paced();
	} else {
		remove_unpaced();
		stream->flags &= ~LIVE_IN_TURNS;
	}
	return bytes ? XDP_TX : XDP_DROP;
}

const char licence[] SECTION("license") = "Dual MIT/GPL";
