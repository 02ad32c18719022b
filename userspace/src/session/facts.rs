//! What leaves the session: plain values, counted and not yet judged.

use super::ClockOffset;
use crate::{
    calibration::{Calibration, Correction},
    collect::{Coarse, Gap, Sample, Totals},
    nic::{DropCounter, SettingChange},
    rx::Counters,
    spec::Expect,
    tx::{TxMode, XskStatistics},
};
use std::time::Duration;
use xdp_ebpf::XdpMode;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Workers are sending.
    Sending,
    /// Waiting for frames in flight.
    Draining,
    /// Everything is counted.
    Done,
}

/// How the frames of a flow are told from others, and so what can be known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldBy {
    /// A tag in each.
    Tag,
    /// Their whole content: how often each came is known, but not in which order, how late,
    /// and of when a lost one is.
    Content,
    /// What their headers have in common: only how many came.
    Headers {
        /// Whether they are told at every port of the run.
        everywhere: bool,
    },
}

impl ToldBy {
    /// Whether a frame that came twice is known to be one.
    pub fn knows_each(self) -> bool {
        !matches!(self, Self::Headers { .. })
    }

    /// Whether what came to another port is known.
    pub fn knows_strays(self) -> bool {
        matches!(self, Self::Tag | Self::Headers { everywhere: true })
    }
}

/// A run at the end of an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Where the run stands.
    pub phase: Phase,
    /// Time since the first frame was due.
    pub elapsed: Duration,
    /// When that was, CLOCK_MONOTONIC ns: samples count from here.
    pub base_ns: u64,
    /// Every flow, in file order.
    pub flows: Vec<FlowSnapshot>,
}

/// A flow at the end of an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowSnapshot {
    /// Name of the row.
    pub name: String,
    /// The interval that just ended.
    pub latest: Sample,
    /// The newest interval whose loss is known.
    pub settled: Option<Sample>,
    /// Intervals that became final since the snapshot before, oldest first; together
    /// the whole run. Empty unless [`Settings::series`](super::Settings::series).
    pub finished: Vec<Sample>,
    /// Empty unless [`Settings::series`](super::Settings::series).
    pub histograms: FlowHistograms,
    /// Frames sent since the trial began.
    pub tx_frames: u64,
    /// Their octets, without FCS.
    pub tx_bytes: u64,
    /// What was received of them, latency as stamped; `None`: not measured.
    pub rx: Option<Counters>,
    /// What of that is known.
    pub told_by: ToldBy,
}

/// What a flow's frames look like, for those who draw it. `None`: not measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowHistograms {
    /// Latency of what arrived in the interval that just ended.
    pub latency: Option<Coarse>,
    /// Times between arrivals since the trial began.
    pub rx_gap: Option<Coarse>,
    /// Times between submits since the trial began.
    pub tx_gap: Option<Coarse>,
}

/// A run that is over: counted, not yet judged.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// Wall-clock time of the start.
    pub started: jiff::Timestamp,
    /// Start of the first interval, CLOCK_MONOTONIC ns: samples count from here.
    pub base_ns: u64,
    /// Every port held, in the spec's order.
    pub ports: Vec<PortFacts>,
    /// Every flow and direction, in file order.
    pub flows: Vec<FlowFacts>,
    /// Sentences about what makes the whole run void; each flow becomes `invalid`.
    pub faults: Vec<String>,
    /// Sentences worth knowing that void nothing, such as a mode that was refused.
    pub notes: Vec<String>,
}

/// A port as it was used, and what its counters gained between the start of the trial and
/// the end of its drain. `None`: not known.
#[derive(Debug, Clone)]
pub struct PortFacts {
    /// Its name in the spec.
    pub name: String,
    /// The PORT.
    pub interface: String,
    /// The kernel's driver.
    pub driver: String,
    /// How frames left; `None`: none were to leave.
    pub tx_mode: Option<TxMode>,
    /// Where the analyser ran.
    pub rx_mode: XdpMode,
    /// TX queues used; RX queues where nothing leaves.
    pub queues: u32,
    /// Speed of the link, bits per second; `None` for links without a physical speed.
    pub link_bps: Option<u64>,
    /// Calibrations that hold for what it receives.
    pub calibrations: Vec<PathCalibration>,
    /// Settings changed for the session and restored after it.
    pub settings_changed: Vec<SettingChange>,
    /// Frames sent, by the kernel's interface counter.
    pub tx_frames: Option<u64>,
    /// Frames that the interface dropped on the way out.
    pub tx_dropped: Option<u64>,
    /// Frames received, by the kernel's interface counter.
    pub rx_frames: Option<u64>,
    /// Frames dropped between the NIC and the analyser (missed, no buffer, ring full),
    /// without those that the kernel dropped after the analyser let them pass.
    pub rx_dropped: Option<u64>,
    /// Frames that the analyser saw.
    pub seen: Option<u64>,
    /// The counters above zero that speak of such drops; several may count the same ones.
    pub rx_drops: Vec<DropCounter>,
    /// Pause frames received.
    pub pause_frames: Option<u64>,
    /// What its AF_XDP sockets counted; `None`: it has none.
    pub xsk: Option<XskStatistics>,
    /// The other end, where the port is a veth.
    pub peer: Option<Peer>,
    /// Of a port of another daemon: what the clock here is ahead of the one there, and what
    /// they drifted apart, ns.
    pub clock: Option<(ClockOffset, Option<i64>)>,
    /// How its NIC timed what it received; `None`: the kernel did.
    pub nic_times: Option<NicTimes>,
}

/// Frames that a port's NIC was to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NicTimes {
    /// Timed by it.
    pub stamped: u64,
    /// Timed by the kernel, for want of a stamp or of what its clock shows.
    pub unstamped: u64,
}

/// The other end of a veth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A port of this run, its place in [`RunFacts::ports`].
    Port(usize),
    /// None of them.
    Elsewhere,
}

/// What was measured without a device, from another port to this one.
#[derive(Debug, Clone, PartialEq)]
pub struct PathCalibration {
    /// Name of the sending port in the spec.
    pub from: String,
    /// The measurement.
    pub calibration: Calibration,
}

/// A flow in one direction. Port numbers are places in [`RunFacts::ports`].
#[derive(Debug, Clone)]
pub struct FlowFacts {
    /// Name of the row.
    pub name: String,
    /// Port that it left from.
    pub tx_port: usize,
    /// Port that it is received on; `None`: transmit only.
    pub rx_port: Option<usize>,
    /// Further ports that it is received on.
    pub more_rx_ports: Vec<usize>,
    /// Streams that it was striped over.
    pub streams: u32,
    /// How its frames are told.
    pub told_by: ToldBy,
    /// Frames asked for: `floor(rate x seconds)` or `frames`. `None` at rate "max" and
    /// for a run without end: then what was sent is what was asked for.
    pub requested: Option<u64>,
    /// Mean frames a second asked for until the last submit; `None`: "max" or in bursts.
    pub intended_pps: Option<f64>,
    /// Frames leave at random times around that rate.
    pub random: bool,
    /// Frames that the kernel gave back as sent; `None`: the back end cannot know.
    pub completed: Option<u64>,
    /// First submit, CLOCK_MONOTONIC ns; `None`: nothing was sent.
    pub first_tx_ns: Option<u64>,
    /// Last submit.
    pub last_tx_ns: Option<u64>,
    /// Gaps between submits, by stream; `None`: not measured.
    pub tx_gap: Option<Gap>,
    /// Counters and latency of the whole run.
    pub totals: Totals,
    /// The ring, oldest first; `None`: not asked for.
    pub samples: Option<Vec<Sample>>,
    /// What the calibration takes off every latency; `None`: latency is as stamped.
    /// Samples have it taken off already, totals have not.
    pub correction: Option<Correction>,
    /// When the first and the last of the lost frames were sent, ns since the trial began, by
    /// their place between the first and the last submit of their stream.
    pub lost_ns: Option<(u64, u64)>,
    /// Whether the time on both wires was taken off each latency (RFC 1242, store and
    /// forward), and it is not the raw difference of the stamps.
    pub store_and_forward: bool,
    /// How far the clocks of the two hosts may be wrong to each other; `None`: it is one clock.
    pub clock_error_ns: Option<u64>,
    /// How far the clock of the NIC that timed its frames may be off; `None`: it was the
    /// kernel's.
    pub nic_error_ns: Option<u64>,
    /// Why latency is void, e.g. because the tester's own queue would be timed.
    pub latency_void: Option<String>,
    /// Sentences about what makes this flow's measurement void.
    pub faults: Vec<String>,
    /// What it must show.
    pub expect: Expect,
}

impl FlowFacts {
    /// Whether its frames come back to where they left, and latency is that of both ways.
    pub fn is_round_trip(&self) -> bool {
        self.rx_port == Some(self.tx_port) && self.more_rx_ports.is_empty()
    }

    /// Every port that it is received on.
    pub fn receivers(&self) -> impl Iterator<Item = usize> {
        self.rx_port.into_iter().chain(self.more_rx_ports.iter().copied())
    }
}
