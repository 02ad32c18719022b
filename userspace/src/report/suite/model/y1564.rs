//! Rows of ITU-T Y.1564.

use super::FrameResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service: what was promised and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the words of Y.1564")]
pub struct ServiceRow {
    pub name: String,
    pub frame: FrameResult,
    /// Information rates are L2 bits with FCS a second.
    pub cir_bps: u64,
    pub eir_bps: u64,
    /// The service acceptance criteria; `null`: not judged.
    pub max_flr: f64,
    pub max_ftd_ns: Option<u64>,
    pub max_fdv_ns: Option<u64>,
    pub min_availability: Option<f64>,
    pub verdict: StepVerdict,
    /// The service configuration test (8.1).
    pub configuration: Vec<StepRow>,
    /// The service performance test (8.2); `null`: not run.
    pub performance: Option<StepRow>,
}

/// Whether a promise is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepVerdict {
    /// It could not be put to the test here, and nothing is wrong.
    NotApplicable,
    /// It is.
    Pass,
    /// It was not measured validly.
    Invalid,
    /// It is not.
    Fail,
}

impl StepVerdict {
    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Pass => "pass",
            Self::Invalid => "invalid",
            Self::Fail => "fail",
        }
    }
}

/// One step of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRow {
    /// `25% CIR`, `CIR + EIR`, `policing` or `performance`.
    pub step: String,
    /// What each direction was offered.
    pub offered_bps: f64,
    /// Number of the trial; `null`: not run.
    pub trial: Option<u32>,
    /// Whether it keeps what was promised.
    pub verdict: StepVerdict,
    /// What did not hold, or why it could not be judged.
    pub reasons: Vec<String>,
    /// What each direction showed.
    pub per_direction: Vec<ServiceDirection>,
}

/// One direction of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the words of Y.1564: IR, FLR, FTD, FDV, availability")]
pub struct ServiceDirection {
    pub tx: String,
    pub rx: String,
    pub tx_frames: u64,
    pub rx_unique_frames: u64,
    pub lost_frames: u64,
    pub ir_mean_bps: f64,
    pub ir_min_bps: Option<f64>,
    pub ir_max_bps: Option<f64>,
    pub flr: Option<f64>,
    pub ftd_mean_ns: Option<f64>,
    pub ftd_min_ns: Option<i64>,
    pub ftd_max_ns: Option<i64>,
    pub fdv_ns: Option<u64>,
    pub availability: Option<f64>,
    pub severely_errored_seconds: Option<u64>,
    pub unavailable_seconds: Option<u64>,
}
