use super::*;
use crate::units::StreamId;
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};
use xdp_ebpf::abi;

mod kernel;

const SECOND: u64 = 1_000_000_000;

fn record() -> abi::record {
    abi::record::default()
}

struct Slab {
    latency: Vec<AtomicU32>,
    negative: Vec<AtomicU32>,
    gap: Vec<AtomicU32>,
    ipdv: [Vec<AtomicU32>; 2],
}

impl Slab {
    fn filled(value: u32) -> Self {
        let buckets = |count: u32| (0..count).map(|_| AtomicU32::new(value)).collect();
        Self {
            latency: buckets(abi::LATENCY_BUCKETS),
            negative: buckets(abi::NEGATIVE_BUCKETS),
            gap: buckets(abi::GAP_BUCKETS),
            ipdv: [buckets(abi::GAP_BUCKETS), buckets(abi::GAP_BUCKETS)],
        }
    }

    fn view(&self) -> SlabView<'_> {
        SlabView {
            latency: &self.latency,
            negative: &self.negative,
            gap: &self.gap,
            ipdv: [&self.ipdv[0], &self.ipdv[1]],
        }
    }
}

/// A port with two banks in memory.
struct Port {
    records: BTreeMap<(u16, u32), abi::record>,
    slabs: Vec<Slab>,
    seen: [u64; 2],
    trial: u8,
}

impl Port {
    fn new() -> Self {
        let slabs = vec![Slab::filled(0), Slab::filled(0)];
        Self { records: BTreeMap::new(), slabs, seen: [0; 2], trial: 0 }
    }

    fn edit(&mut self, stream: u16, bank: u32) -> &mut abi::record {
        self.records.entry((stream, bank)).or_insert_with(record)
    }
}

impl Source for Port {
    fn banks(&self) -> u32 {
        2
    }
    fn record(&self, stream: u16, bank: u32) -> abi::record {
        self.records.get(&(stream, bank)).copied().unwrap_or_else(record)
    }
    fn port_record(&self, bank: u32) -> abi::port_record {
        let seen = self.seen[bank as usize];
        abi::port_record {
            seen,
            matched: seen / 2,
            passed: seen - seen / 2,
            implausible: 0,
            seen_bytes: seen * 60,
            ..abi::port_record::default()
        }
    }
    fn slab(&self, index_plus_one: u32) -> Option<SlabView<'_>> {
        Some(self.slabs.get((index_plus_one as usize).checked_sub(1)?)?.view())
    }
    fn begin_trial(&mut self, trial: u8, _base_ns: u64) {
        self.trial = trial;
        self.records.clear();
        self.slabs = vec![Slab::filled(0), Slab::filled(0)];
    }

    fn rebase(&mut self, _base_ns: u64) {}
}

fn clock() -> IntervalClock {
    IntervalClock::new(5 * SECOND, Duration::from_secs(1))
}

#[test]
fn banks_of_a_stream_add_up_and_extremes_are_those_of_banks_with_frames() {
    let mut port = Port::new();
    for (bank, unique, min, max, first, last) in [(0, 3, -7, 90, 100, 900), (1, 2, 5, 400, 50, 70)]
    {
        *port.edit(0, bank) = abi::record {
            unique,
            timed: unique,
            duplicate: 1,
            bytes: 60 * (unique + 1),
            latency_sum_ns: 10 * unique as i64,
            latency_min_ns: min,
            latency_max_ns: max,
            first_rx_ns: first,
            last_rx_ns: last,
            gap_max_ns: last - first,
            slab: bank + 1,
            ..record()
        };
        for bucket in [4, 9 + bank] {
            port.slabs[bank as usize].latency[bucket as usize].store(unique as u32, Relaxed);
        }
    }
    let mut receiver = Receiver::new(port, 0..1, |_| true, Duration::from_secs(1));
    let reading = receiver.read(6 * SECOND);
    let observed = &reading.streams[0].observed;
    let counters = observed.counters;
    assert_eq!((counters.unique, counters.duplicate, counters.frames()), (5, 2, 7));
    assert_eq!((counters.bytes, counters.latency_sum_ns), (420, 50));
    assert_eq!((counters.latency_min_ns, counters.latency_max_ns), (Some(-7), Some(400)));
    assert_eq!((counters.first_rx_ns, counters.last_rx_ns), (Some(50), Some(900)));
    assert_eq!((counters.gap_max_ns, counters.banks), (800, 2));
    assert_eq!(observed.latency, [(4, 5), (9, 3), (10, 2)]);
}

#[test]
fn streams_on_one_bank_each_are_not_spread_over_banks() {
    let mut flow = Observed::default();
    for unique in [3, 4] {
        let counters = Counters { unique, banks: 1, ..Counters::default() };
        flow.merge(&Observed { counters, ..Observed::default() });
    }
    assert_eq!((flow.counters.unique, flow.counters.banks), (7, 1));
}

#[test]
fn a_bank_without_frames_has_no_extremes() {
    let counters = Counters::from(&abi::record { latency_min_ns: 9, duplicate: 1, ..record() });
    assert_eq!(counters.latency_min_ns, None);
    assert_eq!((counters.first_rx_ns, counters.banks), (None, 0));
}

#[test]
fn a_bucket_that_fills_after_its_frame_was_counted_is_still_read() {
    let slab = Slab::filled(0);
    let mut decoder = StreamDecoder::new(1);
    let mut observed = Observed::default();
    let mut read = |unique| {
        let record = abi::record { unique, slab: 1, ..record() };
        decoder.start(&mut observed);
        decoder.add(0, &record, Some(slab.view()), &mut observed);
        decoder.finish(&clock(), 6 * SECOND, &mut observed);
        observed.latency.clone()
    };
    assert_eq!(read(1), []);
    slab.latency[7].store(1, Relaxed);
    assert_eq!(read(1), [(7, 1)], "no new frame, but the bucket had not been seen");
    assert_eq!(read(1), []);
}

#[test]
fn a_new_trial_starts_from_nothing() {
    let mut receiver = Receiver::new(Port::new(), 0..2, |id| id.0 == 0, Duration::from_secs(1));
    let frames = |port: &mut Port, frames: u32| {
        port.seen[0] += u64::from(frames);
        let record = port.edit(0, 0);
        (record.unique, record.slab) = (frames.into(), 1);
        record.interval_unique[3] = frames;
        port.slabs[0].latency[11].store(frames, Relaxed);
        port.edit(1, 1).stale = 2;
    };
    receiver.begin_trial(1, 0);
    frames(receiver.source_mut(), 10);
    assert_eq!(receiver.read(3 * SECOND).port.seen, 10);
    receiver.begin_trial(2, 100 * SECOND);
    assert_eq!(receiver.source().trial, 2);
    frames(receiver.source_mut(), 4);
    let reading = receiver.read(103 * SECOND);
    let observed = &reading.streams[0].observed;
    assert_eq!((observed.counters.unique, reading.port.seen), (4, 4));
    assert_eq!((reading.port.matched, reading.port.passed), (2, 2));
    assert_eq!((&*observed.latency, &*observed.intervals), (&[(11, 4)][..], &[(3, 4)][..]));
    assert_eq!(reading.strays, [Stray { stream: StreamId(1), misdirected: 0, stale: 2 }]);
}

#[test]
fn counting_that_began_again_is_new_and_never_negative() {
    let before = Counters { unique: 100, bytes: 6000, ..Counters::default() };
    let grown = Counters { unique: 130, bytes: 7800, ..Counters::default() };
    let restarted = Counters { unique: 5, bytes: 300, ..Counters::default() };
    assert_eq!(grown.since(&before).unique, 30);
    assert_eq!((restarted.since(&before).unique, restarted.since(&before).bytes), (5, 300));
}

#[test]
fn a_slot_stands_for_the_newest_interval_it_can() {
    let slots = |now_ns: u64, slot: usize| {
        let mut ring = [0_u64; 64];
        ring[slot] = 1;
        let mut counts = Vec::new();
        IntervalRing::default().read(&ring, &clock(), now_ns, &mut counts);
        counts[0].0
    };
    assert_eq!(slots(5 * SECOND, 0), 0);
    assert_eq!(slots(6 * SECOND - 1, 1), 1, "sent after the clock was read");
    assert_eq!(slots((5 + 64) * SECOND, 0), 64);
    assert_eq!(slots((5 + 64) * SECOND, 63), 63);
    assert_eq!(slots((5 + 64) * SECOND, 1), 65);
    assert_eq!(slots((5 + 64) * SECOND, 2), 2);
    assert_eq!(slots((5 + 1000) * SECOND, 999 % 64), 999);
}

proptest! {
    #[test]
    fn bucket_deltas_add_up_even_when_buckets_wrap(
        start in prop_oneof![Just(0_u32), Just(u32::MAX - 2), any::<u32>()],
        steps in prop::collection::vec(prop::collection::vec((0..abi::GAP_BUCKETS, 1..5_u32), 0..9), 1..9),
    ) {
        let slab = Slab::filled(start);
        let mut decoder = StreamDecoder::new(1);
        let mut observed = Observed::default();
        let mut unique = 1;
        let mut read = |unique: u64| {
            decoder.start(&mut observed);
            let record = abi::record { unique, slab: 1, ..record() };
            decoder.add(0, &record, Some(slab.view()), &mut observed);
            decoder.finish(&clock(), 0, &mut observed);
            [observed.latency.clone(), observed.gap.clone()]
        };
        read(unique);
        for step in steps {
            let mut expected = BTreeMap::new();
            for (index, count) in step {
                for buckets in [&slab.latency, &slab.gap] {
                    buckets[index as usize].fetch_add(count, Relaxed);
                }
                *expected.entry(index as u16).or_insert(0) += u64::from(count);
                unique += u64::from(count);
            }
            let expected: Vec<Bucket> = expected.into_iter().collect();
            prop_assert_eq!(read(unique), [expected.clone(), expected]);
        }
    }

    #[test]
    fn every_frame_lands_in_the_interval_it_was_sent_in(
        frames in prop::collection::vec((0..200 * SECOND, 0..20 * SECOND, 0..2_u32), 0..300),
    ) {
        let mut expected = BTreeMap::new();
        let mut arrivals: Vec<_> = frames.iter().map(|&(sent, flight, bank)| {
            *expected.entry(sent / SECOND).or_insert(0_u64) += 1;
            (sent + flight, sent / SECOND, bank)
        }).collect();
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        let mut receiver =
            Receiver::new(Port::new(), 0..1, |_| true, Duration::from_secs(1));
        receiver.begin_trial(1, 5 * SECOND);
        let mut found = BTreeMap::new();
        for second in 1..=221 {
            while let Some((_, interval, bank)) = arrivals.next_if(|at| at.0 < second * SECOND) {
                let record = receiver.source_mut().edit(0, bank);
                record.unique += 1;
                record.interval_unique[interval as usize % 64] += 1;
            }
            for &(interval, count) in &receiver.read((5 + second) * SECOND).streams[0].observed.intervals {
                *found.entry(interval).or_insert(0_u64) += count;
            }
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn merged_streams_equal_one_stream_that_saw_all(
        parts in prop::collection::vec(prop::collection::vec((0_u16..50, 1..9_u64), 0..20), 1..5),
    ) {
        let mut merged = Observed::default();
        let mut expected = BTreeMap::new();
        for mut part in parts {
            coalesce(&mut part);
            for &(index, count) in &part {
                *expected.entry(index).or_insert(0) += count;
            }
            merged.merge(&Observed { latency: part, ..Observed::default() });
        }
        prop_assert_eq!(merged.latency, expected.into_iter().collect::<Vec<_>>());
    }
}
