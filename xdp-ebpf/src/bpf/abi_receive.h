/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* Of abi.h: the analyser, the matcher and capture. Included from there. */
#ifndef LINERATE_ABI_RECEIVE_H
#define LINERATE_ABI_RECEIVE_H

/* ---- analyser ---------------------------------------------------------- */

/* Buckets of one (stream, bank), allotted when its first frame is seen. */
struct slab {
	__u32 latency[LATENCY_BUCKETS]; /* ns, of unique frames with latency >= 0 */
	__u32 negative[NEGATIVE_BUCKETS]; /* ns below zero, mirrored */
	__u32 gap[GAP_BUCKETS];         /* ns between arrivals of unique frames */
	__u32 ipdv[2][GAP_BUCKETS];     /* ns that latency rose, and fell, to the next sequence number */
};

/*
 * The sequence window of a stream, shared by all banks: 65,536 sequence numbers.
 * A word holds 32 of them (low half) and, in the high half, the epoch they belong
 * to (sequence >> 16) and a mark that the word is in use. So a word is recycled by
 * the one compare-exchange that first writes a newer epoch, no clearing pass is
 * needed, and a stream may start anywhere.
 */
enum window_shape {
	WINDOW_BITS = 16,
	WINDOW_SEQUENCES = 1 << WINDOW_BITS,
	WINDOW_WORDS = WINDOW_SEQUENCES / 32,
	WINDOW_USED = 1 << 16,          /* in the high half, above the epoch */
};

struct window {
	__u64 word[WINDOW_WORDS];
};

enum stream_role {
	STREAM_UNKNOWN = 0,
	STREAM_EXPECTED = 1,            /* this port is its receiver */
	STREAM_ELSEWHERE = 2,           /* of this session, for another port */
};

enum stream_flags {
	STREAM_INTEGRITY_FULL = 1,      /* check L4 checksum and payload too */
};

/* What user space says of a stream. */
struct stream_config {
	__u8 role;
	__u8 flags;
	/*
	 * From the end of the outermost L3 header and its extensions (of the VLAN tags,
	 * where L3 is not IP) to the payload of incrementing octets. 0: as the L4 protocol says.
	 */
	__u16 payload_offset;
	__u32 window;                   /* of the stream in this trial, for STREAM_EXPECTED */
};

/*
 * What one bank (RX queue, or CPU in generic mode) saw of one stream in one
 * trial. Single writer. All counters only grow while the trial is in use.
 * frames = unique + duplicate; corrupt, late, misdirected and stale are apart.
 * The order is for the cache: a unique frame touches the first line and its transmit-time
 * bin, and the second line if it has a stamp.
 */
struct record {
	__u64 unique;                   /* of a flow without tags: frames of it, be they doubled or not */
	__u64 bytes;                    /* of unique + duplicate frames */
	__u64 last_rx_ns;               /* CLOCK_MONOTONIC, unique frames */
	__u64 gap_max_ns;
	__u64 interval_start_ns;        /* cache: the bin that the last frame fell in */
	__u32 interval_slot;
	__u32 next_sequence;            /* RFC 4737 NextExp */
	struct stream_config stream;    /* written by user space before the trial */
	__u32 slab;                     /* index, 0: none yet */
	__u32 octet_ns_q20;             /* on the wire, in 2^-20 ns; written as `stream` is */
	__u64 timed;                    /* unique frames with a stamp of their own */
	__s64 latency_sum_ns;           /* of timed frames, like all that is called latency */
	__s64 latency_min_ns;           /* valid when timed > 0 */
	__s64 latency_max_ns;           /* valid when timed > 0 */
	__s64 last_latency_ns;          /* of the unique frame that came last */
	__s64 ipdv_min_ns;              /* user space begins with the greatest number, ... */
	__s64 ipdv_max_ns;              /* ... the least: min > max while there is none */
	__u64 jitter_16ths_ns;          /* RFC 3550, A.8: 16 times the estimate */
	__u64 first_rx_ns;              /* valid when unique > 0 */
	__u64 duplicate;
	__u64 reordered;                /* RFC 4737, among unique frames of this bank */
	__u64 late;                     /* older than the window */
	__u64 corrupt;
	__u64 misdirected;              /* known stream, but not for this port */
	__u64 stale;                    /* of an earlier trial */
	__u64 negative;                 /* unique frames with latency < 0 */
	__u64 unbucketed;               /* timed frames that found no free slab */
	__u32 first_lost;               /* of the sequence numbers that the window left behind ... */
	__u32 last_lost;                /* ... the least and the greatest, valid when left_behind */
	__u64 left_behind;              /* window words that were begun anew over missing frames */
	__u32 interval_unique[INTERVALS]; /* unique frames by transmit time, cumulative over laps */
} __attribute__((aligned(64)));

/*
 * Word of the trial in use, in each bank: one load, so that number and records never
 * disagree. Above TRIAL_RECORD_SHIFT stands the index of the bank's first record.
 */
enum trial_word {
	TRIAL_MAGIC = (1 << (TAG_NONCE_BITS + TAG_TRIAL_BITS)) - 1, /* mask: the first octets of the tags; number 0: no trial yet */
	TRIAL_NUMBER = TAG_TRIALS - 1,  /* mask, of the magic */
	TRIAL_BANK = 1 << 24,           /* set: the second half of records and slabs */
	TRIAL_RECORD_SHIFT = 32,
};

/*
 * What the port and one of its banks saw, tagged or not, for the session's life; and what
 * user space says to the bank. What most frames touch comes first.
 */
struct port_record {
	__u64 trial;                    /* enum trial_word; written by user space */
	__u64 seen;                     /* frames that entered the program; matched + passed */
	__u64 seen_bytes;
	__u64 matched;                  /* frames of this session, tagged or counted: dropped here */
	__u64 clock_ns;                 /* the last stamp for frames that get none; 0: none in this trial */
	__u64 stamped;                  /* frames of this session timed by the NIC, not by the kernel */
	__u32 listened;                 /* 1: test frames also go on to the kernel; written by user space */
	__u32 reserved;
	__u64 passed;                   /* all others, given to the kernel */
	__u64 implausible;              /* of passed: right magic, but unknown stream, sequence or time */
	__u64 unstamped;                /* with NIC stamps: frames that the kernel had to time all the same */
} __attribute__((aligned(64)));

/* Frozen before load (rodata): what is 0 here costs nothing per frame. */
struct analyser_config {
	__u64 interval_ns;              /* width of the transmit-time bins */
	__u32 nonce;
	__u32 streams;                  /* stream ids are below this */
	__u32 banks;                    /* RX queues (native) or CPUs (generic) */
	__u32 slabs;                    /* of one trial bank */
	__u32 bank_by_cpu;              /* 1 in generic mode, where queues have no single writer */
	__u32 full_integrity;           /* 1 when any stream has STREAM_INTEGRITY_FULL */
	__u32 multi_buffer;             /* 1 when a frame may lie in several buffers (jumbo) */
	__u32 stamp_mask;               /* enum stamping */
	__u32 shared_windows;           /* 1 when other ports mark in the same windows */
	__u32 count_rules;              /* entries of `rules` */
};

/*
 * Reading the clock is the dearest part of a frame on many machines. The uppermost n bits:
 * one frame in 2^n is stamped, those whose hash of the sequence number has none of them.
 */
enum stamping {
	STAMP_EVERY = 0,
	STAMP_NEVER = 1,
};

/*
 * Frames without a tag, of flows that are only counted: a frame is one of a flow if what
 * is the same in all frames of the flow is the same in this one, and what varies is
 * between the flow's least and greatest value. Looked at is the beginning of what a frame
 * is known by (below, fingerprint_shape): the outermost IP packet, or the whole frame.
 */
enum count_limits {
	COUNT_RULES_MAX = 64,           /* flows counted at one port */
	COUNT_WORDS = 16,
	COUNT_BYTES = COUNT_WORDS * 8,  /* what lies behind is not compared */
	COUNT_FIELDS_MAX = 8,           /* of a flow; what else varies is not compared */
};

/* A field that varies: the 8 octets at `offset`, network order, without their low bits. */
struct count_field {
	__u64 low;
	__u64 span;                     /* greatest value less `low` */
	__u64 bits;                     /* mask of the field, at the low end */
	__u32 offset;                   /* from the beginning of what is looked at */
	__u32 drop;                     /* low bits that are not the field's */
};

struct count_rule {
	__u64 value[COUNT_WORDS];       /* as loaded; 0 where the mask is */
	__u64 mask[COUNT_WORDS];
	struct count_field field[COUNT_FIELDS_MAX];
	__u32 fields;
	__u32 stream;                   /* whose records count */
	__u32 version;                  /* of IP; 0: the whole frame */
	__u32 least_bytes;              /* of the packet, or of the frame */
	__u32 most_bytes;
	__u32 reserved;
};

/*
 * The NIC's clock against CLOCK_MONOTONIC, as a line: at nic_ns that was monotonic_ns, and it
 * gains drift_q38 / 2^38 ns with each of the NIC's.
 */
enum nic_fit_shape {
	NIC_FITS = 4,                   /* a program may be at work with all but the next one; power of two */
	NIC_DRIFT_BITS = 38,
};

enum nic_fit_limits {
	NIC_REACH_MAX_NS = 1LL << 33,   /* times the greatest drift it fits in 64 bits */
	NIC_DRIFT_MAX = 1 << 28,        /* 977 ppm */
};

struct nic_fit {
	__u64 nic_ns;
	__u64 monotonic_ns;
	__s64 drift_q38;
	__u64 reach_ns;                 /* before and after nic_ns it holds for so long; 0: never */
};

/* Written by user space (bss), but for the two counters. */
struct analyser_control {
	__u64 base_ns[2];               /* by trial bank: transmit-time bins count from here */
	__u64 nic_fit;                  /* number of the latest of nic_fits; they are used in turn */
	__u32 slabs_used[2];            /* by trial bank */
	__u64 unbanked;                 /* frames passed uncounted: of a queue added after load */
	__s64 clock_offset_ns;          /* the clock of the session, another host's, less our own */
	struct nic_fit nic_fits[NIC_FITS];
};

/* ---- matcher ------------------------------------------------------------ */

/*
 * What a frame is known by, whoever sent it: a hash of its outermost IP packet without
 * what routers change (TTL, DSCP and ECN, header checksum), and of the whole frame where
 * that holds no IP. Little-endian words of a chunk, the last one filled up with zeros:
 *
 *     hash = (hash ^ word) * FINGERPRINT_FACTOR; hash ^= hash >> FINGERPRINT_SHIFT
 *
 * from FINGERPRINT_SEED ^ octets hashed.
 */
enum fingerprint_shape {
	FINGERPRINT_WORDS = 8,          /* of a chunk */
	FINGERPRINT_BYTES = FINGERPRINT_WORDS * 8,
	FINGERPRINT_SHIFT = 32,
};

enum fingerprint_constants {
	FINGERPRINT_SEED = 0x9e3779b97f4a7c15,
	FINGERPRINT_FACTOR = 0xff51afd7ed558ccd,
};

/* What one bank (RX queue, or CPU in generic mode) saw. Single writer, only grows. */
struct match_record {
	__u64 seen;                     /* frames that entered the program */
	__u64 seen_bytes;
	__u64 matched;                  /* frames of a known content: dropped here */
	__u64 matched_bytes;
	__u64 first_rx_ns;              /* CLOCK_MONOTONIC, valid when matched > 0 */
	__u64 last_rx_ns;
	__u64 reserved[2];
} __attribute__((aligned(64)));

/* Written by user space before the attach (bss), but for the counter. */
struct match_control {
	__u32 bank_by_cpu;              /* 1 in generic mode, where queues have no single writer */
	__u32 reserved;
	__u64 unbanked;                 /* frames passed uncounted: of a queue added after load */
};

/* ---- capture ------------------------------------------------------------ */

enum capture_limits {
	CAPTURE_SESSIONS = 64,          /* senders told apart at a time, power of two */
	CAPTURE_CERTAIN = 8,            /* frames of one nonce that make it a session */
	CAPTURE_AGE_MAX_NS = 1000000000, /* an older tag is chance */
};

/* A nonce that tags have shown, and how often. */
struct capture_session {
	__u32 nonce;
	__u32 frames;                   /* stops at CAPTURE_CERTAIN */
};

/* Stands in front of a frame that goes to an AF_XDP socket (XDP metadata). */
struct capture_stamp {
	__u64 time_ns;                  /* CLOCK_MONOTONIC of its arrival in XDP */
};

/* What one bank (RX queue, or CPU in generic mode) saw. Single writer, only grows. */
struct capture_record {
	__u64 seen;
	__u64 redirected;               /* given to a socket; what it has no room for is lost */
	__u64 reserved[6];
} __attribute__((aligned(64)));

#endif
