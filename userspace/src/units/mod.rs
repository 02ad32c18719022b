//! Quantities of the trade as types: how they are parsed, printed and related.
//!
//! Everything here is exact. Rates and ratios are rationals, so that
//! `rate x duration` asks for an exact number of frames.

mod frame_size;
mod rate;
mod ratio;
mod time;

pub use frame_size::{FCS_BYTES, FrameSize, L1_OVERHEAD_BYTES};
pub use rate::{Rate, RateError, parse_decimal, parse_link_speed, parse_percentage};
pub use ratio::Ratio;
pub use time::{format_duration, format_duration_short, monotonic_ns, parse_duration};

use serde::{Deserialize, Serialize};
use std::fmt;

/// A hardware queue of a port, counted from 0 as the kernel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueueId(pub u32);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The unit of tag id and sequence: one flow on one TX queue (CONTRACT, Meanings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId(pub u16);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The digits of a plain decimal and the power of ten below them: `2.50` is 250 / 100.
/// At most `most` of them, and 9 after the point: that keeps products of parsed
/// quantities well within 128 bits.
fn decimal_digits(text: &str, most: usize) -> Option<(u128, u128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    (significant.len() <= most).then_some(())?;
    Some((all.parse().ok()?, 10_u128.pow(fraction.len() as u32)))
}
