//! Times between frames.

use crate::rx::Bucket;
use xdp_ebpf::{abi, histogram};

/// Times between frames, in coarse buckets (12.5 %), with the exact greatest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    buckets: Box<[u64]>,
    max_ns: u64,
    /// Of all gaps, where the sender knows it.
    sum_ns: Option<u64>,
}

/// What is reported of gaps. Nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GapSummary {
    /// Least, the lower edge of its bucket.
    pub min: u64,
    /// Median, an upper bucket edge held below `max`.
    pub p50: u64,
    /// 99th percentile, likewise.
    pub p99: u64,
    /// 99.9th percentile, likewise.
    pub p999: u64,
    /// Greatest, exact.
    pub max: u64,
    /// Mean: of a sender exact, of a receiver that of the middles of the buckets.
    pub mean: f64,
}

impl Default for Gap {
    fn default() -> Self {
        Self { buckets: vec![0; abi::GAP_BUCKETS as usize].into(), max_ns: 0, sum_ns: None }
    }
}

impl Gap {
    /// Adds gaps by bucket (abi.h: `COARSE_PRECISION`, `GAP_MAX_BITS`), and the exact
    /// greatest of them.
    pub fn record(&mut self, buckets: &[Bucket], max_ns: u64) {
        for &(index, count) in buckets {
            if let Some(bucket) = self.buckets.get_mut(usize::from(index)) {
                *bucket += count;
            }
        }
        self.max_ns = self.max_ns.max(max_ns);
    }

    /// Adds a sender's whole histogram, which has the same buckets, with the exact
    /// greatest gap and the exact sum of all.
    pub fn record_all(&mut self, counts: impl IntoIterator<Item = u64>, max_ns: u64, sum_ns: u64) {
        for (bucket, count) in self.buckets.iter_mut().zip(counts) {
            *bucket += count;
        }
        self.max_ns = self.max_ns.max(max_ns);
        *self.sum_ns.get_or_insert(0) += sum_ns;
    }

    /// Exact greatest gap, ns.
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// Greatest value (ns) and count of every bucket, ascending.
    pub(super) fn edges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().enumerate().map(|(index, &count)| (self.upper(index), count))
    }

    /// The figures; `None` before the second frame.
    pub fn summary(&self) -> Option<GapSummary> {
        let least = self.buckets.iter().position(|&count| count > 0)?;
        let edges = self.buckets.iter().enumerate().filter(|&(_, &count)| count > 0);
        let edges = edges.map(|(index, &count)| (self.upper(index) as i64, count));
        let [p50, p99, p999] =
            super::latency::quantiles(edges, [5000, 9900, 9990], (0, self.max_ns as i64));
        Some(GapSummary {
            min: histogram::lower(least as u32, abi::COARSE_PRECISION),
            p50: p50? as u64,
            p99: p99? as u64,
            p999: p999? as u64,
            max: self.max_ns,
            mean: self.mean(),
        })
    }

    fn upper(&self, index: usize) -> u64 {
        histogram::upper(index as u32, abi::COARSE_PRECISION).min(self.max_ns)
    }

    fn mean(&self) -> f64 {
        let middles = self.buckets.iter().enumerate().map(|(index, &count)| {
            let lower = histogram::lower(index as u32, abi::COARSE_PRECISION);
            (lower.midpoint(self.upper(index)) as f64, count)
        });
        let (sum, total) = middles.fold((0.0, 0), |(sum, total), (middle, count)| {
            (sum + middle * count as f64, total + count)
        });
        self.sum_ns.map_or(sum, |sum| sum as f64) / total as f64
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.buckets)
    }
}
