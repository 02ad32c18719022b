//! Which stream sends which frames of which flow on which queue. Pure.

use crate::{
    spec::{End, Flow, Spec},
    tx::Pace,
    units::{QueueId, Rate, Ratio, StreamId},
};

/// What the plan needs to know of a port.
#[derive(Debug, Clone, Copy)]
pub(super) struct PortLimits {
    /// Line rate in bits per second.
    pub(super) link_bps: u64,
    /// TX queues that exist.
    pub(super) tx_queues: u32,
}

/// One stream: a flow's share on one TX queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    /// Index in [`Spec::flows`].
    pub(super) flow: usize,
    /// Index in [`Spec::ports`].
    pub(super) port: usize,
    pub(super) queue: QueueId,
    /// It sends the flow's frames `first`, `first + stride`, ...
    pub(super) first: u32,
    pub(super) stride: u32,
}

/// What one copy-mode queue carries with room to spare; above it a flow is striped.
const QUEUE_FPS: u64 = 500_000;

/// Assigns every flow to queues. At most `cores` workers in all, shared fairly by the
/// ports that send, so that no worker waits for another's core.
pub(super) fn assign(spec: &Spec, ports: &[PortLimits], cores: usize) -> Vec<Stream> {
    let mut sending: Vec<usize> = spec.flows.iter().map(|flow| flow.tx).collect();
    sending.sort_unstable();
    sending.dedup();
    let workers_per_port = (cores / sending.len().max(1)).max(1) as u32;
    let mut next_queue = vec![0_u32; spec.ports.len()];
    let mut streams = Vec::new();
    for (flow_index, flow) in spec.flows.iter().enumerate() {
        let workers = ports[flow.tx].tx_queues.min(workers_per_port).max(1);
        let stride = stripes(flow, ports[flow.tx].link_bps).min(workers);
        for first in 0..stride {
            let queue = QueueId(next_queue[flow.tx] % workers);
            next_queue[flow.tx] += 1;
            let id = StreamId(streams.len() as u16);
            streams.push(Stream { id, flow: flow_index, port: flow.tx, queue, first, stride });
        }
    }
    streams
}

fn stripes(flow: &Flow, link_bps: u64) -> u32 {
    if flow.burst.is_some() {
        return 1; // a train is one queue's
    }
    match flow.frames_per_second(link_bps) {
        None => u32::MAX,
        Some(fps) => (fps.floor() as u64 / QUEUE_FPS + 1).min(u64::from(u32::MAX)) as u32,
    }
}

/// The spacing of the flow's frames on a link of `link_bps`.
pub(super) fn pace(flow: &Flow, link_bps: u64) -> Pace {
    let interval = |fps: Ratio| Ratio::from(1_000_000_000).over(fps);
    match (flow.frames_per_second(link_bps), flow.burst) {
        (None, None) => Pace::Max,
        (Some(fps), None) => Pace::Constant { interval_ns: interval(fps) },
        (fps, Some(burst)) => Pace::Burst {
            // A train at "max" leaves at line rate.
            interval_ns: interval(
                fps.or_else(|| line_fps(flow, link_bps)).unwrap_or(Ratio::from(1_000_000_000)),
            ),
            frames: burst.frames,
            gap_ns: burst.gap.as_nanos() as u64,
        },
    }
}

fn line_fps(flow: &Flow, link_bps: u64) -> Option<Ratio> {
    Rate::LineShare(Ratio::from(1)).frames_per_second(link_bps, flow.mean_size())
}

/// Frames the whole flow is to send; `None`: as many as fit until the stop.
pub(super) fn requested_frames(flow: &Flow, link_bps: u64) -> Option<u64> {
    match (flow.end, flow.burst) {
        (End::Frames(frames), _) => Some(frames),
        // Trains have no even rate; what fits is what was asked.
        (End::After(_), Some(_)) | (End::Never, _) => None,
        (End::After(_), None) => flow.requested_frames(flow.frames_per_second(link_bps)?),
    }
}

/// How many of the flow's `frames` the stream sends.
pub(super) fn share(stream: &Stream, frames: u64) -> u64 {
    frames.saturating_sub(u64::from(stream.first)).div_ceil(u64::from(stream.stride))
}

/// Mean frames a second that the flow is to keep; `None` at "max" and in bursts.
pub(super) fn intended_pps(flow: &Flow, link_bps: u64) -> Option<f64> {
    let fps = flow.frames_per_second(link_bps)?;
    flow.burst.is_none().then(|| fps.to_f64())
}

/// CLOCK_MONOTONIC of the flow's end, where time ends it.
pub(super) fn stop_ns(flow: &Flow, start_ns: u64) -> Option<u64> {
    match flow.end {
        End::After(time) => Some(start_ns.saturating_add(time.as_nanos() as u64)),
        End::Frames(_) | End::Never => None,
    }
}

/// Nanoseconds between frames of the flow, rounded down; 0 at "max".
pub(super) fn interval_ns(pace: Pace) -> u64 {
    match pace {
        Pace::Max => 0,
        Pace::Constant { interval_ns } | Pace::Burst { interval_ns, .. } => {
            interval_ns.floor() as u64
        }
    }
}
