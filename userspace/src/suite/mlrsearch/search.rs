//! The search for one row: first trials, then whatever the goals want, until none wants more.

use super::{
    Row,
    classify::Measured,
    database::{Database, RelevantBounds},
    load,
    range::Range,
    seeker::{Candidate, Seeker},
};
use crate::{
    spec::{Frame, GoalSpec},
    suite::{Bounds, InvalidCause, Stage, Stop, Test, TrialPlan, TrialResult, Trials},
    units::Ratio,
};
use std::cmp::Reverse;

/// A trial that said nothing is run again; after so many of them in a row the search ends.
const MOST_INVALID: u32 = 3;

/// Why a row has no more trials.
enum End {
    Stop(Stop),
    /// The trials say nothing; the sentence of the last one.
    Invalid(String),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// A search on its way.
struct Search<'a, 'b> {
    frame: &'a Frame,
    trials: &'a mut Trials<'b>,
    directions: usize,
    database: Database,
    range: Range,
    seekers: Vec<Seeker<'a>>,
    /// The finest width of all goals.
    width: Ratio,
}

/// One row, and why there is to be no other.
pub(super) fn row<'a>(
    frame: &'a Frame,
    goals: &'a [GoalSpec],
    range: Range,
    trials: &'a mut Trials<'_>,
) -> (Row, Option<Stop>) {
    let (begun, spent) = (trials.records().len(), trials.spent());
    let lines = trials.directions().iter().map(|direction| frame.line_rate_fps(direction.link_bps));
    let theoretical_fps = lines.fold(Ratio::ZERO, Ratio::plus);
    let mut search = Search {
        frame,
        directions: trials.directions().len(),
        trials,
        database: Database::default(),
        range,
        seekers: goals.iter().map(Seeker::new).collect(),
        width: goals.iter().map(|goal| goal.width).min().unwrap_or(Ratio::ONE),
    };
    let (said, stop) = match search.run() {
        Ok(()) => (None, None),
        Err(End::Invalid(sentence)) => (Some(format!("trials were invalid: {sentence}")), None),
        Err(End::Stop(stop)) => (Some(stop.to_string()), Some(stop)),
    };
    let Search { database, range, seekers, directions, trials, .. } = search;
    let all = |load: Ratio| load.times(Ratio::from(directions as u64));
    let outcome =
        |seeker: &Seeker<'_>| seeker.outcome(&database, &range, directions, said.as_deref());
    let row = Row {
        frame: frame.clone(),
        theoretical_fps,
        min_load_fps: all(range.min),
        max_load_fps: all(range.max),
        max_load_by: range.by,
        goals: seekers.iter().map(outcome).collect(),
        trials: (trials.records().len() - begun) as u32,
        took: trials.spent().saturating_sub(spent),
    };
    (row, stop)
}

impl Search<'_, '_> {
    fn run(&mut self) -> Result<(), End> {
        let hints = self.first_trials()?;
        for seeker in &mut self.seekers {
            seeker.look_at(hints);
        }
        loop {
            let Self { seekers, database, range, .. } = &mut *self;
            let wanted = seekers.iter_mut().enumerate().filter_map(|(place, seeker)| {
                seeker.nominate(database, range).map(|candidate| (place, candidate))
            });
            // The longest trial first, as it is a full-length one for the other goals too; then
            // the least load, as its loss is a loss for those above.
            let next =
                wanted.min_by_key(|(_, candidate)| (Reverse(candidate.duration), candidate.load));
            let Some((place, candidate)) = next else { return Ok(()) };
            self.measure(place, candidate)?;
        }
    }

    /// Two trials that tell where to look: the greatest load, and what of it came through.
    fn first_trials(&mut self) -> Result<RelevantBounds, End> {
        let duration = self.seekers.iter().map(|s| s.goal.initial_trial).max().unwrap_or_default();
        let (first, ratio) = self
            .seekers
            .iter()
            .map(|seeker| seeker.goal.loss_ratio)
            .enumerate()
            .min_by_key(|&(_, ratio)| ratio)
            .unwrap_or((0, Ratio::ZERO));
        let at = |load| RelevantBounds { lower: Some(load), upper: Some(load) };
        let lost_at_most = loop {
            let load = self.range.max;
            if let Some(loss) = self.measure(first, Candidate { load, duration })? {
                break loss;
            }
        };
        let max = self.range.max;
        // All that is offered beyond what comes through is lost: then this load loses `ratio`.
        let through = |load: Ratio, loss: Ratio| load.times(rest(loss)).over(rest(ratio));
        let load = through(max, lost_at_most);
        if load >= max {
            return Ok(at(max));
        }
        let load = self.within(load);
        let Some(loss) = self.measure(first, Candidate { load, duration })? else {
            return Ok(at(self.range.max));
        };
        let level = load::widened(self.width, 4.0);
        let beside = if loss > ratio {
            through(load, loss).min(load.times(rest(level)))
        } else {
            load.over(rest(level))
        };
        let beside = self.within(beside);
        Ok(RelevantBounds { lower: Some(load.min(beside)), upper: Some(load.max(beside)) })
    }

    /// A load that may be tried, or an end of the range that is close to it.
    fn within(&self, load: Ratio) -> Ratio {
        let load = self.range.raised(load::on_grid(load, self.width), self.width);
        self.range.capped(load, self.width)
    }

    /// Runs a trial. `None`: the tester is no judge of that load, the range is less now.
    fn measure(&mut self, place: usize, candidate: Candidate) -> Result<Option<Ratio>, End> {
        let Candidate { load, duration } = candidate;
        for run in 1.. {
            let stage = Stage::lasting(load, duration);
            let stage = Stage { frames: stage.frames.max(1), ..stage };
            let plan = TrialPlan::same(Test::Mlrsearch, self.directions, self.frame, &[stage]);
            let seeker = &mut self.seekers[place];
            let known = seeker.bounds(&self.database);
            let goal = Some(seeker.goal.name.clone());
            let bounds = Bounds { goal, lower_fps: known.lower, upper_fps: known.upper };
            let record = self.trials.run(self.frame, plan, bounds)?;
            seeker.trials += 1;
            let (cause, sentence) = match judge(&record.result) {
                Ok(loss_ratio) => {
                    self.database.add(load, Measured { duration, loss_ratio });
                    return Ok(Some(loss_ratio));
                }
                Err(why) => why,
            };
            // A load that was valid before, or a greater one, is not beyond the tester.
            let beyond = limits(cause) && self.database.greatest().is_none_or(|most| most < load);
            if beyond && run > 1 {
                let result = &record.result;
                if self.range.lower(load, cause, &sentence, result, self.width) {
                    return Ok(None);
                }
            }
            if run >= MOST_INVALID {
                return Err(End::Invalid(sentence));
            }
        }
        Ok(None)
    }
}

/// What of a trial was lost, or why it says nothing.
fn judge(result: &TrialResult) -> Result<Ratio, (InvalidCause, String)> {
    if let Some(why) = &result.invalid {
        return Err(why.clone());
    }
    result.loss_ratio().ok_or((InvalidCause::Fault, "nothing was sent".to_owned()))
}

/// Whether a lesser load might help.
fn limits(cause: InvalidCause) -> bool {
    match cause {
        InvalidCause::TesterTx | InvalidCause::TesterRx | InvalidCause::Backpressure => true,
        InvalidCause::Stale | InvalidCause::Fault => false,
    }
}

/// 1 less a ratio below 1.
fn rest(ratio: Ratio) -> Ratio {
    let (part, whole) = (ratio.numerator(), ratio.denominator());
    Ratio::new(whole.saturating_sub(part), whole)
}
