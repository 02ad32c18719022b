/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only */
/*
 * The little that BPF C needs beside the kernel's UAPI headers: where things are
 * placed, how a map is described (BTF, as libbpf and aya read it), and the helpers
 * by their UAPI numbers. So the programs compile with clang alone.
 */
#ifndef LINERATE_KERNEL_H
#define LINERATE_KERNEL_H

#include <linux/bpf.h>

#define SECTION(name) __attribute__((section(name), used))
#define UINT(name, value) int(*name)[value]
#define TYPE(name, type) typeof(type) *name

/* An array that user space reads by mmap; its size is set before load. */
#define MAPPED_ARRAY(name, value_type)                                                             \
	struct {                                                                                   \
		UINT(type, BPF_MAP_TYPE_ARRAY);                                                    \
		UINT(map_flags, BPF_F_MMAPABLE);                                                   \
		UINT(max_entries, 1);                                                              \
		TYPE(key, __u32);                                                                  \
		TYPE(value, value_type);                                                           \
	} name SECTION(".maps")

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) =
	(void *)BPF_FUNC_map_lookup_elem;
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __u32 (*const bpf_get_smp_processor_id)(void) = (void *)BPF_FUNC_get_smp_processor_id;
static __u64 (*const bpf_xdp_get_buff_len)(struct xdp_md *ctx) =
	(void *)BPF_FUNC_xdp_get_buff_len;
static long (*const bpf_xdp_load_bytes)(struct xdp_md *ctx, __u32 offset, void *buf, __u32 len) =
	(void *)BPF_FUNC_xdp_load_bytes;
static long (*const bpf_xdp_store_bytes)(struct xdp_md *ctx, __u32 offset, void *buf, __u32 len) =
	(void *)BPF_FUNC_xdp_store_bytes;
static long (*const bpf_xdp_adjust_tail)(struct xdp_md *ctx, int delta) =
	(void *)BPF_FUNC_xdp_adjust_tail;

#endif
