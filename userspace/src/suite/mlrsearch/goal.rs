//! Search goals of RFC 9971 that can be sought.

use crate::{
    spec::GoalSpec,
    units::{Ratio, format_duration},
};
use std::time::Duration;

/// Finer ratios and longer sums would not fit in exact sums of 128 bits.
const FINEST: u128 = 100_000_000_000;
const LONGEST: Duration = Duration::from_hours(24 * 30);

/// Why a goal is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoalError {
    /// There has to be something to look for.
    #[error("a search needs at least one goal")]
    None,
    /// Results could not be told apart.
    #[error("two goals are named `{0}`; each needs a name of its own")]
    Twice(String),
    /// A ratio beyond what has a meaning.
    #[error("goal `{goal}`: {key} is {value}; allowed: {allowed}, of at most 11 decimals")]
    Ratio {
        /// Its name.
        goal: String,
        /// As in the suite file.
        key: &'static str,
        /// What was given.
        value: Ratio,
        /// What may be.
        allowed: &'static str,
    },
    /// Durations that are not in order.
    #[error(
        "goal `{goal}`: initial trial {}, final trial {} and duration sum {} have to be above 0, each at least the one before it, and within 30 days",
        format_duration(*.initial), format_duration(*.full), format_duration(*.sum)
    )]
    Durations {
        /// Its name.
        goal: String,
        /// Of the first trials.
        initial: Duration,
        /// Of a full-length trial.
        full: Duration,
        /// That settles a load.
        sum: Duration,
    },
}

/// Whether goals can be sought together.
///
/// # Errors
/// The first thing that is wrong.
pub(in crate::suite) fn check(goals: &[GoalSpec]) -> Result<(), GoalError> {
    if goals.is_empty() {
        return Err(GoalError::None);
    }
    for (place, goal) in goals.iter().enumerate() {
        if goals[..place].iter().any(|other| other.name == goal.name) {
            return Err(GoalError::Twice(goal.name.clone()));
        }
        check_ratios(goal)?;
        let (initial, full, sum) = (goal.initial_trial, goal.final_trial, goal.duration_sum);
        if initial.is_zero() || full < initial || sum < full || sum > LONGEST {
            return Err(GoalError::Durations { goal: goal.name.clone(), initial, full, sum });
        }
    }
    Ok(())
}

fn check_ratios(goal: &GoalSpec) -> Result<(), GoalError> {
    let fine = |value: Ratio| value < Ratio::ONE && value.denominator() <= FINEST;
    let (loss, exceed, width) = (goal.loss_ratio, goal.exceed_ratio, goal.width);
    for (key, value, fits, allowed) in [
        ("loss_ratio", loss, fine(loss), "from 0 to below 1"),
        ("exceed_ratio", exceed, fine(exceed), "from 0 to below 1"),
        ("width", width, fine(width) && width > Ratio::ZERO, "above 0, below 1"),
    ] {
        if !fits {
            return Err(GoalError::Ratio { goal: goal.name.clone(), key, value, allowed });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ndr() -> GoalSpec {
        GoalSpec::preset("NDR").unwrap()
    }

    #[test]
    fn the_presets_can_be_sought_together() {
        let goals = ["NDR", "PDR", "RFC2544", "TST009"].map(|name| GoalSpec::preset(name).unwrap());
        check(&goals).unwrap();
    }

    #[test]
    fn what_cannot_be_sought_is_refused_with_what_is_allowed() {
        let refused = |goal: GoalSpec| check(&[goal]).unwrap_err().to_string();
        for (goal, said) in [
            (GoalSpec { loss_ratio: Ratio::ONE, ..ndr() }, "loss_ratio is 1; allowed: from 0"),
            (GoalSpec { exceed_ratio: Ratio::ONE, ..ndr() }, "exceed_ratio is 1; allowed: from 0"),
            (GoalSpec { width: Ratio::ZERO, ..ndr() }, "width is 0; allowed: above 0, below 1"),
            (GoalSpec { width: Ratio::new(1, 1_000_000_000_000), ..ndr() }, "at most 11 decimals"),
            (GoalSpec { initial_trial: Duration::ZERO, ..ndr() }, "initial trial 0ns"),
            (GoalSpec { initial_trial: Duration::from_secs(2), ..ndr() }, "initial trial 2s"),
            (GoalSpec { final_trial: Duration::from_secs(22), ..ndr() }, "final trial 22s"),
        ] {
            let message = refused(goal);
            assert!(message.starts_with("goal `NDR`: ") && message.contains(said), "{message}");
        }
        assert_eq!(check(&[]), Err(GoalError::None));
        assert_eq!(check(&[ndr(), ndr()]), Err(GoalError::Twice("NDR".into())));
    }
}
