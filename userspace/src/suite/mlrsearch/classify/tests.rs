//! Classification where it can be checked by hand; against the independent package it is
//! tested in `tests/mlrsearch_oracle.rs`.

use super::*;

fn target(trial_s: u64, sum_s: u64, exceed: (u128, u128)) -> Target {
    Target {
        trial: Duration::from_secs(trial_s),
        duration_sum: Duration::from_secs(sum_s),
        loss_ratio: Ratio::ZERO,
        exceed_ratio: Ratio::new(exceed.0, exceed.1),
        width: Ratio::new(5, 1000),
    }
}

/// Seconds and lost frames of a thousand.
fn trials(list: &[(u64, u128)]) -> Vec<Measured> {
    let measured = |&(seconds, lost)| Measured {
        duration: Duration::from_secs(seconds),
        loss_ratio: Ratio::new(lost, 1000),
    };
    list.iter().map(measured).collect()
}

#[test]
fn without_exceed_ratio_one_lossy_trial_decides() {
    let throughput = target(60, 60, (0, 1));
    for (list, class) in [
        (&[][..], Class::Undecided),
        (&[(60, 0)], Class::Lower),
        (&[(60, 1)], Class::Upper),
        (&[(60, 0), (60, 1)], Class::Upper),
        (&[(1, 0)], Class::Undecided),
        (&[(1, 1)], Class::Upper),
        (&[(1, 1), (60, 0)], Class::Upper),
    ] {
        assert_eq!(classify(&trials(list), &throughput), class, "{list:?}");
    }
}

#[test]
fn half_of_the_duration_sum_may_be_lossy() {
    let low_and_high = |low: usize, high: usize| {
        let list = [vec![(1, 0); low], vec![(1, 5); high]].concat();
        classify(&trials(&list), &target(1, 21, (1, 2)))
    };
    for (low, high, class) in [
        (10, 0, Class::Undecided),
        (11, 0, Class::Lower),
        (11, 10, Class::Lower),
        (10, 10, Class::Undecided),
        (0, 11, Class::Upper),
        (10, 11, Class::Upper),
        (11, 11, Class::Lower), // a tie beyond the sum is within the ratio
        (11, 12, Class::Upper),
    ] {
        assert_eq!(low_and_high(low, high), class, "{low} low, {high} high");
    }
}

#[test]
fn short_trials_only_count_against_a_load_and_cancel_each_other() {
    let tst009 = target(60, 120, (1, 2));
    for (short, class) in [
        (&[(59, 1)][..], Class::Lower),
        (&[(59, 1), (59, 1)], Class::Lower), // 118 of 238 s
        (&[(59, 1), (59, 1), (59, 1)], Class::Upper), // 177 of 297 s
        (&[(59, 1), (59, 1), (59, 1), (59, 0)], Class::Lower),
    ] {
        let list = [&[(60, 0), (60, 0)][..], short].concat();
        assert_eq!(classify(&trials(&list), &tst009), class, "{short:?}");
    }
    // However many short ones are good, only full-length ones make a lower bound.
    assert_eq!(classify(&trials(&[(59, 0); 100]), &tst009), Class::Undecided);
}

#[test]
fn the_charged_loss_is_the_quantile_that_the_exceed_ratio_leaves() {
    let charged = |list: &[(u64, u128)], target: &Target| charged_loss(&trials(list), target);
    let half = target(1, 4, (1, 2));
    for (list, lost) in [
        (&[][..], 1000),
        (&[(1, 0)], 1000),              // the missing 3 s are charged as all lost
        (&[(1, 0), (1, 3)], 3),         // 2 of 4 s: the worse of both
        (&[(1, 7), (1, 0), (1, 3)], 3), // in order of loss, not of time
        (&[(1, 0), (1, 0), (1, 9), (1, 9)], 0),
        (&[(1, 0), (1, 0), (1, 9), (1, 9), (1, 9)], 9),
    ] {
        assert_eq!(charged(list, &half), Ratio::new(lost, 1000), "{list:?}");
    }
    // Short trials are not charged.
    let long = target(60, 60, (0, 1));
    assert_eq!(charged(&[(1, 500), (60, 0)], &long), Ratio::ZERO);
    let load = Ratio::new(312_500_000, 21);
    assert_eq!(conditional_throughput(load, Ratio::new(1, 4)), Ratio::new(234_375_000, 21));
}
