//! The trials of a suite that broke off without a result, from its trial log.

use crate::{
    report::{TrialRow, trial_row},
    serve::engine::{EngineError, asked},
    spec::{Frame, JsonText},
    suite::{
        Direction, Keep, LogError, Logged, Progress, SuiteKind, Trial, TrialError, TrialLog,
        TrialPlan, TrialResult,
    },
    units::Ratio,
};
use std::io;

/// Asks the search for its trials again, as far as the log answers.
///
/// # Errors
/// If the log is none, or the suite cannot be read any more.
pub(in crate::serve) fn replay(
    kind: SuiteKind,
    document: &JsonText,
    lines: &[String],
) -> Result<Vec<TrialRow>, EngineError> {
    let Some(first) = lines.first() else { return Ok(Vec::new()) };
    let failed = |error: LogError| EngineError::Failed { message: error.to_string() };
    let (_, suite) = asked(kind, document)?;
    let header = TrialLog::header("of the suite", first.as_bytes()).map_err(failed)?;
    let text = lines.join("\n") + "\n";
    let log = TrialLog::go_on("of the suite".to_owned(), Nowhere, text.as_bytes(), &header);
    let mut log = log.map_err(failed)?;
    let mut ended = Ended { directions: header.directions };
    let mut rows = Vec::new();
    let mut seen = |progress: Progress<'_>| {
        if let Progress::Ended(record) = progress {
            rows.push(trial_row(record));
        }
    };
    // How it ends is known: where the log does.
    let _ = suite.run(&mut Logged::new(&mut ended, &mut log, &mut |_| ()), &mut seen);
    Ok(rows)
}

/// Nothing is added to the log.
#[derive(Debug)]
struct Nowhere;

impl Keep for Nowhere {
    fn keep(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// A device that runs no trial any more.
struct Ended {
    directions: Vec<Direction>,
}

impl Trial for Ended {
    fn directions(&self) -> &[Direction] {
        &self.directions
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Err(TrialError::Interrupted)
    }

    fn run(&mut self, _: &TrialPlan) -> Result<TrialResult, TrialError> {
        Err(TrialError::Interrupted)
    }
}
