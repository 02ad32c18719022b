//! What the tester itself adds to a latency, measured with a cable and nothing else
//! between two ports, and how well that is known.
//!
//! Bias is the median of such a run, spread the distance from there to the least and to
//! the 99th percentile, whichever is further. A run subtracts the bias and gives the
//! spread as its uncertainty; frames that share a transmit stamp, and whatever else the
//! tester does at that size and rate, are in the spread.

mod select;
mod store;
#[cfg(test)]
mod tests;

pub use select::{Correction, MAX_AGE};
pub use store::{StoreError, directory, load, save};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What makes two measurements comparable: ports, software, definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Version of linerate.
    pub tool: String,
    /// Kernel release.
    pub kernel: String,
    /// Definition of latency, as in the result.
    pub definition: String,
    /// Clock of the receive stamp, as in the result.
    pub clock: String,
    /// The sending port.
    pub tx: End,
    /// The receiving port.
    pub rx: End,
}

/// One of the two ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The PORT.
    pub port: String,
    /// Hardware address.
    pub mac: String,
    /// The kernel's driver.
    pub driver: String,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Octets.
    pub mtu: u32,
    /// How frames leave (`zero-copy`, `copy`, ...), or where they are stamped (`native`,
    /// `generic`).
    pub mode: String,
    /// Speed of the link; `None`: not physical.
    pub link_bps: Option<u64>,
}

/// Latency at one size and rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Octets with FCS.
    pub frame_bytes: u16,
    /// Frames a second that were asked for.
    pub rate_pps: f64,
    /// Frames timed.
    pub frames: u64,
    /// Least.
    pub min_ns: i64,
    /// Median: the bias.
    pub p50_ns: i64,
    /// 99th percentile.
    pub p99_ns: i64,
    /// Greatest.
    pub max_ns: i64,
}

impl Point {
    /// From the median to the least or the 99th percentile.
    pub fn spread_ns(&self) -> u64 {
        (self.p99_ns - self.p50_ns).max(self.p50_ns - self.min_ns).max(0) as u64
    }
}

/// A direction of a pair of ports, measured: `linerate.calibration/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was measured, UTC.
    pub measured: jiff::Timestamp,
    /// With what.
    pub setting: Setting,
    /// In no order.
    pub points: Vec<Point>,
}

/// The version of the document.
pub const SCHEMA: &str = "linerate.calibration/1";

/// How old it is at `now`; 0 where the clock went back.
fn age(measured: jiff::Timestamp, now: jiff::Timestamp) -> Duration {
    Duration::try_from(now.duration_since(measured)).unwrap_or_default()
}
