//! The data plane in a process of its own, and how the listener speaks with it.
//!
//! ```text
//! listener: Engine ==pipes==> worker: a session and a thread for every run and suite
//!                               | waited for by
//!                             keeper: starts a new worker when one dies
//! ```
//!
//! Both of the engine's processes end, and with them everything that is attached, when the
//! pipes close: a listener that is killed leaves nothing.

mod away;
mod capture;
mod child;
mod client;
mod ports;
mod protocol;
mod run;
mod snapshot;
mod suite;
mod worker;

pub use child::main;
pub use client::{Engine, Sink};
pub use protocol::{
    Answer, Backend, CaptureCounts, CaptureStart, Command, EngineError, Event, Held, Holder,
    PortCount, RunStart, Started,
};
pub use snapshot::{FlowHistograms, FlowTotals, LiveFlow, RunHistograms, RunPhase, RunSnapshot};
pub use suite::{
    CurrentTrial, SuiteEnd, SuiteEvent, SuitePlan, SuiteProgress, SuiteRates, SuiteStart, asked,
};
