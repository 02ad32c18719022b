use crate::{
    collect::Coarse,
    serve::engine::{FlowHistograms, RunHistograms},
};
use std::collections::{HashMap, VecDeque};

/// Intervals that all flows of a run may keep together: some 16 MB.
const ROWS: usize = 100_000;

/// Histograms of the newest intervals of every flow of a run.
#[derive(Debug)]
pub(super) struct Pictures {
    /// Intervals of each flow.
    capacity: usize,
    flows: HashMap<String, Flow>,
}

#[derive(Debug, Default)]
struct Flow {
    latencies: VecDeque<LatencyRow>,
    gaps: Gaps,
}

/// The latency of what arrived in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyRow {
    /// End of the interval, ns since the run began.
    pub t: u64,
    /// `None`: not measured.
    pub latency: Option<Coarse>,
}

/// Times between frames since the run began; `None`: not measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Between arrivals.
    pub rx: Option<Coarse>,
    /// Between submits.
    pub tx: Option<Coarse>,
}

impl Pictures {
    /// Of a run of so many flows, `most` intervals each if there is room.
    pub(super) fn new(flows: usize, most: usize) -> Self {
        Self { capacity: (ROWS / flows.max(1)).clamp(most.min(10), most), flows: HashMap::new() }
    }

    pub(super) fn record(&mut self, drawn: RunHistograms) {
        for FlowHistograms { name, t, mut latency, rx_gap, tx_gap } in drawn.flows {
            let flow = self.flows.entry(name).or_default();
            flow.gaps = Gaps { rx: rx_gap, tx: tx_gap };
            // The last snapshot of a run may be of the interval before it.
            if flow.latencies.back().is_some_and(|last| last.t >= t) {
                continue;
            }
            if flow.latencies.len() == self.capacity {
                flow.latencies.pop_front();
            }
            latency.iter_mut().for_each(Vec::shrink_to_fit);
            flow.latencies.push_back(LatencyRow { t, latency });
        }
    }

    /// The last `count` intervals, oldest first; `None`: no such flow.
    pub(super) fn latencies(&self, flow: &str, count: usize) -> Option<Vec<LatencyRow>> {
        let rows = &self.flows.get(flow)?.latencies;
        Some(rows.iter().skip(rows.len().saturating_sub(count)).cloned().collect())
    }

    pub(super) fn gaps(&self, flow: &str) -> Option<Gaps> {
        self.flows.get(flow).map(|flow| flow.gaps.clone())
    }

    pub(super) fn remove(&mut self, flow: &str) {
        self.flows.remove(flow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(t: u64, latency: Option<Coarse>) -> RunHistograms {
        let gap = Some(vec![(3, t)]);
        let flow = FlowHistograms { name: "f".into(), t, latency, rx_gap: None, tx_gap: gap };
        RunHistograms { run: 1, flows: vec![flow] }
    }

    #[test]
    fn each_interval_is_kept_once_the_newest_ones_and_gaps_are_the_last() {
        let mut pictures = Pictures::new(1, 3);
        for (t, latency) in
            [(1, None), (2, Some(vec![(7, 5)])), (2, Some(vec![(7, 6)])), (3, None), (4, None)]
        {
            pictures.record(drawn(t, latency));
        }
        let rows = pictures.latencies("f", 60).unwrap();
        assert_eq!(rows.iter().map(|row| row.t).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(rows[0].latency, Some(vec![(7, 5)]));
        assert_eq!(pictures.latencies("f", 1).unwrap().len(), 1);
        assert_eq!(pictures.gaps("f"), Some(Gaps { rx: None, tx: Some(vec![(3, 4)]) }));
        pictures.remove("f");
        assert_eq!((pictures.latencies("f", 1), pictures.gaps("f")), (None, None));
    }
}
