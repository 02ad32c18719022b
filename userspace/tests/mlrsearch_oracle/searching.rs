//! The same devices, searched by both.

use super::{
    Dice, ask,
    device::{Bench, Device},
};
use linerate::{
    spec::{GoalSpec, MlrsearchSpec, SuiteFile, SuiteFlags},
    suite::mlrsearch,
    units::Ratio,
};
use serde_json::{Value, json};

const LINK_BPS: u64 = 10_000_000_000;
const MIN_LOAD: u64 = 9001;
const MAX_LOAD: f64 = 10_000_000_000.0 / 672.0;

/// How many trials more than the package's a search may take.
const MOST_TRIALS: f64 = 1.5;

/// Lower bound, upper bound and conditional throughput of a goal.
type Found = [Option<f64>; 3];

/// A device, and what is sought on it.
struct Job {
    device: Device,
    goals: &'static [&'static str],
}

impl Job {
    fn spec(&self) -> MlrsearchSpec {
        let goals = serde_json::to_string(self.goals).unwrap();
        let text =
            format!("sizes = [64]\nmlrsearch = {{min_load = \"{MIN_LOAD}fps\", goals = {goals}}}");
        let flags = SuiteFlags { dut: Some("sim:".into()), ..SuiteFlags::default() };
        SuiteFile::from_toml(&text, &flags).unwrap().mlrsearch().unwrap()
    }

    fn question(&self) -> Value {
        let ratio = |ratio: Ratio| json!([ratio.numerator() as u64, ratio.denominator() as u64]);
        let goal = |goal: &GoalSpec| {
            json!({
                "loss": ratio(goal.loss_ratio), "exceed": ratio(goal.exceed_ratio),
                "width": ratio(goal.width), "initial_s": goal.initial_trial.as_secs(),
                "trial_s": goal.final_trial.as_secs(), "sum_s": goal.duration_sum.as_secs(),
            })
        };
        json!({
            "goals": self.spec().goals.iter().map(goal).collect::<Vec<_>>(),
            "min_load": MIN_LOAD, "max_load": MAX_LOAD, "device": self.device.question(),
        })
    }

    /// What we find, and with how many trials.
    fn search(&self) -> (Vec<Found>, usize) {
        let mut bench = Bench::new(self.device, LINK_BPS);
        let outcome = mlrsearch::run(&self.spec(), &mut bench, &mut |_| ()).unwrap();
        assert!(outcome.stopped.is_none());
        let found = outcome.rows[0].goals.iter().map(|goal| {
            let found = [
                goal.relevant_lower_bound_fps,
                goal.relevant_upper_bound_fps,
                goal.conditional_throughput_fps,
            ];
            found.map(|load| load.map(Ratio::to_f64))
        });
        (found.collect(), outcome.trials.len())
    }
}

/// What the package finds on each, and with how many trials.
fn package(jobs: &[Job]) -> Vec<(Vec<Found>, usize)> {
    let answer = ask(&[], &jobs.iter().map(Job::question).collect::<Vec<_>>());
    let searched = answer["searched"].as_array().unwrap();
    assert_eq!(searched.len(), jobs.len());
    let read = |one: &Value| {
        let found = serde_json::from_value(one["goals"].clone()).unwrap();
        (found, one["trials"].as_u64().unwrap() as usize)
    };
    searched.iter().map(read).collect()
}

#[test]
fn steady_devices_have_the_same_bounds_with_as_few_trials() {
    let mut dice = Dice(2544);
    let sets: [&[&str]; 5] =
        [&["NDR"], &["PDR"], &["NDR", "PDR"], &["RFC2544"], &["TST009", "NDR"]];
    let mut jobs = vec![Job { device: Device::steady(10_000_000, 1024), goals: &["NDR"] }];
    jobs.extend((0..150).map(|number| {
        // From below the least load to beyond line rate, evenly in decades.
        let fps = 10_f64.powf(3.9 + 3.4 * dice.uniform()) as u64;
        let device = Device::steady(fps, 2 + dice.roll(5000));
        Job { device, goals: sets[number % sets.len()] }
    }));
    let (mut ours_all, mut theirs_all) = (0, 0);
    for (job, (theirs, their_trials)) in jobs.iter().zip(package(&jobs)) {
        let (ours, trials) = job.search();
        let spec = job.spec();
        let longest_s =
            spec.goals.iter().map(|goal| goal.final_trial.as_secs_f64()).fold(0.0, f64::max);
        for (goal, found) in spec.goals.iter().zip(ours.iter().zip(&theirs)) {
            let lossy =
                |load, seconds| job.device.steady_loss(load, seconds) > goal.loss_ratio.to_f64();
            // The longer a trial, the less the room helps; those of the other goals count too.
            let passes = |load| !lossy(load, goal.final_trial.as_secs_f64());
            let fails = |load| lossy(load, longest_s);
            for [lower, upper, _] in [found.0, found.1] {
                let place = format!("{} on {:?}: {found:?}", goal.name, job.device);
                assert!(lower.map_or_else(|| fails(MIN_LOAD as f64), passes), "{place}");
                assert!(upper.map_or_else(|| passes(MAX_LOAD), fails), "{place}");
                if let (Some(lower), Some(upper)) = (*lower, *upper) {
                    assert!(upper - lower <= goal.width.to_f64() * upper * (1.0 + 1e-9), "{place}");
                }
            }
        }
        let most = their_trials as f64 * MOST_TRIALS;
        assert!(
            trials as f64 <= most,
            "{trials} trials, the package {their_trials}: {:?} on {:?}",
            job.goals,
            job.device
        );
        ours_all += trials;
        theirs_all += their_trials;
    }
    println!("trials on steady devices: {ours_all}, the package {theirs_all}");
}

/// Median and spread (from the tenth to the ninetieth percentile) over seeds.
fn median_and_spread(mut loads: Vec<f64>) -> (f64, f64) {
    loads.sort_by(f64::total_cmp);
    let at = |share: f64| loads[((loads.len() - 1) as f64 * share).round() as usize];
    (at(0.5), at(0.9) - at(0.1))
}

#[test]
fn unsteady_devices_have_as_steady_an_answer() {
    let steady = Device::steady(10_000_000, 1024);
    for device in [
        Device { stalls_per_s: 0.1, ..steady },
        Device { stalls_per_s: 0.3, jitter: 0.02, ..steady },
        Device { jitter: 0.05, ..steady },
    ] {
        let seeds = 1..=60;
        let jobs: Vec<_> = seeds
            .map(|seed| Job { device: Device { seed, ..device }, goals: &["NDR", "PDR"] })
            .collect();
        let theirs = package(&jobs);
        let ours: Vec<_> = jobs.iter().map(Job::search).collect();
        for goal in 0..2 {
            let throughput = |all: &[(Vec<Found>, usize)]| {
                median_and_spread(all.iter().map(|(found, _)| found[goal][2].unwrap()).collect())
            };
            let ((our_median, our_spread), (median, spread)) =
                (throughput(&ours), throughput(&theirs));
            println!(
                "{device:?} goal {goal}: {our_median:.0} +- {our_spread:.0}, the package {median:.0} +- {spread:.0}"
            );
            let width = 0.005 * median;
            assert!((our_median - median).abs() <= width, "{our_median} {median} on {device:?}");
            assert!(our_spread <= spread + 2.0 * width, "{our_spread} {spread} on {device:?}");
        }
        let trials =
            |all: &[(Vec<Found>, usize)]| all.iter().map(|(_, trials)| trials).sum::<usize>();
        let (our_trials, their_trials) = (trials(&ours), trials(&theirs));
        println!("{our_trials} trials, the package {their_trials}");
        assert!(
            our_trials as f64 <= MOST_TRIALS * their_trials as f64,
            "{our_trials} {their_trials}"
        );
    }
}
