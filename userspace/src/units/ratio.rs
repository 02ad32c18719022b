use std::fmt;

/// An exact non-negative rational, in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u128,
    denominator: u128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Ratio = Ratio { numerator: 0, denominator: 1 };

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
    pub fn times(self, other: Self) -> Self {
        // Cross-reducing first keeps the intermediate products small.
        let a = Self::new(self.numerator, other.denominator);
        let b = Self::new(other.numerator, self.denominator);
        Self { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator }
    }

    /// The quotient, exact.
    ///
    /// # Panics
    /// If `other` is zero.
    pub fn over(self, other: Self) -> Self {
        self.times(Self::new(other.denominator, other.numerator))
    }

    /// The sum, exact.
    pub fn plus(self, other: Self) -> Self {
        Self::new(
            self.numerator * other.denominator + other.numerator * self.denominator,
            self.denominator * other.denominator,
        )
    }

    /// The greatest integer not above it.
    pub fn floor(self) -> u128 {
        self.numerator / self.denominator
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
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_f64().fmt(f)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
