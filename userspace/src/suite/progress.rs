//! The trials of a suite as they happen: numbered, watched, kept, and not without end.

use super::{Direction, Trial, TrialError, TrialPlan, TrialResult};
use crate::{
    spec::Frame,
    units::{Ratio, format_duration_short},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a suite says while it runs.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A trial begins.
    Begins {
        /// Its number, from 1 on.
        id: u32,
        /// The row of the result that it is for.
        frame: &'a Frame,
        /// What is sent.
        plan: &'a TrialPlan,
        /// What the search knows so far.
        bounds: &'a Bounds,
    },
    /// A trial is over.
    Ended(&'a TrialRecord),
}

/// Between which loads a search still looks, per direction; a trace of it over the trials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// What is sought: `NDR`; `None`: there is but one thing.
    pub goal: Option<String>,
    /// The greatest load that passed.
    pub lower_fps: Option<Ratio>,
    /// The least load that failed.
    pub upper_fps: Option<Ratio>,
}

/// A trial that was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// Its number, from 1 on.
    pub id: u32,
    /// The row of the result that it is for.
    pub frame: Frame,
    /// What was to be sent.
    pub plan: TrialPlan,
    /// What the search knew before it.
    pub bounds: Bounds,
    /// What came of it.
    pub result: TrialResult,
}

/// Where a suite ends with what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most trials.
    pub trials: u32,
    /// Most time, waits included.
    pub time: Duration,
}

/// Why there are no more trials.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// As many as were allowed have been run.
    #[error("ended after {0} trials (max_trials)")]
    Trials(u32),
    /// The next would end too late.
    #[error("ended after {} (max_time)", format_duration_short(*.0))]
    Time(Duration),
    /// The trial itself ended it.
    #[error(transparent)]
    Trial(#[from] TrialError),
}

/// Runs trials one after the other, keeps them and tells of them.
pub struct Trials<'a> {
    trial: &'a mut dyn Trial,
    limits: Limits,
    observe: &'a mut dyn FnMut(Progress<'_>),
    records: Vec<TrialRecord>,
    spent: Duration,
}

impl<'a> Trials<'a> {
    /// None has been run.
    pub fn new(
        trial: &'a mut dyn Trial,
        limits: Limits,
        observe: &'a mut dyn FnMut(Progress<'_>),
    ) -> Self {
        Self { trial, limits, observe, records: Vec::new(), spent: Duration::ZERO }
    }

    /// [`Trial::directions`].
    pub fn directions(&self) -> &[Direction] {
        self.trial.directions()
    }

    /// [`Trial::ceiling_fps`].
    ///
    /// # Errors
    /// That of the trial.
    pub fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.trial.ceiling_fps(frame)
    }

    /// Runs a trial for a row of the result, unless a limit forbids it.
    ///
    /// # Errors
    /// [`Stop`]: nothing was run, or nothing came of it.
    pub fn run(
        &mut self,
        frame: &Frame,
        plan: TrialPlan,
        bounds: Bounds,
    ) -> Result<&TrialRecord, Stop> {
        let done = self.records.len() as u32;
        if done >= self.limits.trials {
            return Err(Stop::Trials(done));
        }
        if self.spent.saturating_add(plan.duration()) > self.limits.time {
            return Err(Stop::Time(self.spent));
        }
        let id = done + 1;
        (self.observe)(Progress::Begins { id, frame, plan: &plan, bounds: &bounds });
        let result = self.trial.run(&plan)?;
        let took = Duration::from_nanos(result.duration_with_overheads_ns);
        self.spent = self.spent.saturating_add(took);
        let record = TrialRecord { id, frame: frame.clone(), plan, bounds, result };
        (self.observe)(Progress::Ended(&record));
        self.records.push(record);
        Ok(&self.records[done as usize])
    }

    /// How long all of them took, waits included.
    pub fn spent(&self) -> Duration {
        self.spent
    }

    /// All that were run, in order.
    pub fn records(&self) -> &[TrialRecord] {
        &self.records
    }

    /// All that were run, in order.
    pub fn into_records(self) -> Vec<TrialRecord> {
        self.records
    }
}

impl std::fmt::Debug for Trials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { limits, records, spent, .. } = self;
        f.debug_struct("Trials")
            .field("limits", limits)
            .field("records", records)
            .field("spent", spent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        suite::{Stage, Test},
        units::FrameSize,
    };

    /// Loses nothing and waits 2 s after each load.
    struct Wire;

    impl Trial for Wire {
        fn directions(&self) -> &[Direction] {
            &[]
        }

        fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
            Ok(None)
        }

        fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
            let load = plan.duration();
            Ok(TrialResult {
                directions: Vec::new(),
                latency: None,
                duration_ns: load.as_nanos() as u64,
                duration_with_overheads_ns: (load + Duration::from_secs(2)).as_nanos() as u64,
                invalid: None,
            })
        }
    }

    fn second() -> (Frame, TrialPlan) {
        let frame = Frame::fixed(FrameSize::MIN);
        let stage = Stage::lasting(1000.into(), Duration::from_secs(1));
        let plan = TrialPlan::same(Test::Throughput, 1, &frame, &[stage]);
        (frame, plan)
    }

    fn run_until_stopped(limits: Limits) -> (Vec<TrialRecord>, Vec<String>, Stop) {
        let mut told = Vec::new();
        let mut observe = |progress: Progress<'_>| {
            told.push(match progress {
                Progress::Begins { id, .. } => format!("begins {id}"),
                Progress::Ended(record) => format!("ended {}", record.id),
            });
        };
        let (frame, plan) = second();
        let mut wire = Wire;
        let mut trials = Trials::new(&mut wire, limits, &mut observe);
        let stop = loop {
            if let Err(stop) = trials.run(&frame, plan.clone(), Bounds::default()) {
                break stop;
            }
        };
        (trials.into_records(), told, stop)
    }

    #[test]
    fn trials_are_numbered_told_of_and_kept() {
        let (records, told, stop) =
            run_until_stopped(Limits { trials: 2, time: Duration::from_hours(1) });
        assert_eq!(told, ["begins 1", "ended 1", "begins 2", "ended 2"]);
        assert_eq!(records.iter().map(|r| r.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(stop.to_string(), "ended after 2 trials (max_trials)");
    }

    #[test]
    fn no_trial_begins_that_would_end_after_the_limit() {
        for (limit_s, runs) in [(0, 0), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3)] {
            let limits = Limits { trials: 100, time: Duration::from_secs(limit_s) };
            let (records, _, stop) = run_until_stopped(limits);
            assert_eq!(records.len(), runs, "{limit_s} s");
            let spent = format!(
                "ended after {} (max_time)",
                if runs == 0 { "0ns".into() } else { format!("{}s", 3 * runs) }
            );
            assert_eq!(stop.to_string(), spent);
        }
    }
}
