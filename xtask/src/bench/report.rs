//! The side-by-side as a table, as JSON and as a picture.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{
    CPU,
    frame::FRAME_BYTES,
    generators::{Generator, State},
    machine::Machine,
    rig::Sample,
    svg::{Anchor, Svg, ticks},
};

/// Above this, other cores had work of their own and the numbers are worth less.
const QUIET: f64 = 0.1;

/// What linerate is to reach: which of its rows (`None`: the best), beside whom, how often.
const TARGETS: [(Option<&str>, &str, f64); 3] = [
    (None, "testpmd net_af_xdp", 5.0),
    (Some("linerate af_xdp"), "testpmd net_af_xdp", 1.05),
    (Some("linerate af_xdp"), "trafgen", 1.8),
];

pub struct Row {
    pub name: String,
    frames: String,
    command: Option<Vec<String>>,
    not_installed: Option<String>,
    /// By round; `None`: failed in that one.
    pub rounds: Vec<Option<Sample>>,
    pub failure: Option<String>,
}

impl Row {
    pub fn new(generator: &Generator) -> Self {
        let (command, not_installed) = match &generator.state {
            // What was built here is named as seen from here.
            State::Ready(command) => {
                let root = format!("{}/", crate::workspace::root().display());
                (Some(command.iter().map(|word| word.replace(&root, "")).collect()), None)
            }
            State::NotInstalled(package) => (None, Some((*package).to_owned())),
        };
        Self {
            name: generator.name.to_owned(),
            frames: generator.frames.to_owned(),
            command,
            not_installed,
            rounds: Vec::new(),
            failure: None,
        }
    }

    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.rounds.iter().flatten()
    }

    fn is_linerate(&self) -> bool {
        self.name.starts_with("linerate")
    }

    fn fps(&self) -> Option<Spread> {
        Spread::of(self.samples().map(|sample| sample.fps).collect())
    }

    /// How many times as fast as `other`: round by round, since the machine changes pace.
    fn ratio(&self, other: &Self) -> Option<Spread> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let ratios = pairs.filter_map(|(a, b)| Some(a.as_ref()?.fps / b.as_ref()?.fps));
        Spread::of(ratios.collect())
    }
}

/// Median, least and most of some rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median, min, max })
    }

    fn json(spread: Option<Self>) -> Value {
        spread.map_or(
            Value::Null,
            |Self { median, min, max }| json!({ "median": median, "min": min, "max": max }),
        )
    }
}

/// A target and what was reached.
struct Reached<'a> {
    linerate: &'a str,
    other: &'static str,
    ratio: f64,
    target: f64,
}

pub struct Report {
    pub rows: Vec<Row>,
    pub window: Duration,
    pub rounds: u32,
    pub machine: Machine,
}

impl Report {
    fn linerate(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_linerate() && row.fps().is_some())
    }

    fn others(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_linerate() && row.fps().is_some())
    }

    /// The targets that these rows can tell of.
    fn targets(&self) -> Vec<Reached<'_>> {
        let reached = |&(own, other, target): &(Option<&str>, &'static str, f64)| {
            let peer = self.rows.iter().find(|row| row.name == other)?;
            let candidates = self.linerate().filter(|row| own.is_none_or(|own| row.name == own));
            let ratios = candidates.filter_map(|row| Some((row, row.ratio(peer)?.median)));
            let (row, ratio) = ratios.max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some(Reached { linerate: &row.name, other, ratio, target })
        };
        TARGETS.iter().filter_map(reached).collect()
    }

    fn others_busy(&self) -> f64 {
        let busy = self.rows.iter().flat_map(Row::samples).map(|sample| sample.others_busy);
        busy.fold(0.0, f64::max)
    }

    fn conditions(&self) -> String {
        format!(
            "Frames per second, {FRAME_BYTES} octets without FCS, generator and receiver on CPU {CPU},\n\
             counted by the kernel at a veth peer that drops in native XDP;\n\
             {} interleaved rounds of {} s each.\n",
            self.rounds,
            self.window.as_secs(),
        )
    }

    pub fn table(&self) -> String {
        let mut text = self.conditions();
        // Writing to a String cannot fail, here and below.
        let titles = ["median", "min", "max"].map(|title| format!("{title:>12}")).concat();
        let _ = writeln!(text, "\n{:24}{titles}  frames", "generator");
        for row in &self.rows {
            let _ = write!(text, "{:24}", row.name);
            let _ = match (row.fps(), &row.not_installed, &row.failure) {
                (Some(Spread { median, min, max }), ..) => {
                    writeln!(text, "{median:>12.0}{min:>12.0}{max:>12.0}  {}", row.frames)
                }
                (None, Some(package), _) => writeln!(text, "NOT INSTALLED (package {package})"),
                (None, None, failure) => {
                    writeln!(text, "FAILED: {}", failure.as_deref().unwrap_or("no sample"))
                }
            };
        }
        let own: Vec<&Row> = self.linerate().collect();
        if !own.is_empty() && self.others().next().is_some() {
            let titles =
                own.iter().map(|row| format!("{:>26}", row.name)).collect::<Vec<_>>().concat();
            let _ = writeln!(text, "\n{:24}{titles}", "times as fast as");
        }
        for other in self.others() {
            let _ = write!(text, "{:24}", other.name);
            for row in &own {
                let cell =
                    row.ratio(other).map_or("-".to_owned(), |Spread { median, min, max }| {
                        format!("{median:.2} x ({min:.2}-{max:.2})")
                    });
                let _ = write!(text, "{cell:>26}");
            }
            text.push('\n');
        }
        for (place, reached) in self.targets().iter().enumerate() {
            let Reached { linerate, other, ratio, target } = reached;
            let gap = if place == 0 { "\n" } else { "" };
            let met = if ratio >= target { "met" } else { "MISSED" };
            let _ = writeln!(
                text,
                "{gap}target {target:.2} x {other}: {met}, {linerate} has {ratio:.2} x"
            );
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
            let own = self.linerate().filter(|_| !row.is_linerate());
            let ratios = own.map(|own| {
                json!({ "linerate": own.name, "ratio": Spread::json(own.ratio(row)) })
            });
            json!({
                "generator": row.name,
                "frames": row.frames,
                "command": row.command,
                "not_installed": row.not_installed,
                "failure": row.failure,
                "fps_by_round":
                    row.rounds.iter().map(|round| round.as_ref().map(|s| s.fps)).collect::<Vec<_>>(),
                "fps": Spread::json(row.fps()),
                "linerate_ratios": ratios.collect::<Vec<_>>(),
            })
        });
        let targets = self.targets();
        let targets = targets.iter().map(|Reached { linerate, other, ratio, target }| {
            json!({
                "linerate": linerate, "other": other, "ratio": ratio, "target": target,
                "met": ratio >= target,
            })
        });
        json!({
            "schema": "linerate.bench/2",
            "machine": self.machine.json(),
            "frame_bytes": FRAME_BYTES,
            "cpu": CPU,
            "rounds": self.rounds,
            "window_ns": self.window.as_nanos() as u64,
            "others_busy_max": self.others_busy(),
            "rows": rows.collect::<Vec<_>>(),
            "targets": targets.collect::<Vec<_>>(),
        })
    }

    /// A bar per generator, with a line from its worst to its best round.
    pub fn svg(&self) -> String {
        const LEFT: f64 = 190.0;
        const RIGHT: f64 = 740.0;
        const TOP: f64 = 64.0;
        const ROW: f64 = 34.0;
        let rows: Vec<(&Row, Spread)> =
            self.rows.iter().filter_map(|row| Some((row, row.fps()?))).collect();
        let most = rows.iter().map(|(_, fps)| fps.max).fold(0.0, f64::max) / 1e6;
        let ticks = ticks(most);
        let scale = (RIGHT - LEFT - 70.0) / ticks.last().copied().unwrap_or(1.0).max(1e-9);
        let bottom = TOP + ROW * rows.len() as f64;
        let mut svg = Svg::new(760.0, bottom + 66.0);
        svg.text("title", (20.0, 28.0), Anchor::Start, "Million frames per second on one core");
        let note = format!(
            "64 octets with FCS, veth, receiver on the same core; median of {} rounds, line: worst to best",
            self.rounds
        );
        svg.text("note", (20.0, 48.0), Anchor::Start, &note);
        for tick in ticks {
            let x = LEFT + tick * scale;
            svg.line("grid", (x, TOP), (x, bottom));
            let label = format!("{tick:.1}");
            svg.text("note", (x, bottom + 18.0), Anchor::Middle, &label);
        }
        for (place, (row, fps)) in rows.iter().enumerate() {
            let middle = TOP + ROW * (place as f64 + 0.5);
            let x = |fps: f64| LEFT + fps / 1e6 * scale;
            let class = if row.is_linerate() { "ours" } else { "other" };
            svg.text("", (LEFT - 10.0, middle + 4.5), Anchor::End, &row.name);
            svg.rect(class, (LEFT, middle - 10.0), (x(fps.median) - LEFT, 20.0));
            svg.line("range", (x(fps.min), middle), (x(fps.max), middle));
            let label = format!("{:.2}", fps.median / 1e6);
            svg.text("", (x(fps.max) + 8.0, middle + 4.5), Anchor::Start, &label);
        }
        svg.text("note", (20.0, bottom + 48.0), Anchor::Start, &self.machine.line());
        svg.finish()
    }
}

#[cfg(test)]
mod tests;
