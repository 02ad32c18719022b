//! `linerate.mlrsearch/1`.

use super::{
    SuiteFacts, compliance,
    head::Found,
    judge,
    trials::{duration_ns, rows},
};
use crate::{
    report::suite::model::{BenchResult, BenchRow, FrameResult, GoalResult, SuiteVerdict},
    spec::{Frame, FrameKind},
    suite::mlrsearch::{GoalOutcome, Outcome, Row},
    units::Ratio,
};

/// The result of a search for several goals.
pub fn mlrsearch_result(facts: &SuiteFacts<'_>, outcome: &Outcome) -> BenchResult {
    let stopped = outcome.stopped.as_ref().map(ToString::to_string);
    let last = outcome.rows.len().saturating_sub(1);
    let made = outcome.rows.iter().enumerate().map(|(at, row)| {
        // What ended the suite early ended its last row.
        let valid = stopped.is_none() || at < last;
        let mut made = bench_row(row);
        judge::judge(&mut made, &facts.suite.pass, &row.frame, facts.directions, valid);
        made
    });
    let made: Vec<_> = made.collect();
    let worst = made.iter().map(|row| row.verdict).max().unwrap_or(SuiteVerdict::Invalid);
    let verdict = if stopped.is_some() { SuiteVerdict::Invalid } else { worst };
    facts.result(Found {
        schema: "linerate.mlrsearch/1",
        definition: None,
        deviations: compliance::common(facts.suite, facts.device.is_some()),
        verdict,
        reasons: stopped.into_iter().chain(judge::reasons(&made)).collect(),
        trials: rows(&outcome.trials),
        duration_ns: duration_ns(&outcome.trials),
        rows: made,
    })
}

/// The frames of a row.
pub(super) fn frame_result(frame: &Frame) -> FrameResult {
    let fixed = frame.kind == FrameKind::Fixed;
    FrameResult {
        kind: if fixed { "fixed" } else { "imix" }.to_owned(),
        name: frame.name.clone(),
        size: frame.cycle.first().copied().filter(|_| fixed),
        mean_bytes: frame.mean_bytes().to_f64(),
    }
}

fn bench_row(row: &Row) -> BenchRow {
    let irregular = row
        .goals
        .iter()
        .filter_map(|goal| Some(format!("{}: {}", goal.goal.name, goal.irregular.as_ref()?)));
    BenchRow {
        frame: frame_result(&row.frame),
        theoretical_fps: row.theoretical_fps.to_f64(),
        verdict: SuiteVerdict::Done,
        reasons: irregular.collect(),
        thresholds: Vec::new(),
        throughput: None,
        latency: None,
        frame_loss: None,
        back_to_back: None,
        system_recovery: None,
        reset: None,
        goals: Some(row.goals.iter().map(goal).collect()),
    }
}

fn goal(found: &GoalOutcome) -> GoalResult {
    let ns = |time: std::time::Duration| time.as_nanos() as u64;
    let sought = &found.goal;
    GoalResult {
        name: sought.name.clone(),
        final_trial_ns: ns(sought.final_trial),
        duration_sum_ns: ns(sought.duration_sum),
        loss_ratio: sought.loss_ratio.to_f64(),
        exceed_ratio: sought.exceed_ratio.to_f64(),
        initial_trial_ns: ns(sought.initial_trial),
        width: sought.width.to_f64(),
        relevant_lower_bound_fps: found.relevant_lower_bound_fps.map(Ratio::to_f64),
        relevant_upper_bound_fps: found.relevant_upper_bound_fps.map(Ratio::to_f64),
        conditional_throughput_fps: found.conditional_throughput_fps.map(Ratio::to_f64),
        regular: found.regular(),
        reason: found.irregular.as_ref().map(ToString::to_string),
        trials: found.trials,
    }
}
