//! Trials on real ports: one session, held for the whole suite.
//!
//! ```text
//! frames, file: what is sent, as flows of a spec   lanes: a load shared out among them
//! Session:      load, run, drain, any number of times
//! outcome:      the facts of a run, judged as `run` judges them, summed up by direction
//! ```

mod addresses;
mod ceiling;
mod file;
mod frames;
mod lanes;
mod learning;
mod open;
mod outcome;
mod queries;
mod seconds;

pub use file::file_frame;
pub use lanes::FILE_FRAME;
pub use open::{Setup, Watch, test_flows};

use crate::{
    nic::NicError,
    session::{Course, PortFacts, Session, SessionError, Snapshot},
    spec::{Frame, Waits},
    suite::{
        Direction, InvalidCause, Test, Trial, TrialError, TrialPlan, TrialResult,
        hooks::{Running, environment},
    },
    units::Ratio,
};
use lanes::Lanes;
use learning::Teacher;
use queries::Answers;
use seconds::Seconds;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Trials between real ports.
#[derive(Debug)]
pub struct RealTrial {
    session: Session,
    lanes: Lanes,
    directions: Vec<Direction>,
    teacher: Teacher,
    waits: Waits,
    stop: Arc<AtomicBool>,
    /// What was measured already.
    ceilings: HashMap<Frame, Option<Ratio>>,
    notes: Vec<String>,
    /// As they were after the last load.
    ports: Vec<PortFacts>,
    /// `None`: nothing is asked of the device.
    answers: Option<Answers>,
    watch: Watch,
}

impl RealTrial {
    /// How each port is used, a line each.
    pub fn modes(&self) -> Vec<String> {
        self.session.modes()
    }

    /// What a latency is: `store-and-forward` (RFC 1242), or `host`, the plain difference of
    /// the stamps.
    pub fn latency_definition(&self) -> &'static str {
        self.session.latency_definition()
    }

    /// Sentences worth knowing about how the ports are used, and what came of queries.
    pub fn notes(&self) -> Vec<String> {
        let answers = self.answers.as_ref().map(Answers::note);
        self.notes.iter().cloned().chain(answers).chain(self.session.notes()).collect()
    }

    /// How the ports were used in the last trial; empty before the first.
    pub fn ports(&self) -> &[PortFacts] {
        &self.ports
    }

    /// Sends the load and drains, without what is before and after it in a trial.
    fn send(
        &mut self,
        plan: &TrialPlan,
        course: &mut Course<'_>,
    ) -> Result<TrialResult, TrialError> {
        let loads = self.lanes.loads(plan).map_err(|message| usage(&message))?;
        self.session.load(&loads)?;
        let mut seconds = Seconds::default();
        let mut observe = |snapshot: &Snapshot| {
            self.watch.see(snapshot);
            if plan.per_second {
                seconds.add(snapshot);
            }
        };
        let losses = self.session.link_losses();
        let facts = self.session.run_course(course, &self.stop, &mut observe)?;
        self.ports.clone_from(&facts.ports);
        if self.stop.load(Relaxed) {
            return Err(TrialError::Interrupted);
        }
        if let Some(answers) = &mut self.answers {
            let asked = self.lanes.queries().map(|flow| facts.flows[flow].totals.tx_frames);
            answers.count(asked.sum());
        }
        let mut result = outcome::result(&facts, &self.lanes.lanes, &seconds);
        if course.link_may_fall {
            // Over a link that the device takes down nobody can send.
            let fell = self.session.link_losses() > losses;
            result.invalid.take_if(|(cause, _)| fell && *cause == InvalidCause::TesterTx);
        } else if let Some(lost) = self.session.lost_links().into_iter().next() {
            return Err(TrialError::Failed { message: lost, exit_code: 2 });
        }
        Ok(result)
    }

    fn course<'a>(&self, plan: &TrialPlan, tend: &'a mut dyn FnMut(Duration)) -> Course<'a> {
        Course {
            quiet: self.waits.residual.max(Course::default().quiet),
            latency_from: plan.latency_from,
            link_may_fall: plan.test == Test::Reset,
            tend: Some(tend),
        }
    }

    fn wait(&self, time: Duration) -> Result<(), TrialError> {
        let started = Instant::now();
        loop {
            if self.stop.load(Relaxed) {
                return Err(TrialError::Interrupted);
            }
            let left = time.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(20)));
        }
    }
}

impl Trial for RealTrial {
    fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// What the tester sends for half a second when the whole line is asked of it, less a
    /// twentieth, which a trial may take for granted. Measured once for each frame, through
    /// the device.
    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        if let Some(known) = self.ceilings.get(frame) {
            return Ok(*known);
        }
        let measured = self.measure_ceiling(frame)?;
        self.ceilings.insert(frame.clone(), measured);
        Ok(measured)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        let started = Instant::now();
        self.teacher.teach()?;
        self.wait(self.waits.before)?;
        let mut teacher = self.teacher.clone();
        let mut action = Acting::new(plan);
        let mut tend = |elapsed| {
            teacher.refresh(elapsed);
            action.tend(elapsed);
        };
        let mut course = self.course(plan, &mut tend);
        let result = self.send(plan, &mut course);
        action.end(&self.stop)?;
        let mut result = result?;
        self.wait(self.waits.after)?;
        result.duration_with_overheads_ns = started.elapsed().as_nanos() as u64;
        Ok(result)
    }
}

/// What is done to the device while a trial runs.
#[derive(Debug)]
struct Acting<'a> {
    plan: &'a TrialPlan,
    running: Option<Result<Running, TrialError>>,
}

impl<'a> Acting<'a> {
    fn new(plan: &'a TrialPlan) -> Self {
        Self { plan, running: None }
    }

    fn tend(&mut self, elapsed: Duration) {
        let Some(action) = self.plan.action.as_ref().filter(|action| elapsed >= action.at) else {
            return;
        };
        self.running
            .get_or_insert_with(|| Ok(Running::start(&action.command, &environment(self.plan))?));
    }

    /// # Errors
    /// If the command failed: then the device was not acted upon.
    fn end(self, stop: &AtomicBool) -> Result<(), TrialError> {
        match self.running {
            Some(running) => Ok(running?.wait(stop).map(drop)?),
            None => Ok(()),
        }
    }
}

impl From<SessionError> for TrialError {
    fn from(error: SessionError) -> Self {
        let message = error.to_string();
        match error {
            SessionError::Nic(NicError::Held { port, pid }) => {
                Self::Held { message, port: port.to_string(), pid }
            }
            error => Self::Failed { message, exit_code: error.exit_code() },
        }
    }
}

/// What was asked for cannot be done (exit code 64).
fn usage(message: &str) -> TrialError {
    TrialError::Failed { message: message.to_owned(), exit_code: 64 }
}
