//! From one stream's records and slabs to what moved since the last read.

use super::{Counters, IntervalClock, IntervalRing, Observed, coalesce, intervals};
use std::sync::atomic::{AtomicU32, Ordering};
use xdp_ebpf::abi;

/// The live buckets of one (stream, bank), as the kernel writes them (abi.h, `slab`).
#[derive(Debug, Clone, Copy)]
pub struct SlabView<'a> {
    /// Latencies of unique frames, ns.
    pub latency: &'a [AtomicU32],
    /// Latencies below zero, mirrored.
    pub negative: &'a [AtomicU32],
    /// Gaps between arrivals.
    pub gap: &'a [AtomicU32],
    /// Rises of latency, and falls.
    pub ipdv: [&'a [AtomicU32]; 2],
}

/// Follows one stream over the banks of a port: adds up its records and finds the
/// buckets and intervals that moved since the last read.
///
/// One read is [`start`](Self::start), [`add`](Self::add) per bank,
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct StreamDecoder {
    banks: Vec<BankState>,
    moved: [u64; abi::INTERVALS as usize],
}

/// What the last read of one bank showed.
#[derive(Debug, Default)]
struct BankState {
    unique: u64,
    /// Whether frames came between the last two reads. The kernel counts a frame
    /// before it fills its bucket, so buckets are read once more after it fell silent.
    moved: bool,
    intervals: IntervalRing,
    slab: Option<SlabCopy>,
}

/// Zeroed by the allocator, so that what never counts takes no memory.
#[derive(Debug)]
struct SlabCopy {
    latency: Box<[u32]>,
    negative: Box<[u32]>,
    gap: Box<[u32]>,
    ipdv: [Box<[u32]>; 2],
}

impl SlabCopy {
    fn new() -> Self {
        let zeros = |count: u32| vec![0; count as usize].into_boxed_slice();
        Self {
            latency: zeros(abi::LATENCY_BUCKETS),
            negative: zeros(abi::NEGATIVE_BUCKETS),
            gap: zeros(abi::GAP_BUCKETS),
            ipdv: [zeros(abi::GAP_BUCKETS), zeros(abi::GAP_BUCKETS)],
        }
    }
}

impl StreamDecoder {
    /// A decoder for a stream on a port with so many banks.
    pub fn new(banks: u32) -> Self {
        Self {
            banks: (0..banks).map(|_| BankState::default()).collect(),
            moved: [0; abi::INTERVALS as usize],
        }
    }

    /// Forgets the last trial; its counters and slabs are cleared in the kernel too.
    pub fn begin_trial(&mut self) {
        for bank in &mut self.banks {
            bank.unique = 0;
            bank.moved = false;
            bank.intervals.clear();
            bank.slab = None;
        }
    }

    /// Begins a read into `observed`.
    pub fn start(&mut self, observed: &mut Observed) {
        observed.clear();
        self.moved = [0; abi::INTERVALS as usize];
    }

    /// Takes one bank's record and, if it has one, its slab.
    pub fn add(
        &mut self,
        bank: u32,
        record: &abi::record,
        slab: Option<SlabView<'_>>,
        observed: &mut Observed,
    ) {
        let Some(state) = self.banks.get_mut(bank as usize) else { return };
        let counters = Counters::from(record);
        let banks = observed.counters.banks + counters.banks;
        observed.counters.merge(&counters);
        observed.counters.banks = banks;
        state.intervals.advance(&record.interval_unique, &mut self.moved);

        let moved = record.unique != state.unique;
        state.unique = record.unique;
        if !(std::mem::replace(&mut state.moved, moved) || moved) {
            return;
        }
        if let Some(slab) = slab {
            let copy = state.slab.get_or_insert_with(SlabCopy::new);
            let plain = |index| index as u16;
            difference(slab.latency, &mut copy.latency, &mut observed.latency, plain);
            difference(slab.negative, &mut copy.negative, &mut observed.negative, plain);
            difference(slab.gap, &mut copy.gap, &mut observed.gap, plain);
            let [rises, falls] = slab.ipdv;
            let [rose, fell] = &mut copy.ipdv;
            difference(falls, fell, &mut observed.ipdv, |index| -1 - index as i16);
            difference(rises, rose, &mut observed.ipdv, |index| index as i16);
        }
    }

    /// Ends a read. `now_ns` was taken just before it began.
    pub fn finish(&mut self, clock: &IntervalClock, now_ns: u64, observed: &mut Observed) {
        intervals::resolve(&self.moved, clock, now_ns, &mut observed.intervals);
        if observed.counters.banks > 1 {
            coalesce(&mut observed.latency);
            coalesce(&mut observed.negative);
            coalesce(&mut observed.gap);
            coalesce(&mut observed.ipdv);
        }
    }

    /// Bytes that this decoder holds.
    pub fn state_bytes(&self) -> usize {
        let slabs = self.banks.iter().filter(|bank| bank.slab.is_some()).count();
        size_of::<Self>()
            + self.banks.capacity() * size_of::<BankState>()
            + slabs * size_of::<abi::slab>()
    }
}

/// Appends the buckets that grew, under the name that `key` makes of an index, and brings
/// the copy up to date. Buckets may wrap.
fn difference<K>(
    live: &[AtomicU32],
    copy: &mut [u32],
    moved: &mut Vec<(K, u64)>,
    key: impl Fn(usize) -> K,
) {
    for (index, (live, copy)) in live.iter().zip(copy).enumerate() {
        let now = live.load(Ordering::Relaxed);
        if now != *copy {
            moved.push((key(index), u64::from(now.wrapping_sub(*copy))));
            *copy = now;
        }
    }
}
