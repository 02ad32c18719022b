//! Where finished trials are kept, so that a suite that is broken off can go on.

use super::args::SuiteArgs;
use crate::{
    calibration,
    cli::Failure,
    suite::{LogError, LogHeader, TrialLog},
};
use std::{fs, path::PathBuf};

/// The log of a suite.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) log: Option<TrialLog>,
    /// Nobody asked for it: it is kept only if the suite is broken off.
    by_itself: bool,
}

impl Journal {
    /// As the flags say; without them, suites on real ports are logged beside the calibrations.
    pub(super) fn open(
        args: &SuiteArgs,
        header: LogHeader,
        real: bool,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, Failure> {
        let usage = |error: LogError| Failure::usage(error.to_string());
        let asked = |log| Ok(Self { log: Some(log), by_itself: false });
        if let Some(path) = &args.resume {
            return asked(TrialLog::resume(path, &header).map_err(usage)?);
        }
        if let Some(path) = &args.log {
            return asked(TrialLog::create(path, header).map_err(usage)?);
        }
        if !real {
            return Ok(Self { log: None, by_itself: false });
        }
        let directory = calibration::directory().with_file_name("trials");
        let path = directory.join(format!(
            "{}-{}-{}.jsonl",
            header.suite,
            jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"),
            std::process::id()
        ));
        let log = fs::create_dir_all(&directory)
            .map_err(|source| LogError::Io { log: directory.display().to_string(), source })
            .and_then(|()| TrialLog::create(&path, header));
        match log {
            Ok(log) => Ok(Self { log: Some(log), by_itself: true }),
            Err(error) => {
                say(&format!("{error}; without --log PATH this suite cannot be resumed"));
                Ok(Self { log: None, by_itself: false })
            }
        }
    }

    /// After the last trial. `whole`: the suite came to its end. Returns the log to resume
    /// from, if there is something to resume.
    ///
    /// # Errors
    /// Exit code 2 where trials are not on disk.
    pub(super) fn end(self, whole: bool) -> Result<Option<PathBuf>, Failure> {
        let Some(mut log) = self.log else { return Ok(None) };
        let flushed = log.flush();
        let path = PathBuf::from(log.name());
        if whole && self.by_itself {
            // The result has all that it had.
            let _ = fs::remove_file(&path);
            return Ok(None);
        }
        match flushed {
            Ok(()) => Ok((!whole).then_some(path)),
            Err(error) => Err(Failure {
                code: 2,
                message: format!(
                    "trial log {}: {error}; its last trials are missing",
                    path.display()
                ),
            }),
        }
    }
}
