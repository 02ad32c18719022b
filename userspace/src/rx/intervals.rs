//! Transmit-time intervals: their numbers, and the rings they are counted in.

use std::time::Duration;
use xdp_ebpf::abi;

/// Slots of a ring of transmit-time intervals.
const SLOTS: usize = abi::INTERVALS as usize;

/// Frames of one transmit-time interval: its number, counted from the trial's base,
/// and how many.
pub type IntervalCount = (u64, u64);

/// How a trial's time is cut: interval k holds the frames whose transmit time t has
/// `(t - base) / interval = k`. Sender and analyser use the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntervalClock {
    /// Start of interval 0, `CLOCK_MONOTONIC` ns.
    pub base_ns: u64,
    /// Width in ns, never 0.
    pub interval_ns: u64,
}

impl IntervalClock {
    /// A clock that counts from `base_ns`; a width of zero becomes 1 ns.
    pub fn new(base_ns: u64, interval: Duration) -> Self {
        let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self { base_ns, interval_ns }
    }

    /// The interval that a moment lies in; before the base: 0.
    pub fn number(&self, time_ns: u64) -> u64 {
        time_ns.saturating_sub(self.base_ns) / self.interval_ns
    }

    /// First moment after interval `number - 1`, `CLOCK_MONOTONIC` ns.
    pub fn start_ns(&self, number: u64) -> u64 {
        self.base_ns.saturating_add(number.saturating_mul(self.interval_ns))
    }

    /// The interval that a ring slot stands for at `now_ns`: the newest one that can
    /// have frames. One interval ahead counts as possible, because the ring is read
    /// just after the clock. So a ring must be read at least every 62 intervals, less
    /// the longest latency.
    fn resolve(&self, slot: usize, now_ns: u64) -> u64 {
        let newest = self.number(now_ns) + 1;
        let slot = slot as u64;
        let laps_behind = newest.wrapping_sub(slot) % SLOTS as u64;
        if newest < slot { slot } else { newest - laps_behind }
    }
}

/// Turns a ring of cumulative per-interval counts, in which interval k lives in slot
/// k mod 64, into counts of numbered intervals.
#[derive(Debug, Clone)]
pub struct IntervalRing {
    previous: [u32; SLOTS],
}

impl Default for IntervalRing {
    fn default() -> Self {
        Self { previous: [0; SLOTS] }
    }
}

impl IntervalRing {
    /// Starts again from a cleared ring.
    pub fn clear(&mut self) {
        self.previous = [0; SLOTS];
    }

    /// Adds to `moved` what each slot gained since the last call. Counts may wrap.
    pub(super) fn advance(&mut self, ring: &[u32; SLOTS], moved: &mut [u64; SLOTS]) {
        for ((previous, &now), moved) in self.previous.iter_mut().zip(ring).zip(moved) {
            *moved += u64::from(now.wrapping_sub(*previous));
            *previous = now;
        }
    }

    /// Appends to `counts` the frames of each interval that gained some since the last
    /// call. For a sender's ring, whose counts are 64 bits wide.
    pub fn read(
        &mut self,
        ring: &[u64; SLOTS],
        clock: &IntervalClock,
        now_ns: u64,
        counts: &mut Vec<IntervalCount>,
    ) {
        let mut moved = [0; SLOTS];
        self.advance(&ring.map(|count| count as u32), &mut moved);
        resolve(&moved, clock, now_ns, counts);
    }
}

/// Appends the slots that moved as numbered intervals.
pub(super) fn resolve(
    moved: &[u64; SLOTS],
    clock: &IntervalClock,
    now_ns: u64,
    counts: &mut Vec<IntervalCount>,
) {
    for (slot, &count) in moved.iter().enumerate().filter(|&(_, &count)| count > 0) {
        counts.push((clock.resolve(slot, now_ns), count));
    }
}
