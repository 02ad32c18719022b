//! A run as it is shown while it goes on: the one struct behind every interface.

use crate::{
    collect::Coarse,
    report::SampleRow,
    rx::Counters,
    session::{self, FlowSnapshot, ToldBy},
    units::FCS_BYTES,
};
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunPhase {
    /// Frames are being sent.
    Sending,
    /// Waiting for frames in flight.
    Draining,
    /// Everything is counted.
    Done,
}

impl From<session::Phase> for RunPhase {
    fn from(phase: session::Phase) -> Self {
        match phase {
            session::Phase::Sending => Self::Sending,
            session::Phase::Draining => Self::Draining,
            session::Phase::Done => Self::Done,
        }
    }
}

/// A run at the end of an interval: what every interface shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunSnapshot {
    /// The run.
    pub run: u64,
    /// Where it stands.
    pub phase: RunPhase,
    /// Since the first frame was due.
    pub elapsed_ns: u64,
    /// In the order of the file.
    pub flows: Vec<LiveFlow>,
}

/// A flow at the end of an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LiveFlow {
    /// Name of the row.
    pub name: String,
    /// The interval that just ended; its loss is not known yet.
    pub latest: SampleRow,
    /// Intervals that became final since the snapshot before, oldest first.
    pub finished: Vec<SampleRow>,
    /// Since the run began.
    pub totals: FlowTotals,
}

/// What frames of a run look like at the end of an interval, for those who draw it: told beside
/// the snapshot, for most readers want none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHistograms {
    /// The run.
    pub run: u64,
    /// In the order of the file.
    pub flows: Vec<FlowHistograms>,
}

/// The same of a flow; buckets are those of [`coarse_edges`](crate::collect::coarse_edges).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowHistograms {
    /// Name of the row.
    pub name: String,
    /// End of the interval, as of its sample.
    pub t: u64,
    /// Latency of what arrived in it.
    pub latency: Option<Coarse>,
    /// Times between arrivals since the run began.
    pub rx_gap: Option<Coarse>,
    /// Times between submits since the run began.
    pub tx_gap: Option<Coarse>,
}

impl RunHistograms {
    /// Of the session's.
    pub fn new(run: u64, snapshot: &session::Snapshot) -> Self {
        let flow = |flow: &session::FlowSnapshot| {
            let session::FlowHistograms { latency, rx_gap, tx_gap } = flow.histograms.clone();
            let t = flow.latest.time_ns.saturating_sub(snapshot.base_ns);
            FlowHistograms { name: flow.name.clone(), t, latency, rx_gap, tx_gap }
        };
        Self { run, flows: snapshot.flows.iter().map(flow).collect() }
    }
}

/// What a flow has done since its run began. `None`: not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the keys of linerate.run/1")]
pub struct FlowTotals {
    pub tx_frames: u64,
    pub tx_bytes: u64,
    pub rx_frames: Option<u64>,
    pub rx_bytes: Option<u64>,
    pub rx_unique_frames: Option<u64>,
    pub duplicate_frames: Option<u64>,
    pub reordered_frames: Option<u64>,
    pub late_frames: Option<u64>,
    pub corrupt_frames: Option<u64>,
    pub misdirected_frames: Option<u64>,
    pub stale_frames: Option<u64>,
    /// Latency as stamped.
    pub latency_min_ns: Option<i64>,
    pub latency_mean_ns: Option<i64>,
    pub latency_max_ns: Option<i64>,
    /// Arrival of the first and the last frame, CLOCK_MONOTONIC.
    pub first_rx_ns: Option<u64>,
    pub last_rx_ns: Option<u64>,
}

impl FlowTotals {
    fn new(flow: &FlowSnapshot) -> Self {
        let FlowSnapshot { tx_frames, tx_bytes, told_by, .. } = *flow;
        let rx = flow.rx.as_ref();
        let each = rx.filter(|_| told_by.knows_each());
        let tagged = rx.filter(|_| told_by == ToldBy::Tag);
        let with_fcs = |frames: u64, bytes: u64| bytes + frames * u64::from(FCS_BYTES);
        let mean_ns = |rx: &Counters| {
            let timed = i128::from(rx.timed);
            (timed > 0).then(|| (rx.latency_sum_ns / timed) as i64)
        };
        Self {
            tx_frames,
            tx_bytes: with_fcs(tx_frames, tx_bytes),
            rx_frames: rx.map(Counters::frames),
            rx_bytes: rx.map(|rx| with_fcs(rx.frames(), rx.bytes)),
            rx_unique_frames: each.map(|rx| rx.unique),
            duplicate_frames: each.map(|rx| rx.duplicate),
            reordered_frames: tagged.map(|rx| rx.reordered),
            late_frames: tagged.map(|rx| rx.late),
            corrupt_frames: tagged.map(|rx| rx.corrupt),
            misdirected_frames: rx.filter(|_| told_by.knows_strays()).map(|rx| rx.misdirected),
            stale_frames: tagged.map(|rx| rx.stale),
            latency_min_ns: rx.and_then(|rx| rx.latency_min_ns),
            latency_mean_ns: rx.and_then(mean_ns),
            latency_max_ns: rx.and_then(|rx| rx.latency_max_ns),
            first_rx_ns: rx.and_then(|rx| rx.first_rx_ns),
            last_rx_ns: rx.and_then(|rx| rx.last_rx_ns),
        }
    }
}

impl RunSnapshot {
    /// Of the session's.
    pub fn new(run: u64, snapshot: &session::Snapshot) -> Self {
        let row = |sample| SampleRow::new(sample, snapshot.base_ns);
        let flows = snapshot.flows.iter().map(|flow| LiveFlow {
            name: flow.name.clone(),
            latest: row(&flow.latest),
            finished: flow.finished.iter().map(row).collect(),
            totals: FlowTotals::new(flow),
        });
        Self {
            run,
            phase: snapshot.phase.into(),
            elapsed_ns: snapshot.elapsed.as_nanos() as u64,
            flows: flows.collect(),
        }
    }
}
