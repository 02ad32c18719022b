use super::TxCounters;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use xdp_ebpf::{
    abi::{COARSE_PRECISION, GAP_BUCKETS, GAP_MAX_BITS, INTERVALS},
    histogram,
};

/// What a worker has done for each of its streams. Written by that worker alone, read by
/// anyone at any time. Of ten thousand streams none is in the cache when its turn comes, but
/// streams take turns: what their frames touch lies side by side.
#[derive(Debug, Default)]
pub(super) struct WorkerCounters {
    streams: Box<[Counters]>,
    /// Frames by transmit time, slot k % 64, cumulative over laps (abi.h, `interval_unique`):
    /// for each slot the streams.
    intervals: Box<[AtomicU64]>,
    /// Frames by the time since the one before, in the buckets of the analyser: for each bucket
    /// the streams.
    gaps: Box<[AtomicU64]>,
}

/// Of one stream.
#[derive(Debug, Default)]
struct Counters {
    submitted_frames: AtomicU64,
    submitted_bytes: AtomicU64,
    completed_frames: AtomicU64,
    first_submit_ns: AtomicU64,
    last_submit_ns: AtomicU64,
    gap_max_ns: AtomicU64,
}

/// What a worker has done for one stream.
#[derive(Debug)]
pub struct StreamCounters {
    worker: Arc<WorkerCounters>,
    stream: usize,
}

/// A reading of [`StreamCounters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sent {
    /// Frames handed to the TX ring.
    pub submitted_frames: u64,
    /// Their octets, without FCS.
    pub submitted_bytes: u64,
    /// Frames the kernel has given back through the completion ring; `None`: the back end
    /// cannot know.
    pub completed_frames: Option<u64>,
    /// CLOCK_MONOTONIC of the first frame's stamp; 0 before it.
    pub first_submit_ns: u64,
    /// CLOCK_MONOTONIC of the last frame's stamp.
    pub last_submit_ns: u64,
}

impl Default for StreamCounters {
    /// Of a worker's only stream.
    fn default() -> Self {
        Self { worker: Arc::new(WorkerCounters::new(1)), stream: 0 }
    }
}

impl StreamCounters {
    /// Octets of a stream's counters.
    pub const BYTES: usize =
        size_of::<Counters>() + (INTERVALS + GAP_BUCKETS) as usize * size_of::<AtomicU64>();

    #[inline]
    pub(super) fn submit(&self, bytes: usize, stamp_ns: u64, interval_slot: usize) {
        self.worker.submit(self.stream, bytes, stamp_ns, interval_slot);
    }

    #[inline]
    pub(super) fn complete(&self) {
        self.worker.complete(self.stream);
    }
}

impl TxCounters for StreamCounters {
    fn read(&self) -> Sent {
        let sent = &self.worker.streams[self.stream];
        Sent {
            submitted_frames: sent.submitted_frames.load(Relaxed),
            submitted_bytes: sent.submitted_bytes.load(Relaxed),
            completed_frames: Some(sent.completed_frames.load(Relaxed)),
            first_submit_ns: sent.first_submit_ns.load(Relaxed),
            last_submit_ns: sent.last_submit_ns.load(Relaxed),
        }
    }

    fn read_intervals(&self) -> [u64; INTERVALS as usize] {
        let place = |slot| self.worker.place(slot, self.stream);
        std::array::from_fn(|slot| self.worker.intervals[place(slot)].load(Relaxed))
    }

    fn read_gaps(&self) -> ([u64; GAP_BUCKETS as usize], u64) {
        let place = |bucket| self.worker.place(bucket, self.stream);
        let counts = std::array::from_fn(|bucket| self.worker.gaps[place(bucket)].load(Relaxed));
        (counts, self.worker.streams[self.stream].gap_max_ns.load(Relaxed))
    }
}

impl WorkerCounters {
    pub(super) fn new(streams: usize) -> Self {
        let zeros = |count: u32| (0..streams * count as usize).map(|_| AtomicU64::new(0)).collect();
        Self {
            streams: (0..streams).map(|_| Counters::default()).collect(),
            intervals: zeros(INTERVALS),
            gaps: zeros(GAP_BUCKETS),
        }
    }

    /// Those of each stream, in their order.
    pub(super) fn each(self: &Arc<Self>) -> impl Iterator<Item = StreamCounters> {
        (0..self.streams.len()).map(|stream| StreamCounters { worker: Arc::clone(self), stream })
    }

    #[inline]
    fn place(&self, row: usize, stream: usize) -> usize {
        row * self.streams.len() + stream
    }

    // There is one writer, so a load and a store need no read-modify-write.
    #[inline]
    pub(super) fn submit(&self, stream: usize, bytes: usize, stamp_ns: u64, interval_slot: usize) {
        let bump = |cell: &AtomicU64, by: u64| {
            let before = cell.load(Relaxed);
            cell.store(before + by, Relaxed);
            before
        };
        let sent = &self.streams[stream];
        if bump(&sent.submitted_frames, 1) == 0 {
            sent.first_submit_ns.store(stamp_ns, Relaxed);
        } else {
            let gap_ns = stamp_ns.saturating_sub(sent.last_submit_ns.load(Relaxed));
            let bucket = histogram::index(gap_ns, COARSE_PRECISION, GAP_MAX_BITS) as usize;
            bump(&self.gaps[self.place(bucket, stream)], 1);
            if gap_ns > sent.gap_max_ns.load(Relaxed) {
                sent.gap_max_ns.store(gap_ns, Relaxed);
            }
        }
        bump(&sent.submitted_bytes, bytes as u64);
        bump(&self.intervals[self.place(interval_slot, stream)], 1);
        sent.last_submit_ns.store(stamp_ns, Relaxed);
    }

    /// Counts a frame that the kernel gave back, if it is of a stream of this trial.
    #[inline]
    pub(super) fn complete(&self, stream: usize) {
        if let Some(sent) = self.streams.get(stream) {
            let completed = &sent.completed_frames;
            completed.store(completed.load(Relaxed) + 1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_side_by_side_are_counted_apart() {
        let worker = Arc::new(WorkerCounters::new(3));
        let [first, _, last] = worker.each().collect::<Vec<_>>().try_into().unwrap();
        worker.submit(0, 60, 1_000, 0);
        worker.submit(2, 100, 1_000, 63);
        worker.submit(2, 100, 9_000_000_000_000, 63);
        worker.complete(2);
        worker.complete(3);
        let sent = Sent {
            submitted_frames: 2,
            submitted_bytes: 200,
            completed_frames: Some(1),
            first_submit_ns: 1_000,
            last_submit_ns: 9_000_000_000_000,
        };
        assert_eq!(last.read(), sent);
        assert_eq!((last.read_intervals()[63], last.read_intervals().iter().sum()), (2, 2_u64));
        let (gaps, gap_max_ns) = last.read_gaps();
        assert_eq!((gaps[GAP_BUCKETS as usize - 1], gaps.iter().sum()), (1, 1_u64));
        assert_eq!(gap_max_ns, 9_000_000_000_000 - 1_000);
        assert_eq!((first.read().submitted_frames, first.read().submitted_bytes), (1, 60));
        assert_eq!((first.read_intervals()[0], first.read_gaps().1), (1, 0));
    }
}
