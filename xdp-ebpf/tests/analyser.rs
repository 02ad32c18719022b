//! The analyser, frame by frame, through `BPF_PROG_TEST_RUN`. Needs root.

mod common;

use common::{
    NONCE, SECOND, analyser, counts,
    frame::{ICMP, ICMPV6, IPV4, IPV6, Shape, TCP, Tag, UDP, other, patch_ipv4, tag},
    moved, now_ns, run, setup,
};
use std::sync::atomic::Ordering;
use xdp_ebpf::{Action, Analyser, XdpMode, abi, histogram};

/// Runs a frame that must be dropped as one of stream 0.
fn drop_one(analyser: &Analyser, frame: &[u8]) {
    assert_eq!(run(analyser, frame), Action::Drop);
}

fn record(analyser: &Analyser) -> abi::record {
    analyser.record(0, 0)
}

#[test]
fn a_unique_frame_is_counted_and_timed() {
    let analyser = analyser();
    let sent = tag(0);
    let frame = IPV4.frame(sent);
    let before = now_ns();
    drop_one(&analyser, &frame);
    let after = now_ns();

    let record = record(&analyser);
    assert_eq!(moved(&record), [("unique", 1)]);
    assert_eq!(record.bytes, frame.len() as u64);
    assert!((before..=after).contains(&record.first_rx_ns));
    assert_eq!(record.first_rx_ns, record.last_rx_ns);
    let latency = record.first_rx_ns as i64 - sent.time_ns as i64;
    assert_eq!(
        (record.latency_sum_ns, record.latency_min_ns, record.latency_max_ns),
        (latency, latency, latency)
    );
    let slab = analyser.slab(record.slab).unwrap();
    let bucket = histogram::index(latency as u64, abi::LATENCY_PRECISION, abi::LATENCY_MAX_BITS);
    assert_eq!(slab.latency()[bucket as usize].load(Ordering::Relaxed), 1);
    let port = analyser.port_record(0);
    assert_eq!((port.seen, port.matched, port.passed), (1, 1, 0));
    assert_eq!(port.seen_bytes, frame.len() as u64);
}
