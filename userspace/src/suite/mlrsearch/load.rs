//! Which loads are worth a trial. Only the choice of a load is by doubles; what is known of
//! it and whether bounds are close enough is exact.

use crate::units::Ratio;

/// Loads stand on a grid, so that they are short decimals and close ones are the same one. A
/// width has at least so many steps of it.
const STEPS_IN_A_WIDTH: f64 = 64.0;

/// What halving an interval costs in widths: both halves end on the grid.
const HALVING: f64 = 2.0 / STEPS_IN_A_WIDTH;

/// Whether two loads are as close as a relative width asks.
pub(super) fn close(lower: Ratio, upper: Ratio, width: Ratio) -> bool {
    let (part, whole) = (width.numerator(), width.denominator());
    lower >= upper.times(Ratio::new(whole - part, whole))
}

/// The greatest load on the grid that is not above `load`.
pub(super) fn on_grid(load: Ratio, width: Ratio) -> Ratio {
    let step = load.to_f64() * width.to_f64() / STEPS_IN_A_WIDTH;
    let digits = step.log10().floor() as i32;
    let power = 10_u128.pow(digits.unsigned_abs().min(18));
    if digits >= 0 {
        Ratio::new(load.floor() / power * power, 1)
    } else {
        load.floor_times(power).map_or(load, |steps| Ratio::new(steps, power))
    }
}

/// `load` times a factor, on the grid.
pub(super) fn scaled(load: Ratio, factor: f64, width: Ratio) -> Ratio {
    on_grid(nearest(load.to_f64() * factor), width)
}

/// How many widths lie between two loads.
pub(super) fn widths_between(lower: Ratio, upper: Ratio, width: Ratio) -> f64 {
    (upper.to_f64() / lower.to_f64()).ln() / widths_log(width)
}

/// The load in the middle of two, on the grid: the geometric mean.
pub(super) fn middle(lower: Ratio, upper: Ratio, width: Ratio) -> Ratio {
    scaled(lower, (upper.to_f64() / lower.to_f64()).sqrt(), width)
}

/// The factor from a load to one that is so many widths above it.
pub(super) fn factor_of(widths: f64, width: Ratio) -> f64 {
    (widths * widths_log(width)).exp()
}

/// A width from which halving leads back to `width`, in as many steps as 2 is in `times`.
pub(super) fn widened(width: Ratio, times: f64) -> Ratio {
    const GRAIN: f64 = 1e9;
    let widths = times - 2.0 * HALVING * (times - 1.0);
    let wide = 1.0 - (-widths * widths_log(width)).exp();
    Ratio::new((wide * GRAIN) as u128, GRAIN as u128).max(width)
}

/// The logarithm of the factor between two loads a width apart.
fn widths_log(width: Ratio) -> f64 {
    -(1.0 - width.to_f64()).ln()
}

/// The ratio nearest to a double, to nine decimals.
fn nearest(value: f64) -> Ratio {
    const GRAIN: f64 = 1e9;
    Ratio::new((value * GRAIN).round() as u128, GRAIN as u128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDTH: f64 = 0.005;

    fn half_percent() -> Ratio {
        Ratio::new(5, 1000)
    }

    #[test]
    fn closeness_is_relative_to_the_upper_load_and_exact() {
        let close = |lower: u64, upper: u64| close(lower.into(), upper.into(), half_percent());
        assert!(close(995, 1000) && close(199, 200));
        assert!(!close(9_949_999, 10_000_000) && !close(994, 1000));
    }

    #[test]
    fn loads_are_short_decimals() {
        let line_rate = Ratio::new(312_500_000, 21);
        for (load, expected) in [
            (line_rate, Ratio::from(14_880_000)),
            (Ratio::from(10_001_023), Ratio::from(10_001_000)),
            (Ratio::new(1, 3), Ratio::new(33_333, 100_000)),
        ] {
            assert_eq!(on_grid(load, half_percent()), expected);
        }
    }

    proptest! {
        #[test]
        fn the_grid_costs_at_most_a_step(fps in 1_u64..1_000_000_000_000, thousandths in 1_u64..1_000_000) {
            let load = Ratio::new(fps.into(), thousandths.into());
            let rounded = on_grid(load, half_percent());
            prop_assert!(rounded <= load && rounded > Ratio::ZERO);
            let cost = 1.0 - rounded.to_f64() / load.to_f64();
            prop_assert!(cost <= WIDTH / STEPS_IN_A_WIDTH * 1.000_001, "{cost}");
        }

        #[test]
        fn halving_a_widened_interval_leaves_two_close_ones(fps in 1_u64..1_000_000_000, times in 1_u32..3) {
            let lower = on_grid(fps.into(), half_percent());
            let wide = widened(half_percent(), f64::from(1 << times));
            let upper = on_grid(Ratio::from(fps).over(Ratio::new(wide.denominator() - wide.numerator(), wide.denominator())), half_percent());
            prop_assume!(close(lower, upper, wide));
            let next = widened(half_percent(), f64::from(1 << (times - 1)));
            let middle = middle(lower, upper, half_percent());
            prop_assert!(lower < middle && middle < upper);
            prop_assert!(close(lower, middle, next) && close(middle, upper, next), "{lower} {middle} {upper}");
        }
    }
}
