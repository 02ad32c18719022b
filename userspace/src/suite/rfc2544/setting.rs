//! What all tests of one row need to know.

use super::{LimitedBy, Row};
use crate::{
    spec::{Frame, Rfc2544Spec},
    suite::{Bounds, InvalidCause, Stage, Stop, Test, TrialPlan, TrialRecord, Trials},
    units::Ratio,
};
use std::time::Duration;

/// The frames of a row and the loads that they can be sent at. Each direction is offered the
/// same (RFC 2544 section 14), so the slowest link decides.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    pub(super) frame: &'a Frame,
    pub(super) directions: usize,
    /// What all links carry together.
    pub(super) theoretical_fps: Ratio,
    /// Line rate.
    pub(super) line: Ratio,
    /// The user's limit, or line rate.
    pub(super) wanted: Ratio,
    /// The greatest load that may be tried.
    pub(super) top: Ratio,
    /// What limits it.
    pub(super) top_by: LimitedBy,
    /// The same in a sentence, where it is not the line.
    pub(super) top_note: Option<String>,
}

/// What a trial says of the device.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judgement {
    Pass,
    /// More was lost than may be.
    Fail(Ratio),
    /// Nothing.
    Unfit(InvalidCause, String),
}

impl<'a> Setting<'a> {
    /// `None`: there is no direction.
    ///
    /// # Errors
    /// [`Stop`]: the tester's ceiling cannot be measured.
    pub(super) fn new(
        spec: &Rfc2544Spec,
        frame: &'a Frame,
        trials: &mut Trials<'_>,
    ) -> Result<Option<Self>, Stop> {
        let ways = trials.directions().iter();
        let lines: Vec<Ratio> = ways.map(|way| frame.line_rate_fps(way.link_bps)).collect();
        let Some(&line) = lines.iter().min() else { return Ok(None) };
        let mut setting = Self {
            frame,
            directions: lines.len(),
            theoretical_fps: lines.iter().fold(Ratio::ZERO, |sum, &line| sum.plus(line)),
            line,
            wanted: line,
            top: line,
            top_by: LimitedBy::Line,
            top_note: None,
        };
        let max_rate = spec.throughput.max_rate;
        let wanted = trials
            .directions()
            .iter()
            .filter_map(|way| max_rate.frames_per_second(way.link_bps, frame.mean_bytes()))
            .min();
        if let Some(wanted) = wanted.filter(|&wanted| wanted < setting.top) {
            setting.wanted = wanted;
            setting.lower(wanted, format!("max_rate {max_rate} allows no more"));
        }
        let ceiling = trials.ceiling_fps(frame)?;
        if let Some(ceiling) = ceiling.filter(|&ceiling| ceiling < setting.top) {
            setting.lower(
                ceiling,
                format!("the tester can send no more than {} fps", ceiling.floor()),
            );
        }
        Ok(Some(setting))
    }

    fn lower(&mut self, top: Ratio, note: String) {
        (self.top, self.top_by, self.top_note) = (top, LimitedBy::TesterTx, Some(note));
    }

    /// An empty row.
    pub(super) fn row(&self) -> Row {
        Row {
            frame: self.frame.clone(),
            theoretical_fps: self.theoretical_fps,
            throughput: None,
            latency: None,
            frame_loss: None,
            back_to_back: None,
            system_recovery: None,
            reset: None,
        }
    }

    /// A load of all directions together.
    pub(super) fn all(&self, load: Ratio) -> Ratio {
        load.times((self.directions as u64).into())
    }

    /// The same as a share of what the links carry.
    pub(super) fn share(&self, load: Ratio) -> Ratio {
        self.all(load).over(self.theoretical_fps)
    }

    /// A load for a time.
    pub(super) fn plan(&self, test: Test, load: Ratio, time: Duration) -> TrialPlan {
        self.stages(test, &[Stage::lasting(load, time)])
    }

    pub(super) fn stages(&self, test: Test, stages: &[Stage]) -> TrialPlan {
        TrialPlan::same(test, self.directions, self.frame, stages)
    }

    /// Runs a trial and judges it; one that says nothing of the device is run once more.
    pub(super) fn judge<'t>(
        &self,
        trials: &'t mut Trials<'_>,
        plan: &TrialPlan,
        bounds: &Bounds,
        max_loss: Ratio,
    ) -> Result<(Judgement, &'t TrialRecord), Stop> {
        let first = trials.run(self.frame, plan.clone(), bounds.clone())?;
        if first.result.invalid.is_some() {
            trials.run(self.frame, plan.clone(), bounds.clone())?;
        }
        let last = trials.records().last().expect("a trial was run");
        Ok((judgement(last, max_loss), last))
    }
}

fn judgement(record: &TrialRecord, max_loss: Ratio) -> Judgement {
    let result = &record.result;
    match (&result.invalid, result.loss_ratio()) {
        (Some((cause, why)), _) => Judgement::Unfit(*cause, why.clone()),
        (None, None) => Judgement::Unfit(InvalidCause::TesterTx, "nothing was sent".to_owned()),
        (None, Some(loss)) if loss > max_loss => Judgement::Fail(loss),
        (None, Some(_)) => Judgement::Pass,
    }
}

impl From<InvalidCause> for LimitedBy {
    fn from(cause: InvalidCause) -> Self {
        match cause {
            InvalidCause::TesterTx => Self::TesterTx,
            InvalidCause::TesterRx | InvalidCause::Stale | InvalidCause::Fault => Self::TesterRx,
            InvalidCause::Backpressure => Self::Device,
        }
    }
}
