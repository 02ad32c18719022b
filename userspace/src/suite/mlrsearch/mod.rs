//! Multiple Loss Ratio search (RFC 9971).
//!
//! ```text
//! GoalSpec -> levels -> Seeker -> Candidate -> Trials::run -> Database -> bounds -> Outcome
//!                         ^------------- classify -------------'
//! ```
//!
//! All goals share one database of trials, so a trial for one is a trial for all. Each goal
//! narrows its bounds level by level, from single short trials to the durations and the
//! width that it asks for; the longest trial goes first, then the least load. A trial that the
//! tester spoiled is in no bound: where it cannot reach a load, the range of loads ends below it.

mod classify;
mod database;
mod estimate;
mod goal;
mod levels;
mod load;
mod outcome;
mod range;
mod search;
mod seeker;

pub use classify::{Class, Measured, Target, charged_loss, classify, conditional_throughput};
pub use estimate::estimate;
pub use goal::GoalError;
pub(super) use goal::check;
pub use outcome::{GoalOutcome, Irregular, LimitedBy, Outcome, Row};

use super::{Limits, Progress, Stop, Trial, Trials};
use crate::spec::MlrsearchSpec;
use range::Range;

/// Searches for all goals, frame size by frame size.
///
/// # Errors
/// [`GoalError`]: nothing was tried. What ends a search later is in the [`Outcome`], with all
/// that is known by then.
pub fn run(
    spec: &MlrsearchSpec,
    trial: &mut dyn Trial,
    observe: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome, GoalError> {
    check(&spec.goals)?;
    let limits = Limits { trials: spec.suite.max_trials, time: spec.suite.max_time };
    let mut trials = Trials::new(trial, limits, observe);
    let (mut rows, mut stopped) = (Vec::new(), None);
    for frame in &spec.suite.frames {
        let ceiling = match trials.ceiling_fps(frame) {
            Ok(ceiling) => ceiling,
            Err(error) => {
                stopped = Some(Stop::Trial(error));
                break;
            }
        };
        let Some(range) = Range::new(spec, frame, trials.directions(), ceiling) else { continue };
        let (row, stop) = search::row(frame, &spec.goals, range, &mut trials);
        rows.push(row);
        if stop.is_some() {
            stopped = stop;
            break;
        }
    }
    Ok(Outcome { rows, trials: trials.into_records(), stopped })
}

#[cfg(test)]
mod tests;
