//! A suite from its checked specification to its result: the same for all of them.

use super::{args::SuiteArgs, forms::Forms, journal::Journal, progress::Bar};
use crate::{
    calibration,
    cli::{Failure, output::stop_flag},
    report::{SuiteDocument, SuiteFacts, long_time},
    session::Settings,
    spec::{Hooks, SuiteFile},
    suite::{
        AnySuite, LogHeader, Logged, Progress, Stop, Stoppable, TrialError, TrialLog, UnderTest,
        hooks::{Hooked, shell},
        real::{Setup, Watch},
        warnings,
    },
};
use std::sync::{Arc, atomic::AtomicBool};

/// A suite that is ready to run.
pub(super) struct Job<'a> {
    pub(super) args: &'a SuiteArgs,
    pub(super) file: &'a SuiteFile,
    pub(super) suite: &'a AnySuite,
}

/// Exit code of what ended a suite early.
fn exit_code(stopped: &Stop) -> u8 {
    match stopped {
        Stop::Trial(error) => error.exit_code(),
        _ => 2,
    }
}

/// Runs the suite and writes everything.
pub(super) fn conduct(job: &Job<'_>) -> Result<u8, Failure> {
    let forms = Forms::open(&job.args.forms)?;
    let say = |text: &str| {
        if !job.args.quiet {
            anstream::eprintln!("{text}");
        }
    };
    let (name, suite) = (job.suite.kind().name(), job.suite.suite());
    let flow_file = job.suite.flow_text()?;
    let json = |error: serde_json::Error| Failure { code: 2, message: error.to_string() };
    let sha256 = job.suite.config(flow_file.as_deref()).map_err(json)?;
    let stop = stop_flag()?;
    let settings = Settings {
        backend: job.args.backend.into(),
        calibrations: Some(calibration::directory()),
        ..Settings::default()
    };
    let setup = Setup { settings, stop: Arc::clone(&stop), watch: Watch::default() };
    let mut device = UnderTest::open(suite, job.suite.wants(), setup)?;
    for warning in warnings(suite) {
        say(&warning);
    }
    let (modes, notes) = device.notes();
    for note in modes.iter().chain(&notes).filter(|_| job.args.verbose) {
        say(note);
    }
    let directions = device.trial().directions().to_vec();
    let header = LogHeader {
        suite: name.to_owned(),
        config: sha256.clone(),
        directions: directions.clone(),
    };
    let mut journal = Journal::open(job.args, header, device.is_real(), &mut |text| say(text))?;
    let started = journal.log.as_ref().map_or_else(jiff::Timestamp::now, TrialLog::started);
    let clock = if device.is_real() { "" } else { " of virtual time" };
    let expected = job.suite.expected(&directions);
    let shown = long_time(u64::try_from(expected.as_nanos()).unwrap_or(u64::MAX));
    say(&format!("{name}: about {shown}{clock}, waits included"));

    let hooks = &suite.hooks;
    let description = before(hooks, &stop)?;
    let mut bar = Bar::new(forms.screen, expected, job.args.quiet);
    let found = {
        let mut stoppable = Stoppable::new(device.trial(), &stop);
        let (before, after) = (hooks.before_trial.as_deref(), hooks.after_trial.as_deref());
        let mut hooked = Hooked::new(&mut stoppable, before, after, &stop);
        let mut observe = |progress: Progress<'_>| bar.show(&progress);
        let mut told = false;
        let mut trouble = |error: &std::io::Error| {
            if !std::mem::replace(&mut told, true) {
                say(&format!("trial log: {error}; the suite goes on, and tries again"));
            }
        };
        match &mut journal.log {
            Some(log) => {
                if log.trials() > 0 {
                    say(&format!("going on after {} trials of the log", log.trials()));
                }
                job.suite.run(&mut Logged::new(&mut hooked, log, &mut trouble), &mut observe)
            }
            None => job.suite.run(&mut hooked, &mut observe),
        }
    };
    bar.end();
    let found = found?;
    let facts = SuiteFacts {
        suite,
        effective: serde_json::to_value(job.suite).map_err(json)?,
        sha256,
        arguments: std::env::args().collect(),
        suite_file: job.file.text(),
        flow_file,
        device: description,
        seed: device.seed(),
        directions: &directions,
        ports: device.ports(),
        started,
        notes,
    };
    let failed = found.stopped().map(exit_code);
    let document = SuiteDocument::new(&facts, &found);
    // Everything attached is let go before files are written.
    drop(facts);
    drop(device);
    let last = hooks.after_suite.as_deref().map(|command| shell(command, &Vec::new(), &stop));
    let written = forms.write(&document, job.args.quiet);
    let resume = journal.end(failed.is_none())?;
    if let Some(path) = resume {
        say(&format!("to go on, give the same flags and --resume {}", path.display()));
    }
    written?;
    if let Some(Err(error)) = last.filter(|_| failed.is_none()) {
        return Err(TrialError::from(error).into());
    }
    Ok(failed.unwrap_or_else(|| document.verdict().exit_code()))
}

/// The hooks before the first trial. Returns what the device says of itself.
fn before(hooks: &Hooks, stop: &AtomicBool) -> Result<Option<String>, Failure> {
    let run = |command: &String| {
        shell(command, &Vec::new(), stop).map_err(|error| Failure::from(TrialError::from(error)))
    };
    hooks.before_suite.as_ref().map(run).transpose()?;
    let said = hooks.describe.as_ref().map(run).transpose()?;
    Ok(said.map(|text| text.trim_end().to_owned()))
}
