//! Sends: one worker per queue, paced on the monotonic clock.
//!
//! A [`Transmitter`] is opened once and used by many trials; its `run` is one worker's whole
//! life in a trial, and what it does can be read by anyone meanwhile. There are two: a
//! [`Queue`] is an AF_XDP socket with its UMEM, whose worker picks the stream that is due
//! ([`schedule`](self)), writes the frame and kicks the kernel; [`LiveFrames`] has a BPF program
//! do the same inside the kernel, and a thread here tell it what it cannot compute.

mod af_xdp;
mod change;
mod counters;
mod error;
mod feeder;
mod kernel_pace;
mod live_frames;
mod pacer;
mod profile;
mod replay;
mod roster;
mod schedule;
mod statistics;
mod stream;
mod transmitter;
mod waiting;
mod worker;

pub use af_xdp::{Queue, QueueSetup, TxMode};
pub use change::{Action, Change};
pub use counters::{Sent, StreamCounters};
pub use error::TxError;
pub use live_frames::LiveFrames;
pub use pacer::{Pacer, Share, Spacing};
pub use profile::Profile;
pub use replay::{ReplayPlan, ReplayTiming};
pub use statistics::XskStatistics;
pub use transmitter::{Backend, Control, Prepared, Transmitter, TxCounters};
pub use worker::{Outcome, StreamPlan, Trial};
