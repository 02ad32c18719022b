/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The quick way of a frame that is as most are: not the first of its stream, new, not behind
 * another, soon after it, in the same transmit-time bin, and neither gap nor latency a new
 * extreme. What record.h does with such a frame is little, and is done here without a
 * branch; all is asked first, so that any other frame is left to record.h untouched. Pure:
 * also compiled for the host and tested against record.h.
 */
#ifndef LINERATE_USUAL_H
#define LINERATE_USUAL_H

#include "record.h"

enum usual {
	USUAL_BITS = 17,                /* for histogram_index_low() */
	USUAL_COARSE_BITS = USUAL_BITS + COARSE_PRECISION,
};

/* A frame of a stream that is expected here. */
struct arrived {
	__u32 sequence;
	__u32 bytes;
	__u64 now_ns;
	__s64 latency_ns;               /* with the time on the wires */
};

INLINE __u64 magnitude(__s64 value)
{
	return value < 0 ? -value : value;
}

/*
 * A word of the window with one more sequence number in it; 0 if that is there, or if the
 * word begins a newer epoch and leaves a loss behind, or is not of the epoch before.
 */
INLINE __u64 window_next(__u64 old, __u32 sequence)
{
	__u64 epoch = (__u64)(sequence >> WINDOW_BITS | WINDOW_USED) << 32;
	__u64 bit = 1U << (sequence & 31);

	if (UNLIKELY((old ^ epoch) >> 32)) {
		if (old + 1 != epoch)
			return 0;
		old = epoch;
	}
	if (UNLIKELY(old & bit))
		return 0;
	return old | bit;
}

/* As record_latency(), record_variation() and what counts in a slab. */
INLINE void time_usual(struct record *record, struct slab *slab, __s64 latency, __s64 variation,
		       __u64 gap, int consecutive)
{
	__u64 jitter = record->jitter_16ths_ns;
	__u64 index;

	record->timed++;
	record->latency_sum_ns += latency;
	record->last_latency_ns = latency;
	record->jitter_16ths_ns = jitter + magnitude(variation) - ((jitter + 8) >> 4);
	index = histogram_index_low(latency, LATENCY_PRECISION);
	if (index < LATENCY_BUCKETS)
		slab->latency[index]++;
	index = histogram_index_low(gap, COARSE_PRECISION);
	if (index < GAP_BUCKETS)
		slab->gap[index]++;
	if (consecutive) {
		index = histogram_index_low(magnitude(variation), COARSE_PRECISION);
		if (index < GAP_BUCKETS)
			slab->ipdv[(__u64)variation >> 63][index]++;
	}
}

/*
 * Counts a usual frame; 0, and nothing is changed: it is another. `every`: each frame has a
 * stamp, and the record this slab. `shared`: other banks mark in the window too.
 */
INLINE int count_usual(struct record *record, struct window *window, struct slab *slab,
		       const struct arrived *frame, __u64 interval_ns, int every, int shared)
{
	__u64 *word = &window->word[(frame->sequence >> 5) & (WINDOW_WORDS - 1)];
	__u32 step = frame->sequence - record->next_sequence;
	__u64 gap = frame->now_ns - record->last_rx_ns;
	__s64 latency = 0, variation = 0;
	__u64 old, new;

	if (UNLIKELY(step >= SEQUENCE_SLACK))
		return 0;
	/* Of the first frame, and after a step back of the clock, the gap is immense. */
	if (UNLIKELY(gap > record->gap_max_ns))
		return 0;
	if (UNLIKELY(frame->now_ns - frame->latency_ns - record->interval_start_ns >= interval_ns))
		return 0;
	if (every) {
		latency = frame->latency_ns - serialisation_ns(record, frame->bytes);
		if (UNLIKELY(latency < record->latency_min_ns))
			return 0;
		if (UNLIKELY(latency > record->latency_max_ns))
			return 0;
		variation = latency - record->last_latency_ns;
		if (UNLIKELY(variation < record->ipdv_min_ns))
			return 0;
		if (UNLIKELY(variation > record->ipdv_max_ns))
			return 0;
		/* One question for all three, and for a latency below zero. */
		if (UNLIKELY(((latency >> (LATENCY_PRECISION - COARSE_PRECISION)) | gap |
			      magnitude(variation)) >> USUAL_COARSE_BITS))
			return 0;
	}

	old = *(volatile __u64 *)word;
	new = window_next(old, frame->sequence);
	if (UNLIKELY(!new))
		return 0;
	if (!shared)
		*word = new;
	else if (UNLIKELY(__sync_val_compare_and_swap(word, old, new) != old))
		return 0;

	record->last_rx_ns = frame->now_ns;
	record->next_sequence = frame->sequence + 1;
	record->unique++;
	record->bytes += frame->bytes;
	record->interval_unique[record->interval_slot % INTERVALS]++;
	if (every)
		time_usual(record, slab, latency, variation, gap, !step);
	return 1;
}

#endif
