//! The values of one field: how many, which one at an index, how many different ones.

use crate::spec::{Values, mix, scale};
use std::collections::HashSet;

/// Up to so many random values are looked at one by one to know which of them differ.
const LOOK_MAX: u32 = 1 << 20;

/// How many values there are before they repeat; 0 if there is none.
pub(super) fn period(values: &Values) -> u32 {
    match values {
        Values::One(_) => 1,
        Values::List(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
        Values::Range { count, .. } | Values::Random { count, .. } => *count,
    }
}

/// The value at `index`, which is below [`period`].
pub(super) fn value(values: &Values, index: u32) -> u128 {
    match values {
        Values::One(value) => *value,
        Values::List(list) => list[index as usize],
        Values::Range { first, step, .. } => {
            first.wrapping_add(step.wrapping_mul(index.into()) as u128)
        }
        Values::Random { low, high, seed, .. } => {
            let index = u64::from(index);
            if let Ok(last) = u64::try_from(high - low) {
                return low + u128::from(scale(mix(*seed, index), last.wrapping_add(1)));
            }
            let wide = [2 * index, 2 * index + 1].map(|n| u128::from(mix(*seed, n)));
            let wide = wide[0] << 64 | wide[1];
            (high - low).checked_add(1).map_or(wide, |span| low + wide % span)
        }
    }
}

/// Least and greatest value, `None` if there is none or a range leaves the numbers.
pub(super) fn bounds(values: &Values) -> Option<(u128, u128)> {
    match values {
        Values::One(value) => Some((*value, *value)),
        Values::List(list) => Some((*list.iter().min()?, *list.iter().max()?)),
        Values::Range { first, step, count } => {
            let distance = step.unsigned_abs().checked_mul(count.checked_sub(1)?.into())?;
            let last =
                if *step < 0 { first.checked_sub(distance) } else { first.checked_add(distance) }?;
            Some((*first.min(&last), *first.max(&last)))
        }
        Values::Random { low, high, count, .. } => {
            (low <= high && *count > 0).then_some((*low, *high))
        }
    }
}

/// How many different values there are; `None` where that would take too long to know.
pub(super) fn distinct(values: &Values) -> Option<u32> {
    match values {
        Values::One(_) => Some(1),
        Values::List(list) => Some(list.iter().collect::<HashSet<_>>().len() as u32),
        Values::Range { step: 0, count, .. } => Some(*count.min(&1)),
        Values::Range { count, .. } => Some(*count),
        Values::Random { count, .. } if *count <= LOOK_MAX => {
            Some((0..*count).map(|index| value(values, index)).collect::<HashSet<_>>().len() as u32)
        }
        Values::Random { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_stay_inside_and_reach_both_ends() {
        for (low, high) in [(5, 9), (u128::from(u64::MAX) - 1, u128::from(u64::MAX) + 2)] {
            let values = Values::Random { low, high, seed: 3, count: 200 };
            let seen: HashSet<_> = (0..200).map(|index| value(&values, index)).collect();
            assert_eq!(seen, (low..=high).collect());
        }
        let all = Values::Random { low: 0, high: u128::MAX, seed: 3, count: 9 };
        assert_eq!(distinct(&all), Some(9));
    }

    #[test]
    fn a_range_that_leaves_the_numbers_has_no_bounds() {
        assert_eq!(bounds(&Values::Range { first: 3, step: -2, count: 2 }), Some((1, 3)));
        assert_eq!(bounds(&Values::Range { first: 3, step: -2, count: 3 }), None);
    }
}
