//! A test as a table of texts, for terminals and pages alike.

use super::{
    model::{BenchRow, GoalResult, LatencyAtResult, ThroughputBound, ThroughputResult},
    number::{fps, loss_percent, percent, time_ns},
};
use crate::{
    report::{table::or_dash, text::count},
    units::L1_OVERHEAD_BYTES,
};

/// Rows of text under titles.
#[derive(Debug)]
pub(super) struct Sheet {
    /// The test and its document.
    pub(super) title: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Columns that are words; all others are numbers.
const WORDS: [&str; 8] =
    ["frame", "note", "limit", "goal", "direction", "service", "step", "verdict"];

impl Sheet {
    pub(super) fn new(title: &str, columns: &[&'static str]) -> Self {
        Self { title: title.to_owned(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Whether a column is words.
    pub(super) fn is_text(&self, place: usize) -> bool {
        WORDS.contains(&self.columns[place])
    }
}

/// The tests of RFC 2544 and RFC 9971 that were done.
pub(super) fn bench_sheets(rows: &[BenchRow]) -> Vec<Sheet> {
    let sheets = [
        throughput(rows),
        directions(rows),
        latency(rows),
        loss(rows),
        bursts(rows),
        recovery(rows),
        reset(rows),
        goals(rows),
    ];
    sheets.into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn throughput(rows: &[BenchRow]) -> Sheet {
    let columns = [
        "frame",
        "line fps",
        "fps",
        "%",
        "L1 Mbit/s",
        "L2 Mbit/s",
        "limit",
        "next fails at",
        "lost there %",
        "trials",
        "note",
    ];
    let mut sheet = Sheet::new("Throughput (RFC 2544, 26.1)", &columns);
    for row in rows {
        let Some(found) = &row.throughput else { continue };
        let megabits = |overhead: u32| {
            let bits = (row.frame.mean_bytes + f64::from(overhead)) * 8.0;
            or_dash(found.fps, |fps| crate::report::text::megabits(fps * bits))
        };
        sheet.rows.push(vec![
            row.frame.name.clone(),
            fps(row.theoretical_fps),
            bounded(found, fps),
            or_dash(found.ratio, percent),
            megabits(u32::from(L1_OVERHEAD_BYTES)),
            megabits(0),
            or_dash(found.limited_by.clone(), |by| by),
            or_dash(found.next_failing_fps, fps),
            or_dash(found.next_failing_loss_ratio, loss_percent),
            found.trials.to_string(),
            note(found.reason.as_ref()),
        ]);
    }
    sheet
}

fn bounded(found: &ThroughputResult, show: fn(f64) -> String) -> String {
    let sign = if found.bound == ThroughputBound::AtLeast { ">=" } else { "" };
    found.fps.map_or_else(|| "none".to_owned(), |fps| format!("{sign}{}", show(fps)))
}

/// Each direction of the throughput, where there are several.
fn directions(rows: &[BenchRow]) -> Sheet {
    let columns = ["frame", "direction", "fps", "%"];
    let mut sheet = Sheet::new("Throughput of each direction", &columns);
    for row in rows {
        let found = row.throughput.iter().flat_map(|found| &found.per_direction);
        for way in found.filter(|_| row.throughput.iter().any(|all| all.per_direction.len() > 1)) {
            sheet.rows.push(vec![
                row.frame.name.clone(),
                format!("{} to {}", way.tx, way.rx),
                fps(way.fps),
                percent(way.ratio),
            ]);
        }
    }
    sheet
}

fn latency(rows: &[BenchRow]) -> Sheet {
    let columns = [
        "frame", "at", "fps", "mean", "min", "p50", "p99", "p99.9", "max", "lost", "repeats",
        "note",
    ];
    let mut sheet = Sheet::new("Latency (RFC 2544, 26.2)", &columns);
    for row in rows {
        for load in row.latency.iter().flatten() {
            let time = |ns: Option<i64>| or_dash(ns, |ns| time_ns(ns as f64));
            sheet.rows.push(vec![
                row.frame.name.clone(),
                load.at.clone(),
                fps(load.rate_fps),
                mean(load),
                time(load.min_ns),
                time(load.p50_ns),
                time(load.p99_ns),
                time(load.p999_ns),
                time(load.max_ns),
                count(load.lost_frames),
                load.repeats.to_string(),
                note(load.reason.as_ref()),
            ]);
        }
    }
    sheet
}

fn mean(load: &LatencyAtResult) -> String {
    or_dash(load.mean_ns, |ns| match load.uncertainty_ns {
        Some(half) if half > 0 => format!("{} +-{}", time_ns(ns), time_ns(half as f64)),
        _ => time_ns(ns),
    })
}

fn loss(rows: &[BenchRow]) -> Sheet {
    let columns =
        ["frame", "offered %", "fps", "actual fps", "sent", "received", "lost", "lost %", "note"];
    let mut sheet = Sheet::new("Frame loss rate (RFC 2544, 26.3)", &columns);
    for row in rows {
        for point in row.frame_loss.iter().flatten() {
            sheet.rows.push(vec![
                row.frame.name.clone(),
                percent(point.offered_ratio),
                fps(point.offered_fps),
                or_dash(point.actual_fps, fps),
                or_dash(point.tx_frames, count),
                or_dash(point.rx_unique_frames, count),
                or_dash(point.lost_frames, count),
                or_dash(point.loss_ratio, loss_percent),
                note(point.reason.as_ref()),
            ]);
        }
    }
    sheet
}

fn bursts(rows: &[BenchRow]) -> Sheet {
    let columns = [
        "frame",
        "frames",
        "min",
        "max",
        "stddev",
        "step frames",
        "implied",
        "corrected",
        "in frames",
        "with fps",
        "repeats",
        "note",
    ];
    let mut sheet = Sheet::new("Back-to-back frames (RFC 9004)", &columns);
    for row in rows {
        let Some(found) = &row.back_to_back else { continue };
        sheet.rows.push(vec![
            row.frame.name.clone(),
            or_dash(found.frames_mean, |frames| format!("{frames:.1}")),
            or_dash(found.frames_min, count),
            or_dash(found.frames_max, count),
            or_dash(found.frames_stddev, |frames| format!("{frames:.1}")),
            count(found.step_frames),
            or_dash(found.implied_buffer_ns, time_ns),
            or_dash(found.corrected_buffer_ns, time_ns),
            or_dash(found.corrected_buffer_frames, |frames| format!("{frames:.1}")),
            or_dash(found.throughput_fps, fps),
            found.repeats.to_string(),
            note(found.reason.as_ref()),
        ]);
    }
    sheet
}

fn recovery(rows: &[BenchRow]) -> Sheet {
    let columns = ["frame", "overload fps", "reduced fps", "mean", "min", "max", "repeats", "note"];
    let mut sheet = Sheet::new("System recovery (RFC 2544, 26.5)", &columns);
    for row in rows {
        let Some(found) = &row.system_recovery else { continue };
        sheet.rows.push(vec![
            row.frame.name.clone(),
            or_dash(found.overload_fps, fps),
            or_dash(found.reduced_fps, fps),
            or_dash(found.mean_ns, time_ns),
            or_dash(found.min_ns, |ns| time_ns(ns as f64)),
            or_dash(found.max_ns, |ns| time_ns(ns as f64)),
            found.repeats.to_string(),
            note(found.reason.as_ref()),
        ]);
    }
    sheet
}

fn reset(rows: &[BenchRow]) -> Sheet {
    let columns = ["frame", "fps", "by frame loss", "by time stamps", "repeats", "note"];
    let mut sheet = Sheet::new("Reset (RFC 6201)", &columns);
    for row in rows {
        let Some(found) = &row.reset else { continue };
        sheet.rows.push(vec![
            row.frame.name.clone(),
            or_dash(found.rate_fps, fps),
            or_dash(found.by_loss_mean_ns, time_ns),
            or_dash(found.by_time_mean_ns, time_ns),
            found.repeats.to_string(),
            note(found.reason.as_ref()),
        ]);
    }
    sheet
}

fn goals(rows: &[BenchRow]) -> Sheet {
    let columns = [
        "frame",
        "goal",
        "loss ratio %",
        "exceed %",
        "lower bound fps",
        "upper bound fps",
        "conditional fps",
        "%",
        "trials",
        "note",
    ];
    let mut sheet = Sheet::new("Multiple Loss Ratio search (RFC 9971)", &columns);
    for row in rows {
        for goal in row.goals.iter().flatten() {
            let share = |goal: &GoalResult| {
                or_dash(goal.conditional_throughput_fps, |fps| percent(fps / row.theoretical_fps))
            };
            sheet.rows.push(vec![
                row.frame.name.clone(),
                goal.name.clone(),
                loss_percent(goal.loss_ratio),
                percent(goal.exceed_ratio),
                or_dash(goal.relevant_lower_bound_fps, fps),
                or_dash(goal.relevant_upper_bound_fps, fps),
                or_dash(goal.conditional_throughput_fps, fps),
                share(goal),
                goal.trials.to_string(),
                note(goal.reason.as_ref()),
            ]);
        }
    }
    sheet
}

fn note(reason: Option<&String>) -> String {
    reason.cloned().unwrap_or_default()
}
