//! RFC 2544 section 26.1: the fastest load at which no frame is lost.
//!
//! A binary search on a grid of steps of the resolution, from the greatest load down, which is
//! itself tried first. Every trial has its full length, so that the answer is a load that was
//! verified at it, and the next one on the grid is a load that failed. A trial spoilt by the
//! tester says nothing of the device: it bounds the search, and the answer is `at-least`.

use super::{
    Bound, DirectionThroughput, LimitedBy, Setting, Throughput,
    independent::{Independence, Sample},
    setting::Judgement,
};
use crate::{
    spec::{Resolution, ThroughputSpec},
    suite::{Bounds, Stop, Test, Trials},
    units::Ratio,
};

/// What is known so far. Loads are points of the grid: 0 is no load, `end` the greatest.
struct Search<'a> {
    setting: &'a Setting<'a>,
    spec: &'a ThroughputSpec,
    step: Ratio,
    end: u128,
    low: u128,
    high: u128,
    /// The trial that passed at `low`.
    passed: Option<u32>,
    /// What was lost at `high`, or why nothing is known of it.
    failed: Option<Result<Ratio, (LimitedBy, String)>>,
    samples: Vec<Sample>,
    independent: Option<Ratio>,
    trials: u32,
    over: bool,
}

/// Searches, and says what it found also where it was stopped.
pub(super) fn run(
    setting: &Setting<'_>,
    spec: &ThroughputSpec,
    trials: &mut Trials<'_>,
) -> (Throughput, Result<(), Stop>) {
    let step = match spec.resolution {
        Resolution::Share(share) => share.times(setting.line),
        Resolution::Fps(fps) => fps,
    };
    // Points strictly below the greatest load, and that itself.
    let below = setting.top.over(step);
    let whole = below.denominator() == 1;
    let end = if whole { below.floor() } else { below.floor() + 1 };
    let mut search = Search {
        setting,
        spec,
        step,
        end,
        low: 0,
        high: end + 1,
        passed: None,
        failed: None,
        samples: Vec::new(),
        independent: None,
        trials: 0,
        over: false,
    };
    let stopped = search.run(trials);
    (search.outcome(trials), stopped)
}

impl Search<'_> {
    fn load(&self, point: u128) -> Ratio {
        if point >= self.end { self.setting.top } else { Ratio::new(point, 1).times(self.step) }
    }

    fn run(&mut self, trials: &mut Trials<'_>) -> Result<(), Stop> {
        self.step_to(self.end, trials)?;
        let mut asked = false;
        while self.high - self.low > 1 {
            let independence = Independence::of(&self.samples).filter(|_| !asked && self.low == 0);
            let Some(independence) = independence else {
                self.step_to(self.low.midpoint(self.high), trials)?;
                continue;
            };
            // The smallest load at which that loss would surely be seen again decides.
            asked = true;
            let frames = independence.telling_frames();
            let seconds = Ratio::new(self.spec.trial.as_nanos().max(1), 1_000_000_000);
            let load = Ratio::from(frames).over(seconds).over(self.step);
            let point = (load.floor() + 1).min(self.high - 1);
            self.step_to(point, trials)?;
            let lost = matches!(self.failed, Some(Ok(_)));
            if self.low == 0 && lost && Independence::of(&self.samples).is_some() {
                self.independent = Some(independence.ratio);
                break;
            }
        }
        self.over = true;
        Ok(())
    }

    fn step_to(&mut self, point: u128, trials: &mut Trials<'_>) -> Result<(), Stop> {
        let load = self.load(point);
        let plan = self.setting.plan(Test::Throughput, load, self.spec.trial);
        let before = trials.records().len();
        let judged = self.setting.judge(trials, &plan, &self.bounds(), self.spec.max_loss);
        let judged = judged.map(|(judgement, record)| (judgement, record.id, Sample::of(record)));
        self.trials += (trials.records().len() - before) as u32;
        let (judgement, id, sample) = judged?;
        match judgement {
            Judgement::Pass => (self.low, self.passed) = (point, Some(id)),
            Judgement::Fail(loss) => (self.high, self.failed) = (point, Some(Ok(loss))),
            Judgement::Unfit(cause, why) => {
                (self.high, self.failed) = (point, Some(Err((cause.into(), why))));
                return Ok(());
            }
        }
        self.samples.push(sample);
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            goal: None,
            lower_fps: (self.low > 0).then(|| self.load(self.low)),
            upper_fps: self.failed.as_ref().map(|_| self.load(self.high)),
        }
    }

    fn outcome(self, trials: &Trials<'_>) -> Throughput {
        let setting = self.setting;
        let load = if self.low > 0 { self.load(self.low) } else { Ratio::ZERO };
        let (limited_by, reason) = match &self.failed {
            _ if !self.over => (None, None),
            None => (Some(setting.top_by), setting.top_note.clone()),
            Some(Ok(_)) => (Some(LimitedBy::Device), None),
            Some(Err((by, why))) => (Some(*by), Some(why.clone())),
        };
        let by_device = matches!(self.failed, Some(Ok(_)));
        let full = self.failed.is_none() && setting.top_by == LimitedBy::Line;
        let bound = match () {
            () if self.low == 0 => Bound::None,
            () if self.over && (by_device || full) => Bound::Exact,
            () => Bound::AtLeast,
        };
        let suspect = Independence::of_all(&self.samples).filter(|_| bound == Bound::Exact);
        let note = match (self.independent, suspect) {
            (Some(ratio), _) => {
                Some(format!("{} of the frames are lost at every load", text(ratio)))
            }
            (None, Some(suspect)) => Some(format!(
                "a loss of {} that does not depend on load would explain every trial: run longer ones",
                text(suspect.ratio)
            )),
            (None, None) if bound == Bound::None && self.samples.iter().all(Sample::is_total) => {
                Some("no frame came through at any load".to_owned())
            }
            (None, None) => reason,
        };
        let verified = self.passed.and_then(|id| trials.records().get(id as usize - 1));
        Throughput {
            bound,
            limited_by,
            max_loss: self.spec.max_loss,
            resolution: self.step,
            load,
            fps: setting.all(load),
            ratio: setting.share(load),
            next_failing_fps: self.failed.as_ref().map(|_| setting.all(self.load(self.high))),
            next_failing_loss: self.failed.as_ref().and_then(|failed| failed.clone().ok()),
            verified: verified.map(|record| record.plan.duration()),
            trial: self.passed,
            trials: self.trials,
            load_independent_loss: self.independent.or(suspect.map(|suspect| suspect.ratio)),
            note,
            per_direction: trials
                .directions()
                .iter()
                .map(|way| DirectionThroughput {
                    tx: way.tx.clone(),
                    rx: way.rx.clone(),
                    fps: load,
                    ratio: load.over(setting.frame.line_rate_fps(way.link_bps)),
                })
                .collect(),
        }
    }
}

/// Three digits: `1.02e-6`.
fn text(ratio: Ratio) -> String {
    format!("{:.2e}", ratio.to_f64())
}
