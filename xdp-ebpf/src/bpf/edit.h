/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The edit program of abi.h: what packet/cursor.rs does to a frame, for the live-frame
 * program. Pure, bounds-checked, also compiled for the host and held against Rust.
 *
 * The includer says where the words of the worker are:
 *
 *     static struct lane *lane_at(__u32 index);
 *     static __u64 *value_at(__u32 index);
 */
#ifndef LINERATE_EDIT_H
#define LINERATE_EDIT_H

#include "parse.h"

static struct lane *lane_at(__u32 index);
static __u64 *value_at(__u32 index);

/* The tag of a frame, but for the time as one word. */
struct stamp {
	__u64 time_ns;
	__u32 magic;
	__u32 sequence;
	__u32 stream;
};

INLINE __u64 edit_mix(__u64 seed, __u64 n)
{
	__u64 z = seed + (n + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The high half of a product of 128 bits, for want of such a multiplication. */
INLINE __u64 edit_scale(__u64 hash, __u64 span)
{
	__u64 low = (hash & 0xffffffff) * (span & 0xffffffff);
	__u64 middle = (hash >> 32) * (span & 0xffffffff) + (low >> 32);
	__u64 other = (hash & 0xffffffff) * (span >> 32) + (middle & 0xffffffff);

	if (!span)
		return hash;
	return (hash >> 32) * (span >> 32) + (middle >> 32) + (other >> 32);
}

/* What a word of up to 64 bits adds to a checksum, not yet folded. */
INLINE __u64 word_sum(__u64 word)
{
	return (word >> 32) + (word & 0xffffffff);
}

INLINE __u64 lane_value(const struct lane *lane)
{
	const struct edit *edit = &lane->edit;
	__u64 index = lane->index;
	const __u64 *value;

	if (edit->flags & EDIT_SHUFFLED)
		index = edit_scale(edit_mix(edit->repeat, lane->phase), edit->period);
	if (edit->kind == EDIT_RANGE)
		return edit->start + index * edit->step;
	if (edit->kind == EDIT_RANDOM)
		return edit->start + edit_scale(edit_mix(edit->seed, index), edit->step);
	value = value_at(edit->seed + index);
	return value ? *value : 0;
}

INLINE void lane_advance(struct lane *lane)
{
	__u64 index = (__u64)lane->index + lane->index_hop;
	__u64 phase = lane->phase + lane->phase_hop;

	/* A drawn index does not walk, and its `repeat` is a seed. */
	if (phase >= lane->edit.repeat && !(lane->edit.flags & EDIT_SHUFFLED)) {
		phase -= lane->edit.repeat;
		index++;
	}
	lane->index = index >= lane->edit.period ? index - lane->edit.period : index;
	lane->phase = phase;
}

/* Octets at an offset, if they lie in the frame. */
INLINE void *place(void *data, const void *end, __u32 offset, __u32 octets)
{
	__u64 bounded = offset;
	void *at;

	if (offset > LIVE_FRAME_BYTES_MAX)
		return 0;
	/*
	 * clang compares a copy, and verifiers before 6.8 do not see what that says of the
	 * register that is added: they are told by a mask that changes nothing.
	 */
	asm volatile("" : "+r"(bounded));
	at = data + (bounded & 0xfff);
	return at + octets <= end ? at : 0;
}

INLINE int put16(void *data, const void *end, __u32 offset, __u32 value)
{
	__u16 *at = place(data, end, offset, 2);

	if (!at)
		return 0;
	*at = __builtin_bswap16(value);
	return 1;
}

/* Puts `bits` into the `mask` of the word of 2, 4 or 8 octets. */
INLINE int splice(void *data, const void *end, const struct edit *edit, __u64 bits)
{
	__u64 mask = edit->mask;

	if (edit->width == 2) {
		__u16 *at = place(data, end, edit->offset, 2);

		if (!at)
			return 0;
		*at = (*at & ~__builtin_bswap16(mask)) | __builtin_bswap16(bits);
	} else if (edit->width == 4) {
		__u32 *at = place(data, end, edit->offset, 4);

		if (!at)
			return 0;
		*at = (*at & ~__builtin_bswap32(mask)) | __builtin_bswap32(bits);
	} else {
		__u64 *at = place(data, end, edit->offset, 8);

		if (!at)
			return 0;
		*at = (*at & ~__builtin_bswap64(mask)) | __builtin_bswap64(bits);
	}
	return 1;
}

/* Writes the tag; adds what it adds to a checksum whose sum starts at an even offset. */
INLINE int put_tag(void *data, const void *end, __u32 offset, const struct stamp *stamp, __u64 *sum)
{
	/* Octets 0..7 and 8..13 of the tag; the words overlap by two octets, for want of one of 14. */
	__u64 head = (__u64)stamp->magic << 40 | (__u64)stamp->stream << 24 | stamp->sequence >> 8;
	__u64 time = stamp->time_ns & ((1ULL << TAG_TIME_BITS) - 1);
	__u64 tail = (__u64)stamp->sequence << 40 | time;
	void *at = place(data, end, offset, TAG_BYTES);

	if (!at)
		return 0;
	*(__u64 *)at = __builtin_bswap64(head);
	*(__u64 *)(at + 6) = __builtin_bswap64((head << 48) | (tail & 0xffffffffffffULL));
	*sum = word_sum(head) + word_sum(tail & 0xffffffffffffULL);
	/* At an odd offset every octet falls on the other half of its word (RFC 1071). */
	if (offset & 1)
		*sum <<= 8;
	return 1;
}

/* What most frames do not have is kept out of their way at compile time. */
enum shape {
	SIMPLE,                         /* of live_stream */
	PLAIN,                          /* CHECKSUMS_FEW: no packet lies in another */
	NESTED,
};

INLINE enum shape shape_of(const struct live_stream *stream)
{
	if (stream->flags & LIVE_SIMPLE)
		return SIMPLE;
	return stream->checksum[CHECKSUMS_FEW].offset ? NESTED : PLAIN;
}

/*
 * Makes the stream's next frame of octets in which header and payload already lie: lengths,
 * varying fields, tag and checksums, each from constants. False: it does not fit, which is a
 * defect of whoever laid the program out. A simple stream needs no `variant`, and its lengths
 * lie there too.
 */
INLINE int write_frame(void *data, const void *end, struct live_stream *stream,
		       const struct size_variant *variant, const struct stamp *stamp,
		       const enum shape shape)
{
	const int simple = shape == SIMPLE;
	const int count = shape == NESTED ? CHECKSUMS_MAX : CHECKSUMS_FEW;
	const int lanes = simple ? EDITS_FEW : EDITS_MAX;
	const __u32 *base = simple ? stream->checksum_base : variant->checksum_base;
	const struct checksum *checksum = simple ? stream->few : stream->checksum;
	const __u32 tag_offset = simple ? stream->tag_offset : variant->tag_offset;
	__u64 sums[CHECKSUMS_MAX];
	__u64 tag_sum = 0;

	for (int k = 0; k < count; k++)
		sums[k] = base[k];
	for (int i = 0; !simple && i < LENGTHS_MAX; i++) {
		if (!variant->length_offset[i])
			break;
		if (!put16(data, end, variant->length_offset[i], variant->length_value[i]))
			return 0;
	}
	for (int i = 0; i < lanes; i++) {
		struct lane *lane = simple ? &stream->lane[i] : 0;
		__u64 bits;

		if (simple ? !lane->edit.width : i >= stream->lanes)
			break;
		if (!simple)
			lane = lane_at(stream->lane_first + i);
		if (!lane)
			return 0;
		bits = (lane_value(lane) << lane->edit.shift) & lane->edit.mask;
		if (!splice(data, end, &lane->edit, bits))
			return 0;
#pragma unroll
		for (int k = 0; k < count; k++)
			sums[k] += word_sum(bits) * ((lane->edit.checksums >> k) & 1);
		lane_advance(lane);
	}
	if (tag_offset && !put_tag(data, end, tag_offset, stamp, &tag_sum))
		return 0;
	/* Linux 6.1 refuses a loop that is entered in its middle, as the compiler would make this. */
#pragma unroll
	for (int k = 0; k < count; k++) {
		__u32 flags = checksum[k].flags;
		__u64 sum = sums[k];

		if (!checksum[k].offset)
			break;
		if (flags & CHECKSUM_COVERS_TAG)
			sum += tag_sum;
		sum = fold(sum);
		sum = ~(sum + (sum >> 16)) & 0xffff;
		if (!sum && flags & CHECKSUM_NEVER_ZERO)
			sum = 0xffff;
		if (!put16(data, end, checksum[k].offset, sum))
			return 0;
#pragma unroll
		for (int outer = k + 1; outer < count; outer++)
			sums[outer] += sum * ((checksum[k].covered_by >> outer) & 1);
	}
	return 1;
}

/* On to the next frame; false: the stream has sent its last. */
INLINE int stream_advance(struct live_stream *stream)
{
	struct pace *pace = &stream->pace;

	stream->left--;
	if (!(stream->flags & LIVE_SIMPLE)) {
		stream->position += stream->hop;
		if (stream->position >= stream->cycle)
			stream->position -= stream->cycle;
	}
	if (stream->flags & LIVE_PACED) {
		pace->fraction += pace->step_fraction;
		pace->due_ns += pace->step_ns + (pace->fraction >> 32);
		pace->fraction &= 0xffffffff;
		if (pace->train != ~0ULL && !--pace->left_in_train) {
			pace->left_in_train = pace->train;
			pace->due_ns += pace->train_gap_ns;
		}
		if (pace->due_ns > stream->stop_ns)
			return 0;
	}
	return stream->left > 0;
}

#endif
