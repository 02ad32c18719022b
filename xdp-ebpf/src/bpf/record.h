/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * What is counted of a tagged frame, and how. Pure: also compiled for the host and
 * tested against an oracle there.
 */
#ifndef LINERATE_RECORD_H
#define LINERATE_RECORD_H

#include "histogram.h"

enum plausible {
	NS_PER_FRAME_MIN = 4,           /* no stream is faster: 250 Mpps, 64-octet frames at 168 Gb/s */
	SEQUENCE_SLACK = 1 << 16,       /* frames that may come in one burst after a silence */
};

/* Receive less transmit time, of which the tag holds the low 40 bits. */
INLINE __s64 latency_ns(__u64 now_ns, __u64 tag_time_ns)
{
	const int unused = 64 - TAG_TIME_BITS;

	return (__s64)((now_ns - tag_time_ns) << unused) >> unused;
}

INLINE int latency_plausible(__s64 latency)
{
	return latency > -(1LL << NEGATIVE_MAX_BITS) && latency < 1LL << LATENCY_MAX_BITS;
}

/*
 * Whether a stream can have come this far. From the last frame of this bank on (in
 * serial arithmetic: older ones are for the window to judge), or, before the first
 * one, from sequence 0 at the start of the trial on.
 */
INLINE int sequence_plausible(const struct record *record, __u32 sequence, __u64 now_ns,
			      __u64 base_ns)
{
	__u64 since_ns, advance;

	if (record->unique) {
		__s32 step = sequence - record->next_sequence;

		if (step <= 0)
			return 1;
		advance = step;
		since_ns = now_ns - record->last_rx_ns;
	} else {
		advance = sequence;
		since_ns = now_ns - base_ns;
	}
	/* A clock that stepped back by a little must not look like centuries. */
	if ((__s64)since_ns < 0)
		since_ns = 0;
	return advance <= since_ns / NS_PER_FRAME_MIN + SEQUENCE_SLACK;
}

enum arrival {
	ARRIVAL_UNIQUE = 0,
	ARRIVAL_DUPLICATE = 1,
	ARRIVAL_LATE = 2,
};

/*
 * Marks a sequence number in the window. `shared`: other banks mark in it too.
 * A compare-exchange fails only because another bank has set one of the 32 bits
 * or begun a newer epoch, so that more failures than bits mean that the word has
 * run away from this frame: it is late.
 */
INLINE enum arrival window_mark(struct window *window, __u32 sequence, int shared, __u64 *left)
{
	__u64 *word = &window->word[(sequence >> 5) & (WINDOW_WORDS - 1)];
	__u32 mine = sequence >> WINDOW_BITS | WINDOW_USED;
	__u32 bit = 1U << (sequence & 31);
	__u64 old = *(volatile __u64 *)word;

	for (int attempt = 0; attempt < 34; attempt++) {
		__u32 epoch = old >> 32;
		__u64 found, new;

		if (epoch == mine) {
			if (old & bit)
				return ARRIVAL_DUPLICATE;
			new = old | bit;
		} else {
			if (epoch & WINDOW_USED && (__s16)(mine - epoch) < 0)
				return ARRIVAL_LATE;
			new = (__u64)mine << 32 | bit;
		}
		*left = old;
		if (!shared) {
			*word = new;
			return ARRIVAL_UNIQUE;
		}
		found = __sync_val_compare_and_swap(word, old, new);
		if (found == old)
			return ARRIVAL_UNIQUE;
		old = found;
	}
	return ARRIVAL_LATE;
}

/*
 * What is lost for good when a window word begins a newer epoch: the bits that were not
 * set, and all numbers of the epochs that were skipped. A stream begins at 0 in a trial.
 */
INLINE void record_lost(struct record *record, __u32 sequence, __u64 left)
{
	__u32 place = sequence & (WINDOW_SEQUENCES - 1) & ~31U;
	__u32 epoch = sequence >> WINDOW_BITS;
	__u32 missing = ~(__u32)left;
	__u32 first, last;
	__u32 before;

	if ((__u32)(left >> 32) == (epoch | WINDOW_USED))
		return;
	if (left >> 32 & WINDOW_USED) {
		before = left >> 32 & 0xffff;
		if (!missing) {
			before++;
			missing = ~0U;
		}
	} else {
		before = 0;
		missing = ~0U;
	}
	if (before >= epoch)
		return;
	first = before << WINDOW_BITS | place | (bit_length(missing & -missing) - 1);
	if (before + 1 < epoch)
		last = (epoch - 1) << WINDOW_BITS | place | 31;
	else
		last = before << WINDOW_BITS | place | (bit_length(missing) - 1);
	if (!record->left_behind || first < record->first_lost)
		record->first_lost = first;
	if (!record->left_behind || last > record->last_lost)
		record->last_lost = last;
	record->left_behind++;
}

/*
 * Slot of the ring for a transmit time. The bin of the last frame is kept, so that
 * the division is made once a bin and not once a frame. Frames sent before
 * base_ns fall in bin 0.
 */
INLINE __u32 interval_slot(struct record *record, __u64 tx_ns, __u64 base_ns, __u64 interval_ns)
{
	__u64 interval;

	if (tx_ns - record->interval_start_ns >= interval_ns) {
		if ((__s64)(tx_ns - base_ns) < 0)
			return 0;
		interval = (tx_ns - base_ns) / interval_ns;
		record->interval_start_ns = base_ns + interval * interval_ns;
		record->interval_slot = interval % INTERVALS;
	}
	return record->interval_slot % INTERVALS;
}

/* Whether a frame gets a stamp of its own (enum stamping). */
INLINE int is_stamped(__u32 stamp_mask, __u32 sequence)
{
	return stamp_mask == STAMP_EVERY ||
	       (stamp_mask != STAMP_NEVER && !(sequence * 2654435761U & stamp_mask));
}

/*
 * Time of a frame on the wires that it crossed (RFC 1242: latency is without it), from
 * the first octet after the preamble to the last of the FCS.
 */
INLINE __s64 serialisation_ns(const struct record *record, __u64 frame_bytes)
{
	return (frame_bytes + 4) * record->octet_ns_q20 >> 20;
}

/* Counts a unique frame and its place in the order; gives its gap, or -1. */
INLINE __s64 record_unique(struct record *record, __u32 sequence, __u64 now_ns)
{
	__s64 gap = -1;

	if (record->unique) {
		gap = now_ns - record->last_rx_ns;
		if (gap < 0)
			gap = 0;
		if (gap > (__s64)record->gap_max_ns)
			record->gap_max_ns = gap;
		if ((__s32)(sequence - record->next_sequence) >= 0)
			record->next_sequence = sequence + 1;
		else
			record->reordered++;
	} else {
		record->first_rx_ns = now_ns;
		record->next_sequence = sequence + 1;
	}
	record->last_rx_ns = now_ns;
	record->unique++;
	return gap;
}

INLINE void record_latency(struct record *record, __s64 latency)
{
	if (record->timed) {
		if (latency < record->latency_min_ns)
			record->latency_min_ns = latency;
		if (latency > record->latency_max_ns)
			record->latency_max_ns = latency;
	} else {
		record->latency_min_ns = latency;
		record->latency_max_ns = latency;
	}
	record->latency_sum_ns += latency;
	if (latency < 0)
		record->negative++;
	record->timed++;
}

/*
 * How latency changed from the frame that came before: the RFC 3550 estimate takes all
 * such differences, IPDV (RFC 3393, 5481) those between consecutive sequence numbers.
 */
INLINE __s64 record_variation(struct record *record, __s64 latency, int consecutive)
{
	__s64 variation = latency - record->last_latency_ns;
	__u64 jitter = record->jitter_16ths_ns;

	jitter += (variation < 0 ? -variation : variation) - ((jitter + 8) >> 4);
	record->jitter_16ths_ns = jitter;
	if (consecutive) {
		if (variation < record->ipdv_min_ns)
			record->ipdv_min_ns = variation;
		if (variation > record->ipdv_max_ns)
			record->ipdv_max_ns = variation;
	}
	return variation;
}

/* Bucket of a magnitude, of which the last one takes all that is greater. */
INLINE __u64 coarse_index(__s64 magnitude)
{
	if (UNLIKELY(magnitude >> GAP_MAX_BITS))
		magnitude = (1LL << GAP_MAX_BITS) - 1;
	return histogram_index(magnitude, COARSE_PRECISION);
}

/* The bucket of a plausible latency. */
INLINE void slab_latency(struct slab *slab, __s64 latency)
{
	__u64 index;

	if (latency >= 0) {
		index = histogram_index(latency, LATENCY_PRECISION);
		if (index < LATENCY_BUCKETS)
			slab->latency[index]++;
	} else {
		index = histogram_index(-latency, COARSE_PRECISION);
		if (index < NEGATIVE_BUCKETS)
			slab->negative[index]++;
	}
}

INLINE void slab_gap(struct slab *slab, __s64 gap)
{
	__u64 index = coarse_index(gap);

	if (index < GAP_BUCKETS)
		slab->gap[index]++;
}

INLINE void slab_ipdv(struct slab *slab, __s64 variation)
{
	__u64 fell = (__u64)variation >> 63;
	__u64 index = coarse_index(fell ? -variation : variation);

	if (index < GAP_BUCKETS)
		slab->ipdv[fell][index]++;
}

#endif
