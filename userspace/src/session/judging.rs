//! From counts to a verdict, flow by flow: the same for a run and for a trial of a suite.

use super::{FlowFacts, Peer, RunFacts};
use crate::collect::{
    Arrival, Departure, Evidence, FarEnd, Finding, FlowCounts, Ledger, judge, l1_bits,
};

/// What one flow's counts come to.
#[derive(Debug, Clone)]
pub struct Judged {
    /// First submit to last submit plus one gap; `None`: not known.
    pub duration_ns: Option<u64>,
    /// Where every frame is.
    pub ledger: Ledger,
    /// What the flow is worth, and why.
    pub finding: Finding,
}

/// What all flows of one port come to, added up once.
#[derive(Debug, Clone, Copy, Default)]
pub struct PortLoad {
    /// Flows that leave here, the frames that the kernel took of them, and their rate.
    leaving: u64,
    handed: u64,
    bps_l1: f64,
    /// Flows that are received here, and what the analyser matched of them.
    arriving: u64,
    matched: u64,
}

impl PortLoad {
    /// L1 bits a second of all that left here.
    pub fn bps_l1(&self) -> f64 {
        self.bps_l1
    }
}

impl FlowFacts {
    /// First submit to last submit plus one gap; the gap is the mean one, or of a lone
    /// frame the one asked for.
    pub fn duration_ns(&self) -> Option<u64> {
        let span = self.last_tx_ns?.checked_sub(self.first_tx_ns?)?;
        let frames = self.totals.tx_frames;
        let duration = if frames > 1 && span > 0 {
            (u128::from(span) * u128::from(frames) / u128::from(frames - 1)) as u64
        } else {
            (1e9 / self.intended_pps?) as u64
        };
        (duration > 0).then_some(duration)
    }
}

impl RunFacts {
    /// By port.
    pub fn port_loads(&self) -> Vec<PortLoad> {
        let mut loads = vec![PortLoad::default(); self.ports.len()];
        for flow in &self.flows {
            let load = &mut loads[flow.tx_port];
            load.leaving += 1;
            load.handed += flow.completed.unwrap_or(flow.totals.tx_frames);
            let bits = l1_bits(flow.totals.tx_frames, flow.totals.tx_bytes);
            load.bps_l1 += flow.duration_ns().map_or(0.0, |ns| bits as f64 * 1e9 / ns as f64);
            let counters = flow.totals.rx.as_ref().map(|rx| rx.counters);
            for port in flow.receivers() {
                loads[port].arriving += 1;
                loads[port].matched += counters.map_or(0, |rx| rx.frames() + rx.late + rx.corrupt);
            }
        }
        loads
    }

    /// Judges one of the flows by the rules of CONTRACT, Meanings; `loads` as
    /// [`Self::port_loads`] gives them.
    pub fn judge(&self, loads: &[PortLoad], flow: &FlowFacts) -> Judged {
        let counters = flow.rx_port.and(flow.totals.rx.as_ref()).map(|rx| rx.counters);
        let duration_ns = flow.duration_ns();
        let ledger = self.ledger(loads, flow);
        let finding = judge(&Evidence {
            ledger: &ledger,
            intended_pps: flow.intended_pps,
            random: flow.random,
            duration_ns,
            stale: counters.map_or(0, |counters| counters.stale),
            pause_frames: self.ports[flow.tx_port].pause_frames.unwrap_or(0),
            invalid_descriptors: self.ports[flow.tx_port].xsk.map_or(0, |xsk| xsk.tx_invalid),
            rx_drops: &flow
                .receivers()
                .flat_map(|port| self.ports[port].rx_drops.clone())
                .collect::<Vec<_>>(),
            faults: &[&*flow.faults, &*self.faults].concat(),
        });
        Judged { duration_ns, ledger, finding }
    }

    /// Follows the flow through the ports it uses.
    fn ledger(&self, loads: &[PortLoad], flow: &FlowFacts) -> Ledger {
        let submitted = flow.totals.tx_frames;
        let counts = FlowCounts {
            requested: flow.requested.unwrap_or(submitted).max(submitted),
            submitted,
            completed: flow.completed,
            rx: flow.rx_port.and(flow.totals.rx.as_ref()).map(|rx| rx.counters),
        };
        let port = &self.ports[flow.tx_port];
        let departure = Departure {
            flows: loads[flow.tx_port].leaving,
            handed: loads[flow.tx_port].handed,
            frames: port.tx_frames,
            dropped: port.tx_dropped,
            into: match port.peer {
                None => FarEnd::Wire,
                Some(Peer::Port(peer)) if flow.receivers().any(|rx| rx == peer) => FarEnd::Receiver,
                Some(Peer::Port(_) | Peer::Elsewhere) => FarEnd::Device,
            },
        };
        // Of several receivers the sum: a frame came to one of them.
        let arrival =
            flow.receivers().map(|index| self.arrival(loads, index)).reduce(|all, one| Arrival {
                flows: all.flows.max(one.flows),
                frames: all.frames.zip(one.frames).map(|(a, b)| a + b),
                dropped: all.dropped.zip(one.dropped).map(|(a, b)| a + b),
                fill_ring_empty: all.fill_ring_empty + one.fill_ring_empty,
                seen: all.seen.zip(one.seen).map(|(a, b)| a + b),
                matched: all.matched.max(one.matched),
            });
        Ledger::trace(&counts, &departure, arrival.as_ref())
    }

    /// What came to a port.
    fn arrival(&self, loads: &[PortLoad], index: usize) -> Arrival {
        let port = &self.ports[index];
        Arrival {
            flows: loads[index].arriving,
            frames: port.rx_frames,
            dropped: port.rx_dropped,
            fill_ring_empty: port.xsk.map_or(0, |xsk| xsk.rx_fill_ring_empty),
            seen: port.seen,
            matched: loads[index].matched,
        }
    }
}
