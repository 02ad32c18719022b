/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* Of abi.h: the edit program, the generator and the fate of its frames. Included from there. */
#ifndef LINERATE_ABI_SEND_H
#define LINERATE_ABI_SEND_H

/* ---- edit program ------------------------------------------------------ */

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
	EDITS_FEW = 2,                  /* what most flows have at most; live frames of these are fastest */
	CHECKSUMS_MAX = 6,              /* L3, L4 or GRE of three packets in each other */
	CHECKSUMS_FEW = 2,
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
	__u16 offset;
	__u8 width;                     /* 0: none (struct live_stream) */
	__u8 shift;
	__u8 kind;
	__u8 flags;
	__u8 checksums;                 /* bit k: covered by checksum k */
	__u8 touched;                   /* written to have its line (fetch_ahead()), never read */
	__u64 mask;
	__u64 start;
	__u64 step;                     /* EDIT_RANDOM: the span, 0 = 2^64 */
	__u64 seed;                     /* EDIT_TABLE: the first */
	__u64 repeat;                   /* EDIT_SHUFFLED: seed of the draw */
	__u32 period;
	__u32 touched_too;              /* that of another line */
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
	__u16 offset;                   /* even; 0: there are no more */
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
	FEED_ENTRIES = 1 << 17,         /* power of two */
};

/* An edit and where its field stands: the walk of packet/cursor.rs, divided out once. */
struct lane {
	__u64 phase;                    /* frames that had this index; EDIT_SHUFFLED: the frame */
	__u64 phase_hop;
	__u32 index;
	__u32 index_hop;
	struct edit edit;               /* EDIT_TABLE: the first of all values of the worker */
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

enum live_flags {
	LIVE_SIMPLE = 1,                /* one size, few lanes and checksums */
	LIVE_PACED = 2,
	LIVE_IN_TURNS = 4,              /* unpaced, and an entry of `turns` */
};

/*
 * One stream as the program sends it; written by user space before the run. The order is for
 * the cache, which has none of ten thousand streams when its turn comes: a simple one of short
 * frames that is not paced has all in the first four lines.
 */
struct live_stream {
	__u64 left;                     /* frames still to send */
	__u64 over_ns;                  /* none leaves from here on, however late; 0: paused */
	__u32 checksum_base[CHECKSUMS_FEW]; /* if simple, as are the next: of its size_variant */
	struct checksum few[CHECKSUMS_FEW];
	__u16 frame_bytes;
	__u16 tag_offset;
	__u16 stream;                   /* tag id */
	__u8 flags;                     /* enum live_flags */
	__u8 touched;                   /* as in struct edit */
	struct lane lane[EDITS_FEW];    /* if simple */
	__u64 first[HEADER_BYTES_MAX / 8]; /* octets of the frame: headers, then payload */
	struct pace pace;
	__u64 stop_ns;                  /* no frame is due after it */
	struct checksum checksum[CHECKSUMS_MAX]; /* unless simple, as are the next */
	__u32 lane_first;               /* in `lanes` */
	__u32 variant_first;            /* in `variants` */
	__u32 cycle_first;              /* in `values`: variant by position */
	__u32 cycle;
	__u32 position;
	__u32 hop;
	__u16 lanes;
	__u16 header_bytes;             /* of any */
	__u8 reserved[68];
} __attribute__((aligned(64)));

/*
 * What was sent of a stream. Single writer; only grows. Arrays of their own have its frames by
 * transmit time, cumulative over laps, and by the time since the one before (sent.h).
 */
struct live_counters {
	__u64 frames;                   /* and so the next one's sequence number */
	__u64 bytes;
	__u64 first_ns;                 /* CLOCK_MONOTONIC of the first stamp; 0: none yet */
	__u64 last_ns;
	__u64 gap_max_ns;
};

/* What `feed` says of a stream. */
enum feed_kind {
	FEED_FRAME = 0,                 /* its next frame is due */
	FEED_LEAVE = 1,                 /* an unpaced one pauses */
	FEED_JOIN = 2,                  /* and sends again */
};

/* An entry of the heap of paced streams, the earliest first, or of `feed`, in order of time. */
struct due {
	__u64 due_ns;
	__u32 stream;                   /* index in `streams` */
	__u32 kind;                     /* enum feed_kind */
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
	__u32 streams;                  /* side by side in `intervals` and `gaps` */
	/* Written by user space at any time. */
	__u32 stop;
	__u32 feed_open;                /* there may be more to come by `feed` */
	__u64 fed_from_ns;              /* `feed` says what is due from here on; ~0: never */
	__u64 feed_head;                /* entries of `feed` so far */
	/* Written by the program. */
	__u32 finished;                 /* every stream has sent what it could */
	__u32 defect;                   /* a frame did not fit its program: a defect */
	__u32 turn;
	__u32 clock_left;
	__u64 now_ns;
	__u64 ready_ns;                 /* what the heap has by then may leave */
	__u64 feed_tail;                /* entries of `feed` that were taken */
	__u64 feed_seen;
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
