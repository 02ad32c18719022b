//! `linerate serve`: one daemon for people, scripts and programs.
//!
//! ```text
//! clients -- HTTP --> listener: REST, live stream, store; no privileges
//!                        |  commands and snapshots, JSON lines over pipes
//!                     engine: a child process with the capabilities; a thread a run
//! ```
//!
//! A flow set has the shape of the flow file, a result that of `linerate run --json`, and
//! everything that shows a number shows the same snapshot.

pub mod engine;
