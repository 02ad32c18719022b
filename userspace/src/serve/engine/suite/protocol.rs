//! What crosses between the listener and the engine about suites.

use crate::{
    report::TrialRow,
    serve::engine::{Backend, LiveFlow, RunPhase},
    spec::JsonText,
    suite::{Direction, SuiteKind},
};
use serde::{Deserialize, Serialize};

/// A suite to start, or to go on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteStart {
    /// A number of its own.
    pub suite: u64,
    /// Which suite it is.
    pub kind: SuiteKind,
    /// The shape of a suite file, with the flows within.
    pub document: JsonText,
    /// How frames are to leave.
    pub backend: Backend,
    /// The lines of its trial log; none: it begins.
    pub log: Vec<String>,
}

/// What a suite comes to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuitePlan {
    /// The PORTs that it holds; none: its device is simulated.
    pub ports: Vec<String>,
    /// What loads flow through the device.
    pub directions: Vec<Direction>,
    /// The rows of the result, by their frames or services.
    pub rows: Vec<String>,
    /// About how long all trials take, waits included.
    pub expected_ns: u64,
    /// Trials take no real time: the device is simulated.
    pub virtual_time: bool,
    /// Sentences worth knowing: how ports are used, and what RFC 6815 warns of.
    pub notes: Vec<String>,
}

/// How far a suite is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuiteProgress {
    /// The suite.
    pub suite: u64,
    /// Trials that are over.
    pub trials: u32,
    /// The trial that goes on; `null`: none does.
    pub current: Option<CurrentTrial>,
    /// What the trials took so far, waits included.
    pub spent_ns: u64,
    /// About what the others will take.
    pub remaining_ns: u64,
    /// Trials that ended since the event before.
    pub finished: Vec<TrialRow>,
}

/// A trial that goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CurrentTrial {
    /// Its number, from 1.
    pub id: u32,
    /// The test it belongs to.
    pub test: String,
    /// The row of the result that it is for.
    pub frame: String,
    /// What is sought, where one search seeks several things.
    pub goal: Option<String>,
    /// What each direction is asked for, summed up; of several stages the first.
    pub intended_fps: f64,
    /// How long its load takes.
    pub duration_ns: u64,
    /// The greatest load that has passed, per direction.
    pub lower_fps: Option<f64>,
    /// The least load that has failed, per direction.
    pub upper_fps: Option<f64>,
}

/// An interval of a trial on real ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuiteRates {
    /// The suite.
    pub suite: u64,
    /// The trial.
    pub trial: u32,
    /// Where it stands.
    pub phase: RunPhase,
    /// Since its first frame was due.
    pub elapsed_ns: u64,
    /// The flows that it consists of.
    pub flows: Vec<LiveFlow>,
}

/// How a suite ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteEnd {
    /// All was done, or as much as its limits allow.
    Done,
    /// It was told to.
    Stopped,
    /// It broke off.
    Failed(String),
}

/// What happens to a suite by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteEvent {
    /// Lines of its trial log; the suite waits until they are kept
    /// ([`Command::SuiteKept`](crate::serve::engine::Command::SuiteKept)).
    Log {
        /// The suite.
        suite: u64,
        /// Number of the first line, from 0.
        first: u64,
        /// Without line ends.
        lines: Vec<String>,
    },
    /// Trials began or ended.
    Progress(SuiteProgress),
    /// What the trial that goes on sends and receives.
    Rates(SuiteRates),
    /// A suite is over.
    Over {
        /// The suite.
        suite: u64,
        /// How.
        end: SuiteEnd,
        /// That of its result; `invalid` without one.
        verdict: String,
        /// The JSON that the command writes; `None`: there is none.
        result: Option<String>,
    },
}
