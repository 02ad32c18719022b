//! The flow file as typed data (CONTRACT, flow file): parsed, checked, expanded.
//!
//! What leaves this room is ready to compile: flows repeated, both directions
//! of `bidir` split, sizes as one fixed cycle, fields as numeric value sets.

mod model;

pub use model::*;
