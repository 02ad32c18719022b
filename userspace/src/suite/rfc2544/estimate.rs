//! How long a suite will take.

use crate::{
    spec::{BackToBackSpec, Resolution, Rfc2544Spec, Waits},
    suite::Direction,
    units::{Rate, Ratio},
};
use std::time::Duration;

/// About how much a suite takes, if every search has to be made and no trial is repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Trials.
    pub trials: u64,
    /// Time, waits included.
    pub time: Duration,
}

impl Estimate {
    fn add(&mut self, trials: u64, load: Duration, waits: Waits) {
        let each = load + waits.before + waits.residual + waits.after;
        self.trials = self.trials.saturating_add(trials);
        let trials = u32::try_from(trials).unwrap_or(u32::MAX);
        self.time = self.time.saturating_add(each.saturating_mul(trials));
    }
}

/// What `spec` takes between links of `directions`.
pub fn estimate(spec: &Rfc2544Spec, directions: &[Direction]) -> Estimate {
    let mut all = Estimate::default();
    let Some(link_bps) = directions.iter().map(|way| way.link_bps).min() else { return all };
    let waits = spec.suite.waits;
    for frame in &spec.suite.frames {
        let line = frame.line_rate_fps(link_bps);
        let top = top(spec, line);
        all.add(throughput_trials(spec, line, top), spec.throughput.trial, waits);
        if let Some(latency) = &spec.latency {
            all.add(u64::from(latency.repeats) * latency.at.len() as u64, latency.trial, waits);
        }
        if let Some(loss) = &spec.loss {
            // Down to the last step, which few devices need.
            let steps = Ratio::ONE.over(loss.step).floor() as u64;
            all.add(steps, loss.trial, waits);
        }
        // Bursts are at line rate, or not at all.
        if let Some(back_to_back) = spec.back_to_back.as_ref().filter(|_| top == line) {
            let (trials, mean) = bursts(back_to_back, line);
            all.add(u64::from(back_to_back.repeats) * trials, mean, waits);
        }
        if let Some(recovery) = &spec.recovery {
            all.add(recovery.repeats.into(), recovery.overload + recovery.reduced, waits);
        }
    }
    if let Some(reset) = &spec.reset {
        // One more without a reset.
        all.add(u64::from(reset.repeats) + 1, reset.limit, waits);
    }
    let limited = u64::from(spec.suite.max_trials);
    Estimate { trials: all.trials.min(limited), time: all.time.min(spec.suite.max_time) }
}

/// The greatest load of a direction that the spec allows.
fn top(spec: &Rfc2544Spec, line: Ratio) -> Ratio {
    match spec.throughput.max_rate {
        Rate::LineShare(share) => line.times(share.min(Ratio::ONE)),
        Rate::Frames(fps) => fps.min(line),
        Rate::L2Bits(_) | Rate::L1Bits(_) | Rate::Max => line,
    }
}

/// The first, and the halvings from the greatest load to the resolution.
fn throughput_trials(spec: &Rfc2544Spec, line: Ratio, top: Ratio) -> u64 {
    let step = match spec.throughput.resolution {
        Resolution::Share(share) => share.times(line),
        Resolution::Fps(fps) => fps,
    };
    1 + halvings(top.over(step).floor() as u64)
}

/// Trials of one search, those lost verified, and their mean length.
fn bursts(spec: &BackToBackSpec, line: Ratio) -> (u64, Duration) {
    let seconds = Ratio::new(spec.burst_limit.as_nanos(), 1_000_000_000);
    let frames = line.times(seconds).floor() as u64;
    // Most bursts are too long, and each half as long as the last: together twice the limit.
    let searched = (1 + halvings(frames / spec.step_frames.max(1))) * 2;
    let mean = spec.burst_limit * 4 / u32::try_from(searched).unwrap_or(u32::MAX);
    (searched, mean)
}

fn halvings(steps: u64) -> u64 {
    steps.max(1).next_power_of_two().ilog2().into()
}
