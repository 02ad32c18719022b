/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * What user space tells the program while it runs (tx/feeder.rs): the due time of every
 * frame of streams whose gaps the program cannot make itself (schedules, Poisson, a rate that
 * was changed, a pause), and when unpaced streams pause. A ring with one writer and one
 * reader. One that runs dry makes frames late: what was due is sent when it is known.
 *
 * Part of generator.bpf.c, which has `control`, `streams` and turn_at().
 */
#ifndef LINERATE_FEED_H
#define LINERATE_FEED_H

MAPPED_ARRAY(feed, struct due);

/* Where the next frame's due time comes from. */
enum source {
	UNPACED,
	PACED,                          /* the heap */
	FED,
};

INLINE int is_fed(void)
{
	return control.now_ns >= control.fed_from_ns;
}

/* Atomic and so a barrier: what was written before the head is read after it. */
INLINE __u64 feed_head(void)
{
	return __sync_fetch_and_add(&control.feed_head, 0);
}

INLINE const struct due *feed_first(void)
{
	__u32 at;

	if (control.feed_tail == control.feed_seen) {
		if (control.feed_seen == control.feed_head)
			return 0;
		control.feed_seen = feed_head();
	}
	at = control.feed_tail & (FEED_ENTRIES - 1);
	return bpf_map_lookup_elem(&feed, &at);
}

INLINE void feed_taken(void)
{
	control.feed_tail++;
}

/* It is closed after its last entry is there. */
INLINE int feed_is_open(void)
{
	return control.feed_open || control.feed_tail != feed_head();
}

/* An unpaced stream leaves the turns when the next one is its own, or joins them again. */
INLINE void leave_or_join(const struct due *entry)
{
	__u32 index = entry->stream;
	struct live_stream *stream = bpf_map_lookup_elem(&streams, &index);
	__u64 *place;

	if (!stream)
		return;
	if (entry->kind == FEED_LEAVE) {
		stream->over_ns = 0;
		return;
	}
	stream->over_ns = stream->stop_ns;
	place = turn_at(control.unpaced);
	if (stream->flags & LIVE_IN_TURNS || !stream->left || !place)
		return;
	*place = index;
	stream->flags |= LIVE_IN_TURNS;
	control.unpaced++;
}

/* The stream of the first frame that is due. */
INLINE __u32 next_fed(void)
{
	const struct due *first = feed_first();

	if (!first || first->due_ns > control.now_ns)
		return NONE;
	if (first->kind == FEED_FRAME)
		return first->stream;
	leave_or_join(first);
	feed_taken();
	return NONE;
}

#endif
