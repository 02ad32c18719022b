//! Devices that no search may be caught by.

use super::*;
use proptest::prelude::*;

#[test]
fn loss_that_does_not_depend_on_load_is_said_to_be_so() {
    for (loss, length) in [("1e-6", 60), ("1e-3", 1), ("0.1", 1), ("0.5", 1)] {
        let device = format!("link=10G,loss={loss}");
        let row = row(&spec(&device, &[64], seconds(length)));
        let throughput = row.throughput.unwrap();
        assert_eq!((throughput.bound, throughput.load), (Bound::None, Ratio::ZERO), "{loss}");
        let seen = throughput.load_independent_loss.unwrap().to_f64();
        let share: f64 = loss.parse().unwrap();
        assert!((seen / share - 1.0).abs() < 0.2, "{loss}: {seen}");
        assert!(throughput.note.unwrap().contains("at every load"));
        assert!(throughput.trials <= 5, "{loss}: {}", throughput.trials);
    }
}

#[test]
fn a_device_that_forwards_nothing_has_a_row_with_rate_0() {
    let mut spec = with_all(spec("link=10G,loss=1", &[64, 9216], seconds(1)), seconds(2), 2);
    spec.throughput.resolution = Resolution::Share(Ratio::new(1, 1000));
    for row in outcome(&spec).rows {
        let throughput = row.throughput.unwrap();
        assert_eq!((throughput.bound, throughput.fps), (Bound::None, Ratio::ZERO));
        assert_eq!(throughput.next_failing_loss, Some(Ratio::ONE));
        assert_eq!(throughput.note.unwrap(), "no frame came through at any load");
        let latency = &row.latency.unwrap()[0];
        assert_eq!((latency.repeats, latency.all), (0, None));
        assert_eq!(row.frame_loss.unwrap().len(), 10);
        assert!(!row.back_to_back.unwrap().valid);
        assert!(!row.system_recovery.unwrap().valid);
    }
}

#[test]
fn stalls_are_no_load_independent_loss() {
    // 100 ms each second hold 1,024 frames: what fits is some 10,240 a second.
    let row = row(&spec("link=10G,stall=100ms/1s", &[64], seconds(10)));
    let throughput = row.throughput.unwrap();
    assert_eq!(throughput.bound, Bound::Exact, "{throughput:?}");
    assert!((10_230..10_260).contains(&throughput.load.floor()), "{}", throughput.load);
}

#[test]
fn duplicates_and_reorder_are_no_loss() {
    let row = row(&spec("link=10G,duplicate=1/1000,reorder=1/500", &[64], seconds(10)));
    assert_eq!(lossless(&row), (14_880_952, Bound::Exact));
}

#[test]
fn a_tolerated_loss_is_named_with_the_throughput() {
    let mut spec = spec("link=10G,loss=1e-6", &[64], seconds(60));
    spec.throughput.max_loss = Ratio::new(1, 100_000);
    let row = row(&spec);
    assert_eq!(lossless(&row), (14_880_952, Bound::Exact));
    assert_eq!(row.throughput.unwrap().max_loss, Ratio::new(1, 100_000));
}

#[test]
fn bursts_that_a_deep_buffer_takes_are_sought_with_a_higher_limit() {
    // n = 4,999,999 / (1 - 0.672) + 1 frames: 1.02 s at line rate; with 100 ms asked for.
    let mut spec = spec("link=10G,capacity=10Mpps,buffer=5000000", &[64], seconds(60));
    spec.back_to_back = Some(BackToBackSpec {
        repeats: 1,
        burst_limit: Duration::from_millis(100),
        step_frames: 1,
    });
    let bursts = row(&spec).back_to_back.unwrap();
    assert_eq!(bursts.bursts, [15_243_900]);
    assert!(bursts.burst_limit > seconds(1), "{:?}", bursts.burst_limit);
    spec.suite.topology = Topology::Simulated {
        device: "link=10G,capacity=14Mpps,buffer=100000000".into(),
        both: false,
    };
    spec.throughput.trial = Duration::from_hours(1);
    let bursts = row_of(&spec);
    assert!(!bursts.valid && bursts.reason.unwrap().contains("30 s or more"));
}

fn row_of(spec: &Rfc2544Spec) -> BackToBack {
    row(spec).back_to_back.unwrap()
}

#[test]
fn equal_seeds_give_equal_results() {
    let text = |seed| {
        format!(
            "link=10G,capacity=10Mpps,loss=1e-8,stall=1ms/10s,duplicate=1e-4,reorder=1e-4,seed={seed}"
        )
    };
    let run = |seed| {
        let outcome = outcome(&with_all(spec(&text(seed), &[64], seconds(1)), seconds(2), 2));
        (outcome.rows, outcome.trials)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn no_device_makes_a_search_endless(
        capacity in prop_oneof![Just("0.001pps"), Just("0.7pps"), Just("3pps"), Just("1kbps"), Just("9Mpps"), Just("999Tbps")],
        buffer in prop_oneof![Just(2_u64), Just(3), Just(1_000_000_000), 2_u64..5000],
        loss in prop_oneof![Just("0"), Just("1"), Just("0.5"), Just("1e-7")],
        link in prop_oneof![Just("1k"), Just("10M"), Just("400G")],
        both in any::<bool>(), fine in any::<bool>(), stall in any::<bool>(),
    ) {
        let stall = if stall { ",stall=20ms/1s" } else { "" };
        let text = format!("link={link},capacity={capacity},buffer={buffer},loss={loss}{stall}");
        let mut spec = with_all(spec(&text, &[64, 1518], seconds(1)), seconds(2), 2);
        spec.suite.topology = Topology::Simulated { device: text, both };
        spec.suite.hooks.reset = Some("1s".into());
        spec.reset = Some(ResetSpec { limit: seconds(5), repeats: 1 });
        if !fine {
            spec.throughput.resolution = Resolution::Share(Ratio::new(1, 1000));
        }
        let outcome = outcome(&spec);
        // 30 halvings at most of each of two searches and 2 x 2 repeats, verified.
        prop_assert!(outcome.trials.len() < 700, "{}", outcome.trials.len());
        for row in &outcome.rows {
            let throughput = row.throughput.as_ref().unwrap();
            prop_assert!(throughput.ratio <= Ratio::ONE);
            prop_assert_eq!(throughput.bound == Bound::None, throughput.load == Ratio::ZERO);
        }
    }
}
