//! What a person sees while a run is on: a line per flow and interval, and a bar.

use crate::{
    collect::{Loss, Sample},
    report::{live_header, live_line},
    session::{FlowSnapshot, Phase, Snapshot},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, Write, stderr, stdout},
    time::Duration,
};
use terminal_size::{Width, terminal_size_of};

/// Flows shown every interval; more scroll by faster than one can read: then it is all of
/// them in one line, and the worst.
const FLOWS_MAX: usize = 20;
const WORST: usize = 8;
/// Lines after which the titles are repeated.
const TITLES_EVERY: usize = 20;
const WIDTH: usize = 80;

/// Where output for people goes: stdout, or stderr when stdout carries JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    Stdout,
    Stderr,
}

impl Screen {
    pub(super) fn is_terminal(self) -> bool {
        match self {
            Screen::Stdout => stdout().is_terminal(),
            Screen::Stderr => stderr().is_terminal(),
        }
    }

    /// Columns, on a terminal.
    pub(super) fn width(self) -> Option<usize> {
        let size = match self {
            Screen::Stdout => terminal_size_of(stdout()),
            Screen::Stderr => terminal_size_of(stderr()),
        };
        size.map(|(Width(columns), _)| usize::from(columns))
    }

    /// Prints a text and a line end. That nobody reads it is no failure of the run.
    pub(super) fn print(self, text: &str) {
        let _ = match self {
            Screen::Stdout => writeln!(anstream::stdout(), "{text}"),
            Screen::Stderr => writeln!(anstream::stderr(), "{text}"),
        };
    }
}

/// Live lines above a progress bar; prints nothing where no terminal is.
#[derive(Debug)]
pub(super) struct Live {
    bar: Option<ProgressBar>,
    planned: Option<Duration>,
    width: usize,
    lines: usize,
}

impl Live {
    /// `planned`: when the run ends, if that is known.
    pub(super) fn new(screen: Screen, planned: Option<Duration>, quiet: bool) -> Self {
        let bar = (screen.is_terminal() && !quiet).then(|| bar(screen, planned));
        Self { bar, planned, width: screen.width().unwrap_or(WIDTH).max(WIDTH), lines: 0 }
    }

    /// Shows the interval that just ended.
    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        let Some(bar) = &self.bar else { return };
        if snapshot.phase == Phase::Done {
            bar.finish_and_clear();
            return;
        }
        let elapsed =
            self.planned.map_or(snapshot.elapsed, |planned| snapshot.elapsed.min(planned));
        bar.set_position(elapsed.as_millis() as u64);
        bar.set_message(if snapshot.phase == Phase::Draining { "draining" } else { "sending" });
        let seconds = snapshot.elapsed.as_secs();
        let mut line = |name: &str, latest: &Sample, settled: Option<&Sample>| {
            if self.lines.is_multiple_of(TITLES_EVERY) {
                bar.println(live_header(self.width));
            }
            self.lines += 1;
            bar.println(live_line(seconds, name, latest, settled, self.width));
        };
        let mut flows: Vec<_> = snapshot.flows.iter().collect();
        if flows.len() > FLOWS_MAX {
            let all = Sample::sum(flows.iter().map(|flow| &flow.latest));
            let settled = Sample::sum(flows.iter().filter_map(|flow| flow.settled.as_ref()));
            if let Some(all) = all {
                line(&format!("all {}", flows.len()), &all, settled.as_ref());
            }
            flows.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
            flows.truncate(WORST);
        }
        for flow in flows {
            line(&flow.name, &flow.latest, flow.settled.as_ref());
        }
    }
}

/// Lost frames weigh more than late ones: the share lost, then the 99th percentile.
fn badness(flow: &FlowSnapshot) -> f64 {
    let loss = flow.settled.as_ref().and_then(Sample::loss).and_then(Loss::ratio).unwrap_or(0.0);
    let p99_ns = flow.latest.latency.map_or(0, |latency| latency.p99);
    // A latency of 17 minutes weighs as much as the loss of all.
    loss * 1e12 + p99_ns as f64
}

fn bar(screen: Screen, planned: Option<Duration>) -> ProgressBar {
    let target = match screen {
        Screen::Stdout => ProgressDrawTarget::stdout(),
        Screen::Stderr => ProgressDrawTarget::stderr(),
    };
    let (bar, template) = match planned {
        Some(planned) => (
            ProgressBar::with_draw_target(Some(planned.as_millis() as u64), target),
            "{msg:8} [{bar:40}] {percent:>3} %  {elapsed} of about {prefix}",
        ),
        None => (
            ProgressBar::with_draw_target(None, target),
            "{msg:8} {spinner} {elapsed}  Ctrl-C ends the run",
        ),
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(planned.map(crate::units::format_duration).unwrap_or_default());
    bar.set_message("sending");
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
