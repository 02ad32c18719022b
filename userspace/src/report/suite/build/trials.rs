//! Trials as rows.

use crate::{
    report::suite::model::TrialRow,
    suite::{InvalidCause, TrialRecord},
    units::Ratio,
};

/// A row for each trial.
pub(super) fn rows(records: &[TrialRecord]) -> Vec<TrialRow> {
    records.iter().map(trial_row).collect()
}

/// All trials with the waits around them.
pub(super) fn duration_ns(records: &[TrialRecord]) -> u64 {
    records.iter().map(|record| record.result.duration_with_overheads_ns).sum()
}

/// A trial as results show it.
pub fn trial_row(record: &TrialRecord) -> TrialRow {
    let TrialRecord { plan, bounds, result, .. } = record;
    let first = plan.loads.iter().filter_map(|load| load.stages.first());
    let intended = first.map(|stage| stage.fps).fold(Ratio::ZERO, Ratio::plus);
    let tx_frames = result.sum(|way| way.tx_frames);
    let seconds = result.duration_ns as f64 / 1e9;
    TrialRow {
        id: record.id,
        test: plan.test.name().to_owned(),
        frame: record.frame.name.clone(),
        goal: bounds.goal.clone(),
        intended_fps: intended.to_f64(),
        actual_fps: (seconds > 0.0).then(|| tx_frames as f64 / seconds),
        duration_ns: result.duration_ns,
        tx_frames,
        rx_unique_frames: result.sum(|way| way.rx_unique_frames),
        lost_frames: result.sum(|way| way.lost_frames),
        loss_ratio: result.loss_ratio().map(Ratio::to_f64),
        unsent_frames: result.sum(|way| way.unsent_frames),
        duplicate_frames: result.sum(|way| way.duplicate_frames),
        reordered_frames: result.sum(|way| way.reordered_frames),
        corrupt_frames: result.sum(|way| way.corrupt_frames),
        stale_frames: result.sum(|way| way.stale_frames),
        tester_drops: result.sum(|way| way.tester_drops),
        latency_mean_ns: result.latency.map(|latency| latency.mean_ns),
        latency_p99_ns: result.latency.map(|latency| latency.p99_ns),
        lower_fps: bounds.lower_fps.map(Ratio::to_f64),
        upper_fps: bounds.upper_fps.map(Ratio::to_f64),
        valid: result.invalid.is_none(),
        reason: result.invalid.as_ref().map(|(cause, why)| format!("{}: {why}", name(*cause))),
    }
}

fn name(cause: InvalidCause) -> &'static str {
    match cause {
        InvalidCause::TesterTx => "tester-tx",
        InvalidCause::TesterRx => "tester-rx",
        InvalidCause::Backpressure => "device-backpressure",
        InvalidCause::Stale => "stale",
        InvalidCause::Fault => "invalid",
    }
}
