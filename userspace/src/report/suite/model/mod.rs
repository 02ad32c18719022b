//! `linerate.rfc2544/1`, `linerate.mlrsearch/1` and `linerate.y1564/1` (CONTRACT, Results),
//! key for key. `None` is `null`: it does not apply or was not measured. What is read back
//! is the same as what was written, so that every other form is made of these.

mod bench;
mod head;
mod trial;
mod y1564;

pub use bench::{
    BackToBackResult, BenchRow, DirectionLatency, DirectionRate, FrameLossResult, FrameResult,
    GoalResult, LatencyAtResult, RecoveryResult, ResetResult, ThresholdResult, ThroughputBound,
    ThroughputResult,
};
pub use head::{
    Compliance, Configuration, DirectionSetup, SuitePort, SuiteResult, SuiteSetup, SuiteVerdict,
    Timing,
};
pub use trial::TrialRow;
pub use y1564::{ServiceDirection, ServiceRow, StepRow, StepVerdict};

/// `linerate.rfc2544/1` and `linerate.mlrsearch/1`.
pub type BenchResult = SuiteResult<BenchRow>;

/// `linerate.y1564/1`.
pub type ServiceResult = SuiteResult<ServiceRow>;
