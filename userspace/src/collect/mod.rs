//! From counters to what a person or a script reads: one-second samples in a ring
//! per flow, rates, loss by transmit time, latency histograms, and at the end the
//! ledger of every frame and a verdict.
//!
//! The rules of CONTRACT, Meanings, live here as pure functions. A flow is known by
//! its [`FlowId`]; what it is called and where it goes is the session's business.

mod buckets;
mod coarse;
mod collector;
mod flow;
mod gap;
mod ipdv;
mod latency;
mod ledger;
mod loss;
mod ring;
mod sample;
#[cfg(test)]
mod tests;
mod verdict;

pub use buckets::{PackedBuckets, empty_histogram};
pub use coarse::{Coarse, coarse_edges};
pub use collector::{Collector, DEFAULT_CAPACITY, FlowId};
pub use flow::{FlowReading, RxTotals, Totals};
pub use gap::{Gap, GapSummary};
pub use ipdv::{Ipdv, IpdvSummary};
pub use latency::{Latency, LatencySummary};
pub use ledger::{Arrival, Border, Departure, FarEnd, FlowCounts, Ledger};
pub use loss::Loss;
pub use ring::Ring;
pub use sample::{Sample, SampleLatency};
pub(crate) use sample::{l1_bits, l2_bits};
pub use verdict::{Evidence, Finding, Verdict, judge};
