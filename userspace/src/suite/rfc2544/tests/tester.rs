//! What the tester itself cannot do is never called the device's.

use super::*;
use crate::suite::{Direction, InvalidCause, TrialError, TrialPlan, TrialResult};

/// A tester with limits of its own before a device.
struct Limited {
    device: SimulatedDevice,
    /// Known beforehand.
    ceiling: Option<Ratio>,
    /// Trials above it are spoilt.
    spoilt_above: Ratio,
    cause: InvalidCause,
    /// The first trial is spoilt whatever its load.
    hiccup: bool,
}

impl Limited {
    fn of(spec: &Rfc2544Spec) -> Self {
        let (device, high) = (device(spec), Ratio::new(u128::MAX, 1));
        Self {
            device,
            ceiling: None,
            spoilt_above: high,
            cause: InvalidCause::TesterRx,
            hiccup: false,
        }
    }
}

impl Trial for Limited {
    fn directions(&self) -> &[Direction] {
        self.device.directions()
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        Ok(self.ceiling)
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        let mut result = self.device.run(plan)?;
        let spoilt = plan.loads.iter().any(|load| load.stages[0].fps > self.spoilt_above);
        if spoilt || std::mem::take(&mut self.hiccup) {
            result.invalid = Some((self.cause, "a ring was full".into()));
        }
        Ok(result)
    }
}

fn limited(spec: &Rfc2544Spec, change: impl Fn(&mut Limited)) -> Row {
    let mut trial = Limited::of(spec);
    change(&mut trial);
    let outcome = run(spec, &mut trial, &mut |_| ());
    assert!(outcome.stopped.is_none());
    outcome.rows.into_iter().next().unwrap()
}

#[test]
fn a_known_ceiling_makes_the_answer_at_least_and_loss_rows_above_it_invalid() {
    let spec = with_all(spec("link=10G", &[64], seconds(1)), seconds(2), 2);
    let row = limited(&spec, |trial| trial.ceiling = Some(7_000_000.into()));
    assert_eq!(lossless(&row), (7_000_000, Bound::AtLeast));
    let throughput = row.throughput.as_ref().unwrap();
    assert_eq!(throughput.limited_by, Some(LimitedBy::TesterTx));
    assert!(throughput.note.as_ref().unwrap().contains("no more than 7000000 fps"));
    let rows = row.frame_loss.unwrap();
    let valid: Vec<_> = rows.iter().map(|row| row.valid).collect();
    // 100 % to 50 % are above 7 Mpps of 14.88; 40 % and 30 % are lossless.
    assert_eq!(valid, [false, false, false, false, false, false, true, true]);
    assert!(rows[..6].iter().all(|row| row.trial.is_none() && row.tx_frames.is_none()));
    assert!(!row.back_to_back.unwrap().valid, "no burst at line rate can be sent");
}

#[test]
fn the_device_is_found_below_a_ceiling() {
    let spec = spec("link=10G,capacity=1Mpps", &[64], seconds(1));
    let row = limited(&spec, |trial| trial.ceiling = Some(7_000_000.into()));
    assert_eq!(lossless(&row), (1_001_023, Bound::Exact));
}

#[test]
fn trials_that_the_tester_spoils_bound_the_search_but_are_no_loss() {
    let spec = spec("link=10G", &[64], seconds(1));
    for (cause, by) in [
        (InvalidCause::TesterTx, LimitedBy::TesterTx),
        (InvalidCause::TesterRx, LimitedBy::TesterRx),
        (InvalidCause::Backpressure, LimitedBy::Device),
    ] {
        let row = limited(&spec, |trial| {
            (trial.spoilt_above, trial.cause) = (5_000_000.into(), cause);
        });
        assert_eq!(lossless(&row), (5_000_000, Bound::AtLeast), "{cause:?}");
        let throughput = row.throughput.unwrap();
        assert_eq!(throughput.limited_by, Some(by));
        assert_eq!(throughput.next_failing_loss, None);
        assert_eq!(throughput.note.as_deref(), Some("a ring was full"));
    }
}

#[test]
fn one_spoilt_trial_is_run_again() {
    let spec = spec("link=10G", &[64], seconds(1));
    let row = limited(&spec, |trial| trial.hiccup = true);
    assert_eq!(lossless(&row), (14_880_952, Bound::Exact));
    assert_eq!(row.throughput.unwrap().trials, 2);
}

#[test]
fn the_users_limit_is_no_loss_either() {
    let mut spec = with_all(spec("link=10G", &[64], seconds(1)), seconds(2), 1);
    spec.throughput.max_rate = "25%".parse().unwrap();
    let row = row(&spec);
    assert_eq!(lossless(&row), (3_720_238, Bound::AtLeast));
    assert!(row.throughput.unwrap().note.unwrap().contains("max_rate 25%"));
    let offered: Vec<_> =
        row.frame_loss.unwrap().iter().map(|row| row.offered_ratio.to_f64()).collect();
    assert_eq!(offered, [0.25, 0.225]);
}
