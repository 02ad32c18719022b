//! What leaves the session: plain values, counted and not yet judged.

use super::{Session, plan, trial::TrialEnd};
use crate::{
    collect::{FlowId, Sample, Totals},
    nic::{LinkCounters, SettingChange},
    rx::PortTotals,
    spec::Expect,
    tx::TxMode,
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
}

/// A run that is over.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// Wall-clock time of the start.
    pub started: jiff::Timestamp,
    /// Start of the first interval, CLOCK_MONOTONIC ns.
    pub base_ns: u64,
    /// Every port held, in the spec's order.
    pub ports: Vec<PortFacts>,
    /// Every flow and direction, in file order.
    pub flows: Vec<FlowFacts>,
    /// Sentences about what makes the whole run void.
    pub faults: Vec<String>,
    /// Sentences worth knowing that void nothing.
    pub notes: Vec<String>,
}

/// A port and what it counted during the run.
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
    /// TX queues used.
    pub tx_queues: u32,
    /// Line rate in bits per second.
    pub link_bps: Option<u64>,
    /// Settings changed for the session.
    pub settings_changed: Vec<SettingChange>,
    /// Gain of the kernel's interface counters; `None`: the port is gone.
    pub link: Option<LinkCounters>,
    /// What the analyser saw.
    pub analyser: PortTotals,
}

/// A flow and what became of it.
#[derive(Debug, Clone)]
pub struct FlowFacts {
    /// Name of the row.
    pub name: String,
    /// Port that it left from, index in [`RunFacts::ports`].
    pub tx_port: usize,
    /// Port that it is received on; `None`: transmit only.
    pub rx_port: Option<usize>,
    /// Streams that it was striped over.
    pub streams: u32,
    /// Frames asked for; `None`: what fits.
    pub requested: Option<u64>,
    /// Mean frames a second asked for; `None`: "max" or in bursts.
    pub intended_pps: Option<f64>,
    /// Frames that the kernel gave back as sent.
    pub completed: u64,
    /// First submit, CLOCK_MONOTONIC ns; `None`: nothing was sent.
    pub first_tx_ns: Option<u64>,
    /// Last submit.
    pub last_tx_ns: Option<u64>,
    /// Counters and latency of the whole run.
    pub totals: Totals,
    /// The ring, oldest first.
    pub samples: Vec<Sample>,
    /// What it must show.
    pub expect: Expect,
}

impl Session {
    pub(super) fn snapshot(&self, phase: Phase) -> Snapshot {
        let flows = (0..).zip(&self.spec.flows).filter_map(|(id, flow)| {
            Some(FlowSnapshot {
                name: flow.name.clone(),
                latest: self.collector.latest(FlowId(id))?.clone(),
                settled: self.collector.latest_settled(FlowId(id)).cloned(),
            })
        });
        let elapsed = Duration::from_nanos(crate::tx::monotonic_ns().saturating_sub(self.base_ns));
        Snapshot { phase, elapsed, flows: flows.collect() }
    }

    pub(super) fn facts(&self, end: TrialEnd) -> RunFacts {
        let mut faults = end.faults.clone();
        if end.interrupted {
            faults.push("interrupted before its end".to_owned());
        }
        let flows = (0..).zip(&self.spec.flows).map(|(id, _)| self.flow_facts(id, &end)).collect();
        let ports = self.ports.iter().zip(&end.ports).map(|(port, end)| PortFacts {
            name: port.name.clone(),
            interface: port.info.name.to_string(),
            driver: port.info.driver.clone(),
            tx_mode: port.queues.first().map(crate::tx::Queue::mode),
            rx_mode: port.rx_mode(),
            tx_queues: port.queues.len() as u32,
            link_bps: port.link_bps,
            settings_changed: port.hold.settings_changed().to_vec(),
            link: end.link,
            analyser: end.analyser,
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

    fn flow_facts(&self, id: u32, end: &TrialEnd) -> FlowFacts {
        let flow = &self.spec.flows[id as usize];
        let link_bps = self.ports[flow.tx].link_bps.unwrap_or(0);
        let sent = || self.streams.iter().zip(&end.sent).filter(|(stream, _)| stream.flow == id as usize).map(|(_, sent)| sent);
        let started = || sent().filter(|sent| sent.submitted_frames > 0);
        FlowFacts {
            name: flow.name.clone(),
            tx_port: flow.tx,
            rx_port: flow.rx,
            streams: sent().count() as u32,
            requested: plan::requested_frames(flow, link_bps),
            intended_pps: plan::intended_pps(flow, link_bps),
            completed: sent().map(|sent| sent.completed_frames).sum(),
            first_tx_ns: started().map(|sent| sent.first_submit_ns).min(),
            last_tx_ns: started().map(|sent| sent.last_submit_ns).max(),
            totals: self.collector.totals(FlowId(id)).cloned().unwrap_or_default(),
            samples: self.collector.history(FlowId(id), self.settings.samples).into_iter().cloned().collect(),
            expect: flow.expect.clone(),
        }
    }
}
