//! The suite file as typed data (CONTRACT, suite file).

mod frame;
mod model;

pub use frame::{Frame, FrameKind};
pub use model::*;
