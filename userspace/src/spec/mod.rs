//! The flow file as typed data (CONTRACT, flow file): parsed, checked, expanded.
//!
//! What leaves this room is ready to compile: flows repeated, both directions
//! of `bidir` split, sizes as one fixed cycle, fields as numeric value sets.
//!
//! TOML, YAML and the flags of `linerate run` all become one tree of values that
//! know their place (`node.rs`); every key is read from that tree and checked where
//! it is read, so that an error can name file, line and key.

mod error;
mod expect;
mod field;
mod flow;
mod json;
mod layer;
mod least;
mod load;
mod measured;
mod model;
mod node;
mod overrides;
mod parse;
mod port;
mod quick;
mod random;
mod rates;
mod schedule;
mod setting;
mod size;
mod stack;
mod suite;
#[cfg(test)]
mod tests;

pub use error::{Place, SpecError};
pub use json::{JsonText, Members, elements};
pub use load::{Origins, Row};
pub use model::*;
pub use overrides::Overrides;
pub use quick::QuickFlow;
pub use random::{mix, scale};
pub use schedule::{Leg, change_rate, frames_within};
pub use setting::{Content, HeaderField, Setting};
pub use suite::*;
