//! Traffic generation and measurement on ordinary Linux NICs.
//!
//! The way of the data:
//!
//! ```text
//! spec -> packet -> tx ~~wire~~> xdp-ebpf analyser -> rx -> collect -> report
//!                     \__________ session: one run __________/
//!                           suite: many trials, one verdict
//! ```
//!
//! `use` points only back along units < spec < packet < nic < tx, rx < collect <
//! calibration < session < suite < report < serve < cli; `cargo xtask tidy` checks it.
#![deny(missing_docs)]

pub mod calibration;
pub mod cli;
pub mod collect;
pub mod nic;
pub mod packet;
pub mod report;
pub mod rx;
#[cfg(feature = "serve")]
pub mod serve;
pub mod session;
pub mod spec;
pub mod suite;
pub mod tx;
pub mod units;
