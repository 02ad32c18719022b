//! Searches on many devices and for many goals.

use super::*;
use proptest::prelude::*;

/// A goal with short trials, so that searches are quick to run.
fn goal() -> impl Strategy<Value = GoalSpec> {
    let ratio = |most: u128| (0..most).prop_map(|n| Ratio::new(n, 1000));
    (1..=5_u64, 1..=4_u64, 1..=5_u64, ratio(100), ratio(999), 1..=200_u128).prop_map(
        |(initial, full, sum, loss_ratio, exceed_ratio, width)| GoalSpec {
            name: "mine".into(),
            initial_trial: Duration::from_secs(initial),
            final_trial: Duration::from_secs(initial * full),
            duration_sum: Duration::from_secs(initial * full * sum),
            loss_ratio,
            exceed_ratio,
            width: Ratio::new(width, 1000),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bounds_enclose_what_a_fifo_can_do(
        goal in goal(), capacity in 1_u64..20_000_000, room in 2_u64..100_000
    ) {
        let mut spec = spec(r#"["NDR"]"#);
        spec.goals = vec![goal.clone()];
        let device = fifo(capacity, room);
        let outcome = search(&spec, &mut Device::new(TEN_GIGABIT, 1, device));
        let found = only(&outcome);
        // Whatever the search did: both bounds are what single trials there say.
        let lossy = |load: Ratio| {
            let stage = Stage::lasting(load, goal.final_trial);
            let load = Load { direction: 0, frame: Frame::fixed(FrameSize::MIN), stages: vec![stage] };
            Ratio::new(device(&load).lost.into(), stage.frames.into()) > goal.loss_ratio
        };
        prop_assert!(!found.relevant_lower_bound_fps.is_some_and(lossy));
        prop_assert!(found.relevant_upper_bound_fps.is_none_or(lossy));
        match &found.irregular {
            None => {
                let (lower, upper) = (fps(found.relevant_lower_bound_fps), fps(found.relevant_upper_bound_fps));
                prop_assert!(lower < upper && upper - lower <= upper * goal.width.to_f64() * 1.000_001);
            }
            Some(Irregular::NoLowerBound) => prop_assert!(lossy(9001.into())),
            Some(Irregular::NoUpperBound { .. }) => prop_assert!(!lossy(Ratio::new(312_500_000, 21))),
            Some(unfinished) => prop_assert!(false, "{unfinished}"),
        }
    }

    #[test]
    fn a_device_without_any_order_ends_a_search_all_the_same(
        goals in proptest::collection::vec(goal(), 1..4), seed in any::<u64>(), share in 0_u64..=100
    ) {
        let mut spec = spec(r#"["NDR"]"#);
        spec.goals = goals;
        for (number, goal) in spec.goals.iter_mut().enumerate() {
            goal.name = number.to_string();
        }
        spec.suite.max_trials = 5000;
        spec.suite.max_time = Duration::from_hours(2400);
        let mut state = seed;
        let dice = move |load: &Load| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let lossy = (state >> 33) % 100 < share;
            Fate::from(if lossy { (state >> 20) % load.stages[0].frames } else { 0 })
        };
        let outcome = search(&spec, &mut Device::new(TEN_GIGABIT, 1, dice));
        prop_assert!(outcome.stopped.is_none() && outcome.trials.len() < 5000);
        for goal in &outcome.rows[0].goals {
            let unfinished = matches!(goal.irregular, Some(Irregular::Unfinished { .. }));
            prop_assert!(!unfinished, "{:?}", goal);
        }
    }

    #[test]
    fn slow_links_and_wide_frames_are_searched_like_any_other(
        link_bps in 1_u64..10_000_000, bytes in 64_u16..=9216, capacity in 1_u64..1000
    ) {
        let mut spec = spec(r#"["NDR"]"#);
        spec.min_load_fps = None;
        spec.suite.frames = vec![Frame::fixed(FrameSize::new(bytes).unwrap())];
        let outcome = search(&spec, &mut Device::new(link_bps, 2, fifo(capacity, 2)));
        prop_assert!(outcome.stopped.is_none());
        let unfinished = matches!(only(&outcome).irregular, Some(Irregular::Unfinished { .. }));
        prop_assert!(!unfinished);
    }
}
