use crate::{report::SampleRow, serve::engine::LiveFlow};
use std::collections::{HashMap, VecDeque};

/// Rows that all flows of a run may keep together.
const ROWS: usize = 1_000_000;

/// The newest samples of every flow of a run: those that are final, and behind them those
/// whose loss is not known yet.
#[derive(Debug)]
pub(super) struct History {
    /// Rows of each flow.
    capacity: usize,
    flows: HashMap<String, Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    finished: VecDeque<SampleRow>,
    open: VecDeque<SampleRow>,
}

impl History {
    /// Of a run of so many flows, `most` rows each if there is room.
    pub(super) fn new(flows: usize, most: usize) -> Self {
        Self { capacity: (ROWS / flows.max(1)).clamp(most.min(10), most), flows: HashMap::new() }
    }

    /// Rows kept of each flow.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn record(&mut self, flow: &LiveFlow) {
        let rows = match self.flows.get_mut(&flow.name) {
            Some(rows) => rows,
            None => self.flows.entry(flow.name.clone()).or_default(),
        };
        for row in &flow.finished {
            rows.open.retain(|open| open.t > row.t);
            if rows.finished.len() == self.capacity {
                rows.finished.pop_front();
            }
            rows.finished.push_back(row.clone());
        }
        let is_new = |last: Option<&SampleRow>| last.is_none_or(|last| last.t < flow.latest.t);
        if is_new(rows.finished.back()) && is_new(rows.open.back()) {
            rows.open.push_back(flow.latest.clone());
        }
    }

    /// The last `count` rows, oldest first; `None`: no such flow.
    pub(super) fn last(&self, flow: &str, count: usize) -> Option<Vec<SampleRow>> {
        let rows = self.flows.get(flow)?;
        let skip = (rows.finished.len() + rows.open.len()).saturating_sub(count);
        Some(rows.finished.iter().chain(&rows.open).skip(skip).cloned().collect())
    }

    /// Forgets a flow's rows; whether there were any.
    pub(super) fn remove(&mut self, flow: &str) -> bool {
        self.flows.remove(flow).is_some()
    }

    /// Rows held.
    pub(super) fn len(&self) -> usize {
        self.flows.values().map(|rows| rows.finished.len() + rows.open.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::engine::FlowTotals;
    use serde_json::json;

    fn row(t: u64, loss: Option<f64>) -> SampleRow {
        serde_json::from_value(json!({"t": t, "tx_frames": t, "rx_frames": null, "tx_pps": 1.0,
            "rx_pps": null, "tx_bps_l2": 2.0, "rx_bps_l2": null, "loss_ratio": loss,
            "p50_ns": null, "p99_ns": null, "p999_ns": null, "max_ns": null}))
        .unwrap()
    }

    fn flow(latest: u64, finished: &[u64]) -> LiveFlow {
        LiveFlow {
            name: "f".into(),
            latest: row(latest, None),
            finished: finished.iter().map(|t| row(*t, Some(0.5))).collect(),
            totals: FlowTotals::default(),
        }
    }

    #[test]
    fn rows_become_final_once_and_the_newest_are_there_before() {
        let mut history = History::new(1, 3);
        history.record(&flow(1, &[]));
        history.record(&flow(2, &[]));
        history.record(&flow(3, &[1, 2]));
        assert_eq!(
            history.last("f", 60).unwrap(),
            [row(1, Some(0.5)), row(2, Some(0.5)), row(3, None)]
        );
        assert_eq!(history.last("f", 1).unwrap(), [row(3, None)]);
        // The last snapshot of a run is final already.
        history.record(&flow(4, &[3, 4]));
        let last: Vec<_> = history.last("f", 60).unwrap().iter().map(|row| row.t).collect();
        assert_eq!(last, [2, 3, 4], "only three are kept, none twice");
        assert!(history.remove("f") && !history.remove("f"));
        assert_eq!(history.last("f", 1), None);
    }

    #[test]
    fn many_flows_keep_fewer_rows_each() {
        assert_eq!(History::new(10, 300).capacity(), 300);
        assert_eq!(History::new(10_000, 300).capacity(), 100);
        assert_eq!(History::new(65_535, 300).capacity(), 15);
    }
}
