//! The same trials at a load are the same bound and charge the same loss.

use super::{Dice, ask};
use linerate::{
    suite::mlrsearch::{Class, Measured, Target, charged_loss, classify},
    units::Ratio,
};
use serde_json::{Value, json};
use std::time::Duration;

const CASES: usize = 3000;

/// A goal and the trials at one load.
struct Case {
    target: Target,
    trials: Vec<Measured>,
    /// Whether doubles decide it as fractions do, also where it is a tie.
    exact_in_doubles: bool,
}

fn case(dice: &mut Dice) -> Case {
    // With these, high / low is a whole number; the durations are whole seconds. A fourth is
    // exact where they are multiples of 3.
    let in_doubles = [(0, 1), (1, 2), (3, 4), (7, 8), (1, 4)];
    let others = [(1, 5), (3, 10), (9, 10), (1, 1000), (999, 1000), (3, 7)];
    let exact_in_doubles = dice.roll(4) > 0;
    let exceed = dice.one(if exact_in_doubles { &in_doubles[..] } else { &others });
    let trial = 1 + dice.roll(4);
    let sum = trial * (1 + dice.roll(8));
    let target = Target {
        trial: Duration::from_secs(3 * trial),
        duration_sum: Duration::from_secs(3 * sum),
        loss_ratio: dice.one(&[Ratio::ZERO, Ratio::new(5, 1000), Ratio::new(1, 3)]),
        exceed_ratio: Ratio::new(exceed.0, exceed.1),
        width: Ratio::new(5, 1000),
    };
    let lengths = [1, trial, trial, 1 + dice.roll(2 * trial)];
    let losses = [0, 0, 1, 4, 5, 6, 300, 1000];
    let trials = (0..dice.roll(16)).map(|_| Measured {
        duration: Duration::from_secs(3 * dice.one(&lengths)),
        loss_ratio: Ratio::new(dice.one(&losses), 1000),
    });
    Case { target, trials: trials.collect(), exact_in_doubles }
}

fn question(Case { target, trials, .. }: &Case) -> Value {
    let ratio = |ratio: Ratio| json!([ratio.numerator() as u64, ratio.denominator() as u64]);
    let trials = trials.iter().map(|trial| {
        let (lost, sent) = (trial.loss_ratio.numerator(), trial.loss_ratio.denominator());
        json!([trial.duration.as_secs(), lost as u64, sent as u64])
    });
    let goal = json!({
        "trial_s": target.trial.as_secs(), "sum_s": target.duration_sum.as_secs(),
        "loss": ratio(target.loss_ratio), "exceed": ratio(target.exceed_ratio),
    });
    json!([goal, trials.collect::<Vec<_>>()])
}

#[test]
fn trials_are_judged_as_the_package_and_the_rfc_judge_them() {
    let mut dice = Dice(9971);
    let cases: Vec<_> = (0..CASES).map(|_| case(&mut dice)).collect();
    let answer = ask(&cases.iter().map(question).collect::<Vec<_>>(), &[]);
    let answers = answer["classified"].as_array().unwrap();
    assert_eq!(answers.len(), CASES);
    let mut seen = [0; 3];
    for (case, answer) in cases.iter().zip(answers) {
        let class = classify(&case.trials, &case.target);
        seen[class as usize] += 1;
        let name = match class {
            Class::Lower => "lower",
            Class::Upper => "upper",
            Class::Undecided => "undecided",
        };
        let ours = json!([name, charged_loss(&case.trials, &case.target).to_f64()]);
        assert_eq!(ours, answer["rfc"], "{}", question(case));
        if case.exact_in_doubles {
            assert_eq!(ours, answer["package"], "{}", question(case));
        }
    }
    assert!(seen.iter().all(|&count| count > CASES / 20), "every class is there: {seen:?}");
}
