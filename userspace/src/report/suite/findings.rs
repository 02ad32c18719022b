//! What each test of a row found, in a few words.

use super::{
    model::{BackToBackResult, BenchRow, ThroughputBound, ThroughputResult},
    number,
};

/// The tests of a row: name, whether it is valid, and what was found, in words.
pub(super) fn bench_findings(row: &BenchRow) -> Vec<(&'static str, bool, String)> {
    let mut all = Vec::new();
    if let Some(found) = &row.throughput {
        all.push(("throughput", found.reason.is_none() || found.fps.is_some(), rate(found)));
    }
    if let Some(loads) = &row.latency {
        let lines = loads.iter().map(|load| {
            let mean = load.mean_ns.map_or_else(|| "not measured".to_owned(), number::time_ns);
            format!("at {}: mean {mean}", load.at)
        });
        let valid = loads.iter().all(|load| load.valid);
        all.push(("latency", valid, lines.collect::<Vec<_>>().join(", ")));
    }
    if let Some(points) = &row.frame_loss {
        let clean = points.iter().filter(|point| point.valid && point.lost_frames == Some(0));
        let most = clean.map(|point| point.offered_ratio).fold(0.0, f64::max);
        let found = format!("no loss up to {} % of {} loads", number::percent(most), points.len());
        all.push(("frame-loss", points.iter().any(|point| point.valid), found));
    }
    if let Some(bursts) = &row.back_to_back {
        all.push(("back-to-back", bursts.valid, burst(bursts)));
    }
    if let Some(recovery) = &row.system_recovery {
        let found = recovery.mean_ns.map_or_else(String::new, number::time_ns);
        let found = recovery.reason.clone().unwrap_or(found);
        all.push(("system-recovery", recovery.valid, found));
    }
    if let Some(reset) = &row.reset {
        let found = reset.by_loss_mean_ns.map_or_else(String::new, number::time_ns);
        all.push(("reset", reset.valid, reset.reason.clone().unwrap_or(found)));
    }
    for goal in row.goals.iter().flatten() {
        let fps = goal.conditional_throughput_fps;
        let found = fps.map_or_else(|| "none".to_owned(), |fps| number::fps(fps) + " fps");
        let found = goal.reason.as_ref().map_or(found.clone(), |why| format!("{found}; {why}"));
        all.push(("goals", goal.regular, format!("{}: {found}", goal.name)));
    }
    all
}

fn rate(found: &ThroughputResult) -> String {
    let shown = found.fps.map_or_else(|| "none".to_owned(), |fps| number::fps(fps) + " fps");
    let ratio =
        found.ratio.map_or(String::new(), |ratio| format!(" ({} %)", number::percent(ratio)));
    let bound = if found.bound == ThroughputBound::AtLeast { "at least " } else { "" };
    let why = found.reason.as_ref().map_or(String::new(), |why| format!("; {why}"));
    format!("{bound}{shown}{ratio}{why}")
}

fn burst(bursts: &BackToBackResult) -> String {
    let frames = bursts.frames_mean.map_or(String::new(), |frames| format!("{frames:.1} frames"));
    match &bursts.reason {
        Some(reason) if frames.is_empty() => reason.clone(),
        Some(reason) => format!("{frames}; {reason}"),
        None => frames,
    }
}
