//! Services on policers whose answer is known.

mod policers;

use super::*;
use crate::{
    spec::{Frame, SuiteFile, SuiteFlags, Y1564Spec},
    suite::{LatencyStats, Trial, device::SimulatedDevice},
    units::{FrameSize, Ratio},
};
use Verdict::{Fail, Invalid, NotApplicable, Pass};
use policers::{Policer, Policers};
use std::time::Duration;

const GIGABIT: u64 = 1_000_000_000;
const MBPS: u64 = 1_000_000;

/// Services as a suite file has them, and the performance test as long as that.
fn spec(services: &[&str], performance: &str) -> Y1564Spec {
    let mut text = format!("y1564 = {{step = \"10s\", performance = \"{performance}\"}}\n");
    for service in services {
        text = format!("{text}[[service]]\nflr = \"0.1%\"\nsize = 512\n{service}\n");
    }
    let flags = SuiteFlags { dut: Some("sim:".into()), ..SuiteFlags::default() };
    SuiteFile::from_toml(&text, &flags).unwrap().y1564().unwrap()
}

const DATA: &str = "name = \"data\"\ncir = \"100Mbps\"\neir = \"50Mbps\"";
const VOICE: &str = "name = \"voice\"\ncir = \"10Mbps\"";

fn policer(mbps: u64) -> Policer {
    Policer { rate_bps: Some(mbps * MBPS), burst_bytes: 12_176 }
}

fn test(spec: &Y1564Spec, trial: &mut dyn Trial) -> Outcome {
    run(spec, trial, &mut |_| ()).unwrap()
}

/// Names, Mbit/s offered and verdicts of the configuration steps of the first service.
fn steps(outcome: &Outcome) -> Vec<(Step, f64, Verdict)> {
    let steps = outcome.services[0].configuration.iter();
    steps.map(|s| (s.step, s.offered_bps.over(MBPS.into()).to_f64(), s.verdict)).collect()
}

fn cir(percent: u128) -> Step {
    Step::Cir(Ratio::new(percent, 100))
}

#[test]
fn a_policed_service_passes_all_steps_at_the_published_rates() {
    let outcome = test(&spec(&[DATA], "15m"), &mut Policers::new(GIGABIT, &[policer(150)]));
    assert_eq!(
        steps(&outcome),
        [
            (cir(25), 25.0, Pass),
            (cir(50), 50.0, Pass),
            (cir(75), 75.0, Pass),
            (cir(100), 100.0, Pass),
            (Step::Eir, 150.0, Pass),
            (Step::Policing, 162.5, Pass),
        ]
    );
    let service = &outcome.services[0];
    let policing = &service.configuration[5].per_direction[0];
    assert!(policing.lost_frames > 0, "a policer that polices loses frames");
    let rate = policing.ir.mean_bps.to_f64();
    assert!((150e6..150.02e6).contains(&rate), "{rate}");
    let performance = service.performance.as_ref().unwrap();
    assert_eq!(performance.verdict, Pass);
    assert_eq!(performance.per_direction[0].availability.unwrap().ratio(), Some(Ratio::ONE));
    assert_eq!((outcome.verdict(), outcome.performance_left_out), (Pass, None));
    assert_eq!(outcome.trials.len(), 7);
}

#[test]
fn without_a_policer_a_service_fails_although_nothing_is_lost() {
    let open = Policer::default();
    let outcome = test(&spec(&[DATA], "15m"), &mut Policers::new(GIGABIT, &[open]));
    let policing = &outcome.services[0].configuration[5];
    assert_eq!((policing.step, policing.verdict), (Step::Policing, Fail));
    assert_eq!(policing.per_direction[0].lost_frames, 0);
    let [reason] = &policing.reasons[..] else { panic!("{:?}", policing.reasons) };
    assert!(reason.starts_with("IR 162.5"), "{reason}");
    assert_eq!(outcome.verdict(), Fail);
    assert_eq!(
        outcome.performance_left_out.as_deref(),
        Some("service `data` did not pass its configuration test")
    );
    // The same service without that promise is fine.
    let unpoliced = format!("{DATA}\npolicing = false");
    let outcome = test(&spec(&[&unpoliced], "15m"), &mut Policers::new(GIGABIT, &[open]));
    assert_eq!(outcome.verdict(), Pass);
}

#[test]
fn a_service_without_excess_is_policed_at_its_committed_rate_and_burst() {
    let service = "name = \"data\"\ncir = \"100Mbps\"";
    let verdict = |policer, service: &str| {
        let outcome = test(&spec(&[service], "15m"), &mut Policers::new(GIGABIT, &[policer]));
        let steps = steps(&outcome);
        assert_eq!(steps.len(), 5, "no EIR, no step of it: {steps:?}");
        let policing = &outcome.services[0].configuration[4];
        assert_eq!(policing.offered_bps, Ratio::from(125 * MBPS));
        (policing.verdict, policing.reasons.join("; "))
    };
    assert_eq!(verdict(policer(100), service), (Pass, String::new()));
    assert_eq!(verdict(policer(101), service).0, Fail);
    // A burst beyond the promised one is found too.
    let burst = Policer { burst_bytes: 1_000_000, ..policer(100) };
    assert_eq!(verdict(burst, service).0, Fail);
    let promised = format!("{service}\nburst = 1000000");
    assert_eq!(verdict(burst, &promised), (Pass, String::new()));
}

#[test]
fn a_policer_below_cir_fails_from_the_step_on_that_it_cuts() {
    let outcome = test(&spec(&[DATA], "15m"), &mut Policers::new(GIGABIT, &[policer(80)]));
    let verdicts: Vec<_> = steps(&outcome).into_iter().map(|(_, _, verdict)| verdict).collect();
    assert_eq!(verdicts, [Pass, Pass, Pass, Fail, Fail, Fail]);
    let reasons = &outcome.services[0].configuration;
    assert!(reasons[3].reasons[0].starts_with("FLR 19.9"), "{:?}", reasons[3].reasons);
    assert!(reasons[4].reasons[0].contains("below CIR less FLR, 99.9 Mbit/s"));
}

#[test]
fn information_rate_is_of_l2_bits() {
    let service = "name = \"small\"\ncir = \"100Mbps\"\npolicing = false".to_owned();
    let mut spec = spec(&[&service], "10s");
    spec.services[0].frame = Frame::fixed(FrameSize::MIN);
    let outcome = test(&spec, &mut Policers::new(GIGABIT, &[policer(100)]));
    let full = &outcome.trials[3].plan.loads[0].stages[0];
    assert_eq!(full.fps, Ratio::new(390_625, 2)); // 195,312.5
    let shown = &outcome.services[0].configuration[3].per_direction[0].ir;
    assert_eq!(shown.mean_bps, Ratio::from(100 * MBPS));
    // Half a frame a second: the least second has one frame fewer.
    assert_eq!(shown.min_bps, Some(Ratio::from(195_312 * 512)));
    assert_eq!(shown.max_bps, Some(Ratio::from(195_313 * 512)));
    assert_eq!(outcome.verdict(), Pass);
}

#[test]
fn delay_and_its_variation_are_judged_where_promised() {
    let latency = |mean_ns, p999_ns| LatencyStats {
        count: 1000,
        min_ns: 1_000_000,
        mean_ns,
        p50_ns: 1_000_000,
        p99_ns: 1_000_000,
        p999_ns,
        max_ns: 90_000_000,
        uncertainty_ns: None,
    };
    let promised = format!("{VOICE}\nftd = \"10ms\"\nfdv = \"2ms\"");
    let judged = |latency| {
        let mut device = Policers::new(GIGABIT, &[policer(10)]);
        device.latency = latency;
        let outcome = test(&spec(&[&promised], "15m"), &mut device);
        let step = outcome.services[0].configuration[0].clone();
        (step.verdict, step.reasons.join("; "))
    };
    assert_eq!(judged(Some(latency(10e6, 3_000_000))), (Pass, String::new()));
    let slow = judged(Some(latency(10_000_001.0, 3_000_000)));
    assert_eq!(slow, (Fail, "FTD 10.000001ms is over 10ms".into()));
    let shaky = judged(Some(latency(9e6, 3_000_001)));
    assert_eq!(shaky, (Fail, "FDV 2.000001ms is over 2ms".into()));
    let (verdict, reason) = judged(None);
    assert_eq!(verdict, Invalid);
    assert_eq!(reason, "FTD was not measured; FDV was not measured");
}

#[test]
fn all_services_run_at_once_and_an_outage_is_charged_to_its_own() {
    let service =
        |name: &str| format!("name = \"{name}\"\ncir = \"10Mbps\"\navailability = \"99%\"");
    let spec = spec(&[&service("a"), &service("b")], "15m");
    let performance = |outage| {
        let mut device = Policers::new(GIGABIT, &[policer(10); 4]);
        device.outage = Some((2, outage));
        let outcome = test(&spec, &mut device);
        assert_eq!(outcome.trials.last().unwrap().plan.loads.len(), 4, "both ways of both");
        outcome
    };
    // Steps take 10 s, so an outage from the eleventh second on is one of the performance test.
    let outcome = performance(100..110);
    let verdicts: Vec<_> = outcome.services.iter().map(ServiceOutcome::verdict).collect();
    assert_eq!(verdicts, [Pass, Fail]);
    let failed = outcome.services[1].performance.as_ref().unwrap();
    assert_eq!(failed.reasons, ["west > east: availability 98.88888888888889% is below 99%"]);
    assert_eq!(failed.per_direction[0].flr, Some(Ratio::ZERO), "loss is that of available time");
    assert!(failed.per_direction[0].lost_frames > 0);
    assert_eq!(failed.per_direction[0].ir.min_bps, Some(Ratio::ZERO));

    // Nine seconds are no unavailability but loss: 1 % of it.
    let outcome = performance(100..109);
    let failed = outcome.services[1].performance.as_ref().unwrap();
    assert!(failed.reasons[0].starts_with("west > east: FLR 1.00"), "{:?}", failed.reasons);
    assert_eq!(failed.per_direction[0].availability.unwrap().ratio(), Some(Ratio::ONE));
}

#[test]
fn a_service_that_breaks_for_good_fails_without_any_promise_of_availability() {
    let mut device = Policers::new(GIGABIT, &[policer(10)]);
    // Only the performance test is as long as that, and it begins with a dead service.
    device.outage_in = Some(6);
    device.outage = Some((0, 0..900));
    let outcome = test(&spec(&[VOICE], "15m"), &mut device);
    let performance = outcome.services[0].performance.as_ref().unwrap();
    assert_eq!(performance.verdict, Fail);
    assert_eq!(performance.reasons, ["it was never available"]);
    assert_eq!(performance.per_direction[0].availability.unwrap().ratio(), Some(Ratio::ZERO));
}

#[test]
fn what_the_tester_spoils_is_invalid_not_failed() {
    let mut device = Policers::new(GIGABIT, &[policer(150)]);
    device.spoiled_from = Some(4);
    let outcome = test(&spec(&[DATA], "15m"), &mut device);
    let verdicts: Vec<_> = steps(&outcome).into_iter().map(|(_, _, verdict)| verdict).collect();
    assert_eq!(verdicts, [Pass, Pass, Pass, Invalid, Invalid, Invalid]);
    assert_eq!(outcome.services[0].configuration[3].reasons, ["the tester sent 1 % too little"]);
    assert_eq!(outcome.verdict(), Invalid);
}

#[test]
fn what_the_link_cannot_carry_is_left_out_and_said() {
    let device = |mbps| Policers::new(mbps * MBPS, &[policer(150)]);
    // 512 of 532 octets of the wire are L2.
    let outcome = test(&spec(&[DATA], "15m"), &mut device(160));
    let steps = steps(&outcome);
    assert_eq!((steps[4].2, steps[5].2), (Pass, Pass));
    assert!((153.9..154.0).contains(&steps[5].1), "a full link is enough: {}", steps[5].1);
    let outcome = test(&spec(&[DATA], "15m"), &mut device(150));
    for step in &outcome.services[0].configuration[4..] {
        assert_eq!((step.verdict, step.trial), (NotApplicable, None));
        assert_eq!(step.reasons, ["the link carries 144360902 bit/s at most"]);
    }
    assert_eq!(outcome.verdict(), Pass);
    let error = run(&spec(&[DATA], "15m"), &mut device(100), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("`data`: its CIR of 100000000 bit/s"), "{error}");
}

#[test]
fn limits_and_missing_ways_are_said() {
    let mut spec = spec(&[DATA, VOICE], "15m");
    let error = run(&spec, &mut Policers::new(GIGABIT, &[policer(150); 3]), &mut |_| ());
    assert_eq!(error.unwrap_err(), Y1564Error::Directions { services: 2, directions: 3 });
    spec.suite.max_trials = 8;
    let outcome = test(&spec, &mut Policers::new(GIGABIT, &[policer(150); 2]));
    assert_eq!(outcome.trials.len(), 8);
    assert_eq!(outcome.services[1].configuration.len(), 2);
    assert_eq!(outcome.verdict(), Invalid);
    assert_eq!(outcome.performance_left_out.as_deref(), Some("ended after 8 trials (max_trials)"));
    let waits = &spec.suite.waits;
    let around = waits.before + waits.residual + waits.after;
    let loads = Duration::from_secs(11 * 10 + 900);
    assert_eq!(estimate(&spec), loads + 12 * around);
    spec.services.clear();
    let none = run(&spec, &mut Policers::new(GIGABIT, &[]), &mut |_| ());
    assert_eq!(none.unwrap_err(), Y1564Error::None);
}

#[test]
fn the_simulated_device_is_a_policer_of_each_service() {
    let spec = spec(&[DATA, &DATA.replace("data", "more")], "30s");
    let verdict = |device: &str| {
        let device = device.parse().unwrap();
        let mut device = SimulatedDevice::new(device, false, spec.suite.waits).with_services(2);
        test(&spec, &mut device).verdict()
    };
    assert_eq!(verdict("link=1G,capacity=150Mbps,buffer=16,latency=10us"), Pass);
    assert_eq!(verdict("link=1G"), Fail, "nothing polices");
    assert_eq!(verdict("link=1G,capacity=150Mbps,buffer=16,loss=0.002"), Fail);
    assert_eq!(verdict("link=1G,capacity=99Mbps,buffer=16"), Fail);
}
