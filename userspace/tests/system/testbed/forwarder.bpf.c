// A device under test in XDP: what comes in by one port goes out by the other. Of UDP frames
// to port 7 it lets RATE_PPS a second through, and DEPTH at once; of these every
// DROP_EVERY-th is dropped.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct books {
	__u64 seen;
	__u64 limited;
	__u64 dropped;
	__u64 full_ns;			/* when the bucket is full again */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct books);
} books SEC(".maps");

static __always_inline int is_test_frame(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > end)
		return 0;
	return eth->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_UDP &&
	       udp->dest == bpf_htons(7);
}

SEC("xdp")
int forward(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct books *b = bpf_map_lookup_elem(&books, &zero);

	if (b && is_test_frame(ctx)) {
		__u64 number = b->seen++;
#if RATE_PPS
		const __u64 each_ns = 1000000000ULL / RATE_PPS;
		__u64 now = bpf_ktime_get_ns();
		__u64 full = b->full_ns > now ? b->full_ns : now;

		if (full - now > (DEPTH - 1) * each_ns) {
			b->limited++;
			return XDP_DROP;
		}
		b->full_ns = full + each_ns;
#endif
#if DROP_EVERY
		if (number % DROP_EVERY == DROP_EVERY - 1) {
			b->dropped++;
			return XDP_DROP;
		}
#endif
	}
	return bpf_redirect(TO_IFINDEX, 0);
}

char LICENSE[] SEC("license") = "GPL";
