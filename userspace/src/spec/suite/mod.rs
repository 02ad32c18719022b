//! The suite file as typed data (CONTRACT, suite file).
//!
//! One file serves all suites: each command reads the sections of its own and checks the
//! others. Flags go before the file, the file before the [`Profile`].

mod common;
mod file;
mod flags;
mod flows;
mod frame;
mod mlrsearch;
mod model;
mod pass;
mod rfc2544;
#[cfg(test)]
mod tests;
mod values;
mod y1564;

pub use file::SuiteFile;
pub use flags::SuiteFlags;
pub use flows::Flows;
pub use frame::{Frame, FrameKind};
pub use model::*;
