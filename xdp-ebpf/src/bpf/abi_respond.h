/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* Of abi.h: the responder. Included from there. */
#ifndef LINERATE_ABI_RESPOND_H
#define LINERATE_ABI_RESPOND_H

/* What is sent back, and what of it is swapped. */
enum respond_mode {
	RESPOND_L2 = 0,                 /* test frames: MAC addresses */
	RESPOND_L3 = 1,                 /* test frames: IP addresses too */
	RESPOND_UDP_ECHO = 2,           /* datagrams to UDP port 7: ports too (RFC 862) */
};

enum respond_limits {
	RESPOND_SESSIONS = 4096,        /* senders told apart at a time, power of two */
	RESPOND_CERTAIN = 8,            /* frames of one nonce and clock that make it a session */
	RESPOND_FIRST_SEQUENCES = 16,   /* of a stream: one of these makes it a session at once */
	RESPOND_TIME_BITS = 24,         /* a time below 2^n is more likely padding */
	RESPOND_TTL = 64,               /* of what the responder itself says (RFC 1700) */
};

enum respond_times {
	/* Frames further apart from their sender's clock are none of its, or go in circles. */
	RESPOND_APART_MAX_NS = 1000000000,
	RESPOND_STEP_NS = 1000000,      /* frames closer to each other do not prove one clock */
	RESPOND_SETTLE_NS = 100000000,  /* the clocks are compared anew beyond this, ... */
	RESPOND_DRIFT_NS = 100000000000, /* ... but upwards once in this time: 1000 ppm */
	RESPOND_IDLE_NS = 60000000000,  /* a session gives up its place to what may be chance */
	RESPOND_SEEN_NS = 1000000000,   /* how often its last frame is noted */
};

enum respond_address {
	RESPOND_KERNEL = 0,             /* the kernel owns it, and answers pings */
	RESPOND_PLAYED = 1,             /* the responder answers pings to it */
};

/* A sender, by its nonce. */
struct respond_session {
	__u32 nonce;
	__u32 frames;                   /* stops at RESPOND_CERTAIN */
	__u64 clock_ns;                 /* our clock less the tag's, modulo 2^TAG_TIME_BITS */
	__u64 compared_ns;              /* when that was compared */
	__u64 seen_ns;                  /* about when the last frame came */
};

/* An address of IPv6, or of IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct respond_key {
	__u32 word[4];
};

/*
 * What one bank (RX queue, or CPU in generic mode) saw. Single writer, only grows.
 * seen = reflected + answered + refused + passed.
 */
struct respond_record {
	__u64 seen;
	__u64 reflected;                /* sent back; the driver may still drop it */
	__u64 reflected_bytes;
	__u64 answered;                 /* pings */
	/* Refused: dropped, for it must not be sent back. */
	__u64 refused_group;            /* from or to a group or nobody: the answer would be from it */
	__u64 refused_no_ip;            /* IP addresses are to be swapped, and there are none */
	__u64 refused_loop;             /* a datagram from the echo port: two of us would never end */
	__u64 reserved;
} __attribute__((aligned(64)));

/* Written by user space before the attach (bss), but for the counter. */
struct respond_control {
	__u32 bank_by_cpu;              /* 1 in generic mode, where queues have no single writer */
	__u32 mode;                     /* enum respond_mode */
	__u64 unbanked;                 /* frames passed uncounted: of a queue added after load */
};

#endif
