/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * What the program counts of each stream. Neighbours send one after the other, so what each of
 * their frames touches lies side by side: they share lines and pages.
 *
 * Part of generator.bpf.c, which has `control`.
 */
#ifndef LINERATE_SENT_H
#define LINERATE_SENT_H

#include "histogram.h"

MAPPED_ARRAY(counters, struct live_counters);   /* [as streams] */
MAPPED_ARRAY(intervals, __u64);                 /* [INTERVALS][streams] */
MAPPED_ARRAY(gaps, __u64);                      /* [GAP_BUCKETS][streams] */

/* Counts a frame in a row of `intervals` or `gaps`. */
INLINE void count_in(void *rows, __u32 row, __u32 index)
{
	__u32 at = row * control.streams + index;
	__u64 *frames = bpf_map_lookup_elem(rows, &at);

	if (frames)
		++*frames;
}

INLINE void count(struct live_counters *sent, __u32 index, __u32 bytes)
{
	__u64 gap_ns, bucket;

	if (sent->frames) {
		gap_ns = control.now_ns - sent->last_ns;
		bucket = 0;
		/* Most share their stamp with the one before. */
		if (gap_ns) {
			if (gap_ns > sent->gap_max_ns)
				sent->gap_max_ns = gap_ns;
			if (UNLIKELY(gap_ns >> GAP_MAX_BITS))
				gap_ns = (1ULL << GAP_MAX_BITS) - 1;
			bucket = histogram_index(gap_ns, COARSE_PRECISION);
		}
		count_in(&gaps, bucket, index);
	} else {
		sent->first_ns = control.now_ns;
	}
	sent->frames++;
	sent->bytes += bytes;
	sent->last_ns = control.now_ns;
	count_in(&intervals, control.interval_slot, index);
}

#endif
