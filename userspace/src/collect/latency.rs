//! Latency of a whole run, and the percentiles of anything.

use super::buckets::empty_histogram;
use crate::rx::{Bucket, Counters, Observed};
use hdrhistogram::Histogram;
use xdp_ebpf::{abi, histogram};

/// The percentiles that are reported, in units of 0.01 %.
const QUANTILES: [u32; 5] = [5000, 9000, 9900, 9990, 9999];

/// Latency of a whole run: every bucket, and the exact sum and extremes.
///
/// Merging several (streams of a flow, flows of a run) equals having counted all
/// their frames in one.
#[derive(Debug, Clone)]
pub struct Latency {
    /// By bucket of the kernel's. Zeroed by the allocator: what never counts takes no
    /// memory, as it would in a `Histogram`.
    buckets: Box<[u64]>,
    /// Frames below zero, by bucket of the mirrored value; empty until there are some.
    negative: Vec<u64>,
    count: u64,
    negative_count: u64,
    unbucketed: u64,
    sum_ns: i128,
    min_ns: Option<i64>,
    max_ns: Option<i64>,
    /// Began anew within a trial: `min_ns` and `max_ns` are those of the whole trial, which
    /// the buckets narrow.
    restarted: bool,
}

/// What is reported of a run's latency. Nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencySummary {
    /// Least, exact.
    pub min: i64,
    /// Arithmetic mean, exact but for its rounding to a double.
    pub mean: f64,
    /// Standard deviation of the population, from buckets.
    pub stddev: Option<f64>,
    /// Median; this and the following are the smallest x with F(x) at least the
    /// percentile (RFC 2330, 11.3): the upper edge of the bucket, held within `min` and
    /// `max`. `None` where some frames found no bucket.
    pub p50: Option<i64>,
    /// 90th percentile.
    pub p90: Option<i64>,
    /// 99th percentile.
    pub p99: Option<i64>,
    /// 99.9th percentile.
    pub p999: Option<i64>,
    /// 99.99th percentile.
    pub p9999: Option<i64>,
    /// Greatest, exact.
    pub max: i64,
    /// Frames timed: all unique ones, unless only some are stamped.
    pub count: u64,
    /// Of them, frames below zero.
    pub negative_count: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            buckets: vec![0; abi::LATENCY_BUCKETS as usize].into(),
            negative: Vec::new(),
            count: 0,
            negative_count: 0,
            unbucketed: 0,
            sum_ns: 0,
            min_ns: None,
            max_ns: None,
            restarted: false,
        }
    }
}

impl Latency {
    /// Adds what moved since the last read: `new` counters and the buckets of `moved`.
    pub(super) fn record(&mut self, new: &Counters, moved: &Observed) {
        self.count += new.timed;
        self.negative_count += new.negative;
        self.unbucketed += new.unbucketed;
        self.sum_ns += new.latency_sum_ns;
        self.widen(new.latency_min_ns, new.latency_max_ns);
        for &(index, count) in &moved.latency {
            if let Some(bucket) = self.buckets.get_mut(usize::from(index)) {
                *bucket += count;
            }
        }
        for &(index, count) in &moved.negative {
            self.negative.resize(abi::NEGATIVE_BUCKETS as usize, 0);
            if let Some(bucket) = self.negative.get_mut(usize::from(index)) {
                *bucket += count;
            }
        }
    }

    /// Forgets what was counted so far. From then on min and max are edges of buckets, held
    /// within the exact extremes of all frames.
    pub(super) fn restart(&mut self) {
        *self =
            Self { min_ns: self.min_ns, max_ns: self.max_ns, restarted: true, ..Self::default() };
    }

    /// Adds the frames of another stream, flow or run.
    pub fn merge(&mut self, other: &Self) {
        self.restarted |= other.restarted;
        self.count += other.count;
        self.negative_count += other.negative_count;
        self.unbucketed += other.unbucketed;
        self.sum_ns += other.sum_ns;
        self.widen(other.min_ns, other.max_ns);
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.negative.resize(self.negative.len().max(other.negative.len()), 0);
        for (mine, theirs) in self.negative.iter_mut().zip(&other.negative) {
            *mine += theirs;
        }
    }

    fn widen(&mut self, min_ns: Option<i64>, max_ns: Option<i64>) {
        self.min_ns = [self.min_ns, min_ns].into_iter().flatten().min();
        self.max_ns = self.max_ns.max(max_ns);
    }

    /// The latencies that are not negative, with the kernel's buckets.
    pub fn histogram(&self) -> Histogram<u64> {
        let mut all = empty_histogram();
        for (index, &count) in self.buckets.iter().enumerate().filter(|&(_, &count)| count > 0) {
            all.saturating_record_n(histogram::upper(index as u32, abi::LATENCY_PRECISION), count);
        }
        all
    }

    /// Least and greatest latency, ns; `None` before the first frame. Exact, but for one that
    /// began anew within a trial: that has them to a bucket.
    pub fn extremes_ns(&self) -> Option<(i64, i64)> {
        let exact = self.min_ns.zip(self.max_ns);
        if !self.restarted {
            return exact;
        }
        let (least, greatest) = exact?;
        let (first, last) = (self.edges().next()?.0, self.edges().last()?.0);
        Some((lower_edge(first).max(least), last.min(greatest)))
    }

    /// Unique frames that no slab had room for; with any, percentiles are unknown.
    pub fn unbucketed(&self) -> u64 {
        self.unbucketed
    }

    /// The figures; `None` before the first frame.
    pub fn summary(&self) -> Option<LatencySummary> {
        let (min, max) = self.extremes_ns()?;
        if self.count == 0 {
            return None;
        }
        let mean = self.sum_ns as f64 / self.count as f64;
        let complete = self.unbucketed == 0;
        let [p50, p90, p99, p999, p9999] =
            if complete { quantiles(self.edges(), QUANTILES, (min, max)) } else { [None; 5] };
        Some(LatencySummary {
            min,
            mean,
            stddev: if complete { self.stddev(mean, min, max) } else { None },
            p50,
            p90,
            p99,
            p999,
            p9999,
            max,
            count: self.count,
            negative_count: self.negative_count,
        })
    }

    /// Upper edge and count of every bucket in use, ascending.
    fn edges(&self) -> impl Iterator<Item = (i64, u64)> {
        let negative = self.negative.iter().enumerate().rev().filter(|&(_, &count)| count > 0);
        let negative = negative.map(|(index, &count)| (negative_edge(index as u16), count));
        let positive = self.buckets.iter().enumerate().filter(|&(_, &count)| count > 0);
        let positive = positive.map(|(index, &count)| {
            (histogram::upper(index as u32, abi::LATENCY_PRECISION) as i64, count)
        });
        negative.chain(positive)
    }

    /// From the middle of each bucket, held within the exact extremes.
    fn stddev(&self, mean: f64, min: i64, max: i64) -> Option<f64> {
        let middles = self.edges().map(|(edge, count)| {
            let middle = lower_edge(edge).midpoint(edge).clamp(min, max);
            (middle as f64 - mean, count)
        });
        let (squares, count) = middles.fold((0.0, 0), |(squares, total), (distance, count)| {
            (squares + distance * distance * count as f64, total + count)
        });
        (count > 0).then(|| (squares / count as f64).sqrt())
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.buckets)
            + self.negative.capacity() * size_of::<u64>()
    }
}

/// The lower edge of the bucket with this upper one.
fn lower_edge(edge: i64) -> i64 {
    if edge < 0 {
        let (precision, bits) = (abi::COARSE_PRECISION, abi::NEGATIVE_MAX_BITS);
        let index = histogram::index(edge.unsigned_abs(), precision, bits);
        -(histogram::upper(index, precision) as i64)
    } else {
        let (precision, bits) = (abi::LATENCY_PRECISION, abi::LATENCY_MAX_BITS);
        histogram::lower(histogram::index(edge as u64, precision, bits), precision) as i64
    }
}

/// The upper edge of a bucket of mirrored values.
fn negative_edge(index: u16) -> i64 {
    -(histogram::lower(index.into(), abi::COARSE_PRECISION) as i64)
}

/// Upper edges of sparse buckets, ascending; the mirror first.
pub(super) fn sparse_edges<'a>(
    negative: &'a [Bucket],
    latency: &'a [Bucket],
) -> impl Iterator<Item = (i64, u64)> + 'a {
    let below = negative.iter().rev().map(|&(index, count)| (negative_edge(index), count));
    let above = latency.iter().map(|&(index, count)| {
        (histogram::upper(index.into(), abi::LATENCY_PRECISION) as i64, count)
    });
    below.chain(above)
}

/// For each quantile (units of 0.01 %, ascending) the first edge at which at least
/// that share of the frames is reached. Exact: no floating point.
pub(super) fn quantiles<const N: usize>(
    edges: impl Iterator<Item = (i64, u64)>,
    quantiles: [u32; N],
    (min, max): (i64, i64),
) -> [Option<i64>; N] {
    let edges: Vec<_> = edges.collect();
    let total: u64 = edges.iter().map(|&(_, count)| count).sum();
    let mut edges = edges.into_iter();
    let mut reached = 0;
    let mut edge = None;
    quantiles.map(|quantile| {
        let rank = (u128::from(total) * u128::from(quantile)).div_ceil(10_000).max(1);
        while u128::from(reached) < rank {
            let (next, count) = edges.next()?;
            reached += count;
            edge = Some(next.clamp(min, max));
        }
        edge
    })
}
