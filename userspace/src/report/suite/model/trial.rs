//! The trial log of a result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A trial; counts and rates are sums over the directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the keys of CONTRACT, explained there under Meanings")]
pub struct TrialRow {
    /// Its number, from 1 on.
    pub id: u32,
    /// The test it belongs to.
    pub test: String,
    /// Name of the row.
    pub frame: String,
    /// What is sought, where one search seeks several things.
    pub goal: Option<String>,
    /// What each direction was asked for, summed up; of several stages the first.
    pub intended_fps: f64,
    pub actual_fps: Option<f64>,
    pub duration_ns: u64,
    pub tx_frames: u64,
    pub rx_unique_frames: u64,
    pub lost_frames: u64,
    pub loss_ratio: Option<f64>,
    pub unsent_frames: u64,
    pub duplicate_frames: u64,
    pub reordered_frames: u64,
    pub corrupt_frames: u64,
    pub stale_frames: u64,
    pub tester_drops: u64,
    pub latency_mean_ns: Option<f64>,
    pub latency_p99_ns: Option<i64>,
    /// The greatest load that had passed by then, per direction.
    pub lower_fps: Option<f64>,
    /// The least load that had failed by then, per direction.
    pub upper_fps: Option<f64>,
    pub valid: bool,
    /// Why it is not valid.
    pub reason: Option<String>,
}
