/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * Everything that crosses the kernel border, once. The BPF programs include this
 * file, and build.rs turns it into Rust (crate::abi) with bindgen. Constants are
 * enums and not macros, so that both sides get them with a type.
 *
 * Units stand in the names: _ns nanoseconds, _bytes octets without the FCS.
 */
#ifndef LINERATE_ABI_H
#define LINERATE_ABI_H

#include <linux/types.h>

/* One body for BPF and for the host's tests; UAPI's own __always_inline is but a hint. */
#define INLINE static inline __attribute__((always_inline))
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/*
 * The tag: 14 octets, network order, at the end of the outermost parsable L3
 * packet, else at the end of the frame.
 *
 *   octet 0..2   magic: session nonce (18 bits), trial number (6 bits)
 *         3..4   stream
 *         5..8   sequence, serial arithmetic (RFC 1982)
 *         9..13  transmit time, CLOCK_MONOTONIC ns modulo 2^40 (18 min)
 */
enum tag_layout {
	TAG_BYTES = 14,
	TAG_NONCE_BITS = 18,
	TAG_TRIAL_BITS = 6,
	TAG_TRIALS = 64,
	TAG_TIME_BITS = 40,
};

/* ---- analyser ---------------------------------------------------------- */

/*
 * Log-linear buckets (H2): below 2^(p+1) a bucket is one value; above, every
 * octave has 2^p buckets, so the relative error is at most 2^-p.
 */
enum histogram_shape {
	LATENCY_PRECISION = 7,          /* 0.78 % */
	LATENCY_MAX_BITS = 36,          /* 68.7 s */
	LATENCY_BUCKETS = (LATENCY_MAX_BITS - LATENCY_PRECISION + 1) << LATENCY_PRECISION,
	COARSE_PRECISION = 3,           /* 12.5 % */
	NEGATIVE_MAX_BITS = 30,         /* 1.07 s: an older "future" frame is not ours */
	NEGATIVE_BUCKETS = (NEGATIVE_MAX_BITS - COARSE_PRECISION + 1) << COARSE_PRECISION,
	GAP_MAX_BITS = 36,
	GAP_BUCKETS = (GAP_MAX_BITS - COARSE_PRECISION + 1) << COARSE_PRECISION,
};

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

enum interval_shape {
	INTERVALS = 64,                 /* ring of transmit-time bins, power of two */
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
 * The order is for the cache: a unique frame touches the first two lines and its
 * transmit-time bin.
 */
struct record {
	__u64 unique;
	__u64 bytes;                    /* of unique + duplicate frames */
	__u64 timed;                    /* unique frames with a stamp of their own */
	__s64 latency_sum_ns;           /* of timed frames, like all that is called latency */
	__s64 latency_min_ns;           /* valid when timed > 0 */
	__s64 latency_max_ns;           /* valid when timed > 0 */
	__u64 last_rx_ns;               /* CLOCK_MONOTONIC, unique frames */
	__u64 gap_max_ns;
	__u64 interval_start_ns;        /* cache: the bin that the last frame fell in */
	__u32 interval_slot;
	__u32 next_sequence;            /* RFC 4737 NextExp */
	struct stream_config stream;    /* written by user space before the trial */
	__u32 slab;                     /* index + 1, 0: none yet */
	__u32 octet_ns_q20;             /* on the wire, in 2^-20 ns; written as `stream` is */
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

/* What the port and one of its banks saw, tagged or not; for the session's life. */
struct port_record {
	__u64 seen;                     /* frames that entered the program; matched + passed */
	__u64 seen_bytes;
	__u64 matched;                  /* tagged frames of this session: dropped here */
	__u64 passed;                   /* all others, given to the kernel */
	__u64 implausible;              /* of passed: right magic, but unknown stream, sequence or time */
	__u64 stamped;                  /* tagged frames timed by the NIC, not by the kernel */
	__u64 clock_ns;                 /* the last stamp for frames that get none; 0: none in this trial */
	__u64 reserved;
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
	__u32 reserved;
};

/*
 * Reading the clock is the dearest part of a frame on many machines. The uppermost n bits:
 * one frame in 2^n is stamped, those whose hash of the sequence number has none of them.
 */
enum stamping {
	STAMP_EVERY = 0,
	STAMP_NEVER = 1,
};

/* Word of the trial in use: one load, so that number and bank never disagree. */
enum trial_word {
	TRIAL_NUMBER = TAG_TRIALS - 1,  /* mask: number in the tag; 0: none yet */
	TRIAL_BANK = 1 << 8,            /* set: the second record bank */
};

/* Written by user space (bss), but for the two counters. */
struct analyser_control {
	__u64 base_ns[2];               /* by trial bank: transmit-time bins count from here */
	__s64 nic_offset_ns;            /* CLOCK_MONOTONIC less NIC clock */
	__u32 trial;                    /* enum trial_word */
	__u32 slabs_used[2];            /* by trial bank */
	__u32 reserved;
	__u64 unbanked;                 /* frames passed uncounted: of a queue added after load */
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

/* ---- edit program''' ------------------------------------------------------ */

/*
 * How a template becomes frame i. Run by the AF_XDP workers, by `show`, and by
 * the live-frame program. Every field is written from constants, never from the
 * last frame: a recycled page may hold anything.
 */
enum edit_kind {
	EDIT_RANGE = 0,                 /* start + index * step, wrapping */
	EDIT_TABLE = 1,                 /* table[first + index] */
	EDIT_RANDOM = 2,                /* start + scale(mix(seed, index), step) */
};

/*
 * mix(s, n): the splitmix64 output function of s + (n + 1) * 0x9e3779b97f4a7c15.
 * scale(h, span): the high 64 bits of h * span; h itself when span is 0 (2^64).
 */
enum edit_flags {
	EDIT_SHUFFLED = 1,              /* index = scale(mix(repeat, frame), period) */
};

enum header_limits {
	EXTENSIONS_MAX = 6,             /* IPv6 extension headers of a packet */
};

enum edit_limits {
	EDITS_MAX = 32,
	CHECKSUMS_MAX = 6,              /* L3, L4 or GRE of three packets in each other */
	LENGTHS_MAX = 6,                /* L3, UDP of three packets in each other */
	HEADER_BYTES_MAX = 256,
};

/*
 * One varying field inside one word of the frame. The word at `offset` (even)
 * of `width` octets (2, 4 or 8, network order) becomes
 * (word & ~mask) | ((value << shift) & mask), and the checksums named in
 * `checksums` take the written bits in. index = (frame / repeat) % period.
 */
struct edit {
	__u64 mask;
	__u64 start;
	__u64 step;                     /* EDIT_RANDOM: the span, 0 = 2^64 */
	__u64 seed;
	__u64 repeat;                   /* EDIT_SHUFFLED: seed of the draw */
	__u32 period;
	__u32 first;                    /* EDIT_TABLE */
	__u16 offset;
	__u8 width;
	__u8 shift;
	__u8 kind;
	__u8 flags;
	__u8 checksums;                 /* bit k: covered by checksum k */
	__u8 reserved;
};

enum checksum_flags {
	CHECKSUM_COVERS_TAG = 1,
	CHECKSUM_NEVER_ZERO = 2,        /* UDP: 0 is sent as 0xffff */
};

/*
 * The complement of checksum_base, plus the edits and the tag that it covers. The
 * innermost comes first: a tunnel's checksum covers those inside it, so the value of
 * each is added, as it is sent, to all later ones that `covered_by` names.
 */
struct checksum {
	__u16 offset;                   /* even */
	__u8 flags;
	__u8 covered_by;                /* bit k: checksum k, a later one, takes the value in */
};

/* What depends on the frame size. */
struct size_variant {
	__u32 checksum_base[CHECKSUMS_MAX]; /* one's complement sum with edits, tag and checksums zero */
	__u16 frame_bytes;
	__u16 tag_offset;               /* 0: no tag */
	__u16 length_offset[LENGTHS_MAX]; /* 0: none */
	__u16 length_value[LENGTHS_MAX];
	__u16 reserved[6];
};

/* ---- generator --------------------------------------------------------- */

enum generator_limits {
	/* A page less struct xdp_page_head, headroom and skb_shared_info (net/bpf/test_run.c). */
	LIVE_FRAME_BYTES_MAX = 3328,
	LIVE_BATCH_MAX = 256,
	LIVE_STREAMS_MAX = 65535,
};

/* An edit and where its field stands: the walk of packet/cursor.rs, divided out once. */
struct lane {
	struct edit edit;               /* EDIT_TABLE: first counts in all values of the worker */
	__u64 phase;                    /* frames that had this index already */
	__u64 phase_hop;
	__u32 index;
	__u32 index_hop;
};

/* When frames are due (tx/pacer.rs). */
struct pace {
	__u64 due_ns;
	__u64 fraction;                 /* of due_ns, in 2^-32 ns */
	__u64 step_ns;
	__u64 step_fraction;
	__u64 left_in_train;
	__u64 train;                    /* ~0: no trains */
	__u64 train_gap_ns;
};

/* One stream as the program sends it; written by user space before the run. */
struct live_stream {
	__u64 frame;                    /* number of the next frame within the flow */
	__u64 stride;
	__u64 left;                     /* frames still to send */
	__u64 stop_ns;                  /* no frame is due after it */
	__u64 over_ns;                  /* none leaves from here on, however late */
	struct pace pace;
	__u32 lane_first;
	__u32 lanes;
	__u32 variant_first;
	__u32 cycle_first;              /* in `values`: variant by position */
	__u32 cycle;
	__u32 position;
	__u32 hop;
	__u32 sequence;
	__u16 stream;                   /* tag id */
	__u8 paced;
	__u8 checksums;
	__u16 header_bytes;
	__u16 reserved;
	struct checksum checksum[CHECKSUMS_MAX];
	__u64 first[HEADER_BYTES_MAX / 8]; /* octets of the frame: headers, then payload */
};

/* What was sent of a stream. Single writer; only grows. */
struct live_counters {
	__u64 frames;
	__u64 bytes;
	__u64 first_ns;                 /* CLOCK_MONOTONIC of the first stamp; 0: none yet */
	__u64 last_ns;
	__u64 interval[INTERVALS];      /* frames by transmit time, cumulative over laps */
	__u64 gap_max_ns;
	__u64 gap[GAP_BUCKETS];         /* frames by the time since the one before */
} __attribute__((aligned(64)));

/* An entry of the heap of paced streams, the earliest first. */
struct due {
	__u64 due_ns;
	__u32 stream;                   /* index in `streams` */
	__u32 reserved;
};

struct generator_control {
	/* Written by user space before the run. */
	__u64 start_ns;
	__u64 interval_ns;
	__u32 magic;                    /* first three octets of every tag */
	__u32 frame_bytes;              /* of the frames that the kernel hands over */
	__u32 clock_frames;             /* frames that may share a stamp */
	__u32 paced;                    /* entries of `dues` */
	__u32 unpaced;                  /* entries of `turns` */
	/* Written by user space at any time. */
	__u32 stop;
	/* Written by the program. */
	__u32 finished;                 /* every stream has sent what it could */
	__u32 defect;                   /* a frame did not fit its program: a defect */
	__u32 turn;
	__u32 clock_left;
	__u64 now_ns;
	__u64 interval_end_ns;
	__u64 interval_slot;
	__u64 turns;                    /* of the program, with or without a frame */
	/* Written by user space before the run: the payload of incrementing octets. */
	__u8 pattern[LIVE_FRAME_BYTES_MAX];
};

/* What became of frames after the program had redirected them to its port. */
struct redirect_counters {
	__u64 sent;                     /* taken by the driver */
	__u64 dropped;                  /* refused by the driver, mostly for want of room */
	__u64 no_receiver;              /* of dropped: with ENXIO, nobody polls at the far end */
	__s64 last_error;
};

/* The port whose redirects are counted; frozen before load (rodata). */
struct redirect_config {
	__u32 ifindex;
	__u32 netns;                    /* inode of its network namespace */
};

#endif
