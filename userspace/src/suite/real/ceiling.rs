//! What the tester itself can send.

use super::RealTrial;
use crate::{
    session::Course,
    spec::Frame,
    suite::{Stage, Test, TrialError, TrialPlan, TrialResult},
    units::Ratio,
};
use std::time::Duration;

const TIME: Duration = Duration::from_millis(500);
/// On a machine that does other things too, no half second is like the next.
const MARGIN: (u128, u128) = (19, 20);

impl RealTrial {
    /// Asks every direction for its whole line at once and looks at what left.
    pub(super) fn measure_ceiling(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.teacher.teach()?;
        let lines: Vec<_> =
            self.directions.iter().map(|way| frame.line_rate_fps(way.link_bps)).collect();
        let mut plan = TrialPlan::same(Test::Throughput, lines.len(), frame, &[]);
        for (load, &line) in plan.loads.iter_mut().zip(&lines) {
            load.stages = vec![Stage::lasting(line, TIME)];
        }
        let quiet = self.waits.residual.max(Course::default().quiet);
        let mut course = Course { quiet, ..Course::default() };
        let result = self.send(&plan, &mut course)?;
        Ok(ceiling(&result))
    }
}

/// The least of the directions, for all are to carry the same load; `None`: each filled its
/// line.
fn ceiling(result: &TrialResult) -> Option<Ratio> {
    let seconds = Ratio::new(result.duration_ns.max(1).into(), 1_000_000_000);
    let short = result.directions.iter().filter(|way| way.unsent_frames > 0);
    let least = short.map(|way| Ratio::from(way.tx_frames).over(seconds)).min()?;
    // A whole number: what comes of it stays short.
    let fps = least.times(Ratio::new(MARGIN.0, MARGIN.1)).floor() as u64;
    Some(Ratio::from(fps.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::DirectionResult;

    fn sent(counts: &[(u64, u64)]) -> Option<Ratio> {
        let way = |&(tx_frames, unsent_frames): &(u64, u64)| DirectionResult {
            tx_frames,
            unsent_frames,
            ..DirectionResult::default()
        };
        ceiling(&TrialResult {
            directions: counts.iter().map(way).collect(),
            latency: None,
            duration_ns: 500_000_000,
            duration_with_overheads_ns: 0,
            invalid: None,
        })
    }

    #[test]
    fn the_slowest_direction_is_the_ceiling_less_a_margin() {
        assert_eq!(sent(&[(500_000, 10), (400_000, 9)]), Some(760_000.into()));
        assert_eq!(sent(&[(500_000, 0), (400_000, 9)]), Some(760_000.into()));
        assert_eq!(sent(&[(0, 9)]), Some(1.into()), "never a load of nothing");
    }

    #[test]
    fn a_full_line_is_no_ceiling() {
        assert_eq!(sent(&[(744_047, 0), (744_047, 0)]), None);
    }
}
