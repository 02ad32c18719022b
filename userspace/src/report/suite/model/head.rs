//! What the results of all suites have in common.

use super::TrialRow;
use crate::report::{Host, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A whole suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteResult<R> {
    /// `linerate.rfc2544/1`, `linerate.mlrsearch/1` or `linerate.y1564/1`.
    pub schema: String,
    /// The tester's software.
    pub tool: Tool,
    /// The tester's machine.
    pub host: Host,
    /// RFC 3339, UTC; of a suite that was resumed, when it was first begun.
    pub started: String,
    /// RFC 3339, UTC.
    pub ended: String,
    /// All trials with the waits around them; virtual time where the device is simulated.
    pub duration_ns: u64,
    /// The worst of all rows.
    pub verdict: SuiteVerdict,
    /// A sentence for everything that is not as asked.
    pub reasons: Vec<String>,
    /// The ports; empty where the device is simulated.
    pub ports: Vec<SuitePort>,
    /// What was asked, and under what conditions.
    pub setup: SuiteSetup,
    /// The results, a row for each size, mix or service.
    pub rows: Vec<R>,
    /// Every trial, in the order they were run.
    pub trials: Vec<TrialRow>,
}

/// What became of a suite, or of a row.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SuiteVerdict {
    /// Measured; nothing was to be judged.
    Done,
    /// All thresholds were met.
    Pass,
    /// A threshold was not met.
    Fail,
    /// Not measured, or not to its end, or the tester was the limit where that decides.
    Invalid,
}

impl SuiteVerdict {
    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        }
    }

    /// CONTRACT's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done | Self::Pass => 0,
            Self::Fail => 1,
            Self::Invalid => 2,
        }
    }
}

/// A port as it was used; the keys of `linerate.run/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuitePort {
    /// Its name in the flow or suite file.
    pub name: String,
    /// The PORT.
    #[serde(rename = "if")]
    pub interface: String,
    /// The kernel's driver.
    pub driver: String,
    /// `zero-copy`, `copy` or `live-frames`; `null`: nothing left here.
    pub tx_mode: Option<String>,
    /// `native` or `generic`; `null`: nothing was received here.
    pub rx_mode: Option<String>,
    /// `monotonic`.
    pub clock: String,
    /// Queues used.
    pub queues: u32,
    /// Speed of the link; `null` for links without a physical speed.
    pub link_bps: Option<u64>,
    /// What was taken off the latency of what it received; `null`: nothing.
    pub calibration: Option<Value>,
    /// Settings that were changed for the suite and are restored after it.
    pub settings_changed: Vec<Value>,
}

/// What was asked, and under what conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteSetup {
    /// `quick` or `rfc`.
    pub profile: String,
    /// The simulated device, in the grammar of `--dut`; `null`: a real one.
    pub simulated: Option<String>,
    /// Its seed.
    pub seed: Option<u64>,
    /// What the `describe` hook printed: name, version, configuration (RFC 2544 section 7).
    pub device: Option<String>,
    /// What loads flow through the device.
    pub directions: Vec<DirectionSetup>,
    /// `appendix-c` (RFC 2544), `rfc5180` (IPv6), or the flow file.
    pub frames: String,
    /// One address pair or destinations in 256 networks (RFC 2544 section 12).
    pub networks: u32,
    /// RFC 2544 section 11, a sentence each.
    pub modifiers: Vec<String>,
    /// Octets of preamble, start and gap that a frame takes on the line beside itself.
    pub media_overhead_bytes: u32,
    /// How latency is defined, `null`: not measured.
    pub definition: Option<String>,
    /// Waits around each trial and the frames that teach the device.
    pub timing: Timing,
    /// What of the RFCs was kept.
    pub compliance: Compliance,
    /// What all this was read from.
    pub config: Configuration,
}

/// One way through the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectionSetup {
    /// Name of the sending port.
    pub tx: String,
    /// Name of the receiving port.
    pub rx: String,
    /// Speed of the link.
    pub link_bps: u64,
}

/// RFC 2544 section 23.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// Learning frames from every port for every source address.
    pub learning_frames: u32,
    /// After so long they are sent again within a trial.
    pub learning_refresh_ns: u64,
    /// After learning frames, before the load.
    pub before_ns: u64,
    /// Least time without a frame before the counters are read.
    pub residual_ns: u64,
    /// After that, for the device to restabilise.
    pub after_ns: u64,
}

/// RFC 2544 section 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compliance {
    /// `unconditional` (every MUST and SHOULD), `conditional` (every MUST) or `none`; `null`
    /// for suites of other documents.
    pub level: Option<String>,
    /// Every requirement that was relaxed, a sentence each.
    pub deviations: Vec<String>,
}

/// Where the configuration came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// SHA-256 of all that decides which trials are run.
    pub sha256: String,
    /// The command line.
    pub arguments: Vec<String>,
    /// The suite file as it was written.
    pub suite_file: Option<String>,
    /// The flow file as it was written.
    pub flow_file: Option<String>,
    /// Everything after files, flags and profile; ratios are exact fractions.
    pub effective: Value,
}
