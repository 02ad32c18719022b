//! What was sent in each second, and what came of it.

use super::lanes::Lane;
use crate::{session::Snapshot, suite::Second};

/// Seconds of every flow of a trial, by the time at which frames were sent.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    /// By flow.
    flows: Vec<Vec<Second>>,
}

impl Seconds {
    /// Takes in what became final since the snapshot before.
    pub(super) fn add(&mut self, snapshot: &Snapshot) {
        self.flows.resize_with(snapshot.flows.len(), Vec::new);
        for (seconds, flow) in self.flows.iter_mut().zip(&snapshot.flows) {
            for sample in &flow.finished {
                let Some(loss) = sample.loss() else { continue };
                let covered = sample.intervals();
                // A late tick covers two seconds; a third frame of seven is two of each.
                let count = (covered.end - covered.start).max(1);
                for number in covered.clone() {
                    let part = |frames: u64| {
                        let until = |number| frames * (number - covered.start) / count;
                        until(number + 1) - until(number)
                    };
                    let number = number as usize;
                    seconds.resize(seconds.len().max(number + 1), Second::default());
                    seconds[number].tx_frames += part(loss.sent);
                    seconds[number].rx_unique_frames += part(loss.sent - loss.lost);
                }
            }
        }
    }

    /// Those of a direction, up to the last in which something was sent.
    pub(super) fn of(&self, lane: &Lane) -> Vec<Second> {
        let mut sum: Vec<Second> = Vec::new();
        for flow in lane.counted().filter_map(|flow| self.flows.get(flow)) {
            sum.resize(sum.len().max(flow.len()), Second::default());
            for (sum, second) in sum.iter_mut().zip(flow) {
                sum.tx_frames += second.tx_frames;
                sum.rx_unique_frames += second.rx_unique_frames;
            }
        }
        let sent = sum.iter().rposition(|second| second.tx_frames > 0);
        sum.truncate(sent.map_or(0, |last| last + 1));
        sum
    }
}
