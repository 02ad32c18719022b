//! Rows of RFC 2544 and of RFC 9971.

use super::SuiteVerdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All that was measured with one size or mix of frames. Rates are sums over the directions
/// unless their name says otherwise; ratios are shares of the sum of their line rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchRow {
    /// The frames.
    pub frame: FrameResult,
    /// What the links carry.
    pub theoretical_fps: f64,
    /// Whether it met its thresholds.
    pub verdict: SuiteVerdict,
    /// A sentence for everything that is not as asked.
    pub reasons: Vec<String>,
    /// What it had to show, and whether it did.
    pub thresholds: Vec<ThresholdResult>,
    /// RFC 2544 section 26.1.
    pub throughput: Option<ThroughputResult>,
    /// RFC 2544 section 26.2.
    pub latency: Option<Vec<LatencyAtResult>>,
    /// RFC 2544 section 26.3.
    pub frame_loss: Option<Vec<FrameLossResult>>,
    /// RFC 9004.
    pub back_to_back: Option<BackToBackResult>,
    /// RFC 2544 section 26.5.
    pub system_recovery: Option<RecoveryResult>,
    /// RFC 6201.
    pub reset: Option<ResetResult>,
    /// RFC 9971.
    pub goals: Option<Vec<GoalResult>>,
}

/// A threshold of the suite file, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdResult {
    /// The test that it is about: `throughput`, `latency`, `back-to-back`, `goals`.
    pub test: String,
    /// `pass`, `fail`, or `invalid` where it cannot be judged.
    pub verdict: SuiteVerdict,
    /// What was asked and what was found, as a sentence.
    pub text: String,
}

/// Frames of one size, or a mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrameResult {
    /// `fixed` or `imix`.
    pub kind: String,
    /// `64`, `imix`.
    pub name: String,
    /// Octets with FCS; `null` of a mix.
    pub size: Option<u16>,
    /// Mean octets with FCS.
    pub mean_bytes: f64,
}

impl FrameResult {
    /// As titles name it: `64 octets`, `imix`.
    pub fn title(&self) -> String {
        self.size.map_or_else(|| self.name.clone(), |size| format!("{size} octets"))
    }
}

/// How sure a throughput is (CONTRACT, tester-limited).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThroughputBound {
    /// A load that failed because of the device lies above it, or it fills the line.
    Exact,
    /// The search ended at a limit that is not the device's.
    AtLeast,
    /// No load passed.
    None,
}

/// RFC 2544 section 26.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the keys of CONTRACT, explained there under Meanings")]
pub struct ThroughputResult {
    pub bound: ThroughputBound,
    /// `device`, `line`, `tester-tx`, `tester-rx`, and so on.
    pub limited_by: Option<String>,
    /// Greatest loss ratio of a passing trial.
    pub max_loss: f64,
    /// The step that the search went down to.
    pub resolution_fps: Option<f64>,
    pub fps: Option<f64>,
    pub ratio: Option<f64>,
    pub next_failing_fps: Option<f64>,
    pub next_failing_loss_ratio: Option<f64>,
    pub verified_duration_ns: Option<u64>,
    /// Number of the trial that it passed.
    pub trial: Option<u32>,
    /// Trials of the search.
    pub trials: u32,
    /// The share that was lost whatever the load.
    pub load_independent_loss_ratio: Option<f64>,
    pub reason: Option<String>,
    pub per_direction: Vec<DirectionRate>,
}

/// One direction of a throughput.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DirectionRate {
    pub tx: String,
    pub rx: String,
    pub fps: f64,
    pub ratio: f64,
}

/// RFC 2544 section 26.2 at one load. The mean is that of the repeats' means, min and max are
/// those of all, percentiles are medians of the repeats' (RFC 8219 section 7.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the keys of CONTRACT, explained there under Meanings")]
pub struct LatencyAtResult {
    /// `throughput`, or a share of it: `50%`.
    pub at: String,
    pub rate_fps: f64,
    /// Less than asked for, since longer streams lost frames at that.
    pub derated: bool,
    pub mean_ns: Option<f64>,
    pub min_ns: Option<i64>,
    pub p50_ns: Option<i64>,
    pub p99_ns: Option<i64>,
    pub p999_ns: Option<i64>,
    pub max_ns: Option<i64>,
    /// Half-width of what is not known; `null`: not calibrated.
    pub uncertainty_ns: Option<u64>,
    pub definition: String,
    pub repeats: u32,
    /// Lost in all repeats together: a stream that loses is none at throughput.
    pub lost_frames: u64,
    pub valid: bool,
    pub reason: Option<String>,
    pub per_direction: Vec<DirectionLatency>,
}

/// One direction of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DirectionLatency {
    pub tx: String,
    pub rx: String,
    pub mean_ns: Option<f64>,
    pub min_ns: Option<i64>,
    pub p50_ns: Option<i64>,
    pub p99_ns: Option<i64>,
    pub p999_ns: Option<i64>,
    pub max_ns: Option<i64>,
}

/// RFC 2544 section 26.3 at one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the keys of CONTRACT, explained there under Meanings")]
pub struct FrameLossResult {
    pub offered_ratio: f64,
    pub offered_fps: f64,
    pub actual_fps: Option<f64>,
    pub valid: bool,
    pub reason: Option<String>,
    /// Number of the trial; `null`: above what the tester can send, and not tried.
    pub trial: Option<u32>,
    pub tx_frames: Option<u64>,
    pub rx_unique_frames: Option<u64>,
    pub lost_frames: Option<u64>,
    pub loss_ratio: Option<f64>,
    pub duplicate_frames: Option<u64>,
    pub reordered_frames: Option<u64>,
}

/// RFC 9004.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the keys of CONTRACT, explained there under Meanings")]
pub struct BackToBackResult {
    pub valid: bool,
    pub reason: Option<String>,
    pub repeats: u32,
    pub frames_mean: Option<f64>,
    pub frames_min: Option<u64>,
    pub frames_max: Option<u64>,
    pub frames_stddev: Option<f64>,
    pub implied_buffer_ns: Option<f64>,
    pub corrected_buffer_ns: Option<f64>,
    /// The same in frames at the greatest rate.
    pub corrected_buffer_frames: Option<f64>,
    /// Frames a second in a burst, per direction.
    pub max_rate_fps: f64,
    /// The throughput that the correction used, per direction.
    pub throughput_fps: Option<f64>,
    pub step_frames: u64,
    /// How often a burst with loss was sent again before it was believed (ETSI GS NFV-TST 009).
    pub verifications: u32,
    /// The longest lossless burst of each repeat, per direction.
    pub bursts_frames: Vec<u64>,
    /// Longest burst that was tried, as a time at line rate.
    pub burst_limit_ns: u64,
}

/// RFC 2544 section 26.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RecoveryResult {
    pub valid: bool,
    pub reason: Option<String>,
    pub repeats: u32,
    pub overload_fps: Option<f64>,
    pub reduced_fps: Option<f64>,
    pub mean_ns: Option<f64>,
    pub min_ns: Option<u64>,
    pub max_ns: Option<u64>,
    /// Of each repeat.
    pub times_ns: Vec<u64>,
}

/// RFC 6201, by both of its methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ResetResult {
    pub valid: bool,
    pub reason: Option<String>,
    pub repeats: u32,
    pub rate_fps: Option<f64>,
    /// Lost frames at the rate sent.
    pub by_loss_mean_ns: Option<f64>,
    /// The longest silence.
    pub by_time_mean_ns: Option<f64>,
    /// Of each repeat.
    pub by_loss_ns: Vec<u64>,
    /// Of each repeat.
    pub by_time_ns: Vec<u64>,
}

/// A Goal Result of RFC 9971.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the keys of CONTRACT and the attributes of RFC 9971")]
pub struct GoalResult {
    pub name: String,
    pub final_trial_ns: u64,
    pub duration_sum_ns: u64,
    pub loss_ratio: f64,
    pub exceed_ratio: f64,
    pub initial_trial_ns: u64,
    pub width: f64,
    pub relevant_lower_bound_fps: Option<f64>,
    pub relevant_upper_bound_fps: Option<f64>,
    pub conditional_throughput_fps: Option<f64>,
    pub regular: bool,
    /// Why it is irregular.
    pub reason: Option<String>,
    pub trials: u32,
}
