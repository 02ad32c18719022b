//! Quantities of the trade as types: how they are parsed, printed and related.
//!
//! Everything here is exact. Rates and ratios are rationals, so that
//! `rate x duration` asks for an exact number of frames.

mod frame_size;
mod rate;
mod ratio;
mod time;

pub use frame_size::{FCS_BYTES, FrameSize, L1_OVERHEAD_BYTES};
pub use rate::{Rate, RateError};
pub use ratio::Ratio;
pub use time::{format_duration, parse_duration};

use std::fmt;

/// A hardware queue of a port, counted from 0 as the kernel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(pub u32);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The unit of tag id and sequence: one flow on one TX queue (CONTRACT, Meanings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u16);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
