//! Sums over points on a lattice: what makes a queue of a billion frames cost no more than
//! one of ten.

/// `numerator / denominator`, rounded up; `denominator` is above 0.
pub(super) fn ceil_div(numerator: i128, denominator: i128) -> i128 {
    -(-numerator).div_euclid(denominator)
}

/// The sum of `floor((slope i + offset) / modulus)` over `i` from 0 to `count - 1`, by
/// Euclid's algorithm. The sum is right modulo 2^128 whatever its size; `slope`, `offset`
/// and `modulus x count` are below 2^126 and not negative.
pub(super) fn floor_sum(count: i128, modulus: i128, slope: i128, offset: i128) -> i128 {
    let (mut count, mut modulus, mut slope, mut offset) = (count, modulus, slope, offset);
    let mut sum = 0_i128;
    while count > 0 {
        sum = sum.wrapping_add(triangle(count).wrapping_mul(slope / modulus));
        sum = sum.wrapping_add(count.wrapping_mul(offset / modulus));
        (slope, offset) = (slope % modulus, offset % modulus);
        let end = slope * count + offset;
        (count, offset) = (end / modulus, end % modulus);
        (modulus, slope) = (slope, modulus);
        if modulus == 0 {
            break;
        }
    }
    sum
}

/// The sum of the integers from 0 to `count - 1`.
pub(super) fn triangle(count: i128) -> i128 {
    if count % 2 == 0 { (count / 2) * (count - 1) } else { count * ((count - 1) / 2) }
}

/// The residues of `offset + slope i` modulo `modulus`, `i` from 0 to `count - 1`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Residues {
    count: i128,
    modulus: i128,
    slope: i128,
    offset: i128,
}

impl Residues {
    pub(super) fn new(count: i128, modulus: i128, slope: i128, offset: i128) -> Self {
        let (slope, offset) = (slope.rem_euclid(modulus), offset.rem_euclid(modulus));
        Self { count, modulus, slope, offset }
    }

    /// How many of them are below `bound`.
    pub(super) fn below(&self, bound: i128) -> i128 {
        let Self { count, modulus, slope, offset } = *self;
        let bound = bound.clamp(0, modulus);
        // A residue is below `bound` where the floor moves between the two.
        let upper = floor_sum(count, modulus, slope, offset + modulus);
        upper.wrapping_sub(floor_sum(count, modulus, slope, offset + modulus - bound))
    }

    pub(super) fn sum(&self) -> i128 {
        let Self { count, modulus, slope, offset } = *self;
        let all = triangle(count).wrapping_mul(slope).wrapping_add(count.wrapping_mul(offset));
        all.wrapping_sub(floor_sum(count, modulus, slope, offset).wrapping_mul(modulus))
    }

    pub(super) fn least(&self) -> i128 {
        first(0, self.modulus - 1, |residue| self.below(residue + 1) > 0)
    }

    pub(super) fn greatest(&self) -> i128 {
        first(0, self.modulus - 1, |residue| self.below(residue + 1) >= self.count)
    }
}

/// The least number from `low` to `high` of which `holds` is true, if it is true of all
/// above it and of `high`.
pub(super) fn first(low: i128, high: i128, holds: impl Fn(i128) -> bool) -> i128 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn residues_are_counted_as_if_one_by_one(
            count in 1_i128..300, modulus in 1_i128..500, slope in -2000_i128..2000,
            offset in -2000_i128..2000, bound in -10_i128..510
        ) {
            let residues = Residues::new(count, modulus, slope, offset);
            let each: Vec<i128> =
                (0..count).map(|i| (offset + slope * i).rem_euclid(modulus)).collect();
            prop_assert_eq!(
                residues.below(bound),
                each.iter().filter(|&&residue| residue < bound).count() as i128
            );
            prop_assert_eq!(residues.sum(), each.iter().sum::<i128>());
            prop_assert_eq!(Some(&residues.least()), each.iter().min());
            prop_assert_eq!(Some(&residues.greatest()), each.iter().max());
        }

        #[test]
        fn quotients_round_up(numerator in -1000_i128..1000, denominator in 1_i128..50) {
            let up = ceil_div(numerator, denominator);
            prop_assert!(up * denominator >= numerator && (up - 1) * denominator < numerator);
        }
    }

    #[test]
    fn a_billion_residues_of_great_numbers_sum_right() {
        // Each of the modulus' residues comes once, as the slope is prime to it.
        let modulus = 1_000_000_007_i128;
        let residues = Residues::new(modulus, modulus, 123_456_789, 42);
        assert_eq!(residues.sum(), modulus * (modulus - 1) / 2);
        assert_eq!((residues.least(), residues.greatest()), (0, modulus - 1));
        assert_eq!(residues.below(500), 500);
    }
}
