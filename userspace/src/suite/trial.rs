//! What a trial is asked and what it answers, whoever runs it.

use crate::{spec::Frame, units::Ratio};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Something that runs trials: a real session between ports, or a simulated device.
///
/// A trial is all of RFC 2544 section 23: waits before, learning frames, the load, the drain
/// and the wait after it. Whoever implements it waits in real or in virtual time.
pub trait Trial {
    /// What loads flow through the device, in the order of [`TrialResult::directions`].
    fn directions(&self) -> &[Direction];

    /// The load per direction that the tester itself can reach with these frames; `None`: it
    /// is not known, or there is no such limit.
    ///
    /// # Errors
    /// [`TrialError`], where it has to be measured.
    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError>;

    /// Runs one trial.
    ///
    /// # Errors
    /// [`TrialError`]: no result at all, and none to be had by trying again. A trial that was
    /// run but means nothing is a [`TrialResult`] with a cause in `invalid`.
    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError>;

    /// Hears of a trial that a log answered in its place: a device in virtual time has a state
    /// that goes on from trial to trial.
    fn replayed(&mut self, _plan: &TrialPlan, _result: &TrialResult) {}
}

/// One way through the device; of Y.1564, one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Direction {
    /// Name of the sending port.
    pub tx: String,
    /// Name of the receiving port.
    pub rx: String,
    /// Speed of the link.
    pub link_bps: u64,
}

/// The test that a trial belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// RFC 2544 section 26.1.
    Throughput,
    /// RFC 2544 section 26.2.
    Latency,
    /// RFC 2544 section 26.3.
    FrameLoss,
    /// RFC 2544 section 26.4, RFC 9004.
    BackToBack,
    /// RFC 2544 section 26.5.
    SystemRecovery,
    /// RFC 2544 section 26.6, RFC 6201.
    Reset,
    /// RFC 9971.
    Mlrsearch,
    /// ITU-T Y.1564.
    Y1564,
}

impl Test {
    /// As results and logs name it.
    pub fn name(self) -> &'static str {
        match self {
            Test::Throughput => "throughput",
            Test::Latency => "latency",
            Test::FrameLoss => "frame-loss",
            Test::BackToBack => "back-to-back",
            Test::SystemRecovery => "system-recovery",
            Test::Reset => "reset",
            Test::Mlrsearch => "mlrsearch",
            Test::Y1564 => "y1564",
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a trial sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialPlan {
    /// The test it belongs to.
    pub test: Test,
    /// What each direction sends, all at the same time; one that is not named sends nothing.
    /// Never empty.
    pub loads: Vec<Load>,
    /// Latency is that of the frames sent from so long after the start on (RFC 2544 section
    /// 26.2: a tagged frame after 60 s); zero: of all.
    pub latency_from: Duration,
    /// What happens to the device while the load runs.
    pub action: Option<Action>,
    /// Counts are wanted second by second too ([`DirectionResult::seconds`]).
    pub per_second: bool,
}

impl TrialPlan {
    /// The same frames and loads in each of so many directions (RFC 2544 section 14).
    pub fn same(test: Test, directions: usize, frame: &Frame, stages: &[Stage]) -> Self {
        let load = |direction| Load { direction, frame: frame.clone(), stages: stages.to_vec() };
        Self {
            test,
            loads: (0..directions).map(load).collect(),
            latency_from: Duration::ZERO,
            action: None,
            per_second: false,
        }
    }

    /// How long its longest load takes, without the waits around it.
    pub fn duration(&self) -> Duration {
        let load = |load: &Load| load.stages.iter().map(Stage::duration).sum();
        self.loads.iter().map(load).max().unwrap_or_default()
    }
}

/// What one direction sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Its place in [`Trial::directions`].
    pub direction: usize,
    /// What frames.
    pub frame: Frame,
    /// Loads, one after the other without a gap; most trials have one. Never empty.
    pub stages: Vec<Stage>,
}

/// A load for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Frames a second.
    pub fps: Ratio,
    /// How many of them.
    pub frames: u64,
}

impl Stage {
    /// As many frames as `fps` gives in `time`, rounded down.
    pub fn lasting(fps: Ratio, time: Duration) -> Self {
        let frames = fps.times(Ratio::new(time.as_nanos(), 1_000_000_000)).floor() as u64;
        Self { fps, frames }
    }

    /// How long it takes.
    pub fn duration(&self) -> Duration {
        let seconds = Ratio::from(self.frames).over(self.fps);
        Duration::from_nanos(seconds.floor_times(1_000_000_000).unwrap_or(u128::MAX) as u64)
    }
}

/// What happens to the device during a trial (RFC 6201).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// How long after the start.
    pub at: Duration,
    /// The command that does it, for a shell.
    pub command: String,
}

/// What a trial showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// In the order of [`Trial::directions`].
    pub directions: Vec<DirectionResult>,
    /// Latency of all directions together; `None`: not measured.
    pub latency: Option<LatencyStats>,
    /// From the first frame due to the last one sent and one gap.
    pub duration_ns: u64,
    /// The same with all waits around it: what this trial took of the user's time.
    pub duration_with_overheads_ns: u64,
    /// Why it says nothing of the device, with a sentence; `None`: it is valid.
    pub invalid: Option<(InvalidCause, String)>,
}

/// One direction of a trial. `tx = rx_unique + lost`; `rx = rx_unique + duplicate`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DirectionResult {
    /// Frames that left.
    pub tx_frames: u64,
    /// Frames that were asked for and did not leave.
    pub unsent_frames: u64,
    /// Test frames that came, duplicates too.
    pub rx_frames: u64,
    /// Frames that came at least once.
    pub rx_unique_frames: u64,
    /// Frames that left and never came.
    pub lost_frames: u64,
    /// Copies beyond the first.
    pub duplicate_frames: u64,
    /// RFC 4737.
    pub reordered_frames: u64,
    /// Frames that came damaged; they are lost too.
    pub corrupt_frames: u64,
    /// Frames of an earlier trial.
    pub stale_frames: u64,
    /// Frames that the tester itself dropped, sending or receiving.
    pub tester_drops: u64,
    /// Latency; `None`: not measured.
    pub latency: Option<LatencyStats>,
    /// When the last lost frame was sent, since the start.
    pub last_lost_ns: Option<u64>,
    /// The longest time without a frame, from one arrival to the next.
    pub rx_gap_max_ns: Option<u64>,
    /// Second by second, if the plan asked for it; else empty.
    pub seconds: Vec<Second>,
}

/// The frames that were sent within one second since the start, and what became of them.
/// The last one is shorter where the load ends within it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Frames that left within it.
    pub tx_frames: u64,
    /// Those of them that came at least once, whenever.
    pub rx_unique_frames: u64,
}

/// Latency of many frames, signed (RFC 1242 section 3.8), nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LatencyStats {
    pub count: u64,
    pub min_ns: i64,
    pub mean_ns: f64,
    pub p50_ns: i64,
    pub p99_ns: i64,
    pub p999_ns: i64,
    pub max_ns: i64,
    /// Half-width of what is not known; `None`: not calibrated.
    pub uncertainty_ns: Option<u64>,
}

/// Whose fault it is that a trial says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvalidCause {
    /// The tester could not send the load.
    TesterTx,
    /// The tester dropped what it received.
    TesterRx,
    /// The device paused the tester.
    Backpressure,
    /// Frames of an earlier trial came.
    Stale,
    /// Link lost, counters gone and the like.
    Fault,
}

/// Why trials end before their time.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TrialError {
    #[error("interrupted")]
    Interrupted,
    #[error("{message}")]
    Failed {
        message: String,
        /// CONTRACT's exit code.
        exit_code: u8,
    },
    #[error("{message}")]
    Held {
        message: String,
        port: String,
        /// The process that has it, where it can be seen.
        pid: Option<i32>,
    },
}

impl TrialError {
    /// CONTRACT's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { exit_code, .. } => *exit_code,
            Self::Interrupted | Self::Held { .. } => 2,
        }
    }
}

impl TrialResult {
    /// The sum over the directions of one counter.
    pub fn sum(&self, counter: impl Fn(&DirectionResult) -> u64) -> u64 {
        self.directions.iter().map(counter).sum()
    }

    /// Lost frames of sent frames, all directions together, 0 to 1 and exact; `None`: nothing
    /// was sent.
    pub fn loss_ratio(&self) -> Option<Ratio> {
        let (lost, sent) = (self.sum(|d| d.lost_frames), self.sum(|d| d.tx_frames));
        (sent > 0).then(|| Ratio::new(lost.into(), sent.into()))
    }
}
