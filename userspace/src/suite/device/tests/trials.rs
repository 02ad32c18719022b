//! What a trial tells beyond the queue: chance, directions, time.

use super::*;
use crate::suite::{Action, DirectionResult, InvalidCause};
use proptest::prelude::*;

#[test]
fn chance_strikes_about_as_often_as_asked_and_repeats_with_the_seed() {
    let mut results = Vec::new();
    for seed in [7, 7, 8] {
        let text = format!("link=10G,loss=1e-6,duplicate=1/1000,reorder=1/500,seed={seed}");
        results.push(run(&mut device(&text), 10_000_000.into(), 60));
    }
    assert_eq!(results[0], results[1]);
    assert_ne!(results[0], results[2]);
    let direction = &results[0].directions[0];
    assert!(direction.lost_frames.abs_diff(600) < 150, "{direction:?}");
    assert!(direction.duplicate_frames.abs_diff(600_000) < 5_000, "{direction:?}");
    assert!(direction.reordered_frames.abs_diff(1_200_000) < 7_000, "{direction:?}");
    assert_eq!(direction.rx_frames, direction.rx_unique_frames + direction.duplicate_frames);
    assert_eq!(direction.tx_frames, direction.rx_unique_frames + direction.lost_frames);
    assert!(direction.last_lost_ns.is_some_and(|ns| ns > 55_000_000_000), "{direction:?}");
    // One frame lost: two gaps of 100 ns without a frame.
    assert_eq!(direction.rx_gap_max_ns, Some(200));
}

#[test]
fn trials_of_one_device_differ_by_chance() {
    let mut device = device("link=10G,loss=1e-3");
    let lost: Vec<u64> =
        (0..8).map(|_| run(&mut device, 1_000_000.into(), 1).sum(|d| d.lost_frames)).collect();
    assert!(lost.windows(2).any(|pair| pair[0] != pair[1]), "{lost:?}");
}

#[test]
fn a_resumed_device_goes_on_as_if_it_had_run_the_trials_before() {
    let text = "link=10G,capacity=10Mpps,loss=1e-5,stall=700ms/10s,duplicate=1/100";
    let (mut whole, mut resumed) = (device(text), device(text));
    for _ in 0..3 {
        let result = run(&mut whole, 9_000_000.into(), 1);
        resumed.replayed(&plan(&[]), &result);
    }
    for _ in 0..5 {
        let expected = run(&mut whole, 9_000_000.into(), 1);
        assert_eq!(run(&mut resumed, 9_000_000.into(), 1), expected);
    }
}

#[test]
fn directions_are_queues_of_their_own() {
    let spec: DeviceSpec = "link=1G,capacity=1kpps,buffer=10".parse().unwrap();
    let mut device = SimulatedDevice::new(spec, true, waits());
    let load = |direction, fps: u64| {
        let stages = vec![Stage { fps: fps.into(), frames: fps }];
        Load { direction, frame: frame(64), stages }
    };
    let mut plan = plan(&[]);
    plan.loads = vec![load(0, 2000), load(1, 500)];
    let result = device.run(&plan).unwrap();
    let lost: Vec<u64> = result.directions.iter().map(|d| d.lost_frames).collect();
    // floor(1999 / 2) + 10 of 2000 came.
    assert_eq!(lost, [2000 - 1009, 0]);
    plan.loads = vec![load(1, 500)];
    let result = device.run(&plan).unwrap();
    assert_eq!(result.directions[0], DirectionResult::default(), "not loaded");
    let names: Vec<_> =
        device.directions().iter().map(|d| (d.tx.as_str(), d.rx.as_str())).collect();
    assert_eq!(names, [("west", "east"), ("east", "west")]);
}

#[test]
fn a_deep_buffer_is_waited_for_in_virtual_time() {
    let mut device = device("link=1G,capacity=100pps,buffer=1000");
    let result = run(&mut device, 1000.into(), 10);
    assert_eq!(result.sum(|d| d.rx_unique_frames), 999 + 1000);
    assert_eq!(result.duration_ns, 10_000_000_000);
    // The last one that entered waits for 999 services of 10 ms; 9 s are waits around it.
    assert!(result.duration_with_overheads_ns > 10_000_000_000 + 9_900_000_000 + 9_000_000_000);
}

#[test]
fn stalls_go_by_the_clock_of_the_device() {
    // Each trial takes 11 s with its waits: 2 s into the second is 10 s after the second's.
    let mut device = device("link=1G,capacity=10kpps,buffer=10,stall=100ms/10s");
    let lost: Vec<u64> = (0..6)
        .map(|_| {
            let stage = Stage { fps: 5_000.into(), frames: 5_000 };
            device.run(&plan(&[stage])).unwrap().sum(|d| d.lost_frames)
        })
        .collect();
    // A trial of 1 s begins each 10 s, and so does a stall: the first comes too early for it.
    assert_eq!(lost[0], 0);
    assert!(lost[1..].iter().all(|&lost| (480..=500).contains(&lost)), "{lost:?}");
}

#[test]
fn serialisation_is_part_of_bit_forwarding_latency() {
    let spec: DeviceSpec = "link=10G,latency=10us".parse().unwrap();
    for (bytes, ns) in [(64, 51.2), (1518, 1214.4)] {
        let device = SimulatedDevice::new(spec.clone(), false, waits());
        let mut device = device.with_definition(LatencyDefinition::BitForwarding);
        let stages = [Stage { fps: 1000.into(), frames: 1000 }];
        let plan = TrialPlan::same(Test::Latency, 1, &frame(bytes), &stages);
        let latency = device.run(&plan).unwrap().latency.unwrap();
        assert!((latency.mean_ns - 10_000.0 - ns).abs() < 1e-6, "{bytes}: {latency:?}");
    }
}

#[test]
fn what_the_link_cannot_carry_is_unsent_and_voids_the_trial() {
    let mut device = device("link=100M");
    let result = run(&mut device, 150_000.into(), 10);
    let direction = &result.directions[0];
    assert_eq!((direction.tx_frames, direction.unsent_frames), (1_488_095, 11_905));
    assert_eq!(direction.lost_frames, 0);
    assert!(matches!(result.invalid, Some((InvalidCause::TesterTx, _))), "{result:?}");
}

#[test]
fn impossible_plans_are_refused_in_one_line() {
    let mut device = device("link=1G");
    let one = Stage { fps: 1.into(), frames: 1 };
    let mut twice = plan(&[one]);
    twice.loads.push(twice.loads[0].clone());
    let mut reset = plan(&[one]);
    reset.action = Some(Action { at: Duration::ZERO, command: "reboot".into() });
    let never = plan(&[Stage { fps: Ratio::ZERO, frames: 1 }]);
    let aeon = plan(&[Stage { fps: Ratio::new(1, 1000), frames: u64::MAX }]);
    for (plan, says) in [
        (twice, "direction 0: no such, or loaded twice"),
        (reset, "`reboot` resets no simulated device; give the time"),
        (never, "a load of 0 frames a second"),
        (aeon, "too long to simulate"),
    ] {
        let error = device.run(&plan).unwrap_err();
        assert!(matches!(error, TrialError::Failed { exit_code: 64, .. }));
        assert!(error.to_string().contains(says), "{error}");
    }
}

proptest! {
    #[test]
    fn no_device_and_no_load_panics(
        capacity in prop_oneof![Just("0.001pps"), Just("1kbps"), Just("999999999999pps"),
            Just("0.123456789pps"), Just("123456.789012pps"), Just("999Tbps")],
        buffer in prop_oneof![Just(2_u64), Just(1_000_000_000), 2_u64..5000],
        link in prop_oneof![Just("1"), Just("10M"), Just("400G"), Just("999T")],
        loss in prop_oneof![Just("0"), Just("1"), Just("1e-9"), Just("0.5")],
        stall in prop_oneof![Just(""), Just(",stall=900us/1ms"), Just(",stall=1ns/100h")],
        numerator in 1_u128..1 << 90, denominator in 1_u128..1 << 80,
        frames in prop_oneof![0_u64..3, 0_u64..1_000_000_000],
        size in 0_u16..2,
    ) {
        let text = format!("link={link},capacity={capacity},buffer={buffer},latency=1ms,loss={loss}{stall},duplicate={loss},reorder={loss}");
        let fps = Ratio::new(numerator, denominator);
        // What takes time is a great number of stalls.
        let period_s = if stall.ends_with("1ms") { 0.001 } else { 360_000.0 };
        prop_assume!(stall.is_empty() || frames as f64 / fps.to_f64() < 100.0 * period_s);
        let plan = TrialPlan::same(Test::Throughput, 1, &frame(64 + size * 9152), &[Stage { fps, frames }]);
        let mut device = device(&text);
        if let Ok(result) = device.run(&plan) {
            let d = &result.directions[0];
            prop_assert_eq!(d.tx_frames + d.unsent_frames, frames);
            prop_assert_eq!(d.rx_unique_frames + d.lost_frames, d.tx_frames);
        }
    }
}
