//! The devices of `oracle.py`, step by step the same.

use super::Dice;
use linerate::{
    spec::Frame,
    suite::{Direction, DirectionResult, Trial, TrialError, TrialPlan, TrialResult},
    units::Ratio,
};
use serde_json::{Value, json};

/// A FIFO whose rate may differ from trial to trial, and which may stall for 1 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Device {
    /// Frames a second that it serves.
    pub(crate) fps: u64,
    /// Frames that it has room for.
    pub(crate) room: u64,
    /// The part of its rate by which it differs, from the least to the greatest.
    pub(crate) jitter: f64,
    /// Stalls a second.
    pub(crate) stalls_per_s: f64,
    /// What makes it repeatable.
    pub(crate) seed: u64,
}

impl Device {
    /// A FIFO that is the same in each trial.
    pub(crate) fn steady(fps: u64, room: u64) -> Self {
        Self { fps, room, jitter: 0.0, stalls_per_s: 0.0, seed: 1 }
    }

    /// For `oracle.py`.
    pub(crate) fn question(&self) -> Value {
        json!({
            "fps": self.fps, "room": self.room, "jitter": self.jitter,
            "stalls_per_s": self.stalls_per_s, "seed": self.seed,
        })
    }

    /// The part of frames that is lost in a trial without jitter and stalls.
    pub(crate) fn steady_loss(&self, fps: f64, seconds: f64) -> f64 {
        let frames = (fps * seconds).floor();
        1.0 - self.through(fps, frames, self.fps as f64) / frames
    }

    fn through(&self, fps: f64, frames: f64, served: f64) -> f64 {
        if fps > served {
            frames.min((served * (frames - 1.0) / fps).floor() + self.room as f64)
        } else {
            frames
        }
    }
}

/// Trials on a device.
#[derive(Debug)]
pub(crate) struct Bench {
    device: Device,
    dice: Dice,
    directions: [Direction; 1],
}

impl Bench {
    pub(crate) fn new(device: Device, link_bps: u64) -> Self {
        let direction = Direction { tx: "west".into(), rx: "east".into(), link_bps };
        Self { device, dice: Dice(device.seed), directions: [direction] }
    }
}

impl Trial for Bench {
    fn directions(&self) -> &[Direction] {
        &self.directions
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Ok(None)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        let (stage, device) = (plan.loads[0].stages[0], self.device);
        let (fps, frames) = (stage.fps.to_f64(), stage.frames);
        let served = device.fps as f64 * (1.0 + device.jitter * (self.dice.uniform() - 0.5));
        let mut received = device.through(fps, frames as f64, served) as u64;
        if self.dice.uniform() < frames as f64 / fps * device.stalls_per_s {
            let missed = ((fps * 0.001) as u64).saturating_sub(device.room);
            received = received.min(frames - missed);
        }
        let direction = DirectionResult {
            tx_frames: frames,
            rx_frames: received,
            rx_unique_frames: received,
            lost_frames: frames - received,
            ..DirectionResult::default()
        };
        let duration_ns = plan.duration().as_nanos() as u64;
        Ok(TrialResult {
            directions: vec![direction],
            latency: None,
            duration_ns,
            duration_with_overheads_ns: duration_ns,
            invalid: None,
        })
    }
}
