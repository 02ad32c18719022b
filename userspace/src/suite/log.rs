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
use std::{collections::VecDeque, fmt, io};

mod file;

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
    #[error("trial log {log}: {source}")]
    Io { log: String, source: io::Error },
    #[error("trial log {log}: another linerate writes it; wait for it, or name another")]
    Busy { log: String },
    #[error("{log} is no trial log; name a file that --log wrote")]
    Foreign { log: String },
    #[error("trial log {log}: line {line} is damaged; start anew without --resume")]
    Damaged { log: String, line: usize },
    #[error(
        "trial log {log} is of {what}; resume with the flags and files that it was begun with, or start anew without --resume"
    )]
    Other { log: String, what: String },
}

/// Where the lines of a log are kept.
pub trait Keep: fmt::Debug {
    /// Keeps whole lines, all or none of them, so that they outlive this process.
    ///
    /// # Errors
    /// What the disk said.
    fn keep(&mut self, lines: &[u8]) -> io::Result<()>;
}

/// What grows by a line for every trial.
#[derive(Debug)]
pub struct TrialLog {
    name: String,
    kept: Box<dyn Keep>,
    /// Lines that the disk did not take yet.
    waiting: Vec<u8>,
    /// Answers not yet given again.
    answers: VecDeque<Answer>,
    /// When the suite was first begun.
    started: jiff::Timestamp,
}

impl TrialLog {
    /// A new log; `name` is what messages call it.
    ///
    /// # Errors
    /// If its first line cannot be kept.
    pub fn begin(name: String, kept: impl Keep + 'static, header: LogHeader) -> io::Result<Self> {
        let started = jiff::Timestamp::now();
        let (waiting, answers) = (Vec::new(), VecDeque::new());
        let mut log = Self { name, kept: Box::new(kept), waiting, answers, started };
        log.append(&FirstLine { schema: SCHEMA.to_owned(), started, header })?;
        Ok(log)
    }

    /// A log to go on with, of the whole lines that were kept.
    ///
    /// # Errors
    /// [`LogError`]; above all where `header` is not that of the log.
    pub fn go_on(
        name: String,
        kept: impl Keep + 'static,
        lines: &[u8],
        header: &LogHeader,
    ) -> Result<Self, LogError> {
        let (first, answers) = read(&name, lines)?;
        if let Some(what) = difference(&first.header, header) {
            return Err(LogError::Other { log: name, what });
        }
        let (kept, started) = (Box::new(kept), first.started);
        Ok(Self { name, kept, waiting: Vec::new(), answers, started })
    }

    /// Of what the log is that begins with this line.
    ///
    /// # Errors
    /// [`LogError::Foreign`].
    pub fn header(name: &str, first: &[u8]) -> Result<LogHeader, LogError> {
        Ok(read(name, first)?.0.header)
    }

    /// What messages call it: of a file, its path.
    pub fn name(&self) -> &str {
        &self.name
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
        self.kept.keep(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

fn read(name: &str, lines: &[u8]) -> Result<(FirstLine, VecDeque<Answer>), LogError> {
    let mut lines = lines.split_inclusive(|&octet| octet == b'\n');
    let first: FirstLine = lines
        .next()
        .and_then(|line| serde_json::from_slice(line).ok())
        .filter(|first: &FirstLine| first.schema == SCHEMA)
        .ok_or_else(|| LogError::Foreign { log: name.to_owned() })?;
    let answers = lines.enumerate().map(|(at, line)| {
        let damaged = |_| LogError::Damaged { log: name.to_owned(), line: at + 2 };
        serde_json::from_slice(line).map_err(damaged)
    });
    Ok((first, answers.collect::<Result<_, _>>()?))
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
        let name = &self.log.name;
        TrialError::Failed {
            message: format!(
                "trial log {name}: the next trial is not the one that was logged, as another \
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
