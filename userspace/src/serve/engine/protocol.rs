//! What crosses between the listener and the engine: JSON, a line each.

use super::{RunHistograms, RunSnapshot, SuiteEvent, SuitePlan, SuiteStart};
use crate::spec::JsonText;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line from the listener.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Call {
    /// Answered with the same number.
    pub(super) id: u64,
    /// Of the worker that it is meant for: one that comes after does not take it up.
    pub(super) generation: u32,
    pub(super) command: Command,
}

/// A line from the engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Answer {
        id: u64,
        answer: Result<Answer, EngineError>,
    },
    Event(Event),
    /// The worker died, and another was started.
    Restarted {
        generation: u32,
        reason: String,
    },
}

/// What the engine is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Take the ports and send; answered once all is ready to.
    Start(RunStart),
    /// End a run; its result comes as [`Event::Done`].
    Stop {
        /// The run.
        run: u64,
    },
    /// Pause flows (none named: all).
    Pause {
        /// The run.
        run: u64,
        /// Names of rows.
        flows: Vec<String>,
    },
    /// Let paused flows go on (none named: all).
    Resume {
        /// The run.
        run: u64,
        /// Names of rows.
        flows: Vec<String>,
    },
    /// Change the rate of a flow.
    SetRate {
        /// The run.
        run: u64,
        /// Name of the row.
        flow: String,
        /// As in a flow file.
        rate: String,
    },
    /// Say what a suite comes to; nothing is taken.
    PlanSuite(SuiteStart),
    /// Take the ports and begin, or go on; answered once the first trial can begin.
    StartSuite(SuiteStart),
    /// End a suite; what it has comes as [`SuiteEvent::Over`].
    StopSuite {
        /// The suite.
        suite: u64,
    },
    /// The lines of a suite's trial log before `upto` are on the disk.
    SuiteKept {
        /// The suite.
        suite: u64,
        /// Number of the line after them.
        upto: u64,
        /// Why they are not.
        fault: Option<String>,
    },
    /// Everything about one port, or about all of the engine's own namespace.
    Ports {
        /// A PORT.
        port: Option<String>,
    },
    /// What the kernel has counted on ports.
    Count {
        /// PORTs.
        ports: Vec<String>,
    },
    /// Set a port up or down.
    Link {
        /// A PORT.
        port: String,
        /// Up.
        up: bool,
    },
    /// What another daemon asks for its session: see [`crate::session::Host`].
    Remote {
        /// By which it is known.
        lease: String,
        /// JSON.
        request: String,
    },
    /// Write down what passes a port.
    StartCapture(CaptureStart),
    /// End a capture; its counts come as [`Event::CaptureDone`].
    StopCapture {
        /// The capture.
        capture: u64,
    },
    /// A part of what was written, pcapng.
    ReadCapture {
        /// The capture.
        capture: u64,
        /// First octet.
        offset: u64,
        /// Octets at most.
        octets: u32,
    },
    /// Forget a capture.
    DropCapture {
        /// The capture.
        capture: u64,
    },
}

/// A run to start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// A number of its own.
    pub run: u64,
    /// The shape of a flow file.
    pub spec: JsonText,
    /// How long every flow lasts, instead of its own end: `10s`.
    pub duration: Option<String>,
    /// Of every rate: `50%`.
    pub scale: Option<String>,
    /// Flows that begin paused, by the names of their rows.
    pub held: Vec<String>,
    /// How frames are to leave.
    pub backend: Backend,
    /// Length of a sample, ns.
    pub interval_ns: u64,
    /// Samples kept for the result; 0: none.
    pub samples: usize,
    /// PORTs whose test frames also go on to the kernel, where captures beside hear them.
    #[serde(default)]
    pub listened: Vec<String>,
}

/// `auto`, `af_xdp` or `live_frames`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The fastest that keeps what the flows ask.
    #[default]
    Auto,
    /// AF_XDP sockets.
    AfXdp,
    /// BPF live frames.
    LiveFrames,
}

impl From<Backend> for crate::tx::Backend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Auto => Self::Auto,
            Backend::AfXdp => Self::AfXdp,
            Backend::LiveFrames => Self::LiveFrames,
        }
    }
}

/// A capture to start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaptureStart {
    /// A number of its own.
    pub capture: u64,
    /// A PORT.
    pub port: String,
    /// Octets kept of each frame.
    pub snap: u32,
    /// Which frames, in tcpdump's words.
    pub filter: Option<String>,
    /// Ends after so many frames.
    pub count: Option<u64>,
    /// Ends after this time, ns.
    pub duration_ns: Option<u64>,
    /// Octets of pcapng that are kept at most; then it ends.
    pub octets: u64,
    /// Beside whoever has the port: what goes to and from the kernel, and nothing else.
    #[serde(default)]
    pub beside: bool,
}

/// What a command is answered with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// The run sends from now on.
    Started(Started),
    /// What the suite comes to; of one that was started, it goes on.
    Suite(SuitePlan),
    /// `linerate.ports/1`.
    Ports(Value),
    /// JSON.
    Remote(String),
    /// In the order asked.
    Counts(Vec<PortCount>),
    /// Octets in hexadecimal digits.
    Octets(String),
}

/// A run that is ready to send.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub run: u64,
    /// CPUs that it sends from, where its workers keep to theirs.
    pub senders_cpus: Vec<usize>,
    /// How long it takes; `None`: not known before.
    pub planned_ns: Option<u64>,
    /// How each port is used, a line each.
    pub modes: Vec<String>,
    /// Why not in better modes.
    pub notes: Vec<String>,
}

/// What the kernel counted on a port since it exists, bytes without FCS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortCount {
    /// The PORT.
    pub port: String,
    /// Up, and with a carrier.
    pub link: bool,
    /// Frames sent.
    pub tx_frames: u64,
    /// Their octets.
    pub tx_bytes: u64,
    /// Frames received.
    pub rx_frames: u64,
    /// Their octets.
    pub rx_bytes: u64,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum EngineError {
    /// Somebody else has a port.
    #[error("port {} is held by {}; stop that first", .0.port, .0.holder)]
    Busy(Held),
    /// The flows cannot be used as they are.
    #[error("{message}")]
    Invalid {
        /// The path of keys; empty: the whole.
        place: String,
        /// What is wrong there and what is allowed.
        message: String,
    },
    /// A privilege or a kernel feature is missing.
    #[error("{message}")]
    Unable {
        /// Which.
        message: String,
    },
    /// It was tried and failed: no carrier, no next hop.
    #[error("{message}")]
    Failed {
        /// Why.
        message: String,
    },
    /// There is no such run, capture or suite at work.
    #[error("there is no {what} {number} at work")]
    Unknown {
        /// `run`, `capture` or `suite`.
        what: String,
        /// Its number.
        number: u64,
    },
    /// A flow does not take the change.
    #[error("{message}")]
    Control {
        /// Why.
        message: String,
    },
    /// The engine died before it answered.
    #[error("the data plane ended: {reason}")]
    Gone {
        /// How.
        reason: String,
    },
}

/// A port, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The PORT as asked for.
    pub port: String,
    /// Who has it.
    pub holder: Holder,
}

/// Who has a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A run of this daemon.
    Run(u64),
    /// A capture of this daemon.
    Capture(u64),
    /// A suite of this daemon.
    Suite(u64),
    /// Another process, by its number where that can be seen.
    Process(Option<i32>),
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {run}"),
            Self::Capture(capture) => write!(f, "capture {capture}"),
            Self::Suite(suite) => write!(f, "suite {suite}"),
            Self::Process(Some(pid)) => write!(f, "process {pid}"),
            Self::Process(None) => f.write_str("another process"),
        }
    }
}

/// What happens by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An interval of a run is over.
    Snapshot(RunSnapshot),
    /// The same interval, drawn; left out where the pipe is full.
    Histograms(RunHistograms),
    /// A run is over.
    Done {
        /// The run.
        run: u64,
        /// `linerate.run/1`.
        result: JsonText,
    },
    /// A run broke off without a result.
    Failed {
        /// The run.
        run: u64,
        /// Why.
        reason: String,
    },
    /// A capture is over.
    CaptureDone {
        /// The capture.
        capture: u64,
        /// What it wrote.
        counts: CaptureCounts,
        /// Why it ended before its time.
        fault: Option<String>,
    },
    /// Of a suite.
    Suite(SuiteEvent),
}

/// What a capture counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CaptureCounts {
    /// Frames in the file.
    pub written_frames: u64,
    /// Frames that passed the port.
    pub received_frames: u64,
    /// Frames that the port dropped.
    pub interface_dropped_frames: u64,
    /// Frames dropped for want of room.
    pub kernel_dropped_frames: u64,
    /// Octets of the file.
    pub file_bytes: u64,
}
