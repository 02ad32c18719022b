//! `linerate serve`: one daemon for people, scripts and programs.
//!
//! ```text
//! clients -- HTTP --> listener: REST, live stream, store; no privileges
//!                        |  commands and snapshots, JSON lines over pipes
//!                     engine: a child process with the capabilities; a thread a run and suite
//! ```
//!
//! A flow set has the shape of the flow file, a result that of `linerate run --json`, and
//! everything that shows a number shows the same snapshot.

mod auth;
mod captured;
mod config;
mod daemon;
pub mod engine;
mod live;
mod manager;
pub mod otg;
mod pages;
mod problem;
mod rest;
mod runs;
mod store;
mod suites;
mod tls;
mod whole;

pub use config::{Config, ConfigError, Options, Token};
pub use daemon::{ServeError, main};
pub use live::{About, After, Event, Live};
pub use problem::Problem;
pub use rest::description;
pub use runs::{
    CaptureHead, Captures, Gaps, LatencyRow, Planned, PlannedFlow, RunHead, RunRequest, Runs,
    Settings, StartError,
};
pub use store::{
    Archive, ArchivedRun, ArchivedSuite, FlowSet, FlowSetHead, NewSuite, RunRow, RunState, Store,
    StoreError, StoredSamples, SuiteRow, SuiteState,
};
pub use suites::{SuiteCourse, SuiteHead, SuiteRefusal, SuiteRequest, Suites};
