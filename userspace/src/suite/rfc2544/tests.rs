//! The suite over the simulated device.

mod endings;
mod hostile;
mod published;
mod random;
mod tester;

use super::*;
use crate::{
    spec::{
        Addressing, BackToBackSpec, Hooks, LatencyAt, LatencyDefinition, LatencySpec, Learning,
        LossSpec, Modifiers, Profile, RecoverySpec, ResetSpec, Resolution, SuiteSpec,
        ThroughputSpec, Topology, Waits,
    },
    suite::device::SimulatedDevice,
    units::{FrameSize, Rate, Ratio},
};
use std::time::Duration;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn waits() -> Waits {
    Waits { before: seconds(2), residual: seconds(2), after: seconds(5) }
}

/// Throughput only, to 1 fps.
fn spec(device: &str, sizes: &[u16], trial: Duration) -> Rfc2544Spec {
    let size = |&bytes: &u16| Frame::fixed(FrameSize::new(bytes).unwrap());
    let suite = SuiteSpec {
        flows: None,
        frames: sizes.iter().map(size).collect(),
        profile: Profile::Rfc,
        topology: Topology::Simulated { device: device.to_owned(), both: false },
        ports: Vec::new(),
        addressing: Addressing::default(),
        learning: Learning { frames: 3, refresh: seconds(60) },
        waits: waits(),
        modifiers: Modifiers::default(),
        hooks: Hooks::default(),
        pass: Vec::new(),
        max_trials: 1_000_000,
        max_time: Duration::from_hours(100_000),
    };
    let throughput = ThroughputSpec {
        trial,
        resolution: Resolution::Fps(Ratio::ONE),
        max_loss: Ratio::ZERO,
        max_rate: Rate::LineShare(Ratio::ONE),
    };
    Rfc2544Spec {
        suite,
        throughput,
        latency: None,
        loss: None,
        back_to_back: None,
        recovery: None,
        reset: None,
    }
}

/// All tests that need no command, at the lengths and repeats given.
fn with_all(mut spec: Rfc2544Spec, stream: Duration, repeats: u32) -> Rfc2544Spec {
    let trial = spec.throughput.trial;
    spec.latency = Some(LatencySpec {
        trial: stream,
        from: stream / 2,
        repeats,
        at: vec![LatencyAt::Throughput],
        definition: LatencyDefinition::StoreAndForward,
    });
    spec.loss = Some(LossSpec { trial, step: Ratio::new(1, 10) });
    spec.back_to_back = Some(BackToBackSpec { repeats, burst_limit: seconds(2), step_frames: 1 });
    spec.recovery = Some(RecoverySpec { overload: trial, reduced: trial, repeats: 1 });
    spec
}

fn device(spec: &Rfc2544Spec) -> SimulatedDevice {
    let Topology::Simulated { device, both } = &spec.suite.topology else {
        panic!("the tests simulate")
    };
    SimulatedDevice::new(device.parse().unwrap(), *both, spec.suite.waits)
}

fn outcome(spec: &Rfc2544Spec) -> Outcome {
    run(spec, &mut device(spec), &mut |_| ())
}

/// The only row.
fn row(spec: &Rfc2544Spec) -> Row {
    let outcome = outcome(spec);
    assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
    outcome.rows.into_iter().next().unwrap()
}

fn lossless(row: &Row) -> (u128, Bound) {
    let throughput = row.throughput.as_ref().unwrap();
    (throughput.load.floor(), throughput.bound)
}
