//! What a run was, as counted: the input of every conclusion.

use super::{Host, PortResult, Tool};
use crate::{
    collect::{Gap, Sample, Totals},
    spec::Expect,
};

/// All that a session knows when a run is over: counted, not yet judged.
#[derive(Debug, Clone)]
pub struct RunFacts<'a> {
    /// The tester's software.
    pub tool: Tool,
    /// The tester's machine.
    pub host: Host,
    /// Wall-clock time of the start.
    pub started: jiff::Timestamp,
    /// Start of the first interval, `CLOCK_MONOTONIC` ns: samples count from here.
    pub base_ns: u64,
    /// Every port held, in the session's order.
    pub ports: Vec<PortFacts>,
    /// Every flow and direction, in the file's order.
    pub flows: Vec<FlowFacts<'a>>,
    /// Sentences about what makes the whole run void; each flow becomes `invalid`.
    pub faults: Vec<String>,
    /// Sentences worth knowing that void nothing, such as a mode that was refused.
    pub notes: Vec<String>,
}

/// A port, and what its counters gained between the start of the trial and the end of
/// its drain. `None`: not known.
#[derive(Debug, Clone)]
pub struct PortFacts {
    /// As the result shows it.
    pub result: PortResult,
    /// Frames sent, by the kernel's interface counter.
    pub tx_frames: Option<u64>,
    /// Frames that the interface dropped on the way out.
    pub tx_dropped: Option<u64>,
    /// Frames received, by the kernel's interface counter.
    pub rx_frames: Option<u64>,
    /// Frames dropped between the NIC and the analyser (missed, no buffer, ring full),
    /// without those that the kernel dropped after the analyser let them pass.
    pub rx_dropped: Option<u64>,
    /// Frames that the analyser saw (`rx::PortTotals::seen`).
    pub seen: Option<u64>,
    /// Pause frames received.
    pub pause_frames: Option<u64>,
}

/// A flow in one direction. Port numbers are places in [`RunFacts::ports`].
#[derive(Debug, Clone)]
pub struct FlowFacts<'a> {
    /// Name of the row.
    pub name: String,
    /// Port that it leaves from.
    pub tx_port: usize,
    /// Port that it is received on; `None`: transmit only.
    pub rx_port: Option<usize>,
    /// Streams that it was striped over.
    pub streams: u32,
    /// Frames asked for: `floor(rate x seconds)` or `frames`. `None` at rate "max" and
    /// for a run without end: then what was sent is what was asked for.
    pub requested: Option<u64>,
    /// Mean frames a second asked for; `None`: "max".
    pub intended_pps: Option<f64>,
    /// Frames that the kernel gave back as sent; `None`: the back end cannot know.
    pub completed: Option<u64>,
    /// First submit, `CLOCK_MONOTONIC` ns; `None`: nothing was sent.
    pub first_tx_ns: Option<u64>,
    /// Last submit.
    pub last_tx_ns: Option<u64>,
    /// Gaps between submits, by stream; `None`: not measured.
    pub tx_gap: Option<Gap>,
    /// From `collect::Collector::totals`, after the drain.
    pub totals: &'a Totals,
    /// From `collect::Collector::history`, when asked for.
    pub samples: Option<Vec<&'a Sample>>,
    /// Why latency is void, e.g. because the tester's own queue would be timed.
    pub latency_void: Option<String>,
    /// Sentences about what makes this flow's measurement void.
    pub faults: Vec<String>,
    /// What it must show.
    pub expect: Expect,
}
