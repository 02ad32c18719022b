/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/* Which flow a frame without a tag belongs to (abi.h, count_rule). */
#ifndef LINERATE_COUNT_H
#define LINERATE_COUNT_H

#include "fingerprint.h"
#include "kernel.h"

MAPPED_ARRAY(rules, struct count_rule);

/* What is looked at, and a word more, so that any octet of it begins 8. */
struct beginning {
	__u64 word[COUNT_WORDS + 1];
};

/* One for each CPU: the stack takes no load at an odd place. */
struct {
	UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct beginning);
} beginnings SECTION(".maps");

INLINE int rule_holds(const struct count_rule *rule, const struct beginning *beginning,
		      __u32 bytes, __u32 version)
{
	if (rule->version != version || bytes < rule->least_bytes || bytes > rule->most_bytes)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < COUNT_WORDS; i++)
		if ((beginning->word[i] ^ rule->value[i]) & rule->mask[i])
			return 0;
	for (__u32 i = 0; i < COUNT_FIELDS_MAX && i < rule->fields; i++) {
		const struct count_field *field = &rule->field[i];
		__u64 offset = field->offset;
		__u64 value;

		/* In a form in which every verifier sees the bound. */
		asm volatile("%0 &= 0x7f" : "+r"(offset));
		value = be64((const void *)beginning + offset) >> (field->drop & 63) & field->bits;
		if (value - field->low > field->span)
			return 0;
	}
	return 1;
}

/*
 * The stream of the first rule that holds, plus one; 0: none does. A global function is
 * verified once, by itself, and not for every way to the call.
 */
__attribute__((noinline)) int count_match(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data;
	const void *data_end = (const void *)(long)ctx->data_end;
	struct extent extent = extent_of(data, data_end, bpf_xdp_get_buff_len(ctx));
	__u32 bytes = extent.to - extent.from, index = 0;
	__u64 last = (bytes < COUNT_BYTES ? bytes : COUNT_BYTES) - 1;
	struct beginning *beginning = bpf_map_lookup_elem(&beginnings, &index);

	asm volatile("%0 &= 0x7f" : "+r"(last));
	/* Octets behind a short frame are those of another; no rule that its length fits looks there. */
	if (!beginning || bpf_xdp_load_bytes(ctx, extent.from, beginning, last + 1))
		return 0;
	for (__u32 i = 0; i < COUNT_RULES_MAX && i < config.count_rules; i++) {
		const struct count_rule *rule;

		index = i;
		rule = bpf_map_lookup_elem(&rules, &index);
		if (!rule)
			break;
		if (rule_holds(rule, beginning, bytes, extent.version))
			return rule->stream + 1;
	}
	return 0;
}

#endif
