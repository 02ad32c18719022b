/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* The pure headers as functions of a process, for tests (crate::host). */
#ifndef LINERATE_HOST_H
#define LINERATE_HOST_H

#include "abi.h"

/* What parse.h and payload.h find in a frame. */
struct host_parsed {
	__u32 claims_ip;
	__u32 offset;
	__u32 end;
	__u32 l4_offset;
	__u32 protocol;
	__u32 headers_damaged;
	__u32 payload_start;
	__u32 has_checksum;
	__u64 pseudo_header_sum;
	__u32 plain_tag_offset;         /* 0: plain_tag() says that it is another */
	__u32 reserved;
};

struct host_tag {
	__u64 time_ns;
	__u32 nonce;
	__u32 trial;
	__u32 stream;
	__u32 sequence;
};

/* struct arrived. */
struct host_arrived {
	__u32 sequence;
	__u32 bytes;
	__u64 now_ns;
	__s64 latency_ns;
};

/* What the edit program of a worker refers to. */
struct host_worker {
	struct lane *lanes;
	const __u64 *values;
	const struct size_variant *variants;
	__u32 lane_count;
	__u32 value_count;
};

/* Writes the stream's next frame, tag and all, over whatever is there; 0: it does not fit. */
__u32 host_write_frame(const struct host_worker *worker, struct live_stream *stream,
		       __u32 magic, __u32 sequence, __u64 time_ns, __u8 *frame, __u32 room);
__u32 host_stream_advance(struct live_stream *stream);
__u64 host_histogram_index(__u64 value, __u32 precision);
__u64 host_histogram_index_low(__u64 value, __u32 precision);
void host_parse(const __u8 *frame, __u32 frame_bytes, struct host_parsed *parsed);
void host_decode_tag(const __u8 *at, struct host_tag *tag);
__u64 host_fold(__u64 sum);
__u64 host_chunk_sum(const __u8 *octets, __u32 count);
__u32 host_pattern_differs(const __u8 *octets, __u32 count, __u32 position);
__u32 host_window_mark(struct window *window, __u32 sequence, __u32 shared);
__u32 host_window_follow(struct window *window, struct record *record, __u32 sequence);
__s64 host_latency_ns(__u64 now_ns, __u64 tag_time_ns);
__u32 host_latency_plausible(__s64 latency_ns);
__u32 host_sequence_plausible(const struct record *record, __u32 sequence, __u64 now_ns,
			      __u64 base_ns);
__u32 host_interval_slot(struct record *record, __u64 tx_ns, __u64 base_ns, __u64 interval_ns);
__u32 host_is_stamped(__u32 stamp_mask, __u32 sequence);
__s64 host_record_unique(struct record *record, __u32 sequence, __u64 now_ns);
void host_record_latency(struct record *record, __s64 latency_ns);
__s64 host_record_variation(struct record *record, __s64 latency_ns, __u32 consecutive);
void host_slab_latency(struct slab *slab, __s64 latency_ns);
void host_slab_gap(struct slab *slab, __s64 gap_ns);
void host_slab_ipdv(struct slab *slab, __s64 variation_ns);
__u32 host_count_usual(struct record *record, struct window *window, struct slab *slab,
		       const struct host_arrived *frame, __u64 interval_ns, __u32 every,
		       __u32 shared);
__u32 host_nic_to_monotonic(const struct nic_fit *fit, __u64 stamp_ns, __u64 *monotonic_ns);

#endif
