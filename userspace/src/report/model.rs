//! `linerate.run/1` (CONTRACT, Results), key for key. `None` is `null`: it does not
//! apply or was not measured.

use super::Unmet;
use crate::{
    calibration::Point,
    collect::Verdict,
    nic::SettingChange,
    session::{NicTimes, PathCalibration, PortFacts},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xdp_ebpf::XdpMode;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResult {
    /// `linerate.run/1`.
    pub schema: &'static str,
    /// The tester's software.
    pub tool: Tool,
    /// The tester's machine.
    pub host: Host,
    /// RFC 3339, UTC.
    pub started: String,
    /// First submit of any flow to last submit of any flow plus one gap.
    pub duration_ns: Option<u64>,
    /// The worst of all flows.
    pub verdict: Verdict,
    /// A sentence for everything that is not as asked, each with the flow's name.
    pub reasons: Vec<String>,
    /// The ports.
    pub ports: Vec<PortResult>,
    /// The flows.
    pub flows: Vec<FlowResult>,
    /// Expectations that were not met; they stand among the reasons too.
    #[serde(skip)]
    pub unmet: Vec<Unmet>,
}

/// The tester's software.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `linerate`.
    pub name: String,
    /// Of this build.
    pub version: String,
    /// The commit it was built from, with `-dirty` where files differed; `null`: not known.
    pub git: Option<String>,
}

/// The tester's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its host name.
    pub name: String,
    /// Kernel release, as `uname -r`.
    pub kernel: String,
    /// Machine, as `uname -m`.
    pub machine: String,
    /// Model of the processor.
    pub cpu: Option<String>,
    /// CPUs that this process may use.
    pub cpus: u32,
}

/// How frames left a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TxMode {
    /// `AF_XDP`, the NIC reads our memory.
    ZeroCopy,
    /// `AF_XDP`, the kernel copies each frame.
    Copy,
    /// BPF live frames.
    LiveFrames,
}

impl From<crate::tx::TxMode> for TxMode {
    fn from(mode: crate::tx::TxMode) -> Self {
        match mode {
            crate::tx::TxMode::ZeroCopy => Self::ZeroCopy,
            crate::tx::TxMode::Copy => Self::Copy,
            crate::tx::TxMode::LiveFrames => Self::LiveFrames,
        }
    }
}

/// Where the analyser ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RxMode {
    /// In the driver.
    Native,
    /// In the network stack.
    Generic,
}

/// A port as it was used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PortResult {
    /// Its name in the flow file.
    pub name: String,
    /// The PORT.
    #[serde(rename = "if")]
    pub interface: String,
    /// The kernel's driver.
    pub driver: String,
    /// `None`: nothing left here.
    pub tx_mode: Option<TxMode>,
    /// `None`: nothing was received here.
    pub rx_mode: Option<RxMode>,
    /// `monotonic`: stamps of `CLOCK_MONOTONIC`. `nic`: of the NIC's clock, fitted to that; which
    /// of the frames had none is among the reasons.
    pub clock: &'static str,
    /// Of a port of another daemon: what the clock here is ahead of the one there. `None`: it
    /// is the same.
    pub clock_offset_ns: Option<i64>,
    /// How far that may be wrong until the end of the run.
    pub clock_error_ns: Option<u64>,
    /// What it changed in the run.
    pub clock_drift_ns: Option<i64>,
    /// Queues used.
    pub queues: u32,
    /// Speed of the link; `None` for links without a physical speed.
    pub link_bps: Option<u64>,
    /// What was taken off the latency of what it received; `None`: nothing.
    pub calibration: Option<CalibrationResult>,
    /// Settings that were changed for the run and are restored after it.
    pub settings_changed: Vec<SettingChange>,
}

impl From<&PortFacts> for PortResult {
    fn from(facts: &PortFacts) -> Self {
        Self {
            name: facts.name.clone(),
            interface: facts.interface.clone(),
            driver: facts.driver.clone(),
            tx_mode: facts.tx_mode.map(TxMode::from),
            rx_mode: Some(match facts.rx_mode {
                XdpMode::Native => RxMode::Native,
                XdpMode::Generic => RxMode::Generic,
            }),
            clock: match facts.nic_times {
                Some(NicTimes { stamped: 1.., .. }) => "nic",
                _ => "monotonic",
            },
            clock_offset_ns: facts.clock.map(|(clock, _)| clock.offset_ns),
            clock_error_ns: facts.clock.map(|(clock, _)| clock.error_ns),
            clock_drift_ns: facts.clock.and_then(|(_, drift_ns)| drift_ns),
            queues: facts.queues,
            link_bps: facts.link_bps,
            calibration: CalibrationResult::of(&facts.calibrations),
            settings_changed: facts.settings_changed.clone(),
        }
    }
}

/// A flow in one direction. Bytes are L2 with FCS; rates are over the flow's duration,
/// first submit to last submit plus one gap.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys of CONTRACT, explained there under Meanings")]
pub struct FlowResult {
    pub name: String,
    pub tx_port: String,
    pub rx_port: Option<String>,
    pub verdict: Verdict,
    pub requested_frames: u64,
    pub unsent_frames: u64,
    pub tx_frames: u64,
    pub tx_bytes: u64,
    pub rx_frames: Option<u64>,
    pub rx_bytes: Option<u64>,
    pub rx_unique_frames: Option<u64>,
    pub lost_frames: Option<u64>,
    pub duplicate_frames: Option<u64>,
    pub reordered_frames: Option<u64>,
    pub late_frames: Option<u64>,
    pub corrupt_frames: Option<u64>,
    pub misdirected_frames: Option<u64>,
    pub stale_frames: Option<u64>,
    pub tx_pps: Option<f64>,
    pub rx_pps: Option<f64>,
    pub tx_bps_l1: Option<f64>,
    pub tx_bps_l2: Option<f64>,
    pub rx_bps_l1: Option<f64>,
    pub rx_bps_l2: Option<f64>,
    pub loss_ratio: Option<f64>,
    pub latency_ns: Option<LatencyResult>,
    /// RFC 3393 between consecutive sequence numbers of a stream that came in order;
    /// `None` too where not every frame was stamped.
    pub ipdv_ns: Option<IpdvResult>,
    /// RFC 5481, RFC 8219 7.3.1: p99.9 less the least latency.
    pub pdv_ns: Option<i64>,
    /// The estimate of RFC 3550, A.8 at the end of the run; of several streams or queues
    /// the greatest. `None` as `ipdv_ns` is.
    pub jitter_rfc3550_ns: Option<u64>,
    pub tx_gap_ns: Option<GapResult>,
    /// `None` too where a stream arrived on several queues.
    pub rx_gap_ns: Option<GapResult>,
    pub outage: Outage,
    pub ledger: LedgerResult,
    pub samples: Option<Vec<SampleRow>>,
}

/// Latency of every unique frame. Nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as collect::LatencySummary")]
pub struct LatencyResult {
    pub min: i64,
    pub mean: f64,
    pub stddev: Option<f64>,
    pub p50: Option<i64>,
    pub p90: Option<i64>,
    pub p99: Option<i64>,
    pub p999: Option<i64>,
    pub p9999: Option<i64>,
    pub max: i64,
    pub count: u64,
    /// As stamped, before calibration.
    pub negative_count: u64,
    /// Half-width of what is not known after calibration, and of what the clocks may be off;
    /// `None`: not calibrated, the latency is as stamped by one clock.
    pub uncertainty: Option<u64>,
    /// `host`: receive stamp in XDP less transmit stamp in the tag. `store-and-forward`:
    /// less the time of that very frame on the wires to and from the device too (RFC 1242),
    /// where both have a speed. `round-trip`: as `host`, of frames that come back to the port
    /// that sent them.
    pub definition: &'static str,
    /// As that of the receiving port.
    pub clock: &'static str,
}

/// Differences of latency. Nanoseconds, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as collect::IpdvSummary")]
pub struct IpdvResult {
    pub min: i64,
    pub median: i64,
    pub max: i64,
}

/// The calibrations of a receiving port, by sending port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationResult {
    /// Each as it is kept on disk.
    pub paths: Vec<PathResult>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathResult {
    /// Name of the sending port.
    pub from: String,
    /// When it was measured, RFC 3339, UTC.
    pub measured: String,
    /// Latency without a device, by size and rate.
    pub points: Vec<Point>,
}

impl CalibrationResult {
    fn of(paths: &[PathCalibration]) -> Option<Self> {
        let paths = paths.iter().map(|path| PathResult {
            from: path.from.clone(),
            measured: path.calibration.measured.to_string(),
            points: path.calibration.points.clone(),
        });
        let paths: Vec<_> = paths.collect();
        (!paths.is_empty()).then_some(Self { paths })
    }
}

/// Times between frames of a stream: between the stamps of submits, or between arrivals.
/// Nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as collect::GapSummary")]
pub struct GapResult {
    pub min: u64,
    pub p50: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    pub mean: f64,
}

/// How long the device was silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// Lost frames at the rate sent: as if all were lost in one piece (RFC 6201's
    /// frame-loss method).
    pub by_loss_ns: Option<u64>,
    /// The longest silence at the receiver, ends of the run included, less the longest
    /// one that the sender made. `None` where a stream arrived on several queues.
    pub by_gap_ns: Option<u64>,
    /// What it is at most: a pause of the sender may have been another one than the longest
    /// silence at the receiver.
    #[serde(skip)]
    pub by_gap_most_ns: Option<u64>,
    /// When the first of the lost frames was sent, ns since the run began: by its number,
    /// between the first and the last submit of its stream. `None`: nothing was lost, or a
    /// stream sent over 2^32 frames.
    pub first_lost: Option<u64>,
    /// When the last of them was sent, likewise.
    pub last_lost: Option<u64>,
}

/// `collect::Ledger`. Counts of a port are `None` where several flows share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as collect::Ledger")]
pub struct LedgerResult {
    pub requested: u64,
    pub submitted: u64,
    pub completed: Option<u64>,
    pub tx_port: Option<u64>,
    pub rx_port: Option<u64>,
    pub rx_dropped: Option<u64>,
    pub seen: Option<u64>,
    pub matched: Option<u64>,
    pub in_order: Option<u64>,
    /// The first border at which frames vanish (`collect::Border::name`).
    pub missing_at: Option<&'static str>,
    /// `tester-tx`, `tester-rx`, `device` or `line`; `None`: nothing held the flow back.
    pub limited_by: Option<&'static str>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SampleRow {
    /// Its end, ns since the trial began.
    pub t: u64,
    /// Frames sent in it.
    pub tx_frames: u64,
    /// Frames received in it.
    pub rx_frames: Option<u64>,
    /// Over its measured length, like the following.
    pub tx_pps: f64,
    /// Frames received a second.
    pub rx_pps: Option<f64>,
    /// L2 with FCS.
    pub tx_bps_l2: f64,
    /// L2 with FCS.
    pub rx_bps_l2: Option<f64>,
    /// Of the frames sent in it; `None` while some may be in flight, or none was sent.
    pub loss_ratio: Option<f64>,
    /// Of the frames received in it.
    pub p50_ns: Option<i64>,
    /// 99th percentile.
    pub p99_ns: Option<i64>,
    /// 99.9th percentile.
    pub p999_ns: Option<i64>,
    /// Greatest.
    pub max_ns: Option<i64>,
}
