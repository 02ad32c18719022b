//! What a service activation test found.

use super::Availability;
use crate::{
    spec::ServiceSpec,
    suite::{LatencyStats, Stop, TrialRecord},
    units::Ratio,
};
use serde::Serialize;

/// All services, and the trials that tell of them.
#[derive(Debug)]
pub struct Outcome {
    /// In the order asked for; those that were begun.
    pub services: Vec<ServiceOutcome>,
    /// Why there was no performance test; `None`: there was one.
    pub performance_left_out: Option<String>,
    /// Every trial, in the order they were run.
    pub trials: Vec<TrialRecord>,
    /// Why it ended before its time; `None`: all is there.
    pub stopped: Option<Stop>,
}

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceOutcome {
    /// What was promised.
    pub service: ServiceSpec,
    /// The service configuration test (8.1), step by step.
    pub configuration: Vec<StepOutcome>,
    /// The service performance test (8.2); `None`: not run.
    pub performance: Option<StepOutcome>,
}

/// One step of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// What was offered.
    pub step: Step,
    /// Information rate offered in each direction, L2 bits a second.
    pub offered_bps: Ratio,
    /// The trial; `None`: it was not run, the reasons say why.
    pub trial: Option<u32>,
    /// What each direction showed.
    pub per_direction: Vec<Measured>,
    /// Whether it keeps what was promised.
    pub verdict: Verdict,
    /// What did not hold, or why it could not be judged, in sentences.
    pub reasons: Vec<String>,
}

/// What a step offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A share of CIR (8.1.2 A).
    Cir(Ratio),
    /// CIR and EIR (8.1.2 B).
    Eir,
    /// More than that (8.1.2 C).
    Policing,
    /// CIR, with all the other services (8.2).
    Performance,
}

/// Whether a promise is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It could not be put to the test here, and nothing is wrong.
    NotApplicable,
    /// It is.
    Pass,
    /// It was not measured validly.
    Invalid,
    /// It is not.
    Fail,
}

/// One direction of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Name of the sending port.
    pub tx: String,
    /// Name of the receiving port.
    pub rx: String,
    /// Frames that left.
    pub tx_frames: u64,
    /// Frames that came at least once.
    pub rx_unique_frames: u64,
    /// Frames that left and never came.
    pub lost_frames: u64,
    /// Information rate that came through, L2 bits a second.
    pub ir: InformationRate,
    /// Frame loss ratio; of the performance test, in available time; `None`: nothing was sent
    /// in it.
    pub flr: Option<Ratio>,
    /// Frame transfer delay; `None`: not measured.
    pub ftd: Option<LatencyStats>,
    /// Frame delay variation: the 99.9th percentile of delay less the least (Y.1563); `None`:
    /// not measured.
    pub fdv_ns: Option<u64>,
    /// Of the performance test.
    pub availability: Option<Availability>,
}

/// Bits a second from the destination address to the FCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InformationRate {
    /// Of the whole step.
    pub mean_bps: Ratio,
    /// Of the least full second; `None`: there was none.
    pub min_bps: Option<Ratio>,
    /// Of the greatest full second.
    pub max_bps: Option<Ratio>,
}

impl ServiceOutcome {
    /// The worst of all steps; a service with none of them was not measured.
    pub fn verdict(&self) -> Verdict {
        let steps = self.configuration.iter().chain(&self.performance);
        match steps.map(|step| step.verdict).max() {
            None | Some(Verdict::NotApplicable) => Verdict::Invalid,
            Some(worst) => worst,
        }
    }
}

impl Outcome {
    /// The worst of all services, and [`Verdict::Invalid`] where steps are missing.
    pub fn verdict(&self) -> Verdict {
        let worst = self.services.iter().map(ServiceOutcome::verdict).max();
        let worst = worst.unwrap_or(Verdict::Invalid);
        if self.stopped.is_some() { worst.max(Verdict::Invalid) } else { worst }
    }
}
