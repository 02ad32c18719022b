//! What one flow did in one second.

use super::{Loss, PackedBuckets};
use crate::units::{FCS_BYTES, L1_OVERHEAD_BYTES};
use hdrhistogram::Histogram;

/// What one flow did between two ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its end, `CLOCK_MONOTONIC` ns.
    pub time_ns: u64,
    /// Measured length, ns, never 0.
    pub elapsed_ns: u64,
    /// Frames sent meanwhile.
    pub tx_frames: u64,
    /// Their octets, without FCS.
    pub tx_bytes: u64,
    /// Frames received meanwhile, duplicates included; `None`: not measured.
    pub rx_frames: Option<u64>,
    /// Their octets, without FCS.
    pub rx_bytes: Option<u64>,
    /// Percentiles of the latency of what arrived meanwhile.
    pub latency: Option<SampleLatency>,
    /// First transmit-time interval whose loss this sample shows.
    pub(super) first_interval: u64,
    /// The interval after the last one.
    pub(super) end_interval: u64,
    /// Frames sent in those intervals.
    pub(super) sent: u64,
    /// Unique frames received of those, whenever they came.
    pub(super) received: u64,
    /// Whether all that can still come has come.
    pub(super) settled: bool,
    pub(super) buckets: PackedBuckets,
}

/// Latency of one sample, ns: upper bucket edges held within the run's exact extremes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleLatency {
    /// Median.
    pub p50: i64,
    /// 90th percentile.
    pub p90: i64,
    /// 99th percentile.
    pub p99: i64,
    /// 99.9th percentile.
    pub p999: i64,
    /// Greatest.
    pub max: i64,
}

impl Sample {
    /// The samples of several flows of one interval as one; its loss is known when it is
    /// of all. `None` of none.
    pub fn sum<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Option<Sample> {
        let mut samples = samples.into_iter();
        let mut sum = samples.next()?.clone();
        let mut latencies = sum.histogram();
        let mut max = sum.latency.map(|latency| latency.max);
        let add = |mine: Option<u64>, theirs: Option<u64>| match (mine, theirs) {
            (Some(mine), Some(theirs)) => Some(mine + theirs),
            (mine, theirs) => mine.or(theirs),
        };
        for sample in samples {
            sum.time_ns = sum.time_ns.max(sample.time_ns);
            sum.elapsed_ns = sum.elapsed_ns.max(sample.elapsed_ns);
            sum.tx_frames += sample.tx_frames;
            sum.tx_bytes += sample.tx_bytes;
            sum.rx_frames = add(sum.rx_frames, sample.rx_frames);
            sum.rx_bytes = add(sum.rx_bytes, sample.rx_bytes);
            sum.sent += sample.sent;
            sum.received += sample.received;
            sum.settled &= sample.settled;
            max = max.max(sample.latency.map(|latency| latency.max));
            for (edge, count) in sample.buckets.edges() {
                latencies.saturating_record_n(edge, count);
            }
        }
        let at = |quantile| (latencies.value_at_quantile(quantile) as i64).min(max.unwrap_or(0));
        sum.latency = max.filter(|_| !latencies.is_empty()).map(|max| SampleLatency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max,
        });
        sum.buckets = PackedBuckets::pack(&[], 0);
        Some(sum)
    }

    /// Frames sent a second.
    pub fn tx_pps(&self) -> f64 {
        self.per_second(self.tx_frames)
    }

    /// Frames received a second.
    pub fn rx_pps(&self) -> Option<f64> {
        self.rx_frames.map(|frames| self.per_second(frames))
    }

    /// Bits sent a second, L2 with FCS.
    pub fn tx_bps_l2(&self) -> f64 {
        self.per_second(l2_bits(self.tx_frames, self.tx_bytes))
    }

    /// Bits received a second, L2 with FCS.
    pub fn rx_bps_l2(&self) -> Option<f64> {
        let bits = l2_bits(self.rx_frames?, self.rx_bytes?);
        Some(self.per_second(bits))
    }

    /// Loss of the frames sent in this sample's time, once frames in flight had their
    /// chance; until then `None`. It may still shrink if a frame comes later than that.
    pub fn loss(&self) -> Option<Loss> {
        self.settled.then(|| Loss::of(self.sent, self.received))
    }

    /// The transmit-time intervals, by number since the start, whose loss this sample shows.
    pub fn intervals(&self) -> std::ops::Range<u64> {
        self.first_interval..self.end_interval
    }

    /// Latency of what arrived in this sample, without frames below zero.
    pub fn histogram(&self) -> Histogram<u64> {
        self.buckets.histogram()
    }

    /// The same, as stored.
    pub fn buckets(&self) -> &PackedBuckets {
        &self.buckets
    }

    fn per_second(&self, amount: u64) -> f64 {
        amount as f64 * 1e9 / self.elapsed_ns as f64
    }
}

/// Bits on L2, FCS included, of frames counted without it.
pub(crate) fn l2_bits(frames: u64, bytes: u64) -> u64 {
    (bytes + frames * u64::from(FCS_BYTES)) * 8
}

/// Bits on L1: with preamble, delimiter and gap.
pub(crate) fn l1_bits(frames: u64, bytes: u64) -> u64 {
    l2_bits(frames, bytes) + frames * u64::from(L1_OVERHEAD_BYTES) * 8
}
