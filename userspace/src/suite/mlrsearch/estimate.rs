//! How long a search may take.

use crate::spec::{MlrsearchSpec, Waits};
use std::time::Duration;

/// What a trial takes beside its load.
fn around(waits: Waits) -> Duration {
    waits.before + waits.residual + waits.after
}

/// For each frame and goal: a search with short trials down to the width, then the duration
/// sum on both sides of the throughput.
pub fn estimate(spec: &MlrsearchSpec) -> Duration {
    let around = around(spec.suite.waits);
    let goals = spec.goals.iter().map(|goal| {
        let halvings = (1.0 / goal.width.to_f64()).log2().ceil().max(1.0) as u32;
        let short = (goal.initial_trial + around) * halvings;
        let count = goal.duration_sum.as_secs_f64() / goal.final_trial.as_secs_f64();
        // An exceed ratio of a half settles a load after half of its duration sum.
        let share = 1.0 - goal.exceed_ratio.to_f64();
        let full = (goal.final_trial + around).mul_f64(2.0 * (count * share).ceil().max(1.0));
        short + full
    });
    goals.sum::<Duration>() * spec.suite.frames.len() as u32
}
