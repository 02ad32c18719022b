//! Many trials, one verdict: RFC 2544 and its successors.
//!
//! ```text
//! spec::SuiteSpec -> search logic -> TrialPlan -> Trial::run -> TrialResult -> rows
//!                    (pure)                       real or simulated
//! ```
//!
//! The search logic knows loads and counts only: it runs over a [`Trial`], which is a real
//! session or a simulated device, and is the same for both.

mod config;
pub mod device;
pub mod hooks;
mod kind;
mod log;
pub mod mlrsearch;
mod progress;
pub mod real;
pub mod rfc2544;
mod stoppable;
mod trial;
mod under_test;
mod warnings;
pub mod y1564;

pub use config::config_hash;
pub use kind::{AnySuite, Found, SuiteError, SuiteKind};
pub use log::{Keep, LogError, LogHeader, Logged, TrialLog};
pub use progress::{Bounds, Limits, Progress, Stop, TrialRecord, Trials};
pub use stoppable::Stoppable;
pub use trial::{
    Action, Direction, DirectionResult, InvalidCause, LatencyStats, Load, Second, Stage, Test,
    Trial, TrialError, TrialPlan, TrialResult,
};
pub use under_test::{UnderTest, Wants};
pub use warnings::warnings;
