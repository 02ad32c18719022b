//! The graphs that RFC 2544 asks for, and those of latency and bursts.

use super::{
    amount, figure,
    plot::{Axis, Plot, SERIES, legend},
    time,
};
use crate::report::suite::{
    model::{BenchRow, LatencyAtResult, ThroughputBound},
    number,
};
use maud::{Markup, html};

fn names(rows: &[BenchRow]) -> Vec<String> {
    rows.iter().map(|row| row.frame.name.clone()).collect()
}

/// Frame size against frame rate, with the theoretical line (RFC 2544 section 26.1).
pub(in super::super) fn throughput(rows: &[BenchRow]) -> Option<Markup> {
    let measured: Vec<_> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| {
            let throughput = row.throughput.as_ref()?;
            Some((at, throughput, throughput.fps?))
        })
        .collect();
    if measured.is_empty() {
        return None;
    }
    let mut theory: Vec<_> =
        rows.iter().enumerate().map(|(at, row)| (at as f64, row.theoretical_fps)).collect();
    if let [(at, fps)] = theory[..] {
        // One size has a line too.
        theory = vec![(at - 0.5, fps), (at + 0.5, fps)];
    }
    let most = theory.iter().fold(0.0, |most: f64, (_, fps)| most.max(*fps));
    let mut plot = Plot::new(
        Axis::names("frame size, octets with FCS", &names(rows)),
        Axis::linear("frames per second", most, amount),
    );
    plot.line("theory", &theory);
    let points: Vec<_> = measured.iter().map(|(at, _, fps)| (*at as f64, *fps)).collect();
    plot.line("c0", &points);
    for (at, throughput, fps) in measured {
        let bound = match throughput.bound {
            ThroughputBound::AtLeast => "at least ",
            ThroughputBound::Exact | ThroughputBound::None => "",
        };
        let words = format!("{}: {bound}{} fps", rows[at].frame.name, number::fps(fps));
        let hollow = throughput.bound != ThroughputBound::Exact;
        plot.marker(0, (at as f64, fps), hollow, &words);
    }
    let keys = legend([
        ("c0", "measured (hollow: at least, the device was not the limit)"),
        ("theory", "theoretical maximum"),
    ]);
    Some(figure("Throughput", &keys, &plot.draw("Throughput against frame size")))
}

/// Share of the theoretical rate against loss, both axes 0 to 100 % (RFC 2544 section 26.3).
pub(in super::super) fn loss(rows: &[BenchRow]) -> Option<Markup> {
    let series: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((row.frame.name.as_str(), row.frame_loss.as_ref()?)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    if series.is_empty() {
        return None;
    }
    let mut plot = Plot::new(
        Axis::percent("offered load, % of the theoretical rate"),
        Axis::percent("frame loss, %"),
    );
    let classes: Vec<_> = (0..SERIES).map(|at| format!("c{at}")).collect();
    for (at, (name, points)) in series.iter().enumerate() {
        let at_point = |valid: bool| points.iter().filter(move |point| point.valid || !valid);
        let line: Vec<_> = at_point(true)
            .filter_map(|point| Some((point.offered_ratio, point.loss_ratio?)))
            .collect();
        plot.line(&classes[at % SERIES], &line);
        for point in at_point(false) {
            let Some(loss) = point.loss_ratio else { continue };
            let words = format!(
                "{name}: {} % lost at {} %",
                number::loss_percent(loss),
                number::percent(point.offered_ratio)
            );
            plot.marker(at, (point.offered_ratio, loss), !point.valid, &words);
        }
    }
    let keys = legend(
        series.iter().enumerate().map(|(at, (name, _))| (classes[at % SERIES].as_str(), *name)),
    );
    Some(figure("Frame loss rate", &keys, &plot.draw("Loss against offered load")))
}

/// Percentiles of a row's latency on an axis of nines, a line for each load.
pub(in super::super) fn latency(row: &BenchRow) -> Option<Markup> {
    let loads = row.latency.as_ref()?;
    let curves: Vec<_> = loads.iter().filter_map(|load| Some((load, curve(load)?))).collect();
    let all = curves.iter().flat_map(|(_, curve)| curve).map(|point| point.1);
    let (least, most) =
        all.fold((f64::MAX, f64::MIN), |(least, most), y| (least.min(y), most.max(y)));
    if curves.is_empty() {
        return None;
    }
    let nines = ["min", "50", "90", "99", "99.9", "max"];
    let ticks = nines.iter().zip(NINES).map(|(name, at)| (at, (*name).to_owned())).collect();
    let mut plot = Plot::new(
        Axis::fixed("percentile", -0.2, 4.2, ticks),
        Axis::between("latency", least, most, time),
    );
    let classes: Vec<_> = (0..SERIES).map(|at| format!("c{at}")).collect();
    for (at, (load, curve)) in curves.iter().enumerate() {
        plot.line(&classes[at % SERIES], curve);
        for point in curve {
            let words = format!("{}: {}", load.at, number::time_ns(point.1));
            plot.marker(at, *point, !load.valid, &words);
        }
    }
    let titles: Vec<_> = curves.iter().map(|(load, _)| shown_load(&load.at)).collect();
    let keys = legend(
        titles.iter().enumerate().map(|(at, name)| (classes[at % SERIES].as_str(), name.as_str())),
    );
    let title = format!("Latency, {}", row.frame.title());
    Some(figure(&title, &keys, &plot.draw(&title)))
}

/// -log10(1 - p): a nine more is a step further; the ends stand where there is room.
const NINES: [f64; 6] = [-0.2, 0.301, 1.0, 2.0, 3.0, 4.2];

fn curve(load: &LatencyAtResult) -> Option<Vec<(f64, f64)>> {
    let [least, half, _, nn, nnn, most] = NINES;
    let points = [
        (least, load.min_ns),
        (half, load.p50_ns),
        (nn, load.p99_ns),
        (nnn, load.p999_ns),
        (most, load.max_ns),
    ];
    let points: Vec<_> = points.into_iter().filter_map(|(x, ns)| Some((x, ns? as f64))).collect();
    (!points.is_empty()).then_some(points)
}

fn shown_load(at: &str) -> String {
    if at == "throughput" { "at throughput".to_owned() } else { format!("at {at} of throughput") }
}

/// Mean length of the longest lossless bursts, with least and greatest.
pub(in super::super) fn bursts(rows: &[BenchRow]) -> Option<Markup> {
    let bars: Vec<_> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| {
            let bursts = row.back_to_back.as_ref()?;
            Some((at as f64, row, bursts, bursts.frames_mean?))
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    let most = bars.iter().fold(0.0, |most: f64, (_, _, bursts, mean)| {
        most.max(bursts.frames_max.map_or(*mean, |frames| frames as f64))
    });
    let mut plot = Plot::new(
        Axis::names("frame size, octets with FCS", &names(rows)),
        Axis::linear("frames", most, amount),
    );
    let width = (plot.step() * 0.6).min(48.0);
    for (at, row, bursts, mean) in bars {
        let words = format!("{}: {mean:.1} frames on average", row.frame.name);
        plot.bar(if bursts.valid { 0 } else { SERIES - 1 }, (at, mean), width, &words);
        if let (Some(low), Some(high)) = (bursts.frames_min, bursts.frames_max) {
            plot.whisker(at, low as f64, high as f64);
        }
    }
    let keys = legend([("c0", "mean, with least and greatest"), ("c7", "not valid")]);
    let picture = plot.draw("Back-to-back frames against frame size");
    Some(html! { (figure("Back-to-back frames", &keys, &picture)) })
}
