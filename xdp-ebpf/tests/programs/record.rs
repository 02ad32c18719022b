//! histogram.h and record.h against Rust. Needs no root.

use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use xdp_ebpf::{
    abi, histogram,
    host::{self, Arrival},
};

const LATENCY: (u32, u32) = (abi::LATENCY_PRECISION, abi::LATENCY_MAX_BITS);
const NEGATIVE: (u32, u32) = (abi::COARSE_PRECISION, abi::NEGATIVE_MAX_BITS);
const GAP: (u32, u32) = (abi::COARSE_PRECISION, abi::GAP_MAX_BITS);

/// Values spread evenly over octaves, as latencies are.
fn value(max_bits: u32) -> impl Strategy<Value = u64> {
    (0..=max_bits, any::<u64>()).prop_map(|(bits, noise)| noise & ((1 << bits) - 1))
}

proptest! {
    #[test]
    fn c_and_rust_agree_on_the_bucket(v in value(36)) {
        for (precision, max_bits) in [LATENCY, NEGATIVE, GAP] {
            let v = v.min((1 << max_bits) - 1);
            let expected = histogram::index(v, precision, max_bits);
            prop_assert_eq!(host::histogram_index(v, precision), u64::from(expected));
        }
    }

    #[test]
    fn a_bucket_holds_its_values_and_is_narrow(v in value(36)) {
        for (precision, max_bits) in [LATENCY, GAP] {
            let index = host::histogram_index(v, precision) as u32;
            let (lower, upper) = (histogram::lower(index, precision), histogram::upper(index, precision));
            prop_assert!(lower <= v && v <= upper, "{v} not in {lower}..={upper}");
            prop_assert!((upper - lower) << precision <= lower, "{lower}..={upper}");
            prop_assert!(index < histogram::index(u64::MAX, precision, max_bits) + 1);
        }
    }

    #[test]
    fn a_greater_value_is_in_no_lower_bucket(a in value(36), b in value(36)) {
        let (less, more) = (a.min(b), a.max(b));
        prop_assert!(host::histogram_index(less, LATENCY.0) <= host::histogram_index(more, LATENCY.0));
    }
}

#[test]
fn the_last_value_falls_in_the_last_bucket() {
    for ((precision, max_bits), buckets) in [
        (LATENCY, abi::LATENCY_BUCKETS),
        (NEGATIVE, abi::NEGATIVE_BUCKETS),
        (GAP, abi::GAP_BUCKETS),
    ] {
        let last = host::histogram_index((1 << max_bits) - 1, precision);
        assert_eq!(last, u64::from(buckets) - 1);
        assert_eq!(histogram::upper(buckets - 1, precision), (1 << max_bits) - 1);
    }
}

#[test]
fn a_latency_bucket_errs_by_less_than_one_percent() {
    for index in 0..abi::LATENCY_BUCKETS {
        let (lower, upper) =
            (histogram::lower(index, LATENCY.0), histogram::upper(index, LATENCY.0));
        assert!(100 * (upper - lower) <= lower.max(1), "{lower}..={upper}");
    }
}

#[test]
fn buckets_are_counted_where_they_belong() {
    let mut slab = Box::new(abi::slab::default());
    for latency in [1_000, -1_000, (1 << 36) - 1] {
        host::slab_latency(&mut slab, latency);
    }
    for gap in [0, u64::MAX >> 1] {
        host::slab_gap(&mut slab, gap);
    }
    for variation in [7, -900, -(1 << 37)] {
        host::slab_ipdv(&mut slab, variation);
    }
    let filled = |buckets: &[u32]| -> Vec<usize> {
        (0..buckets.len()).filter(|&index| buckets[index] == 1).collect()
    };
    let at = |value, (precision, max_bits)| histogram::index(value, precision, max_bits) as usize;
    assert_eq!(filled(&slab.latency), [at(1_000, LATENCY), abi::LATENCY_BUCKETS as usize - 1]);
    assert_eq!(filled(&slab.negative), [at(1_000, NEGATIVE)]);
    assert_eq!(filled(&slab.gap), [0, abi::GAP_BUCKETS as usize - 1]);
    assert_eq!(filled(&slab.ipdv[0]), [7]);
    assert_eq!(filled(&slab.ipdv[1]), [at(900, GAP), abi::GAP_BUCKETS as usize - 1]);
}

/// The window by the book: every sequence number ever seen, and per word of 32 the
/// newest epoch.
#[derive(Default)]
struct Oracle {
    seen: HashSet<u32>,
    epochs: HashMap<u32, u16>,
}

impl Oracle {
    fn mark(&mut self, sequence: u32) -> Arrival {
        let epoch = (sequence >> 16) as u16;
        let newest = self.epochs.entry(sequence % (1 << 16) / 32).or_insert(epoch);
        match epoch.wrapping_sub(*newest) as i16 {
            ..0 => return Arrival::Late,
            0 => {}
            _ => *newest = epoch,
        }
        if self.seen.insert(sequence) { Arrival::Unique } else { Arrival::Duplicate }
    }
}

/// Steps from one sequence number to the next: mostly on, sometimes back, sometimes far.
fn steps() -> impl Strategy<Value = Vec<i32>> {
    let step = prop_oneof![
        20 => Just(1),
        4 => Just(0),
        4 => 2..40,
        4 => -40..0,
        2 => -70_000..70_000,
        1 => -1_000_000..10_000_000,
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn the_window_agrees_with_a_set(start: u32, steps in steps(), shared: bool) {
        let mut window = Box::new(abi::window { word: [0; abi::WINDOW_WORDS as usize] });
        let mut oracle = Oracle::default();
        let mut sequence = start;
        for step in steps {
            sequence = sequence.wrapping_add_signed(step);
            prop_assert_eq!(host::window_mark(&mut window, sequence, shared), oracle.mark(sequence));
        }
    }

    #[test]
    fn within_the_window_every_frame_is_told_apart(start: u32, order in any::<Vec<u16>>()) {
        let mut window = Box::new(abi::window { word: [0; abi::WINDOW_WORDS as usize] });
        let mut seen = HashSet::new();
        // Two neighbouring epochs at most: half a window to either side of the boundary.
        for offset in order {
            let sequence = start.wrapping_add(u32::from(offset) / 2);
            let unique = seen.insert(sequence);
            let expected = if unique { Arrival::Unique } else { Arrival::Duplicate };
            prop_assert_eq!(host::window_mark(&mut window, sequence, true), expected);
        }
    }
}

#[test]
fn a_window_starts_anywhere_and_goes_on_through_the_wrap() {
    let mut window = Box::new(abi::window { word: [0; abi::WINDOW_WORDS as usize] });
    for offset in 0..200_000_u32 {
        let sequence = 0xffff_0000_u32.wrapping_add(offset);
        assert_eq!(host::window_mark(&mut window, sequence, true), Arrival::Unique, "{sequence}");
    }
    assert_eq!(host::window_mark(&mut window, 0xffff_0000, true), Arrival::Late);
}

proptest! {
    #[test]
    fn a_latency_is_the_signed_distance_over_the_wrap(sent: u64, latency in -1_i64 << 39..1 << 39) {
        let now = sent.wrapping_add_signed(latency);
        prop_assert_eq!(host::latency_ns(now, sent & ((1 << 40) - 1)), latency);
        let plausible = latency > -(1 << 30) && latency < 1 << 36;
        prop_assert_eq!(host::latency_plausible(latency), plausible);
    }

    #[test]
    fn a_transmit_time_falls_in_the_bin_that_division_says(
        base in 1_u64 << 40..1 << 50,
        interval in 1_u64..10_000_000_000,
        offsets in prop::collection::vec(-1_000_000_000_i64..1 << 40, 1..50),
    ) {
        let mut record = abi::record::default();
        for offset in offsets {
            let slot = host::interval_slot(&mut record, base.wrapping_add_signed(offset), base, interval);
            prop_assert_eq!(u64::from(slot), offset.max(0) as u64 / interval % 64);
        }
    }

    #[test]
    fn a_record_counts_as_the_book_says(
        start: u32,
        frames in prop::collection::vec((-50_i32..50, -1_000_i64..1 << 36, 0_u64..1 << 40), 1..200),
    ) {
        let mut record = abi::record::default();
        let (mut now, mut sequence, mut next) = (1_u64 << 50, start, None::<u32>);
        let (mut reordered, mut gaps, mut latencies) = (0, Vec::new(), Vec::new());
        for (step, latency, gap) in frames {
            sequence = sequence.wrapping_add_signed(step);
            now += gap;
            let told = host::record_unique(&mut record, sequence, now);
            host::record_latency(&mut record, latency);
            prop_assert_eq!(told, (!latencies.is_empty()).then_some(gap));
            // RFC 4737, 3.3: NextExp.
            match next {
                Some(expected) if (sequence.wrapping_sub(expected) as i32) < 0 => reordered += 1,
                _ => next = Some(sequence.wrapping_add(1)),
            }
            gaps.extend(told);
            latencies.push(latency);
        }
        prop_assert_eq!(record.unique, latencies.len() as u64);
        prop_assert_eq!(record.reordered, reordered);
        prop_assert_eq!(record.gap_max_ns, gaps.into_iter().max().unwrap_or(0));
        prop_assert_eq!(record.latency_sum_ns, latencies.iter().sum::<i64>());
        prop_assert_eq!(Some(record.latency_min_ns), latencies.iter().copied().min());
        prop_assert_eq!(Some(record.latency_max_ns), latencies.iter().copied().max());
        prop_assert_eq!(record.negative, latencies.iter().filter(|&&ns| ns < 0).count() as u64);
        prop_assert_eq!(record.last_rx_ns, now);
        prop_assert_eq!(record.timed, record.unique);
    }

    #[test]
    fn variation_is_that_of_rfc_3550_and_rfc_3393(
        first in -1_000_i64..1 << 36,
        frames in prop::collection::vec((-1_000_i64..1 << 36, any::<bool>()), 1..300),
    ) {
        let mut record = abi::record {
            last_latency_ns: first,
            ipdv_min_ns: i64::MAX,
            ipdv_max_ns: i64::MIN,
            ..Default::default()
        };
        // RFC 3550, A.8, as it stands there, in units of a nanosecond.
        let (mut transit, mut jitter, mut pairs) = (first, 0_i64, Vec::new());
        for (latency, consecutive) in frames {
            let d = latency - transit;
            transit = latency;
            jitter += d.abs() - ((jitter + 8) >> 4);
            prop_assert_eq!(host::record_variation(&mut record, latency, consecutive), d);
            pairs.extend(consecutive.then_some(d));
        }
        prop_assert_eq!(record.jitter_16ths_ns, jitter as u64);
        if pairs.is_empty() {
            prop_assert!(record.ipdv_min_ns > record.ipdv_max_ns);
        } else {
            prop_assert_eq!(Some(record.ipdv_min_ns), pairs.iter().copied().min());
            prop_assert_eq!(Some(record.ipdv_max_ns), pairs.iter().copied().max());
        }
    }

    #[test]
    fn one_frame_in_a_power_of_two_is_stamped_whatever_the_stride(bits in 1_u32..=10, start: u32, stride in 1_u32..64) {
        let mask = u32::MAX << (32 - bits);
        let frames = 64 << bits;
        let sequence = |i: u32| start.wrapping_add(i.wrapping_mul(stride));
        let stamped = (0..frames).filter(|&i| host::is_stamped(mask, sequence(i))).count() as f64;
        prop_assert!((32.0..=128.0).contains(&stamped), "{} of {}", stamped, frames);
        prop_assert!(host::is_stamped(0, start));
        prop_assert!(!host::is_stamped(abi::STAMP_NEVER, start));
    }
}

#[test]
fn a_sequence_is_plausible_as_far_as_a_stream_can_have_come() {
    let now = 1 << 50;
    let mut record = abi::record::default();
    let first = |sequence, since| host::sequence_plausible(&record, sequence, now, now - since);
    assert!(first(65_536, 0));
    assert!(!first(65_537, 0));
    assert!(first(65_536 + 250_000_000, 1_000_000_000));
    assert!(!first(65_537 + 250_000_000, 1_000_000_000));
    assert!(first(u32::MAX, 20_000_000_000));
    // A trial that begins in a moment.
    assert!(host::sequence_plausible(&record, 3, now, now + 1_000));
    assert!(!host::sequence_plausible(&record, 65_537, now, now + 1_000));

    host::record_unique(&mut record, u32::MAX, now - 400);
    let then = |sequence| host::sequence_plausible(&record, sequence, now, 0);
    assert!(then(0) && then(65_636), "on through the wrap");
    assert!(!then(65_637));
    assert!(then(u32::MAX - 3) && then(1 << 31), "older ones are for the window");
    // A clock that is behind the last frame's by a little.
    assert!(host::sequence_plausible(&record, 65_536, now - 500, 0));
    assert!(!host::sequence_plausible(&record, 65_537, now - 500, 0));
}
