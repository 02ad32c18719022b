use super::{StreamPlan, roster::Timing, waiting::CATCH_UP_NS};
use crate::{packet::Cursor, units::StreamId};
use xdp_ebpf::abi::INTERVALS;

/// One stream of a worker, and how far it is.
pub(super) struct Stream {
    pub(super) timing: Timing,
    pub(super) cursor: Cursor,
    /// Tag id.
    pub(super) stream: StreamId,
    pub(super) sequence: u32,
}

impl Stream {
    pub(super) fn new(mut plan: StreamPlan) -> Self {
        let timing = Timing::of(&mut plan);
        Self { timing, cursor: plan.cursor, stream: plan.stream, sequence: 0 }
    }

    /// A frame that was due in time may be a little late.
    #[inline]
    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        let grace_ns = if self.timing.pacer.is_some() { CATCH_UP_NS } else { 0 };
        now_ns >= self.timing.stop_ns.saturating_add(grace_ns)
    }

    /// After a frame: whether there is another.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        self.sequence = self.sequence.wrapping_add(1);
        self.timing.advance()
    }
}

impl AsRef<Timing> for Stream {
    fn as_ref(&self) -> &Timing {
        &self.timing
    }
}

impl AsMut<Timing> for Stream {
    fn as_mut(&mut self) -> &mut Timing {
        &mut self.timing
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
