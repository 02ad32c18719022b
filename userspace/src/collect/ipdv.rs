//! IP packet delay variation (RFC 3393): how latency changes from one sequence number of a
//! stream to the next.

use super::latency::quantiles;
use crate::rx::SignedBucket;
use std::collections::BTreeMap;
use xdp_ebpf::{abi, histogram};

/// Differences of latency in coarse buckets (12.5 %), with the exact extremes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ipdv {
    buckets: BTreeMap<i16, u64>,
    extremes: Option<(i64, i64)>,
}

/// What is reported of them (RFC 5481). Nanoseconds, signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpdvSummary {
    /// Greatest fall, or least rise; exact.
    pub min: i64,
    /// The upper edge of the median's bucket, held within `min` and `max`.
    pub median: i64,
    /// Greatest rise, or least fall; exact.
    pub max: i64,
}

impl Ipdv {
    /// Adds differences by bucket, and their exact least and greatest.
    pub fn record(&mut self, buckets: &[SignedBucket], extremes: Option<(i64, i64)>) {
        for &(index, count) in buckets {
            *self.buckets.entry(index).or_default() += count;
        }
        self.extremes = match (self.extremes, extremes) {
            (Some(mine), Some(new)) => Some((mine.0.min(new.0), mine.1.max(new.1))),
            (mine, new) => mine.or(new),
        };
    }

    /// The figures; `None` before two consecutive frames came in order.
    pub fn summary(&self) -> Option<IpdvSummary> {
        let (min, max) = self.extremes?;
        let edges = self.buckets.iter().map(|(&index, &count)| (upper_edge(index), count));
        let [median] = quantiles(edges, [5000], (min, max));
        Some(IpdvSummary { min, median: median?, max })
    }
}

/// The greatest difference that falls into a bucket.
fn upper_edge(index: i16) -> i64 {
    match u32::try_from(index) {
        Ok(rise) => histogram::upper(rise, abi::COARSE_PRECISION) as i64,
        Err(_) => {
            -(histogram::lower((-1 - index).unsigned_abs().into(), abi::COARSE_PRECISION) as i64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(difference: i64) -> SignedBucket {
        let magnitude = difference.unsigned_abs();
        let index = histogram::index(magnitude, abi::COARSE_PRECISION, abi::GAP_MAX_BITS) as i16;
        (if difference < 0 { -1 - index } else { index }, 1)
    }

    proptest! {
        #[test]
        fn the_median_is_that_of_the_sorted_differences(
            mut differences in prop::collection::vec(-1_000_000_i64..1_000_000, 1..200),
        ) {
            let mut ipdv = Ipdv::default();
            for &difference in &differences {
                ipdv.record(&[bucket(difference)], Some((difference, difference)));
            }
            differences.sort_unstable();
            let summary = ipdv.summary().unwrap();
            prop_assert_eq!(summary.min, differences[0]);
            prop_assert_eq!(summary.max, differences[differences.len() - 1]);
            let exact = differences[differences.len().div_ceil(2) - 1];
            prop_assert!(summary.median >= exact, "{} {}", summary.median, exact);
            prop_assert!((summary.median - exact) as f64 <= 0.125 * exact.abs() as f64);
        }
    }

    #[test]
    fn without_a_pair_there_is_no_variation() {
        assert_eq!(Ipdv::default().summary(), None);
    }
}
