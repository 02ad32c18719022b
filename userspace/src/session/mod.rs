//! One run, from ports taken to frames accounted for.
//!
//! ```text
//! Session::open: ports held, analysers attached, queues bound, next hops known
//! Session::run:  sending -> draining -> done, any number of times
//! drop:          nothing attached, settings restored
//! ```
//!
//! The room's border is plain: a [`Spec`] goes in, [`Snapshot`]s
//! and [`RunFacts`] come out; no handle of a port, map or thread does.

mod backend;
mod calibrate;
mod capture;
mod clocks;
mod control;
mod counted;
mod course;
mod elsewhere;
mod error;
mod facts;
mod judging;
mod links;
mod load;
mod next_hop;
mod nic_clock;
mod open;
mod pin;
mod plan;
mod port;
mod readings;
mod remote;
mod replay;
mod respond;
mod single;
mod stamping;
mod telling;
mod trial;
mod workers;

pub use capture::{CaptureEnd, CaptureSession, CaptureSpec};
pub use control::{ControlError, RateControl};
pub use course::Course;
pub use error::SessionError;
pub use facts::{
    FlowFacts, FlowHistograms, FlowSnapshot, NicTimes, PathCalibration, Peer, Phase, PortFacts,
    RunFacts, Snapshot, ToldBy,
};
pub use judging::{Judged, PortLoad};
pub use load::FlowLoad;
pub use next_hop::vlan_tags;
pub use nic_clock::{clock_in_words, receive_clock};
pub use remote::{
    ClockOffset, Host, PortAnnouncer, Reach, VERSION, VERSION_HEADER, far_counters, far_port_report,
};
pub use replay::{Replay, ReplayError, ReplayPace, ReplaySpec};
pub use respond::{RespondFacts, RespondSession, RespondSpec, Responded};

use crate::{
    collect::{Collector, DEFAULT_CAPACITY, Gap},
    packet::{Cursor, NextHop, Program},
    spec::{Spec, Track},
    tx::{Backend, TxMode},
};
use links::Links;
use plan::Stream;
use port::Port;
use std::{
    ops::Range,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use xdp_ebpf::XdpMode;

/// How a session samples.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Length of a sample, and of the intervals that losses are binned by.
    pub interval: Duration,
    /// Samples kept of each flow.
    pub samples: usize,
    /// Whether the facts of a run hold the samples.
    pub keep_samples: bool,
    /// Whether the snapshots hold every sample once it is final.
    pub series: bool,
    /// How frames are to leave.
    pub backend: Backend,
    /// Where calibrations are kept; `None`: none is used.
    pub calibrations: Option<PathBuf>,
    /// Ports of the spec whose test frames also go on to the kernel, for
    /// [`CaptureSession::beside`].
    pub listened: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            samples: DEFAULT_CAPACITY,
            keep_samples: false,
            series: false,
            backend: Backend::Auto,
            calibrations: None,
            listened: Vec::new(),
        }
    }
}

/// Ports held and analysers attached, ready to run the flows of a spec.
#[derive(Debug)]
pub struct Session {
    spec: Arc<Spec>,
    control: RateControl,
    settings: Settings,
    /// By stream id.
    streams: Vec<Stream>,
    /// By flow: whether a frame of it is known at every port of the session.
    known_everywhere: Vec<bool>,
    /// By flow: the part of a gap by which it starts later.
    phases: Vec<f64>,
    /// By flow.
    next_hops: Vec<NextHop>,
    /// By flow.
    programs: Vec<Arc<Program>>,
    ports: Vec<Port>,
    /// Ports of other daemons.
    groups: Vec<remote::Group>,
    watch: Links,
    collector: Collector,
    corrections: calibrate::Corrections,
    /// By flow, since the trial began; only where a series is told.
    tx_gaps: Vec<Gap>,
    nonce: u32,
    /// Start of the current trial, CLOCK_MONOTONIC ns.
    base_ns: u64,
    /// What the clock in tags is ahead of ours: the other daemon's that this one works for.
    clock_offset_ns: i64,
    trial_number: u8,
}

impl Session {
    /// Sends every flow once, until all are done or `stop` is set, then drains. `observe`
    /// hears once an interval what has happened since.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(&Snapshot),
    ) -> Result<RunFacts, SessionError> {
        self.run_course(&mut Course::default(), stop, observe)
    }

    /// The same, watched and ended as `course` says.
    pub fn run_course(
        &mut self,
        course: &mut Course<'_>,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(&Snapshot),
    ) -> Result<RunFacts, SessionError> {
        let mut observe = |phase, session: &mut Self| observe(&session.snapshot(phase));
        let end = self.trial(course, stop, &mut observe)?;
        Ok(self.facts(end))
    }

    /// What changes the rates while [`Self::run`] runs, from any thread.
    pub fn control(&self) -> RateControl {
        self.control.clone()
    }

    /// When the last flow is over; `None`: not known before.
    pub fn planned(&self) -> Option<Duration> {
        let over = |flow: &crate::spec::Flow| {
            plan::planned(flow, self.ports[flow.tx].link_bps.unwrap_or(0))
        };
        self.spec.flows.iter().map(over).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// The names of the rows, in file order.
    pub fn flows(&self) -> Vec<String> {
        self.spec.flows.iter().map(|flow| flow.name.clone()).collect()
    }

    /// How each port is used, a line each.
    pub fn modes(&self) -> Vec<String> {
        let sends = |port: &Port| {
            let Some(queue) = port.queues.first() else { return "sends nothing".to_owned() };
            let mode = match queue.mode() {
                TxMode::ZeroCopy => "zero-copy",
                TxMode::Copy => "copy",
                TxMode::LiveFrames => "live frames",
            };
            format!("sends by {mode} on {} of its TX queues", port.queues.len())
        };
        let lines = self.ports.iter().map(|port| {
            let analyser = match port.rx_mode() {
                XdpMode::Native => "native",
                XdpMode::Generic => "generic",
            };
            let driver = &port.info.driver;
            let clock = port.timed_by().map(|by| format!(", {by}")).unwrap_or_default();
            format!("{} ({driver}): {}, {analyser} analyser{clock}", port.name, sends(port))
        });
        lines.collect()
    }

    /// Sentences worth knowing about how the ports are used: why not in better modes.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (index, port) in self.ports.iter().enumerate() {
            if let Some(reason) = &port.native_refused {
                notes.push(format!("{}: the analyser runs in generic mode: {reason}", port.name));
            }
            notes.extend(port.nic_note().map(|note| format!("{}: {note}", port.name)));
            notes.extend(port.stamping.iter().map(|why| format!("{}: {why}", port.name)));
            let timed = |flow: &crate::spec::Flow| {
                flow.track == Track::Tag && flow.receivers().any(|rx| rx == index)
            };
            // A calibration has the wait in it; a NIC does not wait with its stamp.
            let as_stamped = self.corrections.received_by(index).is_empty();
            let as_stamped = as_stamped && port.nic_clock().is_none();
            if as_stamped && self.spec.flows.iter().any(timed) {
                let rx_usecs = port.capabilities.rx_coalesce_us;
                let put_off = stamping::moderated(&port.info.name.interface, rx_usecs);
                notes.extend(put_off.map(|why| format!("{}: {why}", port.name)));
            }
            notes.extend(port.backend_note.iter().map(|note| format!("{}: {note}", port.name)));
            let uncontrolled = port.not_controllable().iter().filter(|_| port.info.physical);
            notes.extend(uncontrolled.map(|what| format!("{}: {what}", port.name)));
        }
        notes.extend(self.corrections.notes.iter().cloned());
        let back =
            |flow: &&crate::spec::Flow| flow.receivers().eq([flow.tx]) && flow.track == Track::Tag;
        notes.extend(self.spec.flows.iter().filter(back).map(|flow| {
            let port = &self.ports[flow.tx].name;
            format!("{}: sent and received on {port}: latency is the round trip", flow.name)
        }));
        notes
    }

    /// What the flows may take of memory, as a sentence: the analysers' maps from the
    /// start, the samples by and by.
    pub fn memory(&self) -> String {
        let kernel: u64 = self.ports.iter().map(|port| port.receiver.source().memory_bytes()).sum();
        let flows = self.spec.flows.len().max(1);
        let flow_bytes = self.collector.full_flow_bytes()
            + self.streams.len().div_ceil(flows)
                * (size_of::<xdp_ebpf::abi::slab>() + crate::tx::StreamCounters::BYTES);
        format!(
            "memory: {} MiB of analyser maps, {} KiB a flow; {} KiB a flow in user space at \
             most, when {} samples are kept",
            kernel >> 20,
            (kernel / flows as u64) >> 10,
            flow_bytes >> 10,
            self.settings.samples
        )
    }

    /// The ids of a flow's streams, which lie side by side.
    fn streams_of(&self, flow: usize) -> Range<usize> {
        let before = |flow| self.streams.partition_point(|stream| stream.flow < flow);
        before(flow)..before(flow + 1)
    }

    /// The frames of one stream, from its first.
    fn cursor(&self, stream: &Stream) -> Cursor {
        Cursor::new(Arc::clone(&self.programs[stream.flow]), stream.first, stream.stride)
    }
}
