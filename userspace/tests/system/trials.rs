//! Trials of a suite through devices that are not linerate's: what is sent, what is lost, and
//! whose fault it is.

use crate::testbed::{Lab, Limit, Port, much_of_the_machine, with_priority};
use linerate::{
    session::Settings,
    spec::{
        Addressing, Frame, Hooks, Learning, Modifiers, PortSpec, Profile, SuiteSpec, Topology,
        Waits,
    },
    suite::{
        Stage, Test, Trial, TrialPlan, TrialResult, Wants,
        real::{RealTrial, Setup, Watch},
    },
    tx::Backend,
    units::{FrameSize, Ratio},
};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn suite(lab: &Lab, sizes: &[u16]) -> SuiteSpec {
    let frame = |&size: &u16| Frame::fixed(FrameSize::new(size).expect("a size"));
    let port = |port: &Port| PortSpec {
        name: port.to_string(),
        interface: port.to_string(),
        addresses: Vec::new(),
        gateways: Vec::new(),
        line_bps: None,
    };
    SuiteSpec {
        ports: vec![port(&lab.west), port(&lab.east)],
        flows: None,
        frames: sizes.iter().map(frame).collect(),
        profile: Profile::Quick,
        topology: Topology::Pairs {
            pairs: vec![(lab.west.to_string(), lab.east.to_string())],
            both: false,
        },
        addressing: Addressing::default(),
        learning: Learning { frames: 3, refresh: Duration::from_mins(1) },
        waits: Waits {
            before: Duration::from_millis(100),
            residual: Duration::from_millis(500),
            after: Duration::ZERO,
        },
        modifiers: Modifiers::default(),
        hooks: Hooks::default(),
        pass: Vec::new(),
        max_trials: 100,
        max_time: Duration::from_hours(1),
    }
}

#[track_caller]
pub(crate) fn open(suite: &SuiteSpec, stages: usize) -> RealTrial {
    open_until(suite, stages, &Arc::new(AtomicBool::new(false)))
}

/// The same, ended by `stop`.
#[track_caller]
pub(crate) fn open_until(suite: &SuiteSpec, stages: usize, stop: &Arc<AtomicBool>) -> RealTrial {
    let wants = Wants { stages, services: &[], definition: None };
    let setup = Setup {
        // Its workers sleep between frames, and do not fight the device for a core.
        settings: Settings { backend: Backend::AfXdp, ..Settings::default() },
        stop: Arc::clone(stop),
        watch: Watch::default(),
    };
    with_priority();
    match RealTrial::open(suite, wants, setup) {
        Ok(trial) => trial,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn plan(trial: &RealTrial, frame: &Frame, fps: u64, time: Duration) -> TrialPlan {
    let stage = Stage::lasting(Ratio::from(fps), time);
    TrialPlan::same(Test::Throughput, trial.directions().len(), frame, &[stage])
}

/// Runs a trial whose loss is asked for; again, if the machine was too busy for it to count.
#[track_caller]
pub(crate) fn run(trial: &mut RealTrial, plan: &TrialPlan) -> TrialResult {
    let mut results = (0..4).map(|_| match trial.run(plan) {
        Ok(result) => result,
        Err(error) => panic!("{error}"),
    });
    let result = results.find(|result| result.invalid.is_none());
    result.expect("one trial of four that the tester did not spoil")
}

#[track_caller]
fn assert_lossless(result: &TrialResult, frames: u64) {
    for way in &result.directions {
        let counts = (way.tx_frames, way.rx_unique_frames, way.lost_frames, way.unsent_frames);
        assert_eq!(counts, (frames, frames, 0, 0), "{result:?}");
        assert_eq!((way.duplicate_frames, way.corrupt_frames, way.stale_frames), (0, 0, 0));
        let latency = way.latency.as_ref().expect("a latency");
        assert_eq!(latency.count, frames);
        assert!(latency.min_ns <= latency.p50_ns && latency.p50_ns <= latency.max_ns);
    }
}

#[test]
fn a_kernel_bridge_carries_frames_of_every_size_both_ways() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_bridge();
    let mut suite = suite(&lab, &[64, 1518]);
    let Topology::Pairs { both, .. } = &mut suite.topology else { unreachable!() };
    *both = true;
    let mut trial = open(&suite, 1);
    assert_eq!(trial.directions().len(), 2);
    for frame in &suite.frames {
        let plan = plan(&trial, frame, 5_000, SECOND / 2);
        assert_lossless(&run(&mut trial, &plan), 2_500);
    }
    drop(trial);
    lab.assert_nothing_attached();
}

#[test]
fn a_kernel_router_forwards_both_families_and_all_its_networks() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_router();
    for (ipv6, networks) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut suite = suite(&lab, &[128]);
        suite.addressing = Addressing { ipv6, networks };
        let Topology::Pairs { both, .. } = &mut suite.topology else { unreachable!() };
        *both = true;
        let mut trial = open(&suite, 1);
        assert!(trial.notes().iter().all(|note| !note.contains("bridge")), "{:?}", trial.notes());
        let plan = plan(&trial, &suite.frames[0], 5_000, SECOND / 2);
        assert_lossless(&run(&mut trial, &plan), 2_500);
    }
}

#[test]
fn a_limiter_loses_what_is_above_its_limit_and_nothing_below() {
    const LIMIT: u64 = 10_000;
    const DEPTH: u64 = 200;
    let _machine = much_of_the_machine();
    let limit = Limit { pps: LIMIT as u32, depth: DEPTH as u32, drop_every: 0 };
    let lab = Lab::with_limiter(limit);
    let suite = suite(&lab, &[64]);
    let mut trial = open(&suite, 1);
    let below = plan(&trial, &suite.frames[0], LIMIT * 99 / 100, SECOND);
    assert_lossless(&run(&mut trial, &below), LIMIT * 99 / 100);

    let above = plan(&trial, &suite.frames[0], LIMIT * 3 / 2, SECOND);
    let result = run(&mut trial, &above);
    // What fits: the bucket, and what flows out of it until the last frame comes.
    let most = LIMIT + DEPTH;
    let received = result.directions[0].rx_unique_frames;
    assert!(received <= most && received > most * 99 / 100, "{received} of {most}: {result:?}");
    assert_eq!(result.directions[0].lost_frames, LIMIT * 3 / 2 - received);
}

#[test]
fn a_pattern_of_drops_is_lost_to_the_frame() {
    let _machine = much_of_the_machine();
    let lab = Lab::with_limiter(Limit { drop_every: 100, ..Limit::default() });
    let suite = suite(&lab, &[64]);
    let mut trial = open(&suite, 1);
    let plan = plan(&trial, &suite.frames[0], 10_000, SECOND / 2);
    // The device's count goes on from trial to trial, and 5,000 is a multiple of 100.
    for _ in 0..2 {
        let result = run(&mut trial, &plan);
        let way = &result.directions[0];
        assert_eq!((way.tx_frames, way.lost_frames), (5_000, 50), "{result:?}");
        let last_ms = way.last_lost_ns.expect("a lost frame") / 1_000_000;
        assert!((495..=505).contains(&last_ms), "{last_ms} ms");
    }
}

#[test]
fn an_overload_is_followed_by_half_of_it_without_a_gap() {
    const LIMIT: u64 = 10_000;
    let _machine = much_of_the_machine();
    let lab = Lab::with_limiter(Limit { pps: LIMIT as u32, depth: 200, drop_every: 0 });
    let suite = suite(&lab, &[64]);
    let mut trial = open(&suite, 2);
    let stages = [LIMIT * 5 / 4, LIMIT * 5 / 8].map(|fps| Stage::lasting(fps.into(), SECOND / 2));
    let plan = TrialPlan::same(Test::SystemRecovery, 1, &suite.frames[0], &stages);
    let result = run(&mut trial, &plan);
    let way = &result.directions[0];
    assert_eq!(way.tx_frames, stages[0].frames + stages[1].frames);
    assert!(result.duration_ns.abs_diff(1_000_000_000) < 10_000_000, "{result:?}");
    assert!(way.lost_frames > 500, "{result:?}");
    let last_ms = way.last_lost_ns.expect("a lost frame") / 1_000_000;
    assert!((480..=515).contains(&last_ms), "the last loss was at {last_ms} ms: {result:?}");
}
