//! Virtual time: integers that hold every period of a trial exactly.

use crate::units::Ratio;
use std::time::Duration;

/// How long a unit of time is in one trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Units a second, a multiple of 10^9.
    per_second: i128,
}

/// Products of units stay below this with room to add a few.
const GREATEST: u128 = 10_u128.pow(37);

/// Nanoseconds a second.
const GIGA: u128 = 1_000_000_000;

impl Clock {
    /// Units in which the periods of all `rates` (a second) and whole nanoseconds are integers,
    /// for times up to `horizon_s`, at most 10^13 s. Where such units would be too small for 128
    /// bits, periods are rounded down to a power of ten, to 10^-24 s or less.
    pub(super) fn new(rates: impl Iterator<Item = Ratio>, horizon_s: u128) -> Self {
        let most = GREATEST / horizon_s.max(1);
        let mut exact = Some(GIGA);
        for rate in rates {
            exact = exact.and_then(|units| least_multiple(units, rate.numerator(), most));
        }
        let per_second = exact.unwrap_or_else(|| 10_u128.pow(most.ilog10()).max(GIGA));
        Self { per_second: per_second as i128 }
    }

    /// One over `rate`.
    pub(super) fn period(&self, rate: Ratio) -> i128 {
        let period = Ratio::new(rate.denominator(), rate.numerator());
        period.floor_times(self.per_second as u128).map_or(i128::MAX / 4, |units| units as i128)
    }

    pub(super) fn units(&self, duration: Duration) -> i128 {
        self.nanoseconds(duration.as_nanos())
    }

    pub(super) fn nanoseconds(&self, ns: u128) -> i128 {
        ns as i128 * (self.per_second / GIGA as i128)
    }

    pub(super) fn seconds(&self, seconds: i128) -> i128 {
        seconds * self.per_second
    }

    /// Rounded down.
    pub(super) fn ns(&self, units: i128) -> i128 {
        units.div_euclid(self.per_second / GIGA as i128)
    }

    /// Nearest double.
    pub(super) fn ns_f64(&self, units: f64) -> f64 {
        units / (self.per_second / GIGA as i128) as f64
    }
}

/// The least common multiple of both; `None` above `most`.
fn least_multiple(a: u128, b: u128, most: u128) -> Option<u128> {
    let reduced = Ratio::new(a, b).numerator();
    reduced.checked_mul(b).filter(|&multiple| multiple <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_of_usual_rates_are_exact() {
        let line = Ratio::new(312_500_000, 21); // 10 Gbps, 64 octets
        let capacity = Ratio::from(10_000_000);
        let clock = Clock::new([line, capacity].into_iter(), 120);
        for rate in [line, capacity] {
            let period = clock.period(rate) as u128;
            assert_eq!(rate.times(Ratio::new(period, clock.per_second as u128)), Ratio::ONE);
        }
        assert_eq!(clock.ns(clock.units(Duration::from_secs(7))), 7_000_000_000);
    }

    #[test]
    fn what_has_no_common_unit_is_rounded_finely() {
        let odd = |n: u128| Ratio::new(10_u128.pow(14) + n, 10_u128.pow(9) + n);
        let clock = Clock::new((1..9).map(odd), 1_000_000);
        let error = odd(1).to_f64().recip() - clock.period(odd(1)) as f64 / clock.per_second as f64;
        assert!(error.abs() < 1e-20, "{error}");
        assert!(clock.per_second % 1_000_000_000 == 0);
    }
}
