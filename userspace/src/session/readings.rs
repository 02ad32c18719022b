//! Everything that counts, read together: sockets, interfaces, analysers, workers.

use super::{Session, trial::PortEnd};
use crate::{
    collect::{FlowId, FlowReading},
    nic::PortReading,
    rx::{IntervalClock, IntervalRing, PortTotals},
    spec::Track,
    tx::{TxCounters, XskStatistics},
    units::monotonic_ns,
};
use std::sync::Arc;

/// What interfaces and sockets say, by port.
pub(super) struct Counted(Vec<(Option<PortReading>, Option<XskStatistics>)>);

impl Session {
    pub(super) fn counted(&mut self) -> Counted {
        Counted(self.ports.iter_mut().map(|port| (port.counted(), port.xsk())).collect())
    }
}

impl Counted {
    pub(super) fn since(self, before: Self, analysers: &[PortTotals]) -> Vec<PortEnd> {
        let pairs = self.0.into_iter().zip(before.0).zip(analysers);
        let gained = pairs.map(|(((counted, xsk), (then, xsk_then)), &analyser)| PortEnd {
            counted: counted.zip(then).map(|(now, then)| now.since(&then)),
            xsk: xsk.zip(xsk_then).map(|(now, then)| now.since(then)),
            analyser,
            redirected: None,
            clock: None,
        });
        gained.collect()
    }
}

/// Joins what the workers and the analysers say into one reading per flow.
pub(super) struct Readings {
    clock: IntervalClock,
    streams: Vec<(Arc<dyn TxCounters>, IntervalRing)>,
    flows: Vec<FlowReading>,
    pub(super) ports: Vec<PortTotals>,
}

impl Readings {
    pub(super) fn new(session: &Session, start_ns: u64, counters: &[Arc<dyn TxCounters>]) -> Self {
        Self {
            clock: IntervalClock::new(start_ns, session.settings.interval),
            streams: counters
                .iter()
                .map(|counters| (Arc::clone(counters), IntervalRing::default()))
                .collect(),
            flows: vec![FlowReading::default(); session.spec.flows.len()],
            ports: vec![PortTotals::default(); session.ports.len()],
        }
    }

    /// Reads all ports and streams and gives every flow's reading to the collector.
    pub(super) fn tick(&mut self, session: &mut Session) {
        let now_ns = monotonic_ns();
        for (reading, flow) in self.flows.iter_mut().zip(&session.spec.flows) {
            reading.clear(now_ns, flow.is_measured());
        }
        // Receivers first: then a frame is never received before it was sent.
        // Our own receivers are read before the senders elsewhere, and theirs before ours.
        let far = |port: &super::port::Port| port.far.is_some();
        self.receive(session, now_ns, |port| !far(port));
        if !session.groups.is_empty() {
            session.read_elsewhere();
            self.receive(session, now_ns, far);
        }
        for (stream, (counters, ring)) in session.streams.iter().zip(&mut self.streams) {
            self.flows[stream.flow].add_tx(&**counters, ring, &self.clock);
        }
        for (reading, flow) in self.flows.iter_mut().zip(&session.spec.flows) {
            // Without a tag nobody knows when a frame was sent that arrived.
            if flow.track == Track::Count {
                reading.tx_intervals.clear();
            }
        }
        for (id, reading) in (0..).zip(&self.flows) {
            session.collector.record(FlowId(id), reading);
        }
    }

    /// Reads the receivers of some ports.
    fn receive(
        &mut self,
        session: &mut Session,
        now_ns: u64,
        of: impl Fn(&super::port::Port) -> bool,
    ) {
        for (port, totals) in session.ports.iter_mut().zip(&mut self.ports) {
            if !of(port) {
                continue;
            }
            let seen = port.receiver.read(now_ns);
            *totals = seen.port;
            for stream in seen.streams {
                let flow = session.streams[usize::from(stream.stream.0)].flow;
                let several = !session.spec.flows[flow].more_rx.is_empty();
                self.flows[flow].add_rx(&stream.observed, several);
            }
            for stray in seen.strays {
                self.flows[session.streams[usize::from(stray.stream.0)].flow].add_stray(stray);
            }
        }
    }
}
