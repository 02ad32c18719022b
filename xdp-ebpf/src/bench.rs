//! The yardstick of the analyser's bench (feature `host`).

use crate::{
    Error, TestRun,
    object::{Load, object},
    test_run,
};
use std::os::fd::{AsFd, OwnedFd};

/// A program that reads the clock once, makes the frame a new one as
/// [`Analyser::load_bench`](crate::Analyser::load_bench) does, and drops it.
#[derive(Debug)]
pub struct Baseline {
    program: OwnedFd,
}

impl Baseline {
    /// Loads it.
    pub fn load() -> Result<Self, Error> {
        let load = Load { name: "baseline", object: object!("baseline"), ..Load::default() };
        Ok(Self { program: load.run()?.program })
    }

    /// Runs it on a frame without FCS.
    pub fn test_run(&self, frame: &[u8], repeat: u32) -> Result<TestRun, Error> {
        test_run::run(self.program.as_fd(), frame, None, repeat)
    }
}
