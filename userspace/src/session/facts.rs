//! What leaves the session: plain values, counted and not yet judged.

use super::{Session, plan, stamping, trial::TrialEnd};
use crate::{
    calibration::{Calibration, Correction},
    collect::{FlowId, Gap, Sample, Totals},
    nic::{DropCounter, PortReading, SettingChange},
    rx::lost_range,
    spec::{Expect, Spacing},
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
    /// Frames sent since the trial began.
    pub tx_frames: u64,
    /// Their octets, without FCS.
    pub tx_bytes: u64,
    /// What was received of them, latency as stamped; `None`: not measured.
    pub rx: Option<crate::rx::Counters>,
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
    /// Whether its frames carry tags. Without them, frames are only counted: their order,
    /// their latency and when a lost one was sent are not known.
    pub tagged: bool,
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
    /// Why latency is void, e.g. because the tester's own queue would be timed.
    pub latency_void: Option<String>,
    /// Sentences about what makes this flow's measurement void.
    pub faults: Vec<String>,
    /// What it must show.
    pub expect: Expect,
}

impl FlowFacts {
    /// Every port that it is received on.
    pub fn receivers(&self) -> impl Iterator<Item = usize> {
        self.rx_port.into_iter().chain(self.more_rx_ports.iter().copied())
    }
}

impl Session {
    pub(super) fn snapshot(&mut self, phase: Phase) -> Snapshot {
        let (collector, series) = (&mut self.collector, self.settings.series);
        let corrections = &self.corrections;
        let flows = (0..).zip(&self.spec.flows).filter_map(|(id, flow)| {
            let correct = |sample| corrected(sample, corrections.of(id));
            let finished = if series { collector.take_settled(FlowId(id)) } else { Vec::new() };
            let totals = collector.totals(FlowId(id))?;
            Some(FlowSnapshot {
                name: flow.name.clone(),
                latest: correct(collector.latest(FlowId(id))?.clone()),
                settled: collector.latest_settled(FlowId(id)).cloned().map(correct),
                finished: finished.into_iter().map(correct).collect(),
                tx_frames: totals.tx_frames,
                tx_bytes: totals.tx_bytes,
                rx: totals.rx.as_ref().map(|rx| rx.counters),
            })
        });
        let flows = flows.collect();
        let elapsed =
            Duration::from_nanos(crate::units::monotonic_ns().saturating_sub(self.base_ns));
        Snapshot { phase, elapsed, base_ns: self.base_ns, flows }
    }

    pub(super) fn facts(&mut self, mut end: TrialEnd) -> RunFacts {
        let mut faults = end.faults.clone();
        if end.interrupted {
            faults.push("interrupted before its end".to_owned());
        }
        let flows = (0..self.spec.flows.len()).map(|id| self.flow_facts(id, &mut end)).collect();
        let ports =
            (0..).zip(self.ports.iter().zip(&end.ports)).map(|(index, (port, end))| PortFacts {
                name: port.name.clone(),
                interface: port.info.name.to_string(),
                driver: port.info.driver.clone(),
                tx_mode: port.queues.first().map(|queue| queue.mode()),
                rx_mode: port.rx_mode(),
                queues: if port.queues.is_empty() {
                    port.info.rx_queues
                } else {
                    port.queues.len() as u32
                },
                link_bps: port.speed_bps(),
                calibrations: self.corrections.received_by(index),
                settings_changed: port.hold.settings_changed().to_vec(),
                tx_frames: (end.counted.as_ref())
                    .filter(|_| port.counts_sent())
                    .map(|counted| counted.link.tx_packets),
                tx_dropped: end.counted.as_ref().map(|counted| {
                    counted.link.tx_dropped.max(end.redirected.map_or(0, |live| live.dropped))
                }),
                rx_frames: end.counted.as_ref().map(|counted| counted.link.rx_packets),
                rx_dropped: end.counted.as_ref().map(PortReading::rx_dropped),
                rx_drops: end.counted.as_ref().map(PortReading::rx_drops).unwrap_or_default(),
                seen: Some(end.analyser.seen),
                pause_frames: end.counted.as_ref().and_then(PortReading::pause_frames),
                xsk: end.xsk,
                peer: port.peer,
            });
        RunFacts {
            started: end.started,
            base_ns: end.start_ns,
            ports: ports.collect(),
            flows,
            faults,
            notes: self.notes(),
        }
    }

    /// When the first and the last lost frame of a flow were sent.
    fn lost_ns(&self, id: usize, end: &TrialEnd) -> Option<(u64, u64)> {
        let flow = &self.spec.flows[id];
        let analyser = self.ports[flow.rx?].receiver.source();
        let mine = self.streams_of(id);
        let streams = self.streams[mine.clone()].iter().zip(&end.sent[mine]);
        let ranges = streams.filter_map(|(stream, sent)| {
            let records: Vec<_> = self.records(stream).collect();
            let frames = sent.submitted_frames;
            let lost = lost_range(&records, &analyser.window(stream.id.0), frames)?;
            let span_ns = u128::from(sent.last_submit_ns.saturating_sub(sent.first_submit_ns));
            let last = u128::from(frames.max(2) - 1);
            let sent_ns = |number: u64| {
                let since_first = (span_ns * u128::from(number) / last) as u64;
                (sent.first_submit_ns + since_first).saturating_sub(end.start_ns)
            };
            Some((sent_ns(lost.0), sent_ns(lost.1)))
        });
        ranges.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
    }

    fn flow_facts(&mut self, id: usize, end: &mut TrialEnd) -> FlowFacts {
        // Before the borrows: histograms are moved, not copied.
        let totals = self.collector.take_totals(FlowId(id as u32)).unwrap_or_default();
        let tx_gap = end.gaps.get_mut(id).map(std::mem::take);
        let flow = &self.spec.flows[id];
        let correction = self.corrections.of(id as u32);
        let link_bps = self.ports[flow.tx].link_bps.unwrap_or(0);
        let sent = || end.sent[self.streams_of(id)].iter();
        let started = || sent().filter(|sent| sent.submitted_frames > 0);
        let changed = end.departures.changed.get(&id);
        let clock = end.departures.clocks.remove(&id).unwrap_or_default();
        let legs = match changed {
            Some(changed) => Some(changed.legs.clone()),
            None => flow.legs(link_bps),
        };
        let last_tx_ns = started().map(|sent| sent.last_submit_ns).max();
        FlowFacts {
            name: flow.name.clone(),
            tx_port: flow.tx,
            rx_port: flow.rx,
            more_rx_ports: flow.more_rx.clone(),
            streams: sent().count() as u32,
            tagged: true,
            requested: match changed {
                Some(changed) => changed.frames,
                None => plan::requested_frames(flow, link_bps),
            },
            intended_pps: plan::intended_pps(
                flow,
                legs.as_deref(),
                end.start_ns + plan::delay_ns(flow),
                last_tx_ns,
                &clock,
            ),
            random: flow.spacing == Spacing::Poisson,
            completed: sent().map(|sent| sent.completed_frames).sum(),
            first_tx_ns: started().map(|sent| sent.first_submit_ns).min(),
            last_tx_ns,
            tx_gap,
            totals,
            samples: self.settings.keep_samples.then(|| {
                self.collector
                    .history(FlowId(id as u32), self.settings.samples)
                    .into_iter()
                    .map(|sample| corrected(sample.clone(), correction))
                    .collect()
            }),
            correction,
            lost_ns: self.lost_ns(id, end),
            store_and_forward: flow.rx.is_some()
                && flow.receivers().all(|rx| {
                    let wire = |port: usize| {
                        let port = &self.ports[port];
                        stamping::wire_bps(&port.info, port.link_bps.filter(|_| port.line_given))
                    };
                    stamping::octet_ps(wire(flow.tx), wire(rx)).is_some()
                }),
            latency_void: None,
            faults: Vec::new(),
            expect: flow.expect.clone(),
        }
    }
}

/// The sample with the tester's own part taken off its latency.
fn corrected(mut sample: Sample, correction: Option<Correction>) -> Sample {
    if let (Some(latency), Some(correction)) = (&mut sample.latency, correction) {
        for value in [
            &mut latency.p50,
            &mut latency.p90,
            &mut latency.p99,
            &mut latency.p999,
            &mut latency.max,
        ] {
            *value -= correction.bias_ns;
        }
    }
    sample
}
