use super::{StreamCounters, StreamPlan, waiting::CATCH_UP_NS};
use std::sync::Arc;
use xdp_ebpf::abi::INTERVALS;

/// One stream of a worker, and how far it is.
pub(super) struct Stream {
    pub(super) plan: StreamPlan,
    pub(super) counters: Arc<StreamCounters>,
    pub(super) sequence: u32,
    /// Frames that it sends in all, and those to come.
    pub(super) total: u64,
    pub(super) left: u64,
    pub(super) stop_ns: u64,
    /// What is due from here on waits; `u64::MAX`: it is not paused.
    pub(super) pause_ns: u64,
}

impl Stream {
    /// A frame that was due in time may be a little late.
    #[inline]
    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        let grace_ns = if self.plan.pacer.is_some() { CATCH_UP_NS } else { 0 };
        now_ns >= self.stop_ns.saturating_add(grace_ns)
    }

    /// After a frame: whether there is another.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        self.sequence = self.sequence.wrapping_add(1);
        self.left -= 1;
        let in_time = self.plan.pacer.as_mut().is_none_or(|pacer| {
            pacer.advance();
            pacer.due_ns() <= self.stop_ns
        });
        in_time && self.left > 0
    }

    /// When its next frame, or its end, comes; never, while it is paused.
    #[inline]
    pub(super) fn due_ns(&self) -> Option<u64> {
        let due_ns = if self.is_idle() { self.stop_ns } else { self.plan.pacer.as_ref()?.due_ns() };
        Some(if due_ns >= self.pause_ns { u64::MAX } else { due_ns })
    }

    /// Has sent all its frames before its time is over: a change may give it more.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.left == 0 && self.plan.pacer.is_some() && self.stop_ns != u64::MAX
    }
}

/// The interval that the last stamp fell in (abi.h, `interval_start_ns`).
pub(super) struct Interval {
    pub(super) width_ns: u64,
    pub(super) base_ns: u64,
    pub(super) end_ns: u64,
    pub(super) slot: usize,
}

impl Interval {
    #[inline]
    pub(super) fn slot(&mut self, stamp_ns: u64) -> usize {
        if stamp_ns >= self.end_ns {
            let index = (stamp_ns - self.base_ns) / self.width_ns;
            self.end_ns = self.base_ns + (index + 1) * self.width_ns;
            self.slot = (index % u64::from(INTERVALS)) as usize;
        }
        self.slot
    }
}
