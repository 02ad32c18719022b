//! The trial log: every finished trial is on disk before the next begins, and a suite that
//! was broken off goes on where it was.
//!
//! The search logic is pure: equal answers lead to equal plans. So nothing of its state is
//! kept; a resumed suite starts anew, and [`Logged`] answers from the log as long as the log
//! lasts. The first line says of what suite and configuration the log is, each other line is
//! an answer of a [`Trial`].

use super::{Direction, Trial, TrialError, TrialPlan, TrialResult};
use crate::{spec::Frame, units::Ratio};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const SCHEMA: &str = "linerate.trials/1";

/// Of what a log is: only what is the same can be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHeader {
    /// Name of the command: `rfc2544`.
    pub suite: String,
    /// Hash of everything that decides what is sent ([`config_hash`](super::config_hash)).
    pub config: String,
    /// [`Trial::directions`].
    pub directions: Vec<Direction>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FirstLine {
    schema: String,
    started: jiff::Timestamp,
    #[serde(flatten)]
    header: LogHeader,
}

/// An answer of a [`Trial`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Trial { ended: jiff::Timestamp, plan: TrialPlan, result: Box<TrialResult> },
    Ceiling { frame: Frame, fps: Option<Ratio> },
}

/// Why a log cannot be used. Exit code 64 in every case.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum LogError {
    #[error("trial log {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("trial log {path}: another linerate writes it; wait for it, or name another", path = path.display())]
    Busy { path: PathBuf },
    #[error("{path} is no trial log; name a file that --log wrote", path = path.display())]
    Foreign { path: PathBuf },
    #[error("trial log {path}: line {line} is damaged; start anew without --resume", path = path.display())]
    Damaged { path: PathBuf, line: usize },
    #[error(
        "trial log {path} is of {what}; resume with the flags and files that it was begun with, or start anew without --resume",
        path = path.display()
    )]
    Other { path: PathBuf, what: String },
}

/// A file that grows by a line for every trial.
#[derive(Debug)]
pub struct TrialLog {
    path: PathBuf,
    file: File,
    /// Octets of whole lines in the file.
    whole: u64,
    /// Lines that the disk did not take yet.
    waiting: Vec<u8>,
    /// Answers not yet given again.
    answers: VecDeque<Answer>,
    /// When the suite was first begun.
    started: jiff::Timestamp,
}

impl TrialLog {
    /// A new log; what the file held is gone.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn create(path: &Path, header: LogHeader) -> Result<Self, LogError> {
        let file = open(path, OpenOptions::new().create(true).truncate(false))?;
        let started = jiff::Timestamp::now();
        let mut log = Self {
            path: path.to_owned(),
            file,
            whole: 0,
            waiting: Vec::new(),
            answers: VecDeque::new(),
            started,
        };
        let failed = |source| LogError::Io { path: path.to_owned(), source };
        log.file.set_len(0).map_err(failed)?;
        let first = FirstLine { schema: SCHEMA.to_owned(), started, header };
        log.append(&first).map_err(failed)?;
        Ok(log)
    }

    /// A log to go on with. A last line that was not written to its end is cut off.
    ///
    /// # Errors
    /// [`LogError`]; above all where `header` is not that of the log.
    pub fn resume(path: &Path, header: &LogHeader) -> Result<Self, LogError> {
        let mut file = open(path, &mut OpenOptions::new())?;
        let failed = |source| LogError::Io { path: path.to_owned(), source };
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).map_err(failed)?;
        let whole = octets.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let mut lines = octets[..whole].split_inclusive(|&octet| octet == b'\n');
        let first: FirstLine = lines
            .next()
            .and_then(|line| serde_json::from_slice(line).ok())
            .filter(|first: &FirstLine| first.schema == SCHEMA)
            .ok_or_else(|| LogError::Foreign { path: path.to_owned() })?;
        if let Some(what) = difference(&first.header, header) {
            return Err(LogError::Other { path: path.to_owned(), what });
        }
        let answers = lines.enumerate().map(|(at, line)| {
            let damaged = |_| LogError::Damaged { path: path.to_owned(), line: at + 2 };
            serde_json::from_slice(line).map_err(damaged)
        });
        let answers = answers.collect::<Result<_, _>>()?;
        let log = Self {
            path: path.to_owned(),
            file,
            whole: whole as u64,
            waiting: Vec::new(),
            answers,
            started: first.started,
        };
        log.file.set_len(log.whole).map_err(failed)?;
        Ok(log)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the suite was first begun.
    pub fn started(&self) -> jiff::Timestamp {
        self.started
    }

    /// How many trials are answered from the log.
    pub fn trials(&self) -> usize {
        self.answers.iter().filter(|answer| matches!(answer, Answer::Trial { .. })).count()
    }

    /// Writes a line, and before it those that found no room earlier, down to the disk. What
    /// cannot be written is kept for the next time, and no part of a line stays in the file.
    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.waiting, line)?;
        self.waiting.push(b'\n');
        self.flush()
    }

    /// Writes what is waiting.
    ///
    /// # Errors
    /// What the disk said; all is still waiting then.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.whole))
            .and_then(|_| self.file.write_all(&self.waiting))
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.whole += self.waiting.len() as u64;
                self.waiting.clear();
            }
            // Where even that fails, the next reader cuts the torn line off.
            Err(_) => drop(self.file.set_len(self.whole)),
        }
        written
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, LogError> {
    let failed = |source| LogError::Io { path: path.to_owned(), source };
    let file = options.read(true).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// What the log is of, if that is something else.
fn difference(log: &LogHeader, now: &LogHeader) -> Option<String> {
    if log.suite != now.suite {
        return Some(format!("the suite {}", log.suite));
    }
    if log.directions != now.directions {
        let names = log.directions.iter().map(|way| format!("{} to {}", way.tx, way.rx));
        return Some(format!("other ports or links: {}", names.collect::<Vec<_>>().join(", ")));
    }
    (log.config != now.config).then(|| "another configuration".to_owned())
}

/// A [`Trial`] whose answers are kept, and at first those that were kept before.
pub struct Logged<'a> {
    trial: &'a mut dyn Trial,
    log: &'a mut TrialLog,
    /// Hears that the disk does not take what it should.
    trouble: &'a mut dyn FnMut(&io::Error),
}

impl<'a> Logged<'a> {
    /// `trouble` hears of every failure to write; the suite goes on.
    pub fn new(
        trial: &'a mut dyn Trial,
        log: &'a mut TrialLog,
        trouble: &'a mut dyn FnMut(&io::Error),
    ) -> Self {
        Self { trial, log, trouble }
    }

    fn keep(&mut self, answer: &Answer) {
        if let Err(error) = self.log.append(answer) {
            (self.trouble)(&error);
        }
    }

    /// The log has an answer to another question: it cannot be trusted from here on.
    fn diverged(&self) -> TrialError {
        let path = self.log.path.display();
        TrialError::Failed {
            message: format!(
                "trial log {path}: the next trial is not the one that was logged, as another \
                 version of linerate searches otherwise; start anew without --resume"
            ),
            exit_code: 64,
        }
    }
}

impl std::fmt::Debug for Logged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logged").field("log", self.log).finish_non_exhaustive()
    }
}

impl Trial for Logged<'_> {
    fn directions(&self) -> &[Direction] {
        self.trial.directions()
    }

    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        match self.log.answers.pop_front() {
            Some(Answer::Ceiling { frame: asked, fps }) if asked == *frame => return Ok(fps),
            Some(_) => return Err(self.diverged()),
            None => (),
        }
        let fps = self.trial.ceiling_fps(frame)?;
        self.keep(&Answer::Ceiling { frame: frame.clone(), fps });
        Ok(fps)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        match self.log.answers.pop_front() {
            Some(Answer::Trial { plan: asked, result, .. }) if asked == *plan => {
                self.trial.replayed(plan, &result);
                return Ok(*result);
            }
            Some(_) => return Err(self.diverged()),
            None => (),
        }
        let result = self.trial.run(plan)?;
        let kept = Box::new(result.clone());
        let ended = jiff::Timestamp::now();
        self.keep(&Answer::Trial { ended, plan: plan.clone(), result: kept });
        Ok(result)
    }
}

#[cfg(test)]
mod tests;
