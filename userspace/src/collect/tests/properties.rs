//! Against oracles, on random input.

use super::{super::*, FLOW, SECOND, collector, exact, latency, observe, tx};
use crate::rx::{Counters, Observed};
use hdrhistogram::Histogram;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// A frame: sent at, time of flight, and whether it is lost.
fn frames() -> impl Strategy<Value = Vec<(u64, u64, bool)>> {
    prop::collection::vec((0..20 * SECOND, 0..3 * SECOND, any::<bool>()), 0..400)
}

proptest! {
    #[test]
    fn a_ring_keeps_the_newest_in_order(capacity in 1..9_usize, items in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut ring = Ring::new(capacity);
        let mut oracle = VecDeque::new();
        for item in items {
            oracle.push_back(item);
            let dropped = if oracle.len() > capacity { oracle.pop_front() } else { None };
            prop_assert_eq!(ring.push(item), dropped);
            prop_assert!(ring.iter().eq(oracle.iter()));
            prop_assert!(ring.iter().rev().eq(oracle.iter().rev()));
            prop_assert_eq!(ring.latest(), oracle.back());
            prop_assert_eq!(ring.len(), oracle.len());
        }
        for item in ring.iter_mut().chain(&mut oracle) {
            *item = item.wrapping_add(1);
        }
        prop_assert!(ring.iter().eq(oracle.iter()));
    }

    #[test]
    fn percentiles_are_within_a_percent_of_the_sorted_values(
        mut values in prop::collection::vec(0..60_000_000_000_i64, 1..400),
    ) {
        let summary = latency(&values).summary().unwrap();
        values.sort_unstable();
        for (found, quantile) in [(summary.p50, 5000), (summary.p90, 9000), (summary.p99, 9900), (summary.p999, 9990)] {
            let (found, exact) = (found.unwrap(), exact(&values, quantile));
            prop_assert!(found >= exact && (found - exact) as f64 <= 0.01 * exact as f64);
        }
        prop_assert_eq!((summary.min, summary.max), (values[0], values[values.len() - 1]));
    }

    #[test]
    fn percentiles_count_frames_below_zero(
        mut values in prop::collection::vec(-1_000_000_000..1_000_000_i64, 1..200),
    ) {
        let summary = latency(&values).summary().unwrap();
        values.sort_unstable();
        let (found, exact) = (summary.p50.unwrap(), exact(&values, 5000));
        prop_assert!(found >= exact && (found - exact) as f64 <= 0.125 * exact.abs() as f64);
        prop_assert!(summary.min <= found && found <= summary.max);
        prop_assert_eq!(summary.negative_count, values.iter().filter(|&&value| value < 0).count() as u64);
        let mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
        prop_assert!((summary.mean - mean).abs() <= 1e-6 * mean.abs().max(1.0));
    }

    #[test]
    fn merged_latency_equals_the_latency_of_all(
        a in prop::collection::vec(-5000..5_000_000_000_i64, 0..100),
        b in prop::collection::vec(-5000..5_000_000_000_i64, 0..100),
    ) {
        let mut merged = latency(&a);
        merged.merge(&latency(&b));
        let all = latency(&[a, b].concat());
        prop_assert_eq!(merged.histogram(), all.histogram());
        prop_assert_eq!(merged.summary(), all.summary());
    }

    #[test]
    fn a_sample_expands_to_the_histogram_it_was(
        values in prop::collection::vec(0..1_000_000_000_i64, 0..90),
    ) {
        let packed = PackedBuckets::pack(&observe(&values).latency, 480);
        prop_assert_eq!(packed.precision(), 7);
        let mut expected: Histogram<u64> = empty_histogram();
        for value in values {
            expected.record(value as u64).unwrap();
        }
        prop_assert_eq!(packed.histogram(), expected);
    }

    #[test]
    fn coarser_buckets_stay_within_their_error(
        values in prop::collection::vec(0..60_000_000_000_i64, 300..400),
    ) {
        let packed = PackedBuckets::pack(&observe(&values).latency, 480);
        prop_assert!(packed.heap_bytes() <= 480);
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let edges = packed.edges().flat_map(|(edge, count)| std::iter::repeat_n(edge, count as usize));
        for (edge, value) in edges.zip(sorted) {
            let error = (edge as f64 - value as f64) / value.max(1) as f64;
            prop_assert!((0.0..=0.5_f64.powi(packed.precision().into())).contains(&error));
        }
    }

    #[test]
    fn loss_of_every_second_is_exact_after_the_drain(
        frames in frames(),
        jitter in prop::collection::vec(0..SECOND * 4 / 5, 30),
    ) {
        let mut collector = collector();
        let (mut tx_frames, mut unique, mut longest) = (0, 0, 0);
        for second in 1..=25_u64 {
            // Ticks are late by up to 0.8 intervals, and none is skipped.
            let time = |second: u64| if second == 0 { 0 } else { second * SECOND + jitter[second as usize] };
            let (from, now) = (time(second - 1), time(second));
            let passed = |at: u64| (from..now).contains(&at);
            let mut reading = tx(10 * SECOND + now, 0);
            let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
            for &(at, flight, lost) in &frames {
                if passed(at) {
                    *sent.entry(at / SECOND).or_insert(0) += 1;
                    tx_frames += 1;
                }
                if !lost && passed(at + flight) {
                    *received.entry(at / SECOND).or_insert(0) += 1;
                    unique += 1;
                    longest = longest.max(flight as i64);
                }
            }
            reading.tx_frames = tx_frames;
            reading.tx_intervals = sent.into_iter().collect();
            reading.rx = Some(Observed {
                counters: Counters { unique, latency_max_ns: Some(longest), ..Counters::default() },
                intervals: received.into_iter().collect(),
                ..Observed::default()
            });
            collector.record(FLOW, &reading);
        }
        collector.finish();
        let mut missing = frames.iter().filter(|frame| frame.2).count() as u64;
        prop_assert_eq!(collector.totals(FLOW).unwrap().loss().unwrap(), Loss { sent: tx_frames, lost: missing });
        let samples = collector.history(FLOW, 60);
        for sample in &samples {
            let covered = sample.first_interval..sample.end_interval;
            let mine = || frames.iter().filter(|frame| covered.contains(&(frame.0 / SECOND)));
            let lost = mine().filter(|frame| frame.2).count() as u64;
            prop_assert_eq!(sample.loss(), Some(Loss { sent: mine().count() as u64, lost }));
            missing -= lost;
        }
        prop_assert_eq!(missing, 0, "every loss is in some sample");
    }
}
