//! What a person sees while a run is on: a line per flow and interval, and a bar.

use crate::{
    report::{live_header, live_line},
    session::{Phase, Snapshot},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, Write, stderr, stdout},
    time::Duration,
};
use terminal_size::{Width, terminal_size_of};

/// Flows shown every interval; more scroll by faster than one can read.
const FLOWS_MAX: usize = 20;
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
        for flow in snapshot.flows.iter().take(FLOWS_MAX) {
            if self.lines.is_multiple_of(TITLES_EVERY) {
                bar.println(live_header(self.width));
            }
            self.lines += 1;
            let seconds = snapshot.elapsed.as_secs();
            bar.println(live_line(
                seconds,
                &flow.name,
                &flow.latest,
                flow.settled.as_ref(),
                self.width,
            ));
        }
        if let more @ 1.. = snapshot.flows.len().saturating_sub(FLOWS_MAX) {
            bar.println(format!("     and {more} flows more, see the result"));
        }
    }
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
