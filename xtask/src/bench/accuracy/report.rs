//! Accuracy as a table, as JSON and as a picture.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::stamps::{OCTAVES, Spacing};
use crate::bench::{
    machine::Machine,
    svg::{Anchor, Svg, ticks},
};

pub struct Row {
    /// Frames a second that were asked for.
    pub rate: u64,
    pub requested: u64,
    pub sent: u64,
    /// By the kernel's counter at the far end.
    pub received: u64,
    /// linerate's own word on its rate and its gaps.
    pub own_pps: Option<f64>,
    pub own_gap: Value,
    pub witness_missed: u64,
    /// `None`: the witness missed frames.
    pub spacing: Option<Spacing>,
}

impl Row {
    fn ppm(&self, pps: f64) -> f64 {
        (pps / self.rate as f64 - 1.0) * 1e6
    }

    /// By the witness: frames after the first over the time they took.
    fn witness_ppm(&self) -> Option<f64> {
        let span_ns = self.spacing.as_ref()?.span_ns;
        (span_ns > 0).then(|| self.ppm((self.sent - 1) as f64 * 1e9 / span_ns as f64))
    }
}

pub struct Report {
    pub rows: Vec<Row>,
    pub ceiling_fps: f64,
    /// As `linerate calibrate --json` gives them.
    pub calibrations: Value,
    pub seconds: u64,
    /// One-minute load average before the run.
    pub load: String,
    pub machine: Machine,
}

impl Report {
    pub fn table(&self) -> String {
        let mut text = format!(
            "64 octets, one flow over a veth pair, {} s a rate; \"max\" reached {:.0} frames/s;\n\
             witness: tcpdump at the far end, kernel stamps; load average before: {}.\n\n",
            self.seconds, self.ceiling_fps, self.load
        );
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            "{:>9}{:>11}{:>9}{:>11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}",
            "frames/s",
            "asked",
            "unsent",
            "received",
            "ppm own",
            "ppm wit",
            "even us",
            "p1 us",
            "p50 us",
            "p99 us",
            "max us"
        );
        for row in &self.rows {
            let ppm = |ppm: Option<f64>| ppm.map_or("-".to_owned(), |ppm| format!("{ppm:+.1}"));
            let _ = write!(
                text,
                "{:>9}{:>11}{:>9}{:>11}{:>9}{:>9}{:>9.1}",
                row.rate,
                row.requested,
                row.requested - row.sent,
                row.received,
                ppm(row.own_pps.map(|pps| row.ppm(pps))),
                ppm(row.witness_ppm()),
                1e6 / row.rate as f64,
            );
            let us = |ns: u64| ns as f64 / 1e3;
            let _ = match &row.spacing {
                Some(gap) => writeln!(
                    text,
                    "{:>9.1}{:>9.1}{:>9.1}{:>10.1}",
                    us(gap.p1_ns),
                    us(gap.p50_ns),
                    us(gap.p99_ns),
                    us(gap.max_ns)
                ),
                None => writeln!(text, "  the witness missed {} frames", row.witness_missed),
            };
        }
        let _ = writeln!(text, "\nCalibration of the pair (nothing in between), us:");
        let _ = writeln!(
            text,
            "{:>6}{:>10}{:>9}{:>14}{:>9}{:>9}{:>9}",
            "size", "frames/s", "least", "median (bias)", "p99", "max", "spread"
        );
        for point in self.points() {
            let us = |ns: f64| ns / 1e3;
            let _ = writeln!(
                text,
                "{:>6}{:>10}{:>9.2}{:>14.2}{:>9.2}{:>9.1}{:>9.2}",
                point.frame_bytes,
                point.rate_pps,
                us(point.min),
                us(point.p50),
                us(point.p99),
                us(point.max),
                us((point.p99 - point.p50).max(point.p50 - point.min))
            );
        }
        text
    }

    /// Both directions, in the order in which they were measured.
    fn points(&self) -> Vec<Point> {
        let calibrations = self.calibrations.as_array().into_iter().flatten();
        let points = calibrations.filter_map(|calibration| calibration["points"].as_array());
        let read = |value: &Value| {
            let number = |key: &str| value[key].as_f64();
            Some(Point {
                frame_bytes: number("frame_bytes")?,
                rate_pps: number("rate_pps")?,
                min: number("min_ns")?,
                p50: number("p50_ns")?,
                p99: number("p99_ns")?,
                max: number("max_ns")?,
            })
        };
        points.flatten().filter_map(read).collect()
    }

    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let spacing = row.spacing.as_ref().map(|gap| {
                json!({
                    "span_ns": gap.span_ns, "p1_ns": gap.p1_ns, "p50_ns": gap.p50_ns,
                    "p99_ns": gap.p99_ns, "max_ns": gap.max_ns, "stddev_ns": gap.stddev_ns,
                    "histogram": gap.bars,
                })
            });
            json!({
                "rate_pps": row.rate,
                "requested_frames": row.requested,
                "sent_frames": row.sent,
                "received_frames": row.received,
                "own_ppm": row.own_pps.map(|pps| row.ppm(pps)),
                "own_gap_ns": row.own_gap,
                "witness_ppm": row.witness_ppm(),
                "witness_missed_frames": row.witness_missed,
                "witness_gap": spacing,
            })
        });
        json!({
            "schema": "linerate.accuracy/1",
            "machine": self.machine.json(),
            "load_average": self.load,
            "seconds": self.seconds,
            "ceiling_fps": self.ceiling_fps,
            "rates": rows.collect::<Vec<_>>(),
            "calibrations": self.calibrations,
        })
    }

    /// A histogram of gaps per rate, and below the calibrated points.
    pub fn svg(&self) -> String {
        let (panels, points) =
            (self.rows.iter().filter(|row| row.spacing.is_some()), self.points());
        let panels: Vec<&Row> = panels.collect();
        let below = TOP + PANEL * panels.len() as f64 + 40.0;
        let height = below + 60.0 + LINE * points.len() as f64 + 70.0;
        let mut svg = Svg::new(760.0, height);
        svg.text("title", (20.0, 28.0), Anchor::Start, "Gaps between frames at the far end");
        let note = "share of the gaps by their size over the even one; 1 is perfectly even";
        svg.text("note", (20.0, 48.0), Anchor::Start, note);
        for (place, row) in panels.iter().enumerate() {
            panel(&mut svg, row, TOP + PANEL * place as f64);
        }
        let step = (RIGHT - LEFT) / f64::from(2 * OCTAVES);
        for (place, octave) in (-OCTAVES..=OCTAVES).enumerate() {
            let (x, whole) = (LEFT + step * place as f64, 1 << octave.abs());
            let label = if octave < 0 { format!("1/{whole}") } else { whole.to_string() };
            svg.text("note", (x, below - 22.0), Anchor::Middle, &label);
        }
        latency(&mut svg, &points, below + 20.0);
        svg.text("note", (20.0, height - 16.0), Anchor::Start, &self.machine.line());
        svg.finish()
    }
}

struct Point {
    frame_bytes: f64,
    rate_pps: f64,
    min: f64,
    p50: f64,
    p99: f64,
    max: f64,
}

const LEFT: f64 = 150.0;
const RIGHT: f64 = 730.0;
const TOP: f64 = 66.0;
const PANEL: f64 = 64.0;
const LINE: f64 = 20.0;

/// One rate: bars, the greatest of which fills the panel.
fn panel(svg: &mut Svg, row: &Row, top: f64) {
    let Some(spacing) = &row.spacing else { return };
    let floor = top + PANEL - 10.0;
    svg.text("", (LEFT - 20.0, top + 26.0), Anchor::End, &format!("{} /s", row.rate));
    if let Some(ppm) = row.witness_ppm() {
        svg.text("note", (LEFT - 20.0, top + 43.0), Anchor::End, &format!("{ppm:+.1} ppm"));
    }
    let most = spacing.bars.iter().copied().fold(0.0, f64::max);
    let width = (RIGHT - LEFT) / (spacing.bars.len() - 1) as f64;
    svg.line("grid", (LEFT - width / 2.0, floor), (RIGHT + width / 2.0, floor));
    for (place, share) in spacing.bars.iter().enumerate() {
        let height = share / most * (PANEL - 22.0);
        let x = LEFT + width * (place as f64 - 0.5);
        svg.rect("ours", (x + 0.5, floor - height), (width - 1.0, height));
        if *share >= most {
            let label = format!("{:.0} %", share * 100.0);
            svg.text("note", (x + width + 4.0, floor - height + 10.0), Anchor::Start, &label);
        }
    }
}

/// Least to 99th percentile as a line, the median as a mark.
fn latency(svg: &mut Svg, points: &[Point], top: f64) {
    svg.text("title", (20.0, top), Anchor::Start, "What the tester itself adds to a latency, us");
    let note = "veth pair, nothing in between; line: least to 99th percentile, mark: median";
    svg.text("note", (20.0, top + 18.0), Anchor::Start, note);
    let ticks = ticks(points.iter().map(|point| point.p99).fold(0.0, f64::max) / 1e3);
    let scale = (RIGHT - LEFT) / ticks.last().copied().unwrap_or(1.0).max(1e-9);
    let (first, last) = (top + 30.0, top + 30.0 + LINE * points.len() as f64);
    for tick in &ticks {
        let x = LEFT + tick * scale;
        svg.line("grid", (x, first), (x, last));
        svg.text("note", (x, last + 16.0), Anchor::Middle, &format!("{tick}"));
    }
    for (place, point) in points.iter().enumerate() {
        let middle = first + LINE * (place as f64 + 0.5);
        let x = |ns: f64| LEFT + ns / 1e3 * scale;
        let label = format!("{} B, {} /s", point.frame_bytes, point.rate_pps);
        svg.text("", (LEFT - 10.0, middle + 4.5), Anchor::End, &label);
        svg.line("range", (x(point.min), middle), (x(point.p99), middle));
        svg.rect("second", (x(point.p50) - 2.5, middle - 6.0), (5.0, 12.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_that_missed_frames_says_so_and_gives_no_gaps() {
        let row = |rate, spacing: Option<Spacing>| Row {
            rate,
            requested: 101,
            sent: 101,
            received: 101,
            own_pps: Some(1000.5),
            own_gap: Value::Null,
            witness_missed: u64::from(spacing.is_none()) * 3,
            spacing,
        };
        let even: Vec<u64> = (0..101).map(|i| i * 1_000_000).collect();
        let machine = Machine {
            cpu: "c".into(),
            cpus: 2,
            kernel: "k".into(),
            date: "d".into(),
            commit: "0".into(),
        };
        let report = Report {
            rows: vec![row(1000, Spacing::of(&even, 1e6)), row(2000, None)],
            ceiling_fps: 1e6,
            calibrations: json!([{"points": [{"frame_bytes": 64, "rate_pps": 1000.0,
                "min_ns": 1000, "p50_ns": 1500, "p99_ns": 2500, "max_ns": 9000}]}]),
            seconds: 1,
            load: "0.1".into(),
            machine,
        };
        let table = report.table();
        assert!(table.contains("+500.0     +0.0"), "{table}");
        assert!(table.contains("the witness missed 3 frames"), "{table}");
        assert!(table.contains("1.50     2.50      9.0     1.00"), "{table}");
        let json = report.json();
        assert!(json["rates"][1]["witness_gap"].is_null());
        assert_eq!(json["rates"][0]["witness_gap"]["p50_ns"], 1_000_000);
        assert_eq!(report.svg().matches("class=\"second\"").count(), 1);
    }
}
