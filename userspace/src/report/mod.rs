//! What a run leaves behind: JSON `linerate.run/1` (the source of truth), a table for
//! people, the live lines, and the exit code.
//!
//! The session gathers [`RunFacts`](crate::session::RunFacts); [`RunResult::new`] draws every conclusion from
//! them, and everything that is printed is printed from the result.

mod compare;
mod csv;
mod expect;
mod flow;
mod host;
mod live;
mod model;
mod ports;
mod respond;
mod run;
mod series;
mod suite;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use compare::{
    CompareError, Comparison, FlowComparison, Match, Recorded, Side, ValueComparison,
    comparison_table,
};
pub use expect::{Unmet, check, exit_code};
pub use live::{live_header, live_line};
pub use model::{
    CalibrationResult, FlowResult, GapResult, Host, IpdvResult, LatencyResult, LedgerResult,
    Outage, PathResult, PortResult, RunResult, RxMode, SampleRow, Tool, TxMode,
};
pub use ports::{CeilingReport, Measured, PortReport, PortsReport, XdpProgram, hook_name};
pub use respond::{
    DropCount, RespondCounts, RespondPort, RespondResult, respond_header, respond_line,
};
pub use series::SeriesFormat;
pub use suite::*;
pub use table::table;
pub use text::{count, nanoseconds, scaled};
