use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{cmp::Ordering, fmt};

/// An exact non-negative rational, in lowest terms.
///
/// Parsed quantities have few enough digits that their products and quotients stay
/// within 128 bits; arithmetic that would not fit panics rather than give a wrong number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u128,
    denominator: u128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Ratio = Ratio { numerator: 0, denominator: 1 };
    /// The whole: 100 %.
    pub const ONE: Ratio = Ratio { numerator: 1, denominator: 1 };

    /// `numerator / denominator`, reduced.
    ///
    /// # Panics
    /// If `denominator` is 0.
    pub fn new(numerator: u128, denominator: u128) -> Self {
        assert!(denominator != 0, "a ratio has a denominator");
        let divisor = gcd(numerator, denominator);
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// The number above the line.
    pub fn numerator(self) -> u128 {
        self.numerator
    }

    /// The number below the line, never 0.
    pub fn denominator(self) -> u128 {
        self.denominator
    }

    /// The product, exact.
    ///
    /// # Panics
    /// If it needs more than 128 bits.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        // Cross-reducing first keeps the intermediate products small.
        let a = Self::new(self.numerator, other.denominator);
        let b = Self::new(other.numerator, self.denominator);
        Self {
            numerator: product(a.numerator, b.numerator),
            denominator: product(a.denominator, b.denominator),
        }
    }

    /// The quotient, exact.
    ///
    /// # Panics
    /// If `other` is zero, or the quotient needs more than 128 bits.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        self.times(Self::new(other.denominator, other.numerator))
    }

    /// The sum, exact.
    ///
    /// # Panics
    /// If it needs more than 128 bits.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let divisor = gcd(self.denominator, other.denominator);
        let (a, b) = (other.denominator / divisor, self.denominator / divisor);
        let numerator = product(self.numerator, a).checked_add(product(other.numerator, b));
        Self::new(numerator.expect("a sum of 128 bits"), product(self.denominator, a))
    }

    /// The greatest integer not above it.
    pub fn floor(self) -> u128 {
        self.numerator / self.denominator
    }

    /// The greatest integer not above `self x factor`; `None` if that has more than
    /// 128 bits. The product itself may be as long as it likes.
    ///
    /// # Panics
    /// If the denominator is 2^127 or more.
    pub fn floor_times(self, factor: u128) -> Option<u128> {
        assert!(self.denominator < 1 << 127, "a remainder can be doubled");
        let (whole, part) = (self.numerator / self.denominator, self.numerator % self.denominator);
        // part x factor / denominator, bit by bit from the top, as quotient and remainder.
        let (mut quotient, mut remainder) = (0_u128, 0_u128);
        for bit in (0..u128::BITS - factor.leading_zeros()).rev() {
            quotient *= 2;
            remainder *= 2;
            for addend in [0, part * (factor >> bit & 1)] {
                remainder += addend;
                if remainder >= self.denominator {
                    remainder -= self.denominator;
                    quotient += 1;
                }
            }
        }
        whole.checked_mul(factor)?.checked_add(quotient)
    }

    /// Nearest double; for display and for estimates only.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl From<u64> for Ratio {
    fn from(integer: u64) -> Self {
        Self { numerator: integer.into(), denominator: 1 }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    /// By continued fractions: exact for any two ratios, without a product that could overflow.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (*self, *other);
        let mut reversed = false;
        loop {
            let wholes = a.floor().cmp(&b.floor());
            let rests = (a.numerator % a.denominator, b.numerator % b.denominator);
            let order = match (wholes, rests) {
                (Ordering::Equal, (0, 0)) => Ordering::Equal,
                (Ordering::Equal, (0, _)) => Ordering::Less,
                (Ordering::Equal, (_, 0)) => Ordering::Greater,
                (Ordering::Equal, (x, y)) => {
                    a = Self { numerator: a.denominator, denominator: x };
                    b = Self { numerator: b.denominator, denominator: y };
                    reversed = !reversed;
                    continue;
                }
                (order, _) => order,
            };
            return if reversed { order.reverse() } else { order };
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_f64().fmt(f)
    }
}

/// As text, so that nothing is lost: `125000000/84`.
impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.numerator, self.denominator))
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split_once('/').and_then(|(numerator, denominator)| {
            let denominator: u128 = denominator.parse().ok().filter(|&number| number != 0)?;
            Some(Self::new(numerator.parse().ok()?, denominator))
        });
        parts.ok_or_else(|| D::Error::custom(format!("`{text}` is no ratio such as 125000000/84")))
    }
}

fn product(a: u128, b: u128) -> u128 {
    a.checked_mul(b).expect("a product of 128 bits")
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio() -> impl Strategy<Value = Ratio> {
        (0..1_u128 << 40, 1..1_u128 << 40).prop_map(|(n, d)| Ratio::new(n, d))
    }

    #[test]
    fn it_is_kept_as_text_without_loss() {
        let line_rate = Ratio::new(10_000_000_000, 672);
        let text = serde_json::to_string(&line_rate).unwrap();
        assert_eq!(text, "\"312500000/21\"");
        assert_eq!(serde_json::from_str::<Ratio>(&text).unwrap(), line_rate);
        for malformed in ["\"1\"", "\"1/0\"", "\"-1/2\"", "\"/\"", "1"] {
            assert!(serde_json::from_str::<Ratio>(malformed).is_err(), "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn sums_and_products_obey_the_laws_of_arithmetic(a in ratio(), b in ratio()) {
            prop_assert_eq!(a.plus(b), b.plus(a));
            prop_assert_eq!(a.times(b), b.times(a));
            prop_assert_eq!(a.plus(Ratio::ZERO), a);
            prop_assert_eq!(a.times(Ratio::ONE), a);
            prop_assert!(a.plus(b) >= a);
            if b > Ratio::ZERO {
                prop_assert_eq!(a.times(b).over(b), a);
                prop_assert_eq!(a.over(b).times(b), a);
            }
        }

        #[test]
        fn products_distribute_over_sums(
            (a, b, c) in ((0..1_u128 << 20, 1..1_u128 << 20), (0..1_u128 << 20, 1..1_u128 << 20), (0..1_u128 << 20, 1..1_u128 << 20))
        ) {
            let [a, b, c] = [a, b, c].map(|(n, d)| Ratio::new(n, d));
            prop_assert_eq!(a.times(b.plus(c)), a.times(b).plus(a.times(c)));
        }

        #[test]
        fn order_is_that_of_the_cross_products(a in ratio(), b in ratio()) {
            let cross = (a.numerator() * b.denominator()).cmp(&(b.numerator() * a.denominator()));
            prop_assert_eq!(a.cmp(&b), cross);
            prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        }

        #[test]
        fn floor_times_is_the_floor_of_the_product(a in ratio(), factor in 0..1_u64 << 40) {
            prop_assert_eq!(a.floor_times(factor.into()), Some(a.times(factor.into()).floor()));
        }
    }

    #[test]
    fn floor_times_survives_products_beyond_128_bits() {
        let third = Ratio::new((1 << 125) - 1, 3 << 124); // just under 2/3
        assert_eq!(third.floor_times(3 << 100), Some((1 << 101) - 1));
        assert_eq!(Ratio::from(u64::MAX).floor_times(u128::MAX), None);
    }

    #[test]
    fn order_survives_cross_products_beyond_128_bits() {
        let (a, b) =
            (Ratio::new(u128::MAX - 1, u128::MAX), Ratio::new(u128::MAX - 2, u128::MAX - 1));
        assert!(a > b);
        assert!(b < a);
    }
}
