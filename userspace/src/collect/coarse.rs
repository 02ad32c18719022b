//! Histograms for the eye: two buckets an octave, the same for all times and flows.

use super::{Gap, PackedBuckets};
use xdp_ebpf::{abi, histogram};

/// Buckets an octave, as a power of two.
const PRECISION: u32 = 1;
const MAX_BITS: u32 = {
    assert!(abi::LATENCY_MAX_BITS == abi::GAP_MAX_BITS, "one scale for both");
    abi::LATENCY_MAX_BITS
};

/// Frames by bucket, ascending; buckets without any are left out.
pub type Coarse = Vec<(u8, u64)>;

/// Bucket i holds values from edge i up to, but without, edge i + 1, ns.
pub fn coarse_edges() -> Vec<u64> {
    let buckets = histogram::index(u64::MAX, PRECISION, MAX_BITS) + 1;
    (0..=buckets).map(|index| histogram::lower(index, PRECISION)).collect()
}

impl PackedBuckets {
    /// In coarse buckets, each value less `bias_ns`.
    pub fn coarse(&self, bias_ns: i64) -> Coarse {
        coarse(self.edges().map(|(edge, count)| (edge.saturating_add_signed(-bias_ns), count)))
    }
}

impl Gap {
    /// In coarse buckets.
    pub fn coarse(&self) -> Coarse {
        coarse(self.edges())
    }
}

/// Of values that ascend.
fn coarse(values: impl Iterator<Item = (u64, u64)>) -> Coarse {
    let mut buckets = Coarse::new();
    for (value, count) in values.filter(|&(_, count)| count > 0) {
        let index = histogram::index(value, PRECISION, MAX_BITS) as u8;
        match buckets.last_mut() {
            Some((last, sum)) if *last == index => *sum += count,
            _ => buckets.push((index, count)),
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket_and_none_is_lost() {
        let edges = coarse_edges();
        assert!(edges.is_sorted() && edges[0] == 0 && *edges.last().unwrap() == 1 << MAX_BITS);
        let fine = |ns| histogram::index(ns, abi::LATENCY_PRECISION, MAX_BITS) as u16;
        let values: Vec<u64> = (0..36).map(|octave| (1 << octave) + (1 << octave) / 3).collect();
        let buckets: Vec<_> = values.iter().map(|ns| (fine(*ns), 5)).collect();
        let mut counts = vec![0; edges.len() - 1];
        for (index, count) in PackedBuckets::pack(&buckets, usize::MAX).coarse(0) {
            counts[usize::from(index)] += count;
        }
        for ns in &values {
            let bucket = edges.partition_point(|edge| edge <= ns) - 1;
            assert!(counts[bucket] >= 5, "{ns}");
        }
        assert_eq!(counts.iter().sum::<u64>(), 5 * values.len() as u64);
    }

    #[test]
    fn what_a_calibration_takes_off_is_taken_off_here_too() {
        let one = PackedBuckets::pack(&[(100, 7)], usize::MAX);
        let at = |bias_ns| coarse_edges()[usize::from(one.coarse(bias_ns)[0].0)];
        assert_eq!((at(0), at(90), at(200)), (96, 8, 0));
    }
}
