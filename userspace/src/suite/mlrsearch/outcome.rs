//! What a search found.

use crate::{
    spec::{Frame, GoalSpec},
    suite::{Stop, TrialRecord},
    units::Ratio,
};
use serde::Serialize;
use std::{fmt, time::Duration};

/// All rows of a search. Loads are sums over the directions.
#[derive(Debug)]
pub struct Outcome {
    /// One for each frame size or mix that was begun, in the order asked for.
    pub rows: Vec<Row>,
    /// Every trial, in the order they were run.
    pub trials: Vec<TrialRecord>,
    /// Why it ended before its time; `None`: all rows are there and settled.
    pub stopped: Option<Stop>,
}

/// What was found with one size or mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The frames.
    pub frame: Frame,
    /// What the links could carry.
    pub theoretical_fps: Ratio,
    /// The least load that would have been tried.
    pub min_load_fps: Ratio,
    /// The greatest load that could be tried, and what limited it.
    pub max_load_fps: Ratio,
    /// What limited it.
    pub max_load_by: LimitedBy,
    /// In the order asked for.
    pub goals: Vec<GoalOutcome>,
    /// How many trials it took.
    pub trials: u32,
    /// How long it took, waits included.
    pub took: Duration,
}

/// What was found for one goal (RFC 9971, Goal Result).
#[derive(Debug, Clone, PartialEq)]
pub struct GoalOutcome {
    /// What was sought.
    pub goal: GoalSpec,
    /// Relevant Lower Bound: the greatest load below the upper bound that meets the goal.
    pub relevant_lower_bound_fps: Option<Ratio>,
    /// Relevant Upper Bound: the least load that does not meet it.
    pub relevant_upper_bound_fps: Option<Ratio>,
    /// What came through at the lower bound (RFC 9971, Conditional Throughput).
    pub conditional_throughput_fps: Option<Ratio>,
    /// Why a bound is missing or the two are not close; `None`: the result is regular.
    pub irregular: Option<Irregular>,
    /// Trials that were run for the sake of this goal; it is judged by those of the others too.
    pub trials: u32,
}

impl GoalOutcome {
    /// Both bounds are there, as close as asked (RFC 9971, Regular Goal Result).
    pub fn regular(&self) -> bool {
        self.irregular.is_none()
    }
}

/// Why a result is irregular.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Irregular {
    /// Even the least load does not meet the goal.
    NoLowerBound,
    /// The greatest load that could be tried still meets the goal: the throughput is at least
    /// that.
    NoUpperBound {
        /// What kept greater loads away.
        limited_by: LimitedBy,
        /// In a sentence.
        reason: String,
    },
    /// The search ended early; the bounds are what was known by then.
    Unfinished {
        /// In a sentence.
        reason: String,
    },
}

impl fmt::Display for Irregular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Irregular::NoLowerBound => f.write_str("the least load does not meet the goal"),
            Irregular::NoUpperBound { reason, .. } => {
                write!(f, "the greatest load meets the goal: {reason}")
            }
            Irregular::Unfinished { reason } => f.write_str(reason),
        }
    }
}

/// What keeps greater loads from being tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitedBy {
    /// The link is full.
    Line,
    /// The user wants no more.
    MaxRate,
    /// The tester cannot send more.
    TesterTx,
    /// The tester cannot receive more.
    TesterRx,
    /// The device pauses the tester.
    Backpressure,
}

impl LimitedBy {
    /// Whether the tester rather than the link, the user or the device is the limit.
    pub fn is_tester(self) -> bool {
        matches!(self, Self::TesterTx | Self::TesterRx)
    }
}
