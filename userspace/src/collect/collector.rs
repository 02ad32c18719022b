//! All flows of a trial: record, look back, take the totals.

use super::{FlowReading, Ring, RxTotals, Sample, Totals, buckets::share_bytes, flow::FlowState};
use crate::rx::IntervalClock;
use std::{collections::BTreeMap, time::Duration};

/// Samples kept of each flow unless asked otherwise: five minutes of seconds.
pub const DEFAULT_CAPACITY: usize = 300;

/// A flow of the session; its place in the session's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u32);

/// The newest samples and the totals of every flow.
///
/// ```text
/// begin_trial -> record every interval, also through the drain -> finish -> totals
/// ```
#[derive(Debug)]
pub struct Collector {
    capacity: usize,
    bucket_bytes: usize,
    clock: IntervalClock,
    flows: BTreeMap<FlowId, FlowState>,
}

impl Collector {
    /// A collector that keeps `capacity` samples of each of so many flows; `interval` is
    /// the width of the transmit-time bins, and the time between two ticks.
    pub fn new(flows: usize, capacity: usize, interval: Duration) -> Self {
        Self {
            capacity,
            bucket_bytes: share_bytes(flows.saturating_mul(capacity)),
            clock: IntervalClock::new(0, interval),
            flows: BTreeMap::new(),
        }
    }

    /// Forgets all flows and starts a trial whose intervals count from `base_ns`,
    /// `CLOCK_MONOTONIC`: the first sample of every flow begins there.
    pub fn begin_trial(&mut self, base_ns: u64) {
        self.clock.base_ns = base_ns;
        self.flows.clear();
    }

    /// Takes a reading of one flow; a flow not seen before is added.
    pub fn record(&mut self, flow: FlowId, reading: &FlowReading) {
        let (capacity, bytes, base_ns) = (self.capacity, self.bucket_bytes, self.clock.base_ns);
        self.flows
            .entry(flow)
            .or_insert_with(|| FlowState::new(capacity, bytes, base_ns))
            .record(&self.clock, reading);
    }

    /// From here on the totals hold the latency of what comes now and later, and no more of
    /// what came before. Samples keep theirs.
    pub fn restart_latency(&mut self) {
        self.flows.values_mut().for_each(FlowState::restart_latency);
    }

    /// After the drain: every sample's loss is final.
    pub fn finish(&mut self) {
        self.flows.values_mut().for_each(FlowState::finish);
    }

    /// The last `count` samples of a flow, oldest first; fewer where there are fewer.
    pub fn history(&self, flow: FlowId, count: usize) -> Vec<&Sample> {
        let Some(state) = self.flows.get(&flow) else { return Vec::new() };
        let skip = state.samples.len().saturating_sub(count);
        state.samples.iter().skip(skip).collect()
    }

    /// The newest sample of a flow.
    pub fn latest(&self, flow: FlowId) -> Option<&Sample> {
        self.flows.get(&flow)?.samples.latest()
    }

    /// The newest sample of a flow whose loss is known, one or two behind the latest.
    pub fn latest_settled(&self, flow: FlowId) -> Option<&Sample> {
        self.flows.get(&flow)?.samples.iter().rev().find(|sample| sample.settled)
    }

    /// The newest sample of every flow, by flow.
    pub fn all_latest(&self) -> impl Iterator<Item = (FlowId, &Sample)> {
        self.flows.iter().filter_map(|(&flow, state)| Some((flow, state.samples.latest()?)))
    }

    /// The samples of a flow that will change no more and were not taken yet, oldest
    /// first: those whose loss is known, and one that the ring is about to drop. Taken
    /// after every [`Self::record`], and after [`Self::finish`], none is left out.
    pub fn take_settled(&mut self, flow: FlowId) -> Vec<Sample> {
        self.flows.get_mut(&flow).map(FlowState::take_settled).unwrap_or_default()
    }

    /// What a flow has done since the trial began.
    pub fn totals(&self, flow: FlowId) -> Option<&Totals> {
        self.flows.get(&flow).map(|state| &state.totals)
    }

    /// The same, taken away: histograms of ten thousand flows are not copied.
    pub fn take_totals(&mut self, flow: FlowId) -> Option<Totals> {
        self.flows.get_mut(&flow).map(|state| std::mem::take(&mut state.totals))
    }

    /// The whole ring of a flow.
    pub fn samples(&self, flow: FlowId) -> Option<&Ring<Sample>> {
        self.flows.get(&flow).map(|state| &state.samples)
    }

    /// Forgets a flow; whether there was one.
    pub fn remove_flow(&mut self, flow: FlowId) -> bool {
        self.flows.remove(&flow).is_some()
    }

    /// Bytes that a flow takes here at most, once its ring is full.
    pub fn full_flow_bytes(&self) -> usize {
        let sample = size_of::<Sample>() + self.bucket_bytes;
        FlowState::new(0, 0, 0).state_bytes()
            + RxTotals::default().state_bytes()
            + self.capacity * sample
    }

    /// Bytes that one flow takes here.
    pub fn flow_bytes(&self, flow: FlowId) -> Option<usize> {
        self.flows.get(&flow).map(FlowState::state_bytes)
    }
}
