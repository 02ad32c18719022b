//! RFC 2544 as updated by RFC 6201 and RFC 9004: pure logic over any [`Trial`].
//!
//! Size by size, throughput first, for the other tests build on it.

mod back_to_back;
mod estimate;
mod frame_loss;
mod independent;
mod latency;
mod outcome;
mod recovery;
mod reset;
mod setting;
#[cfg(test)]
mod tests;
mod throughput;

pub use estimate::{Estimate, estimate};
pub use outcome::{
    BackToBack, Bound, DirectionThroughput, FrameLoss, Latency, LatencyFigures, LimitedBy, Outcome,
    Reset, Row, SystemRecovery, Throughput,
};

use super::{Limits, Progress, Stop, Trial, Trials};
use crate::spec::{Frame, Rfc2544Spec};
use setting::Setting;

/// Does all tests of `spec`. What ends them early is in the outcome, with all that is known by
/// then.
pub fn run(
    spec: &Rfc2544Spec,
    trial: &mut dyn Trial,
    observe: &mut dyn FnMut(Progress<'_>),
) -> Outcome {
    let limits = Limits { trials: spec.suite.max_trials, time: spec.suite.max_time };
    let mut trials = Trials::new(trial, limits, observe);
    let mut rows = Vec::new();
    let done: Result<(), Stop> =
        spec.suite.frames.iter().try_for_each(|frame| row(spec, frame, &mut trials, &mut rows));
    Outcome { rows, trials: trials.into_records(), stopped: done.err() }
}

/// All tests of one size or mix. What was found before a stop is kept.
fn row(
    spec: &Rfc2544Spec,
    frame: &Frame,
    trials: &mut Trials<'_>,
    rows: &mut Vec<Row>,
) -> Result<(), Stop> {
    let Some(setting) = Setting::new(spec, frame, trials)? else { return Ok(()) };
    rows.push(setting.row());
    let row = rows.last_mut().expect("it was pushed");
    let (throughput, done) = throughput::run(&setting, &spec.throughput, trials);
    let throughput = &*row.throughput.insert(throughput);
    done?;
    if let Some(latency) = &spec.latency {
        let rows = row.latency.insert(Vec::new());
        latency::run(&setting, latency, throughput, trials, rows)?;
    }
    if let Some(loss) = &spec.loss {
        let rows = row.frame_loss.insert(Vec::new());
        frame_loss::run(&setting, loss, trials, rows)?;
    }
    if let Some(back_to_back) = &spec.back_to_back {
        let (found, done) = back_to_back::run(&setting, back_to_back, throughput, trials);
        row.back_to_back = Some(found);
        done?;
    }
    if let Some(recovery) = &spec.recovery {
        let (found, done) = recovery::run(&setting, recovery, throughput, trials);
        row.system_recovery = Some(found);
        done?;
    }
    if let (Some(reset), Some(command)) = (&spec.reset, &spec.suite.hooks.reset)
        && is_least(spec, frame)
    {
        let (found, done) = reset::run(&setting, reset, command, throughput, trials);
        row.reset = Some(found);
        done?;
    }
    Ok(())
}

/// Of the sizes of a suite: the reset test uses the least (RFC 6201 section 3).
fn is_least(spec: &Rfc2544Spec, frame: &Frame) -> bool {
    spec.suite.frames.iter().all(|other| frame.mean_bytes() <= other.mean_bytes())
}
