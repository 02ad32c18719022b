//! Searches on devices whose answer is known.

mod device;

use super::*;
use crate::{
    spec::{Frame, GoalSpec, SuiteFile, SuiteFlags},
    suite::{Load, Stage, device::SimulatedDevice},
    units::{FrameSize, Ratio},
};
use device::{Device, Fate, fifo};
use std::time::Duration;

const TEN_GIGABIT: u64 = 10_000_000_000;

/// 64-octet frames, and goals by their names.
fn spec(goals: &str) -> MlrsearchSpec {
    let text = format!("sizes = [64]\nmlrsearch = {{min_load = \"9001fps\", goals = {goals}}}");
    let flags = SuiteFlags { dut: Some("sim:".into()), ..SuiteFlags::default() };
    SuiteFile::from_toml(&text, &flags).unwrap().mlrsearch().unwrap()
}

fn search(spec: &MlrsearchSpec, device: &mut dyn Trial) -> Outcome {
    run(spec, device, &mut |_| ()).unwrap()
}

/// The only goal of the only row.
fn only(outcome: &Outcome) -> &GoalOutcome {
    let [row] = &outcome.rows[..] else { panic!("{:?}", outcome.rows) };
    let [goal] = &row.goals[..] else { panic!("{row:?}") };
    goal
}

fn fps(load: Option<Ratio>) -> f64 {
    load.expect("a bound").to_f64()
}

#[test]
fn ndr_of_a_header_rate_device_is_bracketed() {
    let mut device = Device::new(TEN_GIGABIT, 1, fifo(10_000_000, 1024));
    let outcome = search(&spec(r#"["NDR"]"#), &mut device);
    assert!(outcome.stopped.is_none());
    let goal = only(&outcome);
    let (lower, upper) = (fps(goal.relevant_lower_bound_fps), fps(goal.relevant_upper_bound_fps));
    assert!(lower <= 10_001_023.0 && 10_001_023.0 < upper, "{lower} {upper}");
    assert!(upper - lower <= 0.005 * upper, "{lower} {upper}");
    assert_eq!(goal.conditional_throughput_fps, goal.relevant_lower_bound_fps);
    assert!(goal.regular());
    assert_eq!(goal.trials as usize, outcome.trials.len());
    // Eleven seconds at each bound settle the goal; all else is the way there.
    assert!((22..=32).contains(&outcome.trials.len()), "{}", outcome.trials.len());
    assert_eq!(outcome.rows[0].theoretical_fps, Ratio::new(312_500_000, 21));
}

#[test]
fn goals_share_their_trials() {
    let trials = |goals: &str| {
        let mut device = Device::new(TEN_GIGABIT, 1, fifo(10_000_000, 1024));
        let outcome = search(&spec(goals), &mut device);
        assert!(outcome.rows[0].goals.iter().all(GoalOutcome::regular), "{:?}", outcome.rows);
        outcome.trials.len()
    };
    let (ndr, pdr) = (trials(r#"["NDR"]"#), trials(r#"["PDR"]"#));
    let both = trials(r#"["NDR", "PDR"]"#);
    assert!(both < ndr + pdr, "{both} of {ndr} and {pdr}");
}

#[test]
fn loads_are_sums_over_the_directions() {
    let found = |directions| {
        let mut device = Device::new(TEN_GIGABIT, directions, fifo(10_000_000, 1024));
        only(&search(&spec(r#"["NDR"]"#), &mut device)).clone()
    };
    let (one, two) = (found(1), found(2));
    assert_eq!(one.trials, two.trials);
    let twice = |load: Option<Ratio>| load.map(|load| load.times(2.into()));
    assert_eq!(two.relevant_upper_bound_fps, twice(one.relevant_upper_bound_fps));
    assert_eq!(two.conditional_throughput_fps, twice(one.conditional_throughput_fps));
}

#[test]
fn partial_drop_charges_what_was_lost() {
    let mut device = Device::new(TEN_GIGABIT, 1, fifo(10_000_000, 2));
    let outcome = search(&spec(r#"["PDR"]"#), &mut device);
    let goal = only(&outcome);
    let critical = 10_000_000.0 / 0.995;
    let (lower, upper) = (fps(goal.relevant_lower_bound_fps), fps(goal.relevant_upper_bound_fps));
    assert!(lower <= critical + 2.0 && critical - 2.0 < upper, "{lower} {upper}");
    let through = fps(goal.conditional_throughput_fps);
    assert!((through - lower.min(10_000_000.0)).abs() < 3.0, "{through} at {lower}");
}

#[test]
fn a_load_that_passes_above_one_that_fails_is_no_bound() {
    let hole = |load: &Load| {
        let fps = load.stages[0].fps;
        let inside = Ratio::from(5_000_000) <= fps && fps <= Ratio::from(13_000_000);
        Fate::from(if inside { load.stages[0].frames / 2 } else { 0 })
    };
    let seen = [13_500_000, 4_000_000, 12_000_000].map(|fps| {
        let stage = Stage::lasting(fps.into(), Duration::from_secs(1));
        hole(&Load { direction: 0, frame: Frame::fixed(FrameSize::MIN), stages: vec![stage] }).lost
    });
    assert_eq!(seen, [0, 0, 6_000_000]);
    let mut device = Device::new(TEN_GIGABIT, 1, hole);
    // The greatest load passes, so nothing asks for lesser ones.
    let passes = search(&spec(r#"["NDR"]"#), &mut device);
    assert!(matches!(only(&passes).irregular, Some(Irregular::NoUpperBound { .. })));
    let spec = MlrsearchSpec { max_rate: "13Mpps".parse().unwrap(), ..spec(r#"["NDR"]"#) };
    let outcome = search(&spec, &mut device);
    let upper = fps(only(&outcome).relevant_upper_bound_fps);
    assert!((5_000_000.0..5_026_000.0).contains(&upper), "{upper}");
}

#[test]
fn every_row_has_its_frames_and_the_log_has_every_trial() {
    let mut spec = spec(r#"["NDR"]"#);
    let sizes = [64, 1518].map(|bytes| FrameSize::new(bytes).unwrap());
    spec.suite.frames = sizes.map(Frame::fixed).to_vec();
    let mut device = Device::new(TEN_GIGABIT, 1, fifo(400_000, 64));
    let mut told = Vec::new();
    let outcome = run(&spec, &mut device, &mut |progress| {
        if let Progress::Ended(record) = progress {
            told.push((record.id, record.frame.clone()));
        }
    });
    let outcome = outcome.unwrap();
    let count: u32 = outcome.rows.iter().map(|row| row.trials).sum();
    assert_eq!((count as usize, told.len()), (outcome.trials.len(), outcome.trials.len()));
    for (row, frame) in outcome.rows.iter().zip(&spec.suite.frames) {
        assert_eq!(&row.frame, frame);
        assert!(row.goals[0].regular());
        let of_row = told.iter().filter(|(_, of)| of == frame).count();
        assert_eq!(of_row, row.trials as usize);
        let took = Duration::from_secs(3) * row.trials;
        assert!(took.abs_diff(row.took) < Duration::from_millis(1), "{:?}", row.took);
    }
    let last = &outcome.trials[outcome.trials.len() - 1].bounds;
    assert_eq!(last.goal.as_deref(), Some("NDR"));
    assert!(last.lower_fps.is_some() || last.upper_fps.is_some());
}

#[test]
fn the_simulated_device_is_searched_both_ways() {
    let spec = spec(r#"["NDR", "PDR"]"#);
    let device = "link=10G,capacity=10Mpps,buffer=1024,loss=1e-9,stall=1ms/10s".parse().unwrap();
    let mut device = SimulatedDevice::new(device, true, spec.suite.waits);
    let outcome = search(&spec, &mut device);
    for goal in &outcome.rows[0].goals {
        assert!(goal.regular(), "{:?}", goal.irregular);
        let lower = fps(goal.relevant_lower_bound_fps);
        assert!((19.8e6..20.2e6).contains(&lower), "{}: {lower}", goal.goal.name);
    }
}

mod irregular;
mod random;
