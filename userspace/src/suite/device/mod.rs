//! The simulated device behind `--dut "sim:..."`: a [`Trial`] in virtual time.
//!
//! In each direction stands a queue of its own (methodology of RFC 9004 section 3: one server
//! with a constant service time, room for `buffer` frames, tail drop), idle at the start of a
//! trial. What waits when the load ends is still forwarded, and costs virtual time. Frames come
//! at even gaps; a mix of sizes is served at the rate of its mean size. Behind the queue, and
//! without a load on it, chance takes frames, doubles them and holds them back. Stalls go by the
//! device's own clock, which runs on from trial to trial.
//!
//! Nothing is done frame by frame: the waits of a trial are a few arithmetic sequences
//! (`fifo.rs`), counts by chance are single draws (`chance.rs`), so that a trial of a billion
//! frames takes microseconds.

mod chance;
mod clock;
mod fifo;
mod lattice;
mod passage;
mod run;
mod spec;
mod stalls;
#[cfg(test)]
mod tests;
mod timing;

pub use spec::{DeviceError, DeviceSpec, Stall};

use super::{Direction, Trial, TrialError, TrialPlan, TrialResult};
use crate::{
    spec::{Frame, LatencyDefinition, Waits},
    units::Ratio,
};

/// A device that is not there. It takes no real time.
#[derive(Debug)]
pub struct SimulatedDevice {
    spec: DeviceSpec,
    directions: Vec<Direction>,
    waits: Waits,
    definition: LatencyDefinition,
    /// The device's clock, ns.
    now_ns: u128,
    /// Trials that were run.
    trials: u64,
}

impl SimulatedDevice {
    /// A device between `west` and `east`, loaded from one side or from both.
    pub fn new(spec: DeviceSpec, both: bool, waits: Waits) -> Self {
        let one = |tx: &str, rx: &str| Direction {
            tx: tx.to_owned(),
            rx: rx.to_owned(),
            link_bps: spec.link_bps,
        };
        let mut directions = vec![one("west", "east")];
        directions.extend(both.then(|| one("east", "west")));
        let definition = LatencyDefinition::default();
        Self { spec, directions, waits, definition, now_ns: 0, trials: 0 }
    }

    /// The same device with so many services from west to east, each with a queue of its own
    /// (ITU-T Y.1564: a policer each).
    #[must_use]
    pub fn with_services(mut self, count: usize) -> Self {
        self.directions = vec![self.directions[0].clone(); count];
        self
    }

    /// The same device, with latency by this definition; a mix of sizes counts by its mean.
    #[must_use]
    pub fn with_definition(mut self, definition: LatencyDefinition) -> Self {
        self.definition = definition;
        self
    }
}

impl Trial for SimulatedDevice {
    fn directions(&self) -> &[Direction] {
        &self.directions
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Ok(None)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        let setting = run::Setting::of(self, plan)?;
        let result = setting.run(plan, self);
        self.replayed(plan, &result);
        Ok(result)
    }

    fn replayed(&mut self, _: &TrialPlan, result: &TrialResult) {
        self.trials += 1;
        self.now_ns += u128::from(result.duration_with_overheads_ns);
    }
}
