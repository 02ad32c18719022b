//! From short trials and wide bounds to what a goal asks for.

use super::{classify::Target, load};
use crate::spec::GoalSpec;
use std::time::Duration;

/// Coarser targets before a goal's own. Each one's bounds are where the next one looks.
const COARSER: u32 = 2;

/// The targets of a goal, coarsest first; the last one is the goal itself. The durations grow
/// by equal factors from the initial trial to the duration sum; the width halves.
pub(super) fn levels(goal: &GoalSpec) -> Vec<Target> {
    let (first, last) = (goal.initial_trial.as_secs_f64(), goal.duration_sum.as_secs_f64());
    (0..=COARSER)
        .map(|level| {
            let coarser = COARSER - level;
            let share = f64::from(level) / f64::from(COARSER);
            let duration_sum = match level {
                0 => goal.initial_trial,
                COARSER => goal.duration_sum,
                _ => whole_ms(first * (last / first).powf(share))
                    .clamp(goal.initial_trial, goal.duration_sum),
            };
            Target {
                trial: goal.final_trial.min(duration_sum),
                duration_sum,
                loss_ratio: goal.loss_ratio,
                exceed_ratio: goal.exceed_ratio,
                width: match coarser {
                    0 => goal.width,
                    _ => load::widened(goal.width, f64::from(1 << coarser)),
                },
            }
        })
        .collect()
}

fn whole_ms(seconds: f64) -> Duration {
    Duration::from_millis((seconds * 1e3).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_lead_from_one_short_trial_to_the_goal() {
        let seconds = |name| {
            let levels = levels(&GoalSpec::preset(name).unwrap());
            levels
                .iter()
                .map(|level| (level.trial.as_secs_f64(), level.duration_sum.as_secs_f64()))
                .collect::<Vec<_>>()
        };
        assert_eq!(seconds("NDR"), [(1.0, 1.0), (1.0, 4.583), (1.0, 21.0)]);
        assert_eq!(seconds("RFC2544"), [(1.0, 1.0), (7.746, 7.746), (60.0, 60.0)]);
        assert_eq!(seconds("TST009"), [(1.0, 1.0), (10.954, 10.954), (60.0, 120.0)]);
    }

    #[test]
    fn the_last_level_is_the_goal_and_widths_halve() {
        for name in ["NDR", "PDR", "RFC2544", "TST009"] {
            let goal = GoalSpec::preset(name).unwrap();
            let levels = levels(&goal);
            let last = levels[levels.len() - 1];
            assert_eq!((last.trial, last.width), (goal.final_trial, goal.width), "{name}");
            assert_eq!((last.loss_ratio, last.exceed_ratio), (goal.loss_ratio, goal.exceed_ratio));
            for pair in levels.windows(2) {
                let factor = pair[0].width.to_f64() / pair[1].width.to_f64();
                assert!((1.85..2.0).contains(&factor), "{name}: {factor}");
            }
        }
    }
}
