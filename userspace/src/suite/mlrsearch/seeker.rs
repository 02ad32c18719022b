//! Which load a goal wants to see next.

use super::{
    classify::{Target, charged_loss, conditional_throughput},
    database::{Database, RelevantBounds},
    levels::levels,
    load,
    outcome::{GoalOutcome, Irregular},
    range::Range,
};
use crate::{spec::GoalSpec, units::Ratio};
use std::time::Duration;

/// What a goal knows of its way.
#[derive(Debug)]
pub(super) struct Seeker<'a> {
    /// What is sought.
    pub(super) goal: &'a GoalSpec,
    /// Trials run for it.
    pub(super) trials: u32,
    levels: Vec<Target>,
    level: usize,
    /// Where the level before, or the first trials, saw the bounds.
    hints: RelevantBounds,
    /// How many widths beyond a bound the next trial lies.
    stride: f64,
    /// The bound that the last step outward began at.
    outward_from: Option<Ratio>,
}

/// A trial that is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Frames a second in each direction.
    pub(super) load: Ratio,
    /// For how long.
    pub(super) duration: Duration,
}

impl<'a> Seeker<'a> {
    /// Knows nothing yet.
    pub(super) fn new(goal: &'a GoalSpec) -> Self {
        Self {
            goal,
            trials: 0,
            levels: levels(goal),
            level: 0,
            hints: RelevantBounds::default(),
            stride: 1.0,
            outward_from: None,
        }
    }

    /// Where to look first.
    pub(super) fn look_at(&mut self, hints: RelevantBounds) {
        self.hints = hints;
    }

    /// The goal itself.
    fn target(&self) -> &Target {
        &self.levels[self.levels.len() - 1]
    }

    /// What is known of the goal itself.
    pub(super) fn bounds(&self, database: &Database) -> RelevantBounds {
        database.bounds(self.target())
    }

    /// The next trial; `None`: the goal is settled.
    pub(super) fn nominate(&mut self, database: &Database, range: &Range) -> Option<Candidate> {
        loop {
            let target = self.levels[self.level];
            let bounds = database.bounds(&target);
            if let Some(load) = self.wanted(&target, bounds, range) {
                return Some(Candidate { load, duration: target.trial });
            }
            if self.level + 1 == self.levels.len() {
                return None;
            }
            self.level += 1;
            (self.hints, self.stride, self.outward_from) = (bounds, 1.0, None);
        }
    }

    /// The load that brings the bounds closer; `None`: they are close enough.
    fn wanted(&mut self, target: &Target, bounds: RelevantBounds, range: &Range) -> Option<Ratio> {
        if settled(target, bounds, range) {
            return None;
        }
        let open = |&load: &Ratio| {
            range.holds(load)
                && bounds.lower.is_none_or(|lower| lower < load)
                && bounds.upper.is_none_or(|upper| load < upper)
        };
        // First the middle of what the coarser level left: whichever bound it becomes, one
        // more load settles this level.
        let (low, high) = (self.hints.lower, self.hints.upper);
        let halved = low.zip(high).filter(|&(low, high)| {
            !load::close(low, high, target.width)
                && load::widths_between(low, high, target.width) <= 2.0
        });
        let halved = halved.map(|(low, high)| load::middle(low, high, self.goal.width));
        if let Some(load) = halved.into_iter().chain(low).chain(high).find(open) {
            return Some(load);
        }
        match (bounds.lower, bounds.upper) {
            (Some(lower), Some(upper)) => {
                let middle = load::middle(lower, upper, self.goal.width);
                Some(middle.min(range.max)).filter(|&load| lower < load && load < upper)
            }
            (Some(lower), None) => {
                let factor = self.outward(lower, target.width);
                Some(range.capped(load::scaled(lower, factor, self.goal.width), target.width))
            }
            (None, Some(upper)) => {
                let factor = self.outward(upper, target.width);
                let load = load::scaled(upper, factor.recip(), self.goal.width);
                Some(range.raised(load, target.width))
            }
            (None, None) => Some(range.max),
        }
    }

    /// How far to go beyond a bound: a width, and twice as far each time that was in vain.
    fn outward(&mut self, from: Ratio, width: Ratio) -> f64 {
        if self.outward_from.is_some_and(|last| last != from) {
            self.stride *= 2.0;
        }
        self.outward_from = Some(from);
        load::factor_of(self.stride, width)
    }

    /// What came of it; `ended`: why there were no more trials.
    pub(super) fn outcome(
        &self,
        database: &Database,
        range: &Range,
        directions: usize,
        ended: Option<&str>,
    ) -> GoalOutcome {
        let (target, bounds) = (self.target(), self.bounds(database));
        let unfinished = |reason: &str| Irregular::Unfinished { reason: reason.to_owned() };
        let irregular = match (bounds.lower, bounds.upper) {
            (Some(lower), Some(upper)) if load::close(lower, upper, target.width) => None,
            _ if !settled(target, bounds, range) => {
                Some(unfinished(ended.unwrap_or("no load lies between the bounds")))
            }
            (None, _) => Some(Irregular::NoLowerBound),
            (Some(_), None) => {
                Some(Irregular::NoUpperBound { limited_by: range.by, reason: range.reason.clone() })
            }
            (Some(_), Some(_)) => Some(unfinished(&range.reason)),
        };
        let all = |load: Ratio| load.times(Ratio::from(directions as u64));
        let throughput = |lower: Ratio| {
            conditional_throughput(all(lower), charged_loss(database.at(lower), target))
        };
        GoalOutcome {
            goal: self.goal.clone(),
            relevant_lower_bound_fps: bounds.lower.map(all),
            relevant_upper_bound_fps: bounds.upper.map(all),
            conditional_throughput_fps: bounds.lower.map(throughput),
            irregular,
            trials: self.trials,
        }
    }
}

/// Whether no further trial would help: the bounds are close, or one of them is missing
/// because it would lie beyond the range.
fn settled(target: &Target, bounds: RelevantBounds, range: &Range) -> bool {
    match (bounds.lower, bounds.upper) {
        (Some(lower), Some(upper)) => load::close(lower, upper, target.width) || lower >= range.max,
        (Some(lower), None) => lower >= range.max,
        (None, Some(upper)) => upper <= range.min,
        (None, None) => false,
    }
}
