//! Latency buckets of one sample, packed.

use crate::rx::Bucket;
use hdrhistogram::Histogram;
use xdp_ebpf::{abi, histogram};

/// Precision of the latency buckets as the kernel counts them.
const FINEST: u8 = abi::LATENCY_PRECISION as u8;

/// Greatest encoded size of one sample's buckets, in bytes: about 200 buckets at full
/// precision, 0.78 % over a spread of 1.5 octaves, which is what one second of a flow
/// through an ordinary device has. What is wider is kept coarser.
pub(super) const MAX_BYTES: usize = 480;

/// The same where there are most flows: some 20 buckets.
const LEAST_BYTES: usize = 48;

/// Bytes for the buckets of all samples of a run, for which each is kept coarser: those
/// of 1,000 flows with 300 samples each at their greatest.
const BUDGET_BYTES: usize = 144_000_000;

/// What one sample's buckets may take where there are so many in all.
pub(super) fn share_bytes(samples: usize) -> usize {
    (BUDGET_BYTES / samples.max(1)).clamp(LEAST_BYTES, MAX_BYTES)
}

/// A [`Histogram`] whose buckets are those of the kernel: two significant digits, 1 ns
/// to 2^36 - 1 ns, never resized. (0 to 255 ns are exact, then 128 buckets an octave.)
///
/// # Panics
/// Never: the bounds are constants.
pub fn empty_histogram() -> Histogram<u64> {
    let greatest = (1 << abi::LATENCY_MAX_BITS) - 1;
    let mut histogram =
        Histogram::new_with_bounds(1, greatest, 2).expect("the bounds are constants and valid");
    histogram.auto(false);
    histogram
}

/// The latency buckets of one sample, small: sorted, as differences of index and
/// counts, in LEB128.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBuckets {
    precision: u8,
    bytes: Box<[u8]>,
}

impl PackedBuckets {
    /// Packs buckets that are sorted by index. Neighbours are joined, one bit of
    /// precision at a time, until they take at most `max_bytes`.
    pub fn pack(buckets: &[Bucket], max_bytes: usize) -> Self {
        let mut bytes = encode(buckets.iter().copied());
        let mut precision = FINEST;
        while bytes.len() > max_bytes && precision > 0 {
            precision -= 1;
            bytes = encode(joined(buckets, precision));
        }
        Self { precision, bytes: bytes.into_boxed_slice() }
    }

    /// Buckets per octave as a power of two: 7 is what the kernel counted, and the
    /// relative error is at most 2^-precision.
    pub fn precision(&self) -> u8 {
        self.precision
    }

    /// Whether there is no frame in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Upper edge (ns) and count of every bucket, ascending.
    pub fn edges(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut rest = &*self.bytes;
        let mut index = 0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            index += take(&mut rest) as u32;
            let count = take(&mut rest);
            Some((histogram::upper(index, self.precision.into()), count))
        })
    }

    /// As a histogram, every frame at the upper edge of its bucket.
    pub fn histogram(&self) -> Histogram<u64> {
        let mut histogram = empty_histogram();
        for (edge, count) in self.edges() {
            histogram.saturating_record_n(edge, count);
        }
        histogram
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The same frames in buckets of lower precision.
fn joined(buckets: &[Bucket], precision: u8) -> impl Iterator<Item = Bucket> {
    let coarse = move |index: u16| {
        let value = histogram::lower(index.into(), FINEST.into());
        histogram::index(value, precision.into(), abi::LATENCY_MAX_BITS) as u16
    };
    buckets
        .chunk_by(move |a, b| coarse(a.0) == coarse(b.0))
        .map(move |group| (coarse(group[0].0), group.iter().map(|&(_, count)| count).sum()))
}

fn encode(buckets: impl Iterator<Item = Bucket>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut previous = 0;
    for (index, count) in buckets {
        put(&mut bytes, (index - previous).into());
        put(&mut bytes, count);
        previous = index;
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    let mut shift = 0;
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    number
}
