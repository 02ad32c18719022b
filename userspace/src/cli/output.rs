//! What a run shows and writes: live lines, table, JSON, series.

use super::{
    Failure,
    args::OutputArgs,
    live::{Live, Screen},
    series::Series,
};
use crate::{
    report::{self, RunResult},
    session::{RunFacts, SessionError, Settings, Snapshot},
};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// Where everything goes that a run has to say.
pub(super) struct Output<'a> {
    args: &'a OutputArgs,
    screen: Screen,
    json: Option<(fs::File, String)>,
    series: Option<Series>,
}

impl<'a> Output<'a> {
    /// Creates the files before the run: a result that cannot be written is a run for
    /// nothing.
    pub(super) fn open(args: &'a OutputArgs) -> Result<Self, Failure> {
        let on_stdout = args.json.as_deref() == Some(Path::new("-"));
        let json = args.json.as_deref().filter(|_| !on_stdout).map(create).transpose()?;
        let series = args.series.as_deref().map(Series::create).transpose()?;
        let screen = if on_stdout { Screen::Stderr } else { Screen::Stdout };
        Ok(Self { args, screen, json, series })
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            interval: self.args.interval,
            samples: self.args.history as usize,
            keep_samples: self.args.samples,
            series: self.series.is_some(),
            calibrations: Some(crate::calibration::directory()),
            ..Settings::default()
        }
    }

    /// Says how the ports are used, if that was asked for.
    pub(super) fn say(&self, notes: &[String]) {
        for note in notes.iter().filter(|_| self.args.verbose) {
            self.screen.print(note);
        }
    }

    /// Shows a run while it goes on.
    pub(super) fn watch(
        &mut self,
        planned: Option<Duration>,
        run: impl FnOnce(&mut dyn FnMut(&Snapshot)) -> Result<RunFacts, SessionError>,
    ) -> Result<RunFacts, Failure> {
        let mut live = Live::new(self.screen, planned, self.args.quiet);
        run(&mut |snapshot| {
            live.show(snapshot);
            if let Some(series) = &mut self.series {
                series.write(snapshot);
            }
        })
        .map_err(Failure::from)
    }

    /// Shows and writes the result; gives the exit code.
    pub(super) fn finish(self, facts: &RunFacts) -> Result<u8, Failure> {
        let result = RunResult::new(facts);
        if !self.args.quiet {
            self.screen.print(&report::table(&result, self.screen.width()));
        }
        let failed = |path: &str, error: &dyn std::fmt::Display| Failure {
            code: 2,
            message: format!("--json {path}: {error}"),
        };
        let text = result.to_json().map_err(|error| failed("", &error))?;
        if let Some((mut file, path)) = self.json {
            file.write_all(text.as_bytes()).map_err(|error| failed(&path, &error))?;
        }
        if self.screen == Screen::Stderr {
            std::io::stdout().write_all(text.as_bytes()).map_err(|error| failed("-", &error))?;
        }
        self.series.map_or(Ok(()), Series::finish)?;
        Ok(report::exit_code(&result))
    }
}

pub(super) fn create(path: &Path) -> Result<(fs::File, String), Failure> {
    let file = fs::File::create(path)
        .map_err(|error| Failure::usage(format!("--json {}: {error}", path.display())))?;
    Ok((file, path.display().to_string()))
}

/// Set by SIGINT or SIGTERM; the second of them ends the process at once, and with it
/// everything that is attached.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 2, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Failure {
                code: 2,
                message: format!("cannot listen to signals: {error}"),
            })?;
    }
    Ok(stop)
}
