//! Trials that end when the user says so.

use super::{Direction, Trial, TrialError, TrialPlan, TrialResult};
use crate::{spec::Frame, units::Ratio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A [`Trial`] that begins no other trial once `stop` is set: a simulated device, which takes
/// no time itself, may still have thousands to go.
pub struct Stoppable<'a> {
    trial: &'a mut dyn Trial,
    stop: &'a AtomicBool,
}

impl<'a> Stoppable<'a> {
    /// The same trials, as long as `stop` is not set.
    pub fn new(trial: &'a mut dyn Trial, stop: &'a AtomicBool) -> Self {
        Self { trial, stop }
    }

    fn go_on(&self) -> Result<(), TrialError> {
        if self.stop.load(Relaxed) { Err(TrialError::Interrupted) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Stoppable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stoppable").field("stop", self.stop).finish_non_exhaustive()
    }
}

impl Trial for Stoppable<'_> {
    fn directions(&self) -> &[Direction] {
        self.trial.directions()
    }

    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.go_on()?;
        self.trial.ceiling_fps(frame)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        self.go_on()?;
        self.trial.run(plan)
    }

    fn replayed(&mut self, plan: &TrialPlan, result: &TrialResult) {
        self.trial.replayed(plan, result);
    }
}
