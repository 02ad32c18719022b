//! How far a suite is, told to the listener.

use super::{
    super::{
        protocol::{Event, Line},
        snapshot::RunSnapshot,
        worker::Shared,
    },
    CurrentTrial, SuiteEvent, SuiteProgress, SuiteRates,
};
use crate::{
    report::trial_row,
    session::Snapshot,
    spec::Frame,
    suite::{Direction, Progress, Trial, TrialError, TrialPlan, TrialResult},
    units::Ratio,
};
use std::{
    cell::RefCell,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// Trials in virtual time, and those that a log answers, are told of together.
const EVERY: Duration = Duration::from_millis(100);

/// Puts together what is to be told.
#[derive(Debug)]
pub(super) struct Teller {
    shared: Arc<Shared>,
    progress: SuiteProgress,
    expected_ns: u64,
    told: Instant,
}

impl Teller {
    pub(super) fn new(shared: Arc<Shared>, suite: u64) -> Self {
        let progress = SuiteProgress { suite, ..SuiteProgress::default() };
        Self { shared, progress, expected_ns: 0, told: Instant::now() }
    }

    pub(super) fn expect(&mut self, time_ns: u64) {
        self.expected_ns = time_ns;
        self.progress.remaining_ns = time_ns;
    }

    pub(super) fn hear(&mut self, heard: &Progress<'_>) {
        let progress = &mut self.progress;
        match heard {
            Progress::Begins { id, frame, plan, bounds } => {
                let loads = plan.loads.iter().filter_map(|load| load.stages.first());
                let intended = loads.map(|stage| stage.fps).fold(Ratio::ZERO, Ratio::plus);
                progress.current = Some(CurrentTrial {
                    id: *id,
                    test: plan.test.name().to_owned(),
                    frame: frame.name.clone(),
                    goal: bounds.goal.clone(),
                    intended_fps: intended.to_f64(),
                    duration_ns: plan.duration().as_nanos() as u64,
                    lower_fps: bounds.lower_fps.map(Ratio::to_f64),
                    upper_fps: bounds.upper_fps.map(Ratio::to_f64),
                });
            }
            Progress::Ended(record) => {
                let took = record.result.duration_with_overheads_ns;
                progress.current = None;
                progress.trials = record.id;
                progress.spent_ns = progress.spent_ns.saturating_add(took);
                progress.remaining_ns = self.expected_ns.saturating_sub(progress.spent_ns);
                progress.finished.push(trial_row(record));
            }
        }
        if self.told.elapsed() >= EVERY {
            self.tell();
        }
    }

    /// Without waiting: what finds no room is told the next time.
    pub(super) fn tell(&mut self) {
        self.told = Instant::now();
        let finished = mem::take(&mut self.progress.finished);
        let told = SuiteProgress { finished, ..self.progress.clone() };
        let event = Event::Suite(SuiteEvent::Progress(told));
        if let Some(Event::Suite(SuiteEvent::Progress(unheard))) = self.shared.try_say(event) {
            self.progress.finished = unheard.finished;
        }
    }

    /// All that is left.
    pub(super) fn end(&mut self) {
        self.progress.current = None;
        let event = SuiteEvent::Progress(mem::take(&mut self.progress));
        self.shared.say(Line::Event(Event::Suite(event)));
    }

    /// What a trial sends and receives; there will be another.
    pub(super) fn see(&self, snapshot: &Snapshot) {
        let Some(trial) = &self.progress.current else { return };
        let suite = self.progress.suite;
        let shot = RunSnapshot::new(suite, snapshot);
        let rates = SuiteRates {
            suite,
            trial: trial.id,
            phase: shot.phase,
            elapsed_ns: shot.elapsed_ns,
            flows: shot.flows,
        };
        self.shared.try_say(Event::Suite(SuiteEvent::Rates(rates)));
    }
}

/// Trials that are told of as they begin: below the log, so that none of them is an old one.
pub(super) struct Announced<'a> {
    pub(super) trial: &'a mut dyn Trial,
    pub(super) teller: &'a RefCell<Teller>,
    /// They take real time, so that each is worth a word.
    pub(super) real: bool,
}

impl Trial for Announced<'_> {
    fn directions(&self) -> &[Direction] {
        self.trial.directions()
    }

    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.trial.ceiling_fps(frame)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        if self.real {
            self.teller.borrow_mut().tell();
        }
        self.trial.run(plan)
    }

    fn replayed(&mut self, plan: &TrialPlan, result: &TrialResult) {
        self.trial.replayed(plan, result);
    }
}
