//! The simulated device against a model that goes frame by frame, and against closed forms.

mod closed;
mod model;
mod trials;

use super::*;
use crate::{
    suite::{Load, Stage, Test},
    units::{FrameSize, Ratio},
};
use std::time::Duration;

fn waits() -> Waits {
    let wait = Duration::from_secs;
    Waits { before: wait(2), residual: wait(2), after: wait(5) }
}

fn device(text: &str) -> SimulatedDevice {
    SimulatedDevice::new(text.parse().unwrap(), false, waits())
}

fn frame(bytes: u16) -> Frame {
    Frame::fixed(FrameSize::new(bytes).unwrap())
}

fn plan(stages: &[Stage]) -> TrialPlan {
    TrialPlan::same(Test::Throughput, 1, &frame(64), stages)
}

/// A load for a time, of 64 octets.
fn run(device: &mut SimulatedDevice, fps: Ratio, seconds: u64) -> TrialResult {
    let stage = Stage::lasting(fps, Duration::from_secs(seconds));
    device.run(&plan(&[stage])).unwrap()
}
