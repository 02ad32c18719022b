//! Sends: one worker, one queue, one UMEM, paced on the monotonic clock.
//!
//! A [`Queue`] is an AF_XDP socket with its UMEM, opened once and used by many
//! trials. [`Queue::run`] is one worker's whole life in a trial: it picks the
//! stream that is due ([`schedule`](self)), writes the frame, kicks the kernel,
//! and publishes what it did in [`StreamCounters`], which anyone may read.

mod af_xdp;
mod counters;
mod error;
mod pacer;
mod profile;
mod replay;
mod schedule;
mod statistics;
mod worker;

pub use af_xdp::{Queue, QueueSetup, TxMode};
pub use counters::{Sent, StreamCounters};
pub use error::TxError;
pub use pacer::{Pacer, Share, Spacing};
pub use profile::Profile;
pub use replay::{ReplayPlan, ReplayTiming};
pub use statistics::XskStatistics;
pub use worker::{Outcome, StreamPlan, Trial};
