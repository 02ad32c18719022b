//! What a suite is asked for. Every default is that of [`Profile`].

use super::{Flows, Frame};
use crate::{
    spec::{PortSpec, Threshold},
    units::{Rate, Ratio},
};
use serde::Serialize;
use std::time::Duration;

/// What all suites share: where, with what frames, with what waits around a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuiteSpec {
    /// The flows that are the load; `None`: the frames of RFC 2544 appendix C.
    pub flows: Option<Flows>,
    /// A row of the result each; empty: the sizes of the flow file.
    pub frames: Vec<Frame>,
    /// Where values come from that the file does not give.
    pub profile: Profile,
    /// Between which ports.
    pub topology: Topology,
    /// The ports of the pairs, in order of first use.
    pub ports: Vec<PortSpec>,
    /// What the test frames look like.
    pub addressing: Addressing,
    /// How the device learns where the addresses are.
    pub learning: Learning,
    /// Waits around a trial.
    pub waits: Waits,
    /// Frames that replace test frames (RFC 2544 section 11).
    pub modifiers: Modifiers,
    /// Commands around trials and suites.
    pub hooks: Hooks,
    /// What must hold for a pass: a table per test.
    pub pass: Vec<Pass>,
    /// Most trials before the suite ends with what it has.
    pub max_trials: u32,
    /// Most time, waits included.
    pub max_time: Duration,
}

/// A set of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Minutes: short trials, few repeats; every deviation from the RFCs is in the report.
    #[default]
    Quick,
    /// What the RFCs ask for: trials of 60 s, 20 and 50 repeats.
    Rfc,
}

/// Between which ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// Names of real ports, PORTs or names under `[ports]` of the flow file.
    Pairs {
        /// Sender and receiver.
        pairs: Vec<(String, String)>,
        /// Both ways at once, or the first way only.
        both: bool,
    },
    /// A simulated device, in the grammar of `--dut` without `sim:`.
    Simulated {
        /// `link=10G,capacity=10Mpps`.
        device: String,
        /// Both ways at once.
        both: bool,
    },
}

/// Test frames of RFC 2544 appendix C, or RFC 5180's for IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Addressing {
    /// IPv6 rather than IPv4.
    pub ipv6: bool,
    /// Destinations in 256 networks rather than one address pair (RFC 2544 section 12).
    pub networks: bool,
}

/// Learning frames (RFC 2544 section 23 b and C.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Learning {
    /// From every port, for every source address of the run.
    pub frames: u32,
    /// Sent again after so long within a trial.
    pub refresh: Duration,
}

/// Waits around a trial (RFC 2544 section 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// After learning frames, before the load.
    pub before: Duration,
    /// Least time without a frame before the counters are read.
    pub residual: Duration,
    /// After that, for the device to restabilise.
    pub after: Duration,
}

/// RFC 2544 section 11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Modifiers {
    /// The share of broadcast frames (11.1); zero: none.
    pub broadcast: u8,
    /// An SNMP query as first frame of each second (11.2).
    pub management: bool,
    /// A VLAN id in every frame.
    pub vlan: Option<u16>,
}

/// Commands, run by `sh -c` with the suite's names in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Hooks {
    pub before_suite: Option<String>,
    pub before_trial: Option<String>,
    pub after_trial: Option<String>,
    pub after_suite: Option<String>,
    /// Resets the device (RFC 6201); without it there is no reset test.
    pub reset: Option<String>,
    /// Prints the device's name, version and configuration for the report (RFC 2544 section 7).
    pub describe: Option<String>,
}

/// The least a row must show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pass {
    /// The row it is for, as the frame is named; `None`: every row.
    pub frame: Option<String>,
    /// What it must show.
    pub need: Need,
}

/// A threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// At least this throughput.
    Throughput(Rate),
    /// A 99th percentile of latency at throughput, ns.
    LatencyP99(Threshold<u64>),
    /// At least so many frames back to back.
    BackToBack(u64),
    /// At least this conditional throughput of a goal of RFC 9971.
    Goal {
        /// Name of the goal.
        name: String,
        /// What it must reach.
        rate: Rate,
    },
}

/// The step that a search goes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// A share of line rate.
    Share(Ratio),
    /// Frames a second.
    Fps(Ratio),
}

/// RFC 2544: which tests, and how each is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rfc2544Spec {
    /// What all suites share.
    pub suite: SuiteSpec,
    /// 26.1; always there: the others need it.
    pub throughput: ThroughputSpec,
    /// 26.2.
    pub latency: Option<LatencySpec>,
    /// 26.3.
    pub loss: Option<LossSpec>,
    /// 26.4, RFC 9004.
    pub back_to_back: Option<BackToBackSpec>,
    /// 26.5.
    pub recovery: Option<RecoverySpec>,
    /// 26.6, RFC 6201.
    pub reset: Option<ResetSpec>,
}

/// RFC 2544 section 26.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ThroughputSpec {
    /// Length of a trial of the search, and of the final one.
    pub trial: Duration,
    /// Where the search ends.
    pub resolution: Resolution,
    /// Greatest loss ratio of a passing trial; zero is the RFC's.
    pub max_loss: Ratio,
    /// No load above it is tried.
    pub max_rate: Rate,
}

/// RFC 2544 section 26.2.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencySpec {
    /// Length of a stream: 120 s.
    pub trial: Duration,
    /// Frames are timed from then on: 60 s.
    pub from: Duration,
    /// Streams at each load: 20.
    pub repeats: u32,
    /// Loads.
    pub at: Vec<LatencyAt>,
    /// The definition asked for.
    pub definition: LatencyDefinition,
}

/// A load of the latency test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyAt {
    /// The throughput that was found.
    Throughput,
    /// A share of that throughput.
    Share(Ratio),
}

/// RFC 1242 section 3.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyDefinition {
    /// Last bit in to first bit out.
    #[default]
    StoreAndForward,
    /// First bit in to first bit out.
    BitForwarding,
}

/// RFC 2544 section 26.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LossSpec {
    /// Length of a trial.
    pub trial: Duration,
    /// From one load to the next, as a share of the maximum rate: at most 10 %.
    pub step: Ratio,
}

/// RFC 2544 section 26.4 as updated by RFC 9004.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BackToBackSpec {
    /// Searches of their own: 50.
    pub repeats: u32,
    /// Longest burst, as a time at line rate: 2 s, up to 30 s.
    pub burst_limit: Duration,
    /// The step that the search ends with, frames.
    pub step_frames: u64,
}

/// RFC 2544 section 26.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RecoverySpec {
    /// How long the overload lasts: 60 s.
    pub overload: Duration,
    /// How long the half of it is watched afterwards.
    pub reduced: Duration,
    /// How often.
    pub repeats: u32,
}

/// RFC 2544 section 26.6 as updated by RFC 6201.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResetSpec {
    /// How long a device may take to come back.
    pub limit: Duration,
    /// How often.
    pub repeats: u32,
}

/// RFC 9971.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MlrsearchSpec {
    /// What all suites share.
    pub suite: SuiteSpec,
    /// Goals, all sought at once.
    pub goals: Vec<GoalSpec>,
    /// The least load that is tried, frames a second in each direction; `None`: a thousandth
    /// of the greatest.
    pub min_load_fps: Option<Ratio>,
    /// The greatest.
    pub max_rate: Rate,
}

/// A Search Goal of RFC 9971.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoalSpec {
    /// `NDR`, `PDR` or the user's.
    pub name: String,
    /// Length of a full-length trial.
    pub final_trial: Duration,
    /// The sum of full-length trials that settles a load.
    pub duration_sum: Duration,
    /// Above it a trial is high-loss.
    pub loss_ratio: Ratio,
    /// Share of the duration sum that may be high-loss.
    pub exceed_ratio: Ratio,
    /// Length of the first trials.
    pub initial_trial: Duration,
    /// Relative width of the bounds where the search ends.
    pub width: Ratio,
}

/// ITU-T Y.1564.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Y1564Spec {
    /// What all suites share.
    pub suite: SuiteSpec,
    /// Services, each tested alone first and then with the others.
    pub services: Vec<ServiceSpec>,
    /// CIR steps as shares: 25, 50, 75 and 100 %.
    pub steps: Vec<Ratio>,
    /// Length of each step.
    pub step: Duration,
    /// Length of the performance test.
    pub performance: Duration,
    /// How the policing rate is chosen.
    pub policing: Policing,
}

/// The rate of the policing step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policing {
    /// CIR + 1.25 EIR, or 1.25 CIR + EIR where EIR is below a fifth of CIR.
    #[default]
    Standard,
    /// 1.25 (CIR + EIR).
    Both,
}

/// A service and what it was promised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceSpec {
    /// Name of the row.
    pub name: String,
    /// Names of the flows of the flow file that are this service; empty: appendix C frames.
    pub flows: Vec<String>,
    /// Its frames.
    pub frame: Frame,
    /// Committed information rate, L2 bits a second.
    pub cir_bps: u64,
    /// Excess information rate, L2 bits a second.
    pub eir_bps: u64,
    /// Committed and excess burst size together, octets: what a policer may let pass beyond
    /// its rates, once.
    pub burst_bytes: u64,
    /// Whether the policer is tested.
    pub policing: bool,
    /// Greatest frame loss ratio.
    pub flr: Ratio,
    /// Greatest mean frame transfer delay, ns; `None`: not judged.
    pub ftd_ns: Option<u64>,
    /// Greatest frame delay variation, ns; `None`: not judged.
    pub fdv_ns: Option<u64>,
    /// Least availability; `None`: not judged.
    pub availability: Option<Ratio>,
}
