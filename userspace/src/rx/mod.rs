//! What the analyser saw, read without locks and turned into plain numbers.
//!
//! A [`Receiver`] owns the analyser of one port. Every read copies the records of
//! the streams that this port expects, adds them up over the banks (RX queues, or
//! CPUs in generic mode) and tells what moved since the read before: buckets of the
//! histograms and frames by transmit-time interval. Nothing here stops or resets a
//! counter while the kernel uses it.
//!
//! The decoding ([`StreamDecoder`], [`IntervalClock`], [`IntervalRing`]) works on
//! plain values and is tested without a kernel.

mod counters;
mod decoder;
mod intervals;
mod lost;
mod receiver;
mod source;
#[cfg(test)]
mod tests;
mod xsk;

pub use counters::{Bucket, Counters, Observed, SignedBucket, coalesce};
pub use decoder::{SlabView, StreamDecoder};
pub use intervals::{IntervalClock, IntervalCount, IntervalRing};
pub use lost::lost_range;
pub use receiver::{PortTotals, Reading, Receiver, Source, Stray, StreamReading};
pub use xsk::{XskOverruns, XskReceiver};
