//! Which frames are stamped, and what follows from the stamps of two.

use crate::common::{
    SECOND,
    frame::{self, IPV4, tag},
    now_ns, require_root, setup, take,
};
use std::sync::atomic::{AtomicU32, Ordering};
use xdp_ebpf::{Analyser, AnalyserSetup, Stamping, XdpMode, abi, histogram};

fn loaded(stamping: Stamping) -> Analyser {
    require_root();
    let setup = AnalyserSetup { stamping, ..setup(1) };
    let mut analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
    analyser.begin_trial(1, now_ns() - 30 * SECOND);
    analyser
}

fn total(buckets: &[AtomicU32]) -> u32 {
    buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
}

#[test]
fn without_stamps_everything_but_time_is_counted() {
    let analyser = loaded(Stamping::Never);
    for sequence in [0, 1, 2, 5, 3, 3] {
        take(&analyser, &IPV4.frame(tag(sequence)));
    }
    let record = analyser.record(0, 0);
    assert_eq!((record.unique, record.duplicate, record.reordered), (5, 1, 1));
    assert_eq!((record.timed, record.slab, record.latency_sum_ns), (0, 0, 0));
    assert!(now_ns() - record.last_rx_ns < SECOND);
    let binned: u32 = record.interval_unique.iter().sum();
    assert_eq!(binned, 5);
}

#[test]
fn a_frame_sent_after_the_last_stamp_has_the_clock_read_again() {
    let analyser = loaded(Stamping::Never);
    take(&analyser, &IPV4.frame(tag(0)));
    let before = analyser.port_record(0).clock_ns;
    // Sent a millisecond ago: before the stamp of the frame before.
    take(&analyser, &IPV4.frame(tag(1)));
    assert_eq!(analyser.port_record(0).clock_ns, before);
    std::thread::sleep(std::time::Duration::from_millis(5));
    take(&analyser, &IPV4.frame(tag(2)));
    assert!(analyser.port_record(0).clock_ns >= before + 4_000_000);
}

#[test]
fn of_one_in_four_only_the_stamped_have_a_latency() {
    let analyser = loaded(Stamping::OneIn(2));
    for sequence in 0..400 {
        take(&analyser, &IPV4.frame(tag(sequence)));
    }
    let record = analyser.record(0, 0);
    assert_eq!(record.unique, 400);
    assert!((80..=120).contains(&record.timed), "{}", record.timed);
    let slab = analyser.slab(record.slab).unwrap();
    assert_eq!(u64::from(total(slab.latency())), record.timed);
    assert_eq!(total(slab.gap()), 0);
    assert!(record.ipdv_min_ns > record.ipdv_max_ns);
    assert!(record.latency_min_ns >= 1_000_000 && record.latency_max_ns < 1_000_000_000);
}

#[test]
fn the_time_on_the_wires_is_taken_off_every_frame_by_its_own_size() {
    require_root();
    let mut setup = setup(1);
    // 10 Gb/s in and 1 Gb/s out.
    setup.streams[0].octet_ps = 800 + 8_000;
    let mut analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
    analyser.begin_trial(1, now_ns() - 30 * SECOND);
    let mut raw = 0;
    for (sequence, payload) in [(0, 4), (1, 1_000), (2, 1_458)] {
        let sent = tag(sequence);
        let frame = frame::Shape { payload, ..IPV4 }.frame(sent);
        take(&analyser, &frame);
        let wires = (frame.len() as i64 + 4) * 88 / 10;
        raw += (analyser.record(0, 0).last_rx_ns - sent.time_ns) as i64 - wires;
        let last = analyser.record(0, 0).last_latency_ns;
        assert!((last - raw_of(&analyser, sent.time_ns) + wires).abs() <= 1);
    }
    let record = analyser.record(0, 0);
    assert!((record.latency_sum_ns - raw).abs() <= 3, "{} {raw}", record.latency_sum_ns);
    // Not what the transmit time is made of.
    assert_eq!(record.interval_unique.iter().sum::<u32>(), 3);
}

fn raw_of(analyser: &Analyser, sent_ns: u64) -> i64 {
    (analyser.record(0, 0).last_rx_ns - sent_ns) as i64
}

#[test]
fn variation_lies_between_consecutive_frames_in_order() {
    let analyser = loaded(Stamping::Every);
    // Sent 1 ms ago, then 200 ms, then 1 ms: latency rises and falls by about 199 ms. The
    // frame after the hole differs from no neighbour.
    for (sequence, ago_ms) in [(0, 1), (1, 200), (2, 1), (4, 400)] {
        let mut tag = tag(sequence);
        tag.time_ns = now_ns() - ago_ms * 1_000_000;
        take(&analyser, &IPV4.frame(tag));
    }
    let record = analyser.record(0, 0);
    let near = |ns: i64| (ns - 199_000_000).abs() < 5_000_000;
    assert!(near(record.ipdv_max_ns) && near(-record.ipdv_min_ns), "{record:?}");
    let [rises, falls] = analyser.slab(record.slab).unwrap().ipdv();
    assert_eq!((total(rises), total(falls)), (1, 1));
    let bucket = |ns: i64| {
        histogram::index(ns.unsigned_abs(), abi::COARSE_PRECISION, abi::GAP_MAX_BITS) as usize
    };
    assert_eq!(rises[bucket(record.ipdv_max_ns)].load(Ordering::Relaxed), 1);
    assert_eq!(falls[bucket(record.ipdv_min_ns)].load(Ordering::Relaxed), 1);
}
