//! The side-by-side as a table and as JSON.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{
    CPU,
    frame::FRAME_BYTES,
    generators::{Generator, State},
    rig::Sample,
};

/// Above this, other cores had work of their own and the numbers are worth less.
const QUIET: f64 = 0.1;

pub struct Row {
    pub name: String,
    frames: String,
    command: Option<Vec<String>>,
    not_installed: Option<String>,
    pub samples: Vec<Sample>,
    pub failure: Option<String>,
}

impl Row {
    pub fn new(generator: &Generator) -> Self {
        let (command, not_installed) = match &generator.state {
            State::Ready(command) => (Some(command.clone()), None),
            State::NotInstalled(package) => (None, Some((*package).to_owned())),
        };
        Self {
            name: generator.name.to_owned(),
            frames: generator.frames.to_owned(),
            command,
            not_installed,
            samples: Vec::new(),
            failure: None,
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.samples.iter().map(|sample| sample.fps).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn median(&self) -> Option<f64> {
        let values = self.sorted();
        let upper = values.get(values.len() / 2)?;
        let lower = values.get((values.len() - 1) / 2)?;
        Some(f64::midpoint(*lower, *upper))
    }
}

pub struct Report {
    pub rows: Vec<Row>,
    pub window: Duration,
    pub rounds: u32,
}

impl Report {
    /// linerate's median over another's.
    fn ratio(&self, row: &Row) -> Option<f64> {
        Some(self.rows.first()?.median()? / row.median()?)
    }

    fn others_busy(&self) -> f64 {
        let busy = self.rows.iter().flat_map(|row| &row.samples).map(|sample| sample.others_busy);
        busy.fold(0.0, f64::max)
    }

    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "Frames per second, {FRAME_BYTES} octets without FCS, generator and receiver on CPU {CPU},\n\
             counted by the kernel at a veth peer that drops in native XDP;\n\
             {} interleaved rounds of {} s each.\n",
            self.rounds,
            self.window.as_secs(),
        );
        let _ = writeln!(
            text,
            "{:24}{:>12}{:>12}{:>12}  {:>15}  frames",
            "generator", "median", "min", "max", "linerate is"
        );
        for row in &self.rows {
            let _ = write!(text, "{:24}", row.name);
            let _ = match (row.median(), &row.not_installed, &row.failure) {
                (Some(median), ..) => {
                    let values = row.sorted();
                    let ratio = self.ratio(row).map_or("-".to_owned(), |r| format!("{r:.2} x"));
                    writeln!(
                        text,
                        "{median:>12.0}{:>12.0}{:>12.0}  {ratio:>15}  {}",
                        values[0],
                        values[values.len() - 1],
                        row.frames
                    )
                }
                (None, Some(package), _) => writeln!(text, "NOT INSTALLED (package {package})"),
                (None, None, failure) => {
                    writeln!(text, "FAILED: {}", failure.as_deref().unwrap_or("no sample"))
                }
            };
        }
        let busy = self.others_busy();
        if busy > QUIET {
            let _ = writeln!(
                text,
                "\nThe other CPUs were up to {:.0} % busy: not an idle machine, take the numbers with care.",
                busy * 100.0
            );
        }
        text
    }

    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let values = row.sorted();
            json!({
                "generator": row.name,
                "frames": row.frames,
                "command": row.command,
                "not_installed": row.not_installed,
                "failure": row.failure,
                "fps": row.samples.iter().map(|sample| sample.fps).collect::<Vec<_>>(),
                "median_fps": row.median(),
                "min_fps": values.first(),
                "max_fps": values.last(),
                "linerate_ratio": self.ratio(row),
            })
        });
        json!({
            "schema": "linerate.bench/1",
            "frame_bytes": FRAME_BYTES,
            "cpu": CPU,
            "rounds": self.rounds,
            "window_ns": self.window.as_nanos() as u64,
            "others_busy_max": self.others_busy(),
            "kernel": std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|s| s.trim().to_owned()),
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, fps: &[f64]) -> Row {
        let generator = Generator { name, frames: "x", state: State::Ready(Vec::new()) };
        let samples = fps.iter().map(|&fps| Sample { fps, others_busy: 0.0 }).collect();
        Row { samples, ..Row::new(&generator) }
    }

    #[test]
    fn the_median_does_not_mind_one_bad_round() {
        assert_eq!(row("a", &[5.0, 1.0, 4.0]).median(), Some(4.0));
        assert_eq!(row("a", &[4.0, 1.0, 2.0, 100.0]).median(), Some(3.0));
        assert_eq!(row("a", &[]).median(), None);
    }

    #[test]
    fn what_is_absent_is_named_and_has_no_number() {
        let absent = Generator { name: "b", frames: "x", state: State::NotInstalled("pkg") };
        let rows = vec![row("a", &[200.0]), row("c", &[100.0]), Row::new(&absent)];
        let report = Report { rows, window: Duration::from_secs(3), rounds: 1 };
        let table = report.table();
        assert!(table.contains("NOT INSTALLED (package pkg)"), "{table}");
        assert!(table.contains("2.00 x"), "{table}");
        assert!(report.json()["rows"][2]["median_fps"].is_null());
    }
}
