use super::*;
use crate::rx::{Bucket, Counters, Observed, coalesce};
use std::time::Duration;
use xdp_ebpf::{abi, histogram};

mod judging;
mod properties;

const SECOND: u64 = 1_000_000_000;
const FLOW: FlowId = FlowId(0);

/// What the analyser would show of these latencies.
fn observe(latencies: &[i64]) -> Observed {
    let mut observed = Observed::default();
    for &latency in latencies {
        if latency < 0 {
            let value = latency.unsigned_abs();
            let index = histogram::index(value, abi::COARSE_PRECISION, abi::NEGATIVE_MAX_BITS);
            observed.negative.push((index as u16, 1));
        } else {
            let index =
                histogram::index(latency as u64, abi::LATENCY_PRECISION, abi::LATENCY_MAX_BITS);
            observed.latency.push((index as u16, 1));
        }
    }
    coalesce(&mut observed.latency);
    coalesce(&mut observed.negative);
    observed.counters = Counters {
        unique: latencies.len() as u64,
        timed: latencies.len() as u64,
        negative: latencies.iter().filter(|&&latency| latency < 0).count() as u64,
        latency_sum_ns: latencies.iter().map(|&latency| i128::from(latency)).sum(),
        latency_min_ns: latencies.iter().min().copied(),
        latency_max_ns: latencies.iter().max().copied(),
        ..Counters::default()
    };
    observed
}

fn latency(latencies: &[i64]) -> Latency {
    let observed = observe(latencies);
    let mut latency = Latency::default();
    latency.record(&observed.counters, &observed);
    latency
}

/// Smallest x with F(x) at least the quantile (RFC 2330, 11.3).
fn exact(sorted: &[i64], quantile: usize) -> i64 {
    sorted[(sorted.len() * quantile).div_ceil(10_000).max(1) - 1]
}

#[test]
fn kernel_buckets_are_the_buckets_of_the_histogram() {
    let histogram = empty_histogram();
    assert_eq!(histogram.distinct_values(), abi::LATENCY_BUCKETS as usize);
    for index in 0..abi::LATENCY_BUCKETS {
        let lower = histogram::lower(index, abi::LATENCY_PRECISION);
        let upper = histogram::upper(index, abi::LATENCY_PRECISION);
        assert_eq!(histogram.lowest_equivalent(lower), lower, "bucket {index}");
        assert_eq!(histogram.highest_equivalent(lower), upper, "bucket {index}");
        assert!(histogram.equivalent(lower, upper), "bucket {index}");
    }
    assert_eq!(
        histogram.high(),
        histogram::upper(abi::LATENCY_BUCKETS - 1, abi::LATENCY_PRECISION)
    );
}

#[test]
fn figures_of_known_latencies() {
    let delays: Vec<i64> = (1..=1000).collect();
    let summary = latency(&delays).summary().unwrap();
    assert_eq!((summary.min, summary.max, summary.count), (1, 1000, 1000));
    assert!((summary.mean - 500.5).abs() < 1e-9);
    assert!((summary.stddev.unwrap() - 288.675).abs() < 2.0);
    // Buckets of 500, 990 and 999 end at 501, 991 and 999.
    assert_eq!((summary.p50, summary.p99, summary.p999), (Some(501), Some(991), Some(999)));

    let constant = latency(&[123_456; 7]).summary().unwrap();
    assert_eq!((constant.p50, constant.p9999), (Some(123_456), Some(123_456)));
    assert_eq!(constant.stddev, Some(0.0));
    assert_eq!(Latency::default().summary(), None);
}

#[test]
fn percentiles_are_unknown_when_frames_found_no_bucket() {
    let mut observed = observe(&[5, 6, 7]);
    observed.latency.pop();
    observed.counters.unbucketed = 1;
    let mut latency = Latency::default();
    latency.record(&observed.counters, &observed);
    let summary = latency.summary().unwrap();
    assert_eq!((summary.min, summary.max, summary.count), (5, 7, 3));
    assert_eq!((summary.p50, summary.stddev), (None, None));
}

#[test]
fn latency_that_begins_anew_knows_nothing_of_what_was_before() {
    let first = observe(&[-900, 7, 1_000_000]);
    let mut latency = Latency::default();
    latency.record(&first.counters, &first);
    latency.restart();
    assert_eq!(latency.summary(), None, "nothing has come since");
    let late = observe(&[2000, 3000, 40_000]);
    // Extremes of a record are those of the whole trial.
    let new = Counters {
        latency_min_ns: first.counters.latency_min_ns,
        latency_max_ns: first.counters.latency_max_ns,
        ..late.counters
    };
    latency.record(&new, &late);
    let summary = latency.summary().unwrap();
    assert_eq!((summary.count, summary.mean, summary.negative_count), (3, 15_000.0, 0));
    let near = |found: i64, exact: i64| (found - exact).abs() * 50 < exact;
    assert!(near(summary.min, 2000) && summary.min <= 2000, "{summary:?}");
    assert!(near(summary.max, 40_000) && summary.max >= 40_000, "{summary:?}");
}

#[test]
fn gaps_are_summed_up() {
    let mut gap = Gap::default();
    assert_eq!(gap.summary(), None);
    let bucket = |ns| histogram::index(ns, abi::COARSE_PRECISION, abi::GAP_MAX_BITS) as u16;
    gap.record(&[(bucket(1000), 98), (bucket(50_000), 2)], 51_000);
    let summary = gap.summary().unwrap();
    assert!((1000..1125).contains(&summary.p50), "{summary:?}");
    assert_eq!((summary.p99, summary.max), (51_000, 51_000));
    assert!((summary.mean / 1980.0 - 1.0).abs() < 0.125, "{summary:?}");
}

#[test]
fn loss_is_never_rounded_to_none_or_all() {
    let percent = |sent, lost| Loss { sent, lost }.percent();
    assert_eq!(percent(1_000_000_000, 1), "<0.001");
    assert_eq!(percent(1_000_000_000, 999_999_999), ">99.999");
    assert_eq!(percent(1_000_000, 0), "0");
    assert_eq!(percent(7, 7), "100");
    assert_eq!(percent(0, 0), "0");
    assert_eq!(percent(1000, 12), "1.200");
    assert_eq!(Loss::of(5, 9), Loss { sent: 5, lost: 0 });
    assert_eq!(Loss::default().ratio(), None);
}

fn tx(time_ns: u64, frames: u64) -> FlowReading {
    FlowReading { time_ns, tx_frames: frames, tx_bytes: frames * 60, ..FlowReading::default() }
}

fn collector() -> Collector {
    let mut collector = Collector::new(1, DEFAULT_CAPACITY, Duration::from_secs(1));
    collector.begin_trial(10 * SECOND);
    collector
}

#[test]
fn rates_are_over_the_measured_time() {
    let mut collector = collector();
    collector.record(FLOW, &tx(12 * SECOND + SECOND / 2, 1000));
    let sample = collector.latest(FLOW).unwrap();
    assert_eq!(sample.tx_pps().round() as u64, 400);
    assert_eq!(sample.tx_bps_l2().round() as u64, 400 * 64 * 8);
    assert_eq!((sample.rx_pps(), sample.loss()), (None, None), "transmit only");
}

#[test]
fn a_counter_that_goes_backwards_is_a_restart() {
    let mut collector = collector();
    collector.record(FLOW, &tx(11 * SECOND, 1000));
    collector.record(FLOW, &tx(12 * SECOND, 30));
    assert_eq!(collector.latest(FLOW).unwrap().tx_frames, 30);
    assert_eq!(collector.totals(FLOW).unwrap().tx_frames, 1030);
}

#[test]
fn a_reading_without_time_counts_but_makes_no_sample() {
    let mut collector = collector();
    collector.record(FLOW, &tx(11 * SECOND, 10));
    collector.record(FLOW, &tx(11 * SECOND, 15));
    assert_eq!(collector.history(FLOW, 60).len(), 1);
    assert_eq!(collector.totals(FLOW).unwrap().tx_frames, 15);
}

#[test]
fn history_latest_and_removal() {
    let mut collector = collector();
    for flow in [FlowId(3), FlowId(1)] {
        for second in 1..=400 {
            collector.record(flow, &tx((10 + second) * SECOND, second));
        }
    }
    let times = |count| {
        let history = collector.history(FlowId(3), count);
        history.iter().map(|sample| sample.time_ns / SECOND - 10).collect::<Vec<_>>()
    };
    assert_eq!(times(3), [398, 399, 400]);
    assert_eq!((times(1000).len(), times(1000)[0]), (300, 101));
    let latest: Vec<_> = collector.all_latest().map(|(flow, _)| flow).collect();
    assert_eq!(latest, [FlowId(1), FlowId(3)]);
    assert!(collector.remove_flow(FlowId(3)) && !collector.remove_flow(FlowId(3)));
    assert!(collector.latest(FlowId(3)).is_none() && collector.history(FlowId(3), 60).is_empty());
}

#[test]
fn a_second_has_no_loss_until_frames_in_flight_had_their_chance() {
    let mut collector = collector();
    let mut unique = 0;
    let mut tick = |second: u64, sent: &[(u64, u64)], received: &[(u64, u64)]| {
        let mut reading = tx((10 + second) * SECOND, 100 * second.min(2));
        reading.tx_intervals = sent.to_vec();
        unique += received.iter().map(|&(_, frames)| frames).sum::<u64>();
        let mut rx = observe(&[1000]);
        (rx.counters.unique, rx.intervals) = (unique, received.to_vec());
        reading.rx = Some(rx);
        collector.record(FLOW, &reading);
        collector.history(FLOW, 60).iter().map(|sample| sample.loss()).collect::<Vec<_>>()
    };
    let lost = |lost| Some(Loss { sent: 100, lost });
    assert_eq!(tick(1, &[(0, 100)], &[(0, 60)]), [None]);
    assert_eq!(tick(2, &[(1, 100)], &[(0, 30), (1, 100)]), [lost(10), None]);
    // One comes even later than that: the second is corrected.
    assert_eq!(tick(3, &[], &[(0, 1)])[..2], [lost(9), lost(0)]);
    assert_eq!(collector.latest_settled(FLOW).unwrap().loss(), lost(0));
    collector.finish();
    assert_eq!(collector.latest(FLOW).unwrap().loss(), Some(Loss::default()));
    assert_eq!(collector.totals(FLOW).unwrap().loss(), Some(Loss { sent: 200, lost: 9 }));
}

#[test]
fn grace_is_three_times_the_longest_flight() {
    let mut collector = collector();
    let mut settled_at = None;
    for second in 1..=10 {
        let mut reading = tx((10 + second) * SECOND, 1);
        reading.rx = Some(observe(&[2 * SECOND as i64]));
        collector.record(FLOW, &reading);
        let first = collector.history(FLOW, 60)[0];
        settled_at = settled_at.or(first.loss().map(|_| second));
    }
    assert_eq!(settled_at, Some(7), "one second, and six of grace");
}

/// 17 octaves of latency and more gaps than any real device makes.
fn widest() -> Observed {
    let mut observed = observe(&[1, 1 << 35]);
    observed.latency = (0..abi::LATENCY_BUCKETS as u16).map(|index| (index, 1 << 20)).collect();
    observed.counters.unique = observed.latency.iter().map(|&(_, count)| count).sum();
    observed
}

#[test]
fn a_thousand_flows_of_three_hundred_samples_fit_with_the_kernel_maps() {
    let mut collector = collector();
    for second in 1..=300 {
        let mut reading = tx((10 + second) * SECOND, second);
        reading.rx = Some(widest());
        collector.record(FLOW, &reading);
    }
    // At worst every sample is as large as may be, and costs the allocator a header.
    let packed: usize =
        collector.samples(FLOW).unwrap().iter().map(|sample| sample.buckets().heap_bytes()).sum();
    let flow_bytes = collector.flow_bytes(FLOW).unwrap() - packed + 300 * (480 + 16);
    // Two banks (CPUs), each with a record and a slab in both trial banks, and the copy
    // that is kept of each slab here.
    let (record, slab, window) =
        (size_of::<abi::record>(), size_of::<abi::slab>(), size_of::<abi::window>());
    let stream_bytes = 2 * (2 * (record + slab) + slab) + 2 * window;
    assert!(flow_bytes < 240_000, "{flow_bytes} bytes a flow");
    let total_mib = (1000 * (flow_bytes + stream_bytes)) >> 20;
    assert!(total_mib < 400, "{total_mib} MiB");
}

#[test]
fn a_wide_sample_is_kept_coarser_and_loses_no_frame() {
    let wide = widest().latency;
    let packed = PackedBuckets::pack(&wide, 480);
    assert!(packed.heap_bytes() <= 480 && packed.precision() < 7);
    let frames: u64 = wide.iter().map(|&(_, count)| count).sum();
    assert_eq!(packed.edges().map(|(_, count)| count).sum::<u64>(), frames);
    let narrow: Vec<Bucket> = (1500..1628).map(|index| (index, 900)).collect();
    assert_eq!(PackedBuckets::pack(&narrow, 480).precision(), 7, "an octave is kept in full");
}
