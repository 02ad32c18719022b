//! Suites that end before their time, directions, and what a suite takes.

use super::*;
use crate::suite::{Direction, Stop, TrialError, TrialPlan, TrialResult};

const DEVICE: &str = "link=10G,capacity=10Mpps";

/// Somebody presses Ctrl-C.
struct Interrupted(SimulatedDevice, u32);

impl Trial for Interrupted {
    fn directions(&self) -> &[Direction] {
        self.0.directions()
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Ok(None)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        self.1 = self.1.checked_sub(1).ok_or(TrialError::Interrupted)?;
        self.0.run(plan)
    }
}

#[test]
fn an_interrupt_keeps_what_was_found() {
    let spec = with_all(spec(DEVICE, &[64], seconds(1)), seconds(2), 1);
    let all = outcome(&spec).trials;
    for trials in 0..all.len() as u32 {
        let mut trial = Interrupted(device(&spec), trials);
        let outcome = run(&spec, &mut trial, &mut |_| ());
        assert!(matches!(outcome.stopped, Some(Stop::Trial(TrialError::Interrupted))));
        assert_eq!(outcome.trials, all[..trials as usize]);
        let throughput = outcome.rows[0].throughput.as_ref().unwrap();
        match trials {
            0 | 1 => assert_eq!(throughput.bound, Bound::None),
            2..20 => assert!(throughput.bound == Bound::AtLeast && throughput.limited_by.is_none()),
            _ => (),
        }
    }
}

#[test]
fn limits_of_trials_and_of_time_end_a_suite_and_are_named() {
    let mut spec = with_all(spec(DEVICE, &[64, 128], seconds(1)), seconds(2), 5);
    spec.suite.max_trials = 30;
    let few = outcome(&spec);
    assert_eq!(few.trials.len(), 30);
    assert_eq!(few.stopped.unwrap().to_string(), "ended after 30 trials (max_trials)");
    spec.suite.max_trials = 1000;
    spec.suite.max_time = seconds(100);
    let short = outcome(&spec);
    assert!(matches!(short.stopped, Some(Stop::Time(spent)) if spent <= seconds(110)));
    assert!(short.rows[0].throughput.is_some());
}

#[test]
fn both_directions_are_summed_up() {
    let mut spec = with_all(spec(DEVICE, &[64], seconds(1)), seconds(2), 2);
    spec.suite.topology = Topology::Simulated { device: DEVICE.into(), both: true };
    let row = row(&spec);
    let throughput = row.throughput.unwrap();
    assert_eq!((throughput.load, throughput.fps), (10_001_023.into(), 20_002_046.into()));
    let line = Ratio::new(312_500_000, 21);
    assert_eq!(throughput.ratio, Ratio::from(10_001_023).over(line));
    assert_eq!(row.theoretical_fps, line.times(2.into()));
    let ways: Vec<_> =
        throughput.per_direction.iter().map(|way| (way.tx.as_str(), way.fps)).collect();
    assert_eq!(ways, [("west", throughput.load), ("east", throughput.load)]);
    assert_eq!(row.latency.unwrap()[0].per_direction.len(), 2);
    assert_eq!(row.back_to_back.unwrap().bursts, [3119, 3119]);
}

#[test]
fn a_mix_of_sizes_is_a_row_like_any_other() {
    let mut spec = with_all(spec("link=10G,capacity=5Gbps", &[64], seconds(1)), seconds(2), 2);
    let sizes = [64; 7].into_iter().chain([570; 4]).chain([1518]);
    let cycle: Vec<_> = sizes.map(|bytes| FrameSize::new(bytes).unwrap()).collect();
    spec.suite.frames = vec![Frame::mix("imix", &cycle)];
    let row = row(&spec);
    // 5 Gbps over 353.833 octets of 8 bits, and the buffer.
    assert_eq!(lossless(&row), (1_766_368 + 1_023, Bound::Exact));
}

#[test]
fn every_trial_is_told_with_the_bounds_so_far() {
    let spec = spec(DEVICE, &[64], seconds(1));
    let mut trace = Vec::new();
    run(&spec, &mut device(&spec), &mut |progress| {
        if let Progress::Begins { bounds, plan, .. } = progress {
            trace.push((bounds.lower_fps, plan.loads[0].stages[0].fps, bounds.upper_fps));
        }
    });
    assert_eq!(trace[0], (None, Ratio::new(312_500_000, 21), None));
    for (lower, load, upper) in &trace[1..] {
        assert!(
            lower.is_none_or(|lower| lower < *load) && upper.is_some_and(|upper| *load < upper)
        );
    }
}

#[test]
fn an_estimate_is_near_what_a_suite_takes() {
    for (device, trial) in [(DEVICE, 60), ("link=1G,capacity=500Mbps", 1)] {
        let mut spec = with_all(spec(device, &[64, 512, 1518], seconds(trial)), seconds(120), 20);
        spec.throughput.resolution = Resolution::Share(Ratio::new(1, 1000));
        let directions = super::device(&spec).directions().to_vec();
        let estimate = estimate(&spec, &directions);
        let outcome = outcome(&spec);
        let took: u64 =
            outcome.trials.iter().map(|trial| trial.result.duration_with_overheads_ns).sum();
        let ratio = estimate.time.as_secs_f64() / (took as f64 / 1e9);
        assert!((0.7..2.5).contains(&ratio), "{device}: {estimate:?} for {took} ns");
    }
}

#[test]
fn bursts_that_are_not_allowed_take_no_time() {
    let mut spec = with_all(spec(DEVICE, &[64], seconds(1)), seconds(2), 5);
    spec.throughput.max_rate = Rate::Frames(6000.into());
    let directions = super::device(&spec).directions().to_vec();
    let all = estimate(&spec, &directions);
    spec.back_to_back = None;
    assert_eq!(all, estimate(&spec, &directions));
}
