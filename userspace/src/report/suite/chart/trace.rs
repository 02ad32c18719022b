//! How a search went: load and verdict of each trial, and the bounds that it left.

use super::{
    amount, figure,
    plot::{Axis, Plot, legend},
};
use crate::report::suite::{model::TrialRow, number};
use maud::Markup;

/// The trials of one test and row, in their order.
pub(in super::super) fn trace(title: &str, trials: &[&TrialRow]) -> Option<Markup> {
    if trials.is_empty() {
        return None;
    }
    let most = trials.iter().fold(0.0, |most: f64, trial| most.max(trial.intended_fps));
    let last = trials.len() as f64;
    let step = (trials.len().div_ceil(10)).max(1);
    let ticks = (1..=trials.len()).step_by(step).map(|at| (at as f64, at.to_string())).collect();
    let mut plot = Plot::new(
        Axis::fixed("trial", 0.5, last + 0.5, ticks),
        Axis::linear("frames per second", most, amount),
    );
    let loads: Vec<_> = trials
        .iter()
        .enumerate()
        .map(|(at, trial)| (at as f64 + 1.0, trial.intended_fps))
        .collect();
    plot.line("theory", &loads);
    for (point, trial) in loads.iter().zip(trials) {
        let loss = trial.loss_ratio.unwrap_or(0.0);
        let words = format!(
            "trial {}: {} fps, {} % lost{}",
            trial.id,
            number::fps(trial.intended_fps),
            number::loss_percent(loss),
            trial.reason.as_ref().map_or(String::new(), |reason| format!("; {reason}"))
        );
        if !trial.valid {
            plot.marker(7, *point, true, &words);
        } else if trial.lost_frames > 0 {
            plot.cross("bad", *point, &words);
        } else {
            plot.marker(0, *point, false, &words);
        }
    }
    let keys = legend([("c0", "no loss"), ("bad", "loss"), ("c7", "not valid")]);
    Some(figure(title, &keys, &plot.draw(title)))
}
