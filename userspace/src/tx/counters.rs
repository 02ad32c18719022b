use super::TxCounters;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use xdp_ebpf::{
    abi::{COARSE_PRECISION, GAP_BUCKETS, GAP_MAX_BITS, INTERVALS},
    histogram,
};

/// What a worker has done for one stream. Written by that worker alone, read by
/// anyone at any time; on its own cache lines, so that readers cost the writer nothing.
#[derive(Debug)]
#[repr(align(128))]
pub struct StreamCounters {
    submitted_frames: AtomicU64,
    submitted_bytes: AtomicU64,
    completed_frames: AtomicU64,
    first_submit_ns: AtomicU64,
    last_submit_ns: AtomicU64,
    gap_max_ns: AtomicU64,
    /// Frames by transmit time, slot k % 64, cumulative over laps (abi.h, `interval_unique`).
    intervals: [AtomicU64; INTERVALS as usize],
    /// Frames by the time since the one before, in the buckets of the analyser.
    gaps: [AtomicU64; GAP_BUCKETS as usize],
}

impl Default for StreamCounters {
    fn default() -> Self {
        Self {
            submitted_frames: AtomicU64::new(0),
            submitted_bytes: AtomicU64::new(0),
            completed_frames: AtomicU64::new(0),
            first_submit_ns: AtomicU64::new(0),
            last_submit_ns: AtomicU64::new(0),
            intervals: [const { AtomicU64::new(0) }; INTERVALS as usize],
            gap_max_ns: AtomicU64::new(0),
            gaps: [const { AtomicU64::new(0) }; GAP_BUCKETS as usize],
        }
    }
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

impl TxCounters for StreamCounters {
    fn read(&self) -> Sent {
        Sent {
            submitted_frames: self.submitted_frames.load(Relaxed),
            submitted_bytes: self.submitted_bytes.load(Relaxed),
            completed_frames: Some(self.completed_frames.load(Relaxed)),
            first_submit_ns: self.first_submit_ns.load(Relaxed),
            last_submit_ns: self.last_submit_ns.load(Relaxed),
        }
    }

    fn read_intervals(&self) -> [u64; INTERVALS as usize] {
        std::array::from_fn(|slot| self.intervals[slot].load(Relaxed))
    }

    fn read_gaps(&self) -> ([u64; GAP_BUCKETS as usize], u64) {
        let counts = std::array::from_fn(|index| self.gaps[index].load(Relaxed));
        (counts, self.gap_max_ns.load(Relaxed))
    }
}

impl StreamCounters {
    // There is one writer, so a load and a store need no read-modify-write.
    #[inline]
    pub(super) fn submit(&self, bytes: usize, stamp_ns: u64, interval_slot: usize) {
        let bump = |cell: &AtomicU64, by: u64| {
            let before = cell.load(Relaxed);
            cell.store(before + by, Relaxed);
            before
        };
        if bump(&self.submitted_frames, 1) == 0 {
            self.first_submit_ns.store(stamp_ns, Relaxed);
        } else {
            let gap_ns = stamp_ns.saturating_sub(self.last_submit_ns.load(Relaxed));
            bump(&self.gaps[histogram::index(gap_ns, COARSE_PRECISION, GAP_MAX_BITS) as usize], 1);
            if gap_ns > self.gap_max_ns.load(Relaxed) {
                self.gap_max_ns.store(gap_ns, Relaxed);
            }
        }
        bump(&self.submitted_bytes, bytes as u64);
        bump(&self.intervals[interval_slot], 1);
        self.last_submit_ns.store(stamp_ns, Relaxed);
    }

    #[inline]
    pub(super) fn complete(&self) {
        self.completed_frames.store(self.completed_frames.load(Relaxed) + 1, Relaxed);
    }
}
