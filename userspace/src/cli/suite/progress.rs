//! What a person sees while a suite is on: a bar with the trial, its load, and the bounds.

use crate::{
    cli::live::Screen,
    report::{long_time, scaled},
    suite::{Bounds, Progress, TrialPlan},
    units::{Ratio, format_duration_short},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar of time on a terminal; nothing elsewhere.
#[derive(Debug)]
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    spent: Duration,
    expected: Duration,
}

impl Bar {
    /// `expected`: what all trials may take together, waits included.
    pub(super) fn new(screen: Screen, expected: Duration, quiet: bool) -> Self {
        let bar = (screen.is_terminal() && !quiet).then(|| {
            let target = match screen {
                Screen::Stdout => ProgressDrawTarget::stdout(),
                Screen::Stderr => ProgressDrawTarget::stderr(),
            };
            let bar = ProgressBar::with_draw_target(Some(millis(expected)), target);
            let style = ProgressStyle::with_template("[{bar:24}] {percent:>3} %  {prefix}  {msg}");
            bar.set_style(
                style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "),
            );
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar, spent: Duration::ZERO, expected }
    }

    pub(super) fn show(&mut self, progress: &Progress<'_>) {
        let Some(bar) = &self.bar else { return };
        match progress {
            Progress::Begins { id, frame, plan, bounds } => {
                let left = self.expected.saturating_sub(self.spent);
                bar.set_prefix(format!("about {} left", long_time(left.as_nanos() as u64)));
                let what = format!("{} {} trial {id}: {}", frame.name, plan.test, load(plan));
                bar.set_message(what + &between(bounds));
            }
            Progress::Ended(record) => {
                let took = Duration::from_nanos(record.result.duration_with_overheads_ns);
                self.spent += took;
                // A search that goes on for longer than was thought is never done.
                let longest = millis(self.expected).saturating_sub(1);
                bar.set_position(millis(self.spent).min(longest));
            }
        }
    }

    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn load(plan: &TrialPlan) -> String {
    let stages = plan.loads.iter().filter_map(|load| load.stages.first());
    let fps = stages.map(|stage| stage.fps).fold(Ratio::ZERO, Ratio::plus);
    format!("{} fps for {}", scaled(fps.to_f64()), format_duration_short(plan.duration()))
}

fn between(bounds: &Bounds) -> String {
    let shown = |fps: Option<Ratio>| fps.map(|fps| scaled(fps.to_f64()));
    let goal = bounds.goal.as_ref().map_or(String::new(), |goal| format!("{goal} "));
    match (shown(bounds.lower_fps), shown(bounds.upper_fps)) {
        (None, None) => String::new(),
        (lower, upper) => {
            let [lower, upper] = [lower, upper].map(|bound| bound.unwrap_or_else(|| "?".into()));
            format!(", {goal}between {lower} and {upper}")
        }
    }
}
