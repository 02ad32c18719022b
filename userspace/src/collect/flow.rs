//! One flow: readings become samples and totals.

use super::latency::{quantiles, sparse_edges};
use super::{Gap, Ipdv, Latency, Loss, PackedBuckets, Ring, Sample, SampleLatency};
use crate::rx::{Counters, IntervalClock, IntervalCount, IntervalRing, Observed, Stray};
use crate::tx::TxCounters;

/// What one flow has done so far, all its streams together. Counters are cumulative
/// over the trial; buckets and intervals are what moved since the reading before.
#[derive(Debug, Clone, Default)]
pub struct FlowReading {
    /// When it was taken, `CLOCK_MONOTONIC` ns.
    pub time_ns: u64,
    /// Frames submitted.
    pub tx_frames: u64,
    /// Their octets, without FCS.
    pub tx_bytes: u64,
    /// New frames by the interval they were sent in.
    pub tx_intervals: Vec<IntervalCount>,
    /// What was received; `None`: the flow is not measured.
    pub rx: Option<Observed>,
}

impl FlowReading {
    /// Empty again, with its buffers kept. `measured`: whether the flow has a receiver.
    pub fn clear(&mut self, time_ns: u64, measured: bool) {
        self.time_ns = time_ns;
        self.tx_frames = 0;
        self.tx_bytes = 0;
        self.tx_intervals.clear();
        self.rx = if measured { Some(self.rx.take().unwrap_or_default()) } else { None };
        self.rx.iter_mut().for_each(Observed::clear);
    }

    /// Adds what one stream has sent. `ring` follows its interval counters.
    pub fn add_tx(
        &mut self,
        stream: &dyn TxCounters,
        ring: &mut IntervalRing,
        clock: &IntervalClock,
    ) {
        let sent = stream.read();
        self.tx_frames += sent.submitted_frames;
        self.tx_bytes += sent.submitted_bytes;
        ring.read(&stream.read_intervals(), clock, self.time_ns, &mut self.tx_intervals);
    }

    /// Adds what one stream received on a port that expects it. `several`: other ports may
    /// have received the stream too.
    pub fn add_rx(&mut self, observed: &Observed, several: bool) {
        if let Some(rx) = &mut self.rx {
            let banks = rx.counters.banks + observed.counters.banks;
            rx.merge(observed);
            if several {
                rx.counters.banks = banks;
            }
        }
    }

    /// Adds what of one stream came to another port.
    pub fn add_stray(&mut self, stray: &Stray) {
        if let Some(rx) = &mut self.rx {
            rx.counters.misdirected += stray.misdirected;
            rx.counters.stale += stray.stale;
        }
    }
}

/// A flow's whole run.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Frames submitted.
    pub tx_frames: u64,
    /// Their octets, without FCS.
    pub tx_bytes: u64,
    /// What was received; `None`: the flow is not measured.
    pub rx: Option<RxTotals>,
}

/// What a flow received in its whole run.
#[derive(Debug, Clone, Default)]
pub struct RxTotals {
    /// All counters.
    pub counters: Counters,
    /// Every latency.
    pub latency: Latency,
    /// Every gap between arrivals, by stream.
    pub gap: Gap,
    /// Every difference of latency, by stream.
    pub ipdv: Ipdv,
}

impl RxTotals {
    /// Bytes held besides itself.
    pub(super) fn state_bytes(&self) -> usize {
        self.latency.state_bytes() + self.gap.state_bytes()
    }
}

impl Totals {
    /// What is missing of all that was sent; `None`: not measured. Only final after
    /// the drain: before, it includes frames in flight.
    pub fn loss(&self) -> Option<Loss> {
        let rx = self.rx.as_ref()?;
        Some(Loss::of(self.tx_frames, rx.counters.unique))
    }
}

/// One flow's ring and totals, and the counters of the reading before.
#[derive(Debug)]
pub(super) struct FlowState {
    pub(super) samples: Ring<Sample>,
    pub(super) totals: Totals,
    time_ns: u64,
    tx_frames: u64,
    tx_bytes: u64,
    rx: Counters,
    /// The first interval that no sample covers yet.
    uncovered: u64,
    /// Frames sent and received of the intervals from there on.
    pending: Vec<(u64, Bin)>,
    /// What the buckets of one sample may take.
    bucket_bytes: usize,
    /// End of the newest sample that was taken by [`Self::take_settled`].
    taken_ns: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    sent: u64,
    received: u64,
}

impl FlowState {
    pub(super) fn new(capacity: usize, bucket_bytes: usize, start_ns: u64) -> Self {
        Self {
            samples: Ring::new(capacity),
            totals: Totals::default(),
            time_ns: start_ns,
            tx_frames: 0,
            tx_bytes: 0,
            rx: Counters::default(),
            uncovered: 0,
            pending: Vec::new(),
            bucket_bytes,
            taken_ns: start_ns,
        }
    }

    /// Takes a reading: into the totals, and as a new sample into the ring.
    pub(super) fn record(&mut self, clock: &IntervalClock, reading: &FlowReading) {
        let tx_frames = since(reading.tx_frames, &mut self.tx_frames);
        let tx_bytes = since(reading.tx_bytes, &mut self.tx_bytes);
        self.totals.tx_frames += tx_frames;
        self.totals.tx_bytes += tx_bytes;
        for &(interval, frames) in &reading.tx_intervals {
            self.bin(interval, Bin { sent: frames, received: 0 });
        }
        let mut received = None;
        if let Some(rx) = &reading.rx {
            let new = rx.counters.since(&self.rx);
            self.rx = rx.counters;
            let totals = self.totals.rx.get_or_insert_default();
            totals.counters.merge(&new);
            totals.latency.record(&new, rx);
            totals.gap.record(&rx.gap, new.gap_max_ns);
            totals.ipdv.record(&rx.ipdv, new.ipdv_ns);
            // An estimate that follows the frames, and no extreme of the run.
            totals.counters.jitter_ns = new.jitter_ns;
            for &(interval, frames) in &rx.intervals {
                self.bin(interval, Bin { sent: 0, received: frames });
            }
            received = Some(new);
        }

        // Without time there is no rate: such a reading only counts into the totals.
        let elapsed_ns = reading.time_ns.saturating_sub(self.time_ns);
        if elapsed_ns > 0 {
            self.time_ns = reading.time_ns;
            let (first_interval, end_interval, bin) = self.cover(clock);
            self.samples.push(Sample {
                time_ns: reading.time_ns,
                elapsed_ns,
                tx_frames,
                tx_bytes,
                rx_frames: received.as_ref().map(Counters::frames),
                rx_bytes: received.map(|new| new.bytes),
                latency: reading.rx.as_ref().and_then(|rx| self.sample_latency(rx)),
                first_interval,
                end_interval,
                sent: bin.sent,
                received: bin.received,
                settled: false,
                buckets: PackedBuckets::pack(
                    reading.rx.as_ref().map_or(&[], |rx| &rx.latency),
                    self.bucket_bytes,
                ),
            });
        }
        if let Some(rx) = &self.totals.rx {
            let flight_ns = rx.counters.latency_max_ns.unwrap_or(0).max(0) as u64;
            let grace_ns = clock.interval_ns.max(flight_ns.saturating_mul(3));
            self.settle(|sample| {
                clock.start_ns(sample.end_interval).saturating_add(grace_ns) <= reading.time_ns
            });
        }
    }

    pub(super) fn restart_latency(&mut self) {
        self.totals.rx.iter_mut().for_each(|rx| rx.latency.restart());
    }

    /// After the drain: nothing more can come.
    pub(super) fn finish(&mut self) {
        if self.totals.rx.is_some() {
            self.settle(|_| true);
        }
    }

    pub(super) fn take_settled(&mut self) -> Vec<Sample> {
        let measured = self.totals.rx.is_some();
        let full = self.samples.len() == self.samples.capacity();
        let new = self.samples.iter().rev().take_while(|sample| sample.time_ns > self.taken_ns);
        let first = self.samples.len() - new.count();
        let over =
            |(at, sample): &(usize, &Sample)| sample.settled || !measured || (full && *at == 0);
        let new = self.samples.iter().enumerate().skip(first).take_while(over);
        let taken: Vec<Sample> = new.map(|(_, sample)| sample.clone()).collect();
        self.taken_ns = taken.last().map_or(self.taken_ns, |sample| sample.time_ns);
        taken
    }

    fn settle(&mut self, over: impl Fn(&Sample) -> bool) {
        for sample in self.samples.iter_mut().rev().take_while(|sample| !sample.settled) {
            sample.settled = over(sample);
        }
    }

    /// Adds frames to the sample that covers their interval, or keeps them for one to
    /// come. What is older than the ring is only in the totals.
    fn bin(&mut self, interval: u64, frames: Bin) {
        let bin = if interval >= self.uncovered {
            let at = match self.pending.binary_search_by_key(&interval, |&(number, _)| number) {
                Ok(at) => at,
                Err(at) => {
                    self.pending.insert(at, (interval, Bin::default()));
                    at
                }
            };
            &mut self.pending[at].1
        } else {
            let covers = |sample: &&mut Sample| {
                (sample.first_interval..sample.end_interval).contains(&interval)
            };
            if let Some(sample) = self.samples.iter_mut().rev().find(covers) {
                sample.sent += frames.sent;
                sample.received += frames.received;
            }
            return;
        };
        bin.sent += frames.sent;
        bin.received += frames.received;
    }

    /// The intervals of a sample that ends now: all that no earlier one covers, up to
    /// the border that is nearest to the tick.
    fn cover(&mut self, clock: &IntervalClock) -> (u64, u64, Bin) {
        let first = self.uncovered;
        let end = clock.number(self.time_ns.saturating_add(clock.interval_ns / 2)).max(first);
        self.uncovered = end;
        let mut sum = Bin::default();
        self.pending.retain(|&(interval, bin)| {
            let covered = interval < end;
            if covered {
                sum.sent += bin.sent;
                sum.received += bin.received;
            }
            !covered
        });
        (first, end, sum)
    }

    fn sample_latency(&self, rx: &Observed) -> Option<SampleLatency> {
        let extremes = self.totals.rx.as_ref()?.latency.extremes_ns()?;
        let edges = sparse_edges(&rx.negative, &rx.latency);
        let [p50, p90, p99, p999, max] =
            quantiles(edges, [5000, 9000, 9900, 9990, 10_000], extremes);
        Some(SampleLatency { p50: p50?, p90: p90?, p99: p99?, p999: p999?, max: max? })
    }

    /// Bytes held.
    pub(super) fn state_bytes(&self) -> usize {
        let samples = self.samples.iter().map(|sample| sample.buckets.heap_bytes()).sum::<usize>();
        let ring = if self.samples.is_empty() { 0 } else { self.samples.capacity() };
        let rx = self.totals.rx.as_ref();
        size_of::<Self>()
            + ring * size_of::<Sample>()
            + samples
            + rx.map_or(0, RxTotals::state_bytes)
            + self.pending.capacity() * size_of::<(u64, Bin)>()
    }
}

/// What a cumulative counter gained. One that went backwards began again from zero.
fn since(now: u64, before: &mut u64) -> u64 {
    let before = std::mem::replace(before, now);
    now.checked_sub(before).unwrap_or(now)
}
