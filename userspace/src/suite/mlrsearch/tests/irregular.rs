//! Searches that cannot end with two bounds, and trials that say nothing.

use super::*;
use crate::{
    suite::{InvalidCause, TrialError, TrialPlan, TrialResult},
    units::Rate,
};

fn ndr() -> MlrsearchSpec {
    spec(r#"["NDR"]"#)
}

/// A device that passes all, behind a tester that manages no more than `most`.
fn beyond(most: u64, cause: InvalidCause) -> impl FnMut(&Load) -> Fate {
    move |load| {
        let stage = load.stages[0];
        let managed = Stage::lasting(Ratio::from(most), stage.duration()).frames;
        let missing = stage.frames.saturating_sub(managed);
        match cause {
            _ if missing == 0 => Fate::default(),
            InvalidCause::TesterRx => Fate { lost: missing, unsent: 0, invalid: Some(cause) },
            _ => Fate { lost: 0, unsent: missing, invalid: Some(cause) },
        }
    }
}

#[test]
fn a_wire_has_line_rate_itself_as_lower_bound_and_no_upper_one() {
    let mut wire = Device::new(TEN_GIGABIT, 1, |_: &Load| Fate::default());
    let outcome = search(&ndr(), &mut wire);
    let goal = only(&outcome);
    assert_eq!(goal.relevant_lower_bound_fps, Some(Ratio::new(312_500_000, 21)));
    assert_eq!(goal.relevant_upper_bound_fps, None);
    let said = goal.irregular.as_ref().unwrap();
    assert!(matches!(said, Irregular::NoUpperBound { limited_by: LimitedBy::Line, .. }));
    assert_eq!(said.to_string(), "the greatest load meets the goal: the link carries no more");
    assert_eq!(outcome.trials.len(), 11);

    let limited = MlrsearchSpec { max_rate: "50%".parse::<Rate>().unwrap(), ..ndr() };
    let outcome = search(&limited, &mut wire);
    let goal = only(&outcome);
    assert_eq!(goal.relevant_lower_bound_fps, Some(Ratio::new(156_250_000, 21)));
    let said = goal.irregular.as_ref().unwrap();
    assert!(matches!(said, Irregular::NoUpperBound { limited_by: LimitedBy::MaxRate, .. }));
}

#[test]
fn a_device_that_always_loses_has_no_lower_bound() {
    for part in [1, 2, 1_000_000] {
        let mut device =
            Device::new(TEN_GIGABIT, 1, |load: &Load| (load.stages[0].frames / part).max(1).into());
        let outcome = search(&ndr(), &mut device);
        let goal = only(&outcome);
        assert_eq!(goal.irregular, Some(Irregular::NoLowerBound), "1/{part}");
        assert_eq!(goal.relevant_upper_bound_fps, Some(9001.into()));
        assert_eq!((goal.relevant_lower_bound_fps, goal.conditional_throughput_fps), (None, None));
        assert!(outcome.trials.len() < 60, "{}", outcome.trials.len());
    }
}

#[test]
fn what_the_tester_cannot_do_is_never_an_upper_bound() {
    for (cause, by) in [
        (InvalidCause::TesterTx, LimitedBy::TesterTx),
        (InvalidCause::TesterRx, LimitedBy::TesterRx),
        (InvalidCause::Backpressure, LimitedBy::Backpressure),
    ] {
        let mut device = Device::new(TEN_GIGABIT, 1, beyond(2_000_000, cause));
        let outcome = search(&ndr(), &mut device);
        let goal = only(&outcome);
        assert_eq!(goal.relevant_upper_bound_fps, None, "{cause:?}");
        let lower = fps(goal.relevant_lower_bound_fps);
        assert!((1_980_000.0..=2_000_000.0).contains(&lower), "{cause:?}: {lower}");
        let said = goal.irregular.as_ref().unwrap();
        assert!(
            matches!(said, Irregular::NoUpperBound { limited_by, .. } if *limited_by == by),
            "{said}"
        );
        assert!(said.to_string().ends_with(&format!("{cause:?}")), "the sentence is kept: {said}");
        assert_eq!(outcome.rows[0].max_load_by, by);
        assert_eq!(Some(outcome.rows[0].max_load_fps), goal.relevant_lower_bound_fps);
    }
}

#[test]
fn a_known_ceiling_is_the_greatest_load() {
    let mut device = Device::new(TEN_GIGABIT, 1, |_: &Load| Fate::default());
    device.ceiling = Some(3_333_333.into());
    let outcome = search(&ndr(), &mut device);
    assert_eq!(only(&outcome).relevant_lower_bound_fps, Some(3_333_333.into()));
    assert_eq!(outcome.rows[0].max_load_by, LimitedBy::TesterTx);
}

#[test]
fn a_device_below_the_testers_limit_has_a_regular_result() {
    let mut limit = beyond(2_000_000, InvalidCause::TesterTx);
    let device = fifo(1_000_000, 64);
    let both = move |load: &Load| match limit(load) {
        Fate { invalid: None, .. } => device(load),
        invalid => invalid,
    };
    let outcome = search(&ndr(), &mut Device::new(TEN_GIGABIT, 1, both));
    let goal = only(&outcome);
    assert!(goal.regular(), "{:?}", goal.irregular);
    assert!(fps(goal.relevant_lower_bound_fps) <= 1_000_063.0);
    assert!(fps(goal.relevant_upper_bound_fps) > 1_000_063.0);
}

#[test]
fn a_spoiled_trial_is_run_again_and_a_third_in_a_row_ends_the_row() {
    let device = fifo(10_000_000, 1024);
    let search_spoiled = |spoiled: fn(u32) -> bool| {
        let mut number = 0;
        let lost = move |load: &Load| {
            number += 1;
            let invalid = spoiled(number).then_some(InvalidCause::Stale);
            Fate { invalid, ..device(load) }
        };
        search(&ndr(), &mut Device::new(TEN_GIGABIT, 1, lost))
    };
    let clean = search_spoiled(|_| false);
    let some = search_spoiled(|number| number % 3 != 0);
    assert_eq!(only(&some).relevant_upper_bound_fps, only(&clean).relevant_upper_bound_fps);
    assert_eq!(some.trials.len(), 3 * clean.trials.len());
    let ended = search_spoiled(|number| number > 5);
    let said = only(&ended).irregular.as_ref().unwrap();
    assert_eq!(said.to_string(), "trials were invalid: Stale");
    assert_eq!(ended.trials.len(), 8);
}

#[test]
fn limits_end_a_search_and_say_so() {
    let device = || Device::new(TEN_GIGABIT, 1, fifo(10_000_000, 1024));
    let mut spec = spec(r#"["NDR", "PDR"]"#);
    spec.suite.max_trials = 10;
    let outcome = search(&spec, &mut device());
    assert_eq!(outcome.trials.len(), 10);
    let said = "ended after 10 trials (max_trials)";
    assert_eq!(outcome.stopped.unwrap().to_string(), said);
    for goal in &outcome.rows[0].goals {
        assert_eq!(goal.irregular, Some(Irregular::Unfinished { reason: said.into() }));
    }
    spec.suite.max_trials = 1000;
    spec.suite.max_time = Duration::from_secs(20);
    let outcome = search(&spec, &mut device());
    assert_eq!(outcome.stopped.unwrap().to_string(), "ended after 21s (max_time)");
    assert_eq!(outcome.trials.len(), 7); // 1 s and 2 s of waits each
}

/// Stopped by the user in the middle.
struct Interrupted<T>(T, u32);

impl<T: Trial> Trial for Interrupted<T> {
    fn directions(&self) -> &[crate::suite::Direction] {
        self.0.directions()
    }

    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.0.ceiling_fps(frame)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        self.1 = self.1.checked_sub(1).ok_or(TrialError::Interrupted)?;
        self.0.run(plan)
    }
}

#[test]
fn an_interrupted_search_keeps_what_it_knows() {
    let device = Device::new(TEN_GIGABIT, 1, fifo(10_000_000, 1024));
    let mut spec = ndr();
    spec.suite.frames = vec![Frame::fixed(FrameSize::MIN), Frame::fixed(FrameSize::MAX)];
    let clean = search(&ndr(), &mut Device::new(TEN_GIGABIT, 1, fifo(10_000_000, 1024)));
    let almost = clean.trials.len() as u32 - 1;
    let outcome = search(&spec, &mut Interrupted(device, almost));
    assert!(matches!(outcome.stopped, Some(Stop::Trial(TrialError::Interrupted))));
    assert_eq!(outcome.rows.len(), 1);
    assert_eq!(outcome.trials.len() as u32, almost);
    let goal = only(&outcome);
    assert!(goal.relevant_upper_bound_fps.is_some() || goal.relevant_lower_bound_fps.is_some());
    assert_eq!(goal.irregular, Some(Irregular::Unfinished { reason: "interrupted".into() }));
}
