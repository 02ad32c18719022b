//! What was received, as plain numbers that add up.

use super::IntervalCount;
use xdp_ebpf::abi;

/// Frames that fell into one histogram bucket: its index (abi.h, `histogram_shape`)
/// and how many.
pub type Bucket = (u16, u64);

/// The same, for magnitudes of differences: a rise is in bucket index, a fall in -1 - index.
pub type SignedBucket = (i16, u64);

/// What was received of one or more streams, cumulative over a trial.
///
/// `unique + duplicate` frames were received; `corrupt`, `late`, `misdirected` and
/// `stale` ones are apart (CONTRACT, Meanings: counts).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames seen for the first time.
    pub unique: u64,
    /// Frames seen again.
    pub duplicate: u64,
    /// Octets without FCS of `unique + duplicate` frames.
    pub bytes: u64,
    /// Unique frames out of order within their stream and bank (RFC 4737).
    pub reordered: u64,
    /// Frames older than the sequence window.
    pub late: u64,
    /// Frames with a good tag and a wrong length, checksum or payload.
    pub corrupt: u64,
    /// Frames that arrived on a port that is not their receiver.
    pub misdirected: u64,
    /// Frames of an earlier trial.
    pub stale: u64,
    /// Unique frames that got a stamp of their own, and so have a latency.
    pub timed: u64,
    /// Timed frames with a latency below zero.
    pub negative: u64,
    /// Timed frames that are in no histogram, because no slab was free.
    pub unbucketed: u64,
    /// Exact sum of the latencies of timed frames, ns.
    pub latency_sum_ns: i128,
    /// Exact least latency, ns; `None` before the first timed frame.
    pub latency_min_ns: Option<i64>,
    /// Exact greatest latency, ns.
    pub latency_max_ns: Option<i64>,
    /// Exact least and greatest difference of latency between consecutive sequence numbers
    /// that came in order, ns.
    pub ipdv_ns: Option<(i64, i64)>,
    /// The RFC 3550 jitter estimate as it stands, ns; of several the greatest.
    pub jitter_ns: Option<u64>,
    /// Longest time between two unique frames of one stream on one bank, ns.
    pub gap_max_ns: u64,
    /// Arrival of the first unique frame, `CLOCK_MONOTONIC` ns.
    pub first_rx_ns: Option<u64>,
    /// Arrival of the last unique frame, `CLOCK_MONOTONIC` ns.
    pub last_rx_ns: Option<u64>,
    /// Most banks that one stream arrived on. Above 1, gaps are those of a bank and
    /// longer than those of the stream.
    pub banks: u32,
}

impl Counters {
    /// Every frame received: `unique + duplicate`.
    pub fn frames(&self) -> u64 {
        self.unique + self.duplicate
    }

    /// Adds what was received elsewhere: another bank, stream, port or flow.
    pub fn merge(&mut self, other: &Self) {
        self.unique += other.unique;
        self.duplicate += other.duplicate;
        self.bytes += other.bytes;
        self.reordered += other.reordered;
        self.late += other.late;
        self.corrupt += other.corrupt;
        self.misdirected += other.misdirected;
        self.stale += other.stale;
        self.timed += other.timed;
        self.negative += other.negative;
        self.unbucketed += other.unbucketed;
        self.latency_sum_ns += other.latency_sum_ns;
        self.latency_min_ns = least(self.latency_min_ns, other.latency_min_ns);
        self.latency_max_ns = self.latency_max_ns.max(other.latency_max_ns);
        self.ipdv_ns = match (self.ipdv_ns, other.ipdv_ns) {
            (Some(mine), Some(theirs)) => Some((mine.0.min(theirs.0), mine.1.max(theirs.1))),
            (mine, theirs) => mine.or(theirs),
        };
        self.jitter_ns = self.jitter_ns.max(other.jitter_ns);
        self.gap_max_ns = self.gap_max_ns.max(other.gap_max_ns);
        self.first_rx_ns = least(self.first_rx_ns, other.first_rx_ns);
        self.last_rx_ns = self.last_rx_ns.max(other.last_rx_ns);
        self.banks = self.banks.max(other.banks);
    }

    /// What came since `before`. Extremes stay those of the whole trial. A counter
    /// that went backwards means that counting began again, so all of it is new.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        self.delta(before).unwrap_or(*self)
    }

    fn delta(&self, before: &Self) -> Option<Self> {
        Some(Self {
            unique: self.unique.checked_sub(before.unique)?,
            duplicate: self.duplicate.checked_sub(before.duplicate)?,
            bytes: self.bytes.checked_sub(before.bytes)?,
            reordered: self.reordered.checked_sub(before.reordered)?,
            late: self.late.checked_sub(before.late)?,
            corrupt: self.corrupt.checked_sub(before.corrupt)?,
            misdirected: self.misdirected.checked_sub(before.misdirected)?,
            stale: self.stale.checked_sub(before.stale)?,
            timed: self.timed.checked_sub(before.timed)?,
            negative: self.negative.checked_sub(before.negative)?,
            unbucketed: self.unbucketed.checked_sub(before.unbucketed)?,
            latency_sum_ns: self.latency_sum_ns - before.latency_sum_ns,
            ..*self
        })
    }
}

impl From<&abi::record> for Counters {
    /// One bank's record. Extremes are taken only where they are valid.
    fn from(record: &abi::record) -> Self {
        let received = record.unique > 0;
        let timed = record.timed > 0;
        let varied = timed && record.ipdv_min_ns <= record.ipdv_max_ns;
        Self {
            unique: record.unique,
            duplicate: record.duplicate,
            bytes: record.bytes,
            reordered: record.reordered,
            late: record.late,
            corrupt: record.corrupt,
            misdirected: record.misdirected,
            stale: record.stale,
            timed: record.timed,
            negative: record.negative,
            unbucketed: record.unbucketed,
            latency_sum_ns: record.latency_sum_ns.into(),
            latency_min_ns: timed.then_some(record.latency_min_ns),
            latency_max_ns: timed.then_some(record.latency_max_ns),
            ipdv_ns: varied.then_some((record.ipdv_min_ns, record.ipdv_max_ns)),
            jitter_ns: varied.then_some(record.jitter_16ths_ns >> 4),
            gap_max_ns: record.gap_max_ns,
            first_rx_ns: received.then_some(record.first_rx_ns),
            last_rx_ns: received.then_some(record.last_rx_ns),
            banks: received.into(),
        }
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Counters so far, and what moved since the read before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Cumulative over the trial.
    pub counters: Counters,
    /// New frames by latency bucket, in order of index.
    pub latency: Vec<Bucket>,
    /// New frames with negative latency, by bucket of the mirrored value.
    pub negative: Vec<Bucket>,
    /// New gaps between arrivals, by bucket.
    pub gap: Vec<Bucket>,
    /// New differences of latency, by bucket.
    pub ipdv: Vec<SignedBucket>,
    /// New unique frames by the interval they were sent in.
    pub intervals: Vec<IntervalCount>,
}

impl Observed {
    /// Empty again, with its buffers kept.
    pub fn clear(&mut self) {
        self.counters = Counters::default();
        self.latency.clear();
        self.negative.clear();
        self.gap.clear();
        self.ipdv.clear();
        self.intervals.clear();
    }

    /// Adds another stream of the same flow.
    pub fn merge(&mut self, other: &Self) {
        self.counters.merge(&other.counters);
        for (mine, theirs) in [
            (&mut self.latency, &other.latency),
            (&mut self.negative, &other.negative),
            (&mut self.gap, &other.gap),
        ] {
            append(mine, theirs);
        }
        append(&mut self.ipdv, &other.ipdv);
        append(&mut self.intervals, &other.intervals);
    }
}

fn append<K: Ord + Copy>(mine: &mut Vec<(K, u64)>, theirs: &[(K, u64)]) {
    let alone = mine.is_empty();
    mine.extend_from_slice(theirs);
    if !alone {
        coalesce(mine);
    }
}

/// Sorts counts by key and adds up those of the same key.
pub fn coalesce<K: Ord + Copy>(counts: &mut Vec<(K, u64)>) {
    counts.sort_unstable_by_key(|&(key, _)| key);
    counts.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}
