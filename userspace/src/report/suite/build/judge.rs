//! Thresholds: what a row had to show, and whether it did.

use crate::{
    report::suite::{
        model::{BenchRow, SuiteVerdict, ThresholdResult, ThroughputBound},
        number,
    },
    spec::{Frame, Need, Pass, Threshold},
    suite::Direction,
    units::{Rate, Ratio},
};

/// Judges a row by the thresholds that are for it, and gives it its verdict. `valid`: it was
/// measured to its end.
pub(super) fn judge(
    row: &mut BenchRow,
    passes: &[Pass],
    frame: &Frame,
    directions: &[Direction],
    valid: bool,
) {
    let mine =
        passes.iter().filter(|pass| pass.frame.as_ref().is_none_or(|name| *name == frame.name));
    let sum = |rate: &Rate| {
        let fps = |way: &Direction| rate.frames_per_second(way.link_bps, frame.mean_bytes());
        directions.iter().filter_map(fps).fold(Ratio::ZERO, Ratio::plus).to_f64()
    };
    let judged = mine.filter_map(|pass| match &pass.need {
        Need::Throughput(rate) => throughput(row, sum(rate)),
        Need::LatencyP99(limit) => latency(row, *limit),
        Need::BackToBack(frames) => bursts(row, *frames),
        Need::Goal { name, rate } => goal(row, name, sum(rate)),
    });
    row.thresholds = judged.collect();
    let worst = row.thresholds.iter().map(|threshold| threshold.verdict).max();
    row.verdict = match worst {
        _ if !valid => SuiteVerdict::Invalid,
        None => SuiteVerdict::Done,
        Some(worst) => worst,
    };
}

/// What every row has to say, and every threshold that was not met.
pub(super) fn reasons(rows: &[BenchRow]) -> Vec<String> {
    let said = rows.iter().flat_map(|row| {
        let unmet = row.thresholds.iter().filter(|bound| bound.verdict != SuiteVerdict::Pass);
        let texts = row.reasons.iter().chain(unmet.map(|bound| &bound.text));
        texts.map(|text| format!("{}: {text}", row.frame.name))
    });
    said.collect()
}

/// A value that must be at least `need`, of which `more` may be true.
fn at_least(test: &str, what: &str, found: Option<f64>, more: bool, need: f64) -> ThresholdResult {
    let verdict = match found {
        Some(found) if found >= need => SuiteVerdict::Pass,
        Some(_) if more => SuiteVerdict::Invalid,
        Some(_) => SuiteVerdict::Fail,
        None => SuiteVerdict::Invalid,
    };
    let (sign, why) = match (more, verdict) {
        (true, SuiteVerdict::Invalid) => (">=", ": the device was not the limit"),
        _ => ("", ""),
    };
    let shown = found.map_or_else(|| "not measured".to_owned(), number::fps);
    let text = format!("{what} is {sign}{shown}, expected >= {}{why}", number::fps(need));
    ThresholdResult { test: test.to_owned(), verdict, text }
}

fn throughput(row: &BenchRow, need: f64) -> Option<ThresholdResult> {
    let found = row.throughput.as_ref()?;
    let fps = match found.bound {
        // No load passed: that is the device's doing unless something else was the limit.
        ThroughputBound::None if found.limited_by.as_deref() == Some("device") => Some(0.0),
        _ => found.fps,
    };
    let more = found.bound == ThroughputBound::AtLeast;
    Some(at_least("throughput", "throughput in fps", fps, more, need))
}

fn latency(row: &BenchRow, limit: Threshold<u64>) -> Option<ThresholdResult> {
    let load = row.latency.as_ref()?.iter().find(|load| load.at == "throughput");
    let found = load.filter(|load| load.valid).and_then(|load| load.p99_ns);
    let bound = limit.limit as i64;
    let verdict = match found {
        Some(p99) if p99 < bound || limit.inclusive && p99 == bound => SuiteVerdict::Pass,
        Some(_) => SuiteVerdict::Fail,
        None => SuiteVerdict::Invalid,
    };
    let shown = found.map_or_else(|| "not measured".to_owned(), |ns| number::time_ns(ns as f64));
    let sign = if limit.inclusive { "<=" } else { "<" };
    let need = number::time_ns(bound as f64);
    let text = format!("p99 of latency at throughput is {shown}, expected {sign} {need}");
    Some(ThresholdResult { test: "latency".to_owned(), verdict, text })
}

fn bursts(row: &BenchRow, need: u64) -> Option<ThresholdResult> {
    let found = row.back_to_back.as_ref()?;
    // A device as fast as the line has no longest burst, which is more than any.
    let mean = found.frames_mean;
    let test = "back-to-back";
    Some(at_least(test, "back-to-back frames", mean, !found.valid, need as f64))
}

fn goal(row: &BenchRow, name: &str, need: f64) -> Option<ThresholdResult> {
    let goal = row.goals.as_ref()?.iter().find(|goal| goal.name == name)?;
    let what = format!("conditional throughput of {name} in fps");
    let lower = goal.relevant_lower_bound_fps.is_some();
    let upper = goal.relevant_upper_bound_fps.is_some();
    let found = match (lower, upper) {
        (false, true) => Some(0.0),
        _ => goal.conditional_throughput_fps,
    };
    Some(at_least("goals", &what, found, lower && !upper, need))
}
