//! The quick way of usual frames against record.h, which takes them all. Needs no root.

use proptest::prelude::*;
use xdp_ebpf::{
    abi,
    host::{self, Arrival, Arrived},
};

const BASE_NS: u64 = 1 << 50;
const INTERVAL_NS: u64 = 10_000_000;

/// What the program keeps of a stream.
#[derive(Clone, PartialEq)]
struct Kept {
    record: abi::record,
    window: abi::window,
    slab: abi::slab,
}

impl Kept {
    fn new(octet_ns_q20: u32) -> Self {
        let record = abi::record {
            octet_ns_q20,
            ipdv_min_ns: i64::MAX,
            ipdv_max_ns: i64::MIN,
            ..Default::default()
        };
        Self { record, window: abi::window::default(), slab: abi::slab::default() }
    }

    /// As the analyser does with a frame that is not usual.
    fn count(&mut self, frame: &Arrived) {
        let Self { record, window, slab } = self;
        match host::window_follow(window, record, frame.sequence) {
            Arrival::Late => record.late += 1,
            Arrival::Duplicate => {
                record.duplicate += 1;
                record.bytes += u64::from(frame.bytes);
            }
            Arrival::Unique => {
                record.bytes += u64::from(frame.bytes);
                let consecutive = frame.sequence == record.next_sequence;
                let gap = host::record_unique(record, frame.sequence, frame.now_ns);
                let sent_ns = frame.now_ns.wrapping_add_signed(-frame.latency_ns);
                let slot = host::interval_slot(record, sent_ns, BASE_NS, INTERVAL_NS);
                record.interval_unique[slot as usize] += 1;
                let wire_ns = (u64::from(frame.bytes + 4) * u64::from(record.octet_ns_q20)) >> 20;
                let latency = frame.latency_ns - wire_ns as i64;
                host::record_latency(record, latency);
                host::slab_latency(slab, latency);
                let Some(gap) = gap else {
                    record.last_latency_ns = latency;
                    return;
                };
                let variation = host::record_variation(record, latency, consecutive);
                host::slab_gap(slab, gap);
                if consecutive {
                    host::slab_ipdv(slab, variation);
                }
            }
        }
    }

    /// As the analyser does with any frame: whether it was usual.
    fn take(&mut self, frame: &Arrived, shared: bool) -> bool {
        let Self { record, window, slab } = self;
        let usual = host::count_usual(record, window, slab, frame, INTERVAL_NS, shared);
        if !usual {
            self.count(frame);
        }
        usual
    }
}

fn step() -> impl Strategy<Value = i32> {
    prop_oneof![8 => Just(1), 2 => 2..40, 1 => -40..1, 1 => 60_000..70_000]
}

fn nanoseconds(bits: u32) -> impl Strategy<Value = u64> {
    (0..=bits).prop_flat_map(|bits| 0..1_u64 << bits)
}

proptest! {
    #[test]
    fn a_usual_frame_is_counted_as_any_other(
        start: u32,
        octet_ns_q20 in prop_oneof![Just(0), 0_u32..1 << 24],
        shared: bool,
        frames in prop::collection::vec(
            (step(), nanoseconds(24), -1_000_i64..1_000, nanoseconds(26), 60_u32..1514),
            1..400,
        ),
    ) {
        let mut quick = Kept::new(octet_ns_q20);
        let mut whole = quick.clone();
        let (mut sequence, mut now_ns) = (start, BASE_NS + (1 << 30));
        for (step, gap, below, latency, bytes) in frames {
            sequence = sequence.wrapping_add_signed(step);
            now_ns += gap;
            let latency_ns = below + latency as i64;
            let frame = Arrived { sequence, bytes, now_ns, latency_ns };
            quick.take(&frame, shared);
            whole.count(&frame);
            prop_assert!(quick.record == whole.record, "{:?}, {:?}", quick.record, whole.record);
        }
        prop_assert!(quick == whole, "a window or a slab differs");
    }

    #[test]
    fn a_low_value_has_the_same_bucket(value in nanoseconds(25)) {
        for precision in [abi::LATENCY_PRECISION, abi::COARSE_PRECISION] {
            let value = value & ((1 << (17 + precision)) - 1);
            prop_assert_eq!(
                host::histogram_index_low(value, precision),
                host::histogram_index(value, precision)
            );
        }
    }
}

#[test]
fn nearly_all_frames_of_a_steady_stream_are_usual() {
    let mut kept = Kept::new(0);
    let usual = (0..200_000_u32).filter(|&i| {
        let latency_ns = 2_000 + i64::from(i.wrapping_mul(2_654_435_761) >> 16);
        let now_ns = BASE_NS + (1 << 30) + u64::from(i) * 1_000;
        kept.take(&Arrived { sequence: i, bytes: 60, now_ns, latency_ns }, false)
    });
    // The first 65,536 numbers begin each word of the window: one in 32.
    assert!(usual.count() > 190_000);
    assert_eq!(kept.record.unique, 200_000);
}

#[test]
fn a_frame_that_is_not_usual_changes_nothing() {
    let mut kept = Kept::new(0);
    let at = |sequence, now_ns| Arrived { sequence, bytes: 60, now_ns, latency_ns: 5_000 };
    for i in 0..100 {
        kept.take(&at(i, BASE_NS + 1_000_000 + u64::from(i) * 1_000), false);
    }
    let now_ns = BASE_NS + 1_100_000;
    let mut slower = at(100, now_ns);
    slower.latency_ns += 1;
    for odd in [
        at(99, now_ns),              // a duplicate
        at(100 + (1 << 16), now_ns), // far ahead
        at(100, now_ns - 1_001),     // before the one before
        at(100, now_ns + 1),         // after a longer gap than any before
        slower,                      // with the greatest latency
    ] {
        let before = kept.clone();
        let Kept { record, window, slab } = &mut kept;
        assert!(!host::count_usual(record, window, slab, &odd, INTERVAL_NS, true), "{odd:?}");
        assert!(kept == before, "{odd:?}");
    }
}
