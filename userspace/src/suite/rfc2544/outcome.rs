//! What was found, as plain data. Rates named `load` are those of one direction; all others are
//! sums over the directions.

use crate::{
    spec::{Frame, LatencyAt, LatencyDefinition},
    suite::{Stop, TrialRecord},
    units::Ratio,
};
use serde::Serialize;
use std::time::Duration;

/// What came of a suite.
#[derive(Debug)]
pub struct Outcome {
    /// One for each size or mix that was begun, in the order asked for.
    pub rows: Vec<Row>,
    /// Every trial, in the order they were run.
    pub trials: Vec<TrialRecord>,
    /// Why it ended before its time; `None`: all is there.
    pub stopped: Option<Stop>,
}

/// What was found with one size or mix. A test that was not asked for, or not begun, is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The frames.
    pub frame: Frame,
    /// What the links carry.
    pub theoretical_fps: Ratio,
    /// RFC 2544 section 26.1.
    pub throughput: Option<Throughput>,
    /// 26.2, one for each load.
    pub latency: Option<Vec<Latency>>,
    /// 26.3, from the greatest load down.
    pub frame_loss: Option<Vec<FrameLoss>>,
    /// 26.4, RFC 9004.
    pub back_to_back: Option<BackToBack>,
    /// 26.5.
    pub system_recovery: Option<SystemRecovery>,
    /// 26.6, RFC 6201; of the least size only.
    pub reset: Option<Reset>,
}

/// How near a throughput is to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// A load within the resolution failed because of the device, or the line is full.
    Exact,
    /// Greater loads were not or could not be judged.
    AtLeast,
    /// No load passed.
    None,
}

/// What lies above a throughput.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitedBy {
    /// The device.
    Device,
    /// Line rate.
    Line,
    /// The tester could not, or was told not to, send more.
    TesterTx,
    /// The tester could not receive more.
    TesterRx,
}

/// RFC 2544 section 26.1.
#[derive(Debug, Clone, PartialEq)]
pub struct Throughput {
    /// How near it is.
    pub bound: Bound,
    /// What lies above it; `None`: the search was not ended.
    pub limited_by: Option<LimitedBy>,
    /// Loss ratio up to which a load passes.
    pub max_loss: Ratio,
    /// Step of the search, a load.
    pub resolution: Ratio,
    /// The greatest load that passed; zero: none did.
    pub load: Ratio,
    /// The same, all directions.
    pub fps: Ratio,
    /// Of what the links carry.
    pub ratio: Ratio,
    /// The least load that failed.
    pub next_failing_fps: Option<Ratio>,
    /// What was lost then; `None`: the trial was none of the device's.
    pub next_failing_loss: Option<Ratio>,
    /// Length of the trial that it passed in full.
    pub verified: Option<Duration>,
    /// Number of that trial.
    pub trial: Option<u32>,
    /// How many trials the search took.
    pub trials: u32,
    /// One share of the frames was lost whatever the load.
    pub load_independent_loss: Option<Ratio>,
    /// What else should be known, in a sentence.
    pub note: Option<String>,
    /// In the order of the trial's directions.
    pub per_direction: Vec<DirectionThroughput>,
}

/// The part of one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionThroughput {
    /// Name of the sending port.
    pub tx: String,
    /// Name of the receiving port.
    pub rx: String,
    /// Frames a second.
    pub fps: Ratio,
    /// Of what its link carries.
    pub ratio: Ratio,
}

/// RFC 2544 section 26.2, at one load.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// The load that was asked for.
    pub at: LatencyAt,
    /// The load that was used.
    pub load: Ratio,
    /// The same, all directions.
    pub rate_fps: Ratio,
    /// It is less than asked for, as longer streams lost frames at that.
    pub derated: bool,
    /// By what definition.
    pub definition: LatencyDefinition,
    /// Streams that count.
    pub repeats: u32,
    /// Frames that were lost in them.
    pub lost_frames: u64,
    /// All directions together; `None`: not measured.
    pub all: Option<LatencyFigures>,
    /// In the order of the trial's directions.
    pub per_direction: Vec<Option<LatencyFigures>>,
    /// What else should be known, in a sentence.
    pub note: Option<String>,
}

/// Latency over all repeats, signed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyFigures {
    /// Mean of the repeats' means: what 26.2 asks to report.
    pub mean_ns: f64,
    /// Least of all.
    pub min_ns: i64,
    /// Median of the repeats' medians (RFC 8219 section 7.2), as are the other percentiles.
    pub p50_ns: f64,
    /// 99 %.
    pub p99_ns: f64,
    /// 99.9 %.
    pub p999_ns: f64,
    /// Greatest of all.
    pub max_ns: i64,
    /// Half-width of what is not known; `None`: not calibrated.
    pub uncertainty_ns: Option<u64>,
}

/// RFC 2544 section 26.3, at one load.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameLoss {
    /// The load.
    pub load: Ratio,
    /// The same, all directions.
    pub offered_fps: Ratio,
    /// Of what the links carry.
    pub offered_ratio: Ratio,
    /// Whether it says something of the device.
    pub valid: bool,
    /// Why not, in a sentence.
    pub reason: Option<String>,
    /// Number of the trial; `None`: above what the tester can send, and not tried.
    pub trial: Option<u32>,
    /// Frames that were sent.
    pub tx_frames: Option<u64>,
    /// Frames that came at least once.
    pub rx_unique_frames: Option<u64>,
    /// Frames that never came.
    pub lost_frames: Option<u64>,
    /// Lost of sent; `None`: nothing was sent.
    pub loss_ratio: Option<Ratio>,
}

/// RFC 2544 section 26.4 as updated by RFC 9004.
#[derive(Debug, Clone, PartialEq)]
pub struct BackToBack {
    /// Whether there is a result.
    pub valid: bool,
    /// Why not, in a sentence.
    pub reason: Option<String>,
    /// The longest lossless burst of each repeat, per direction, frames.
    pub bursts: Vec<u64>,
    /// Their mean.
    pub frames_mean: Option<f64>,
    /// The shortest.
    pub frames_min: Option<u64>,
    /// The longest.
    pub frames_max: Option<u64>,
    /// Standard deviation of a sample; `None`: of one there is none.
    pub frames_stddev: Option<f64>,
    /// Step of the search.
    pub step_frames: u64,
    /// The longest burst that was tried, as a time.
    pub burst_limit: Duration,
    /// How often a burst with loss was sent again before it was believed (ETSI GS NFV-TST 009,
    /// binary search with loss verification).
    pub verifications: u32,
    /// Frames a second in a burst, a load.
    pub max_rate: Ratio,
    /// The throughput that the buffer was corrected with, a load.
    pub throughput: Option<Ratio>,
    /// The mean burst at the maximum rate.
    pub implied_buffer_ns: Option<f64>,
    /// Less what was forwarded meanwhile.
    pub corrected_buffer_ns: Option<f64>,
    /// The same in frames at the maximum rate.
    pub corrected_buffer_frames: Option<f64>,
}

/// RFC 2544 section 26.5.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemRecovery {
    /// Whether there is a result.
    pub valid: bool,
    /// Why not, in a sentence.
    pub reason: Option<String>,
    /// 110 % of throughput, or line rate.
    pub overload_fps: Ratio,
    /// Half of it.
    pub reduced_fps: Ratio,
    /// From the end of the overload to the last frame lost, of each repeat.
    pub times_ns: Vec<u64>,
    /// Their mean.
    pub recovery_ns: Option<f64>,
}

/// RFC 2544 section 26.6 as updated by RFC 6201.
#[derive(Debug, Clone, PartialEq)]
pub struct Reset {
    /// Whether there is a result.
    pub valid: bool,
    /// Why not, in a sentence.
    pub reason: Option<String>,
    /// The load, all directions.
    pub rate_fps: Ratio,
    /// By frames lost (RFC 6201 section 4.1), of each repeat.
    pub by_loss_ns: Vec<u64>,
    /// By the time between two frames (RFC 6201 section 4.1), of each repeat.
    pub by_timestamps_ns: Vec<u64>,
    /// Mean of the first.
    pub by_loss_mean_ns: Option<f64>,
    /// Mean of the second.
    pub by_timestamps_mean_ns: Option<f64>,
}
