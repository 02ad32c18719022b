//! Which stream sends which frames of which flow on which queue, and when. Pure.

use super::control::Clock;
use crate::{
    packet::tuple_turn,
    spec::{End, Flow, Leg, Order, Spec, frames_within},
    tx::{Pacer, Profile, Share, Spacing},
    units::{QueueId, StreamId},
};
use std::{collections::HashMap, time::Duration};

/// What the plan needs to know of a port.
#[derive(Debug, Clone, Copy)]
pub(super) struct PortLimits {
    /// Line rate in bits per second.
    pub(super) link_bps: u64,
    /// TX queues that exist.
    pub(super) tx_queues: u32,
    /// Whether the link has a speed of its own, and not one that the driver makes up.
    pub(super) physical: bool,
    /// Speed of the wire: of such a link, or as the file gives it.
    pub(super) wire_bps: Option<u64>,
}

/// One stream: a flow's share on one TX queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

impl Stream {
    /// How many of the flow's `frames` it sends.
    pub(super) fn share(&self, frames: u64) -> u64 {
        Share::of(self.first, self.stride, frames)
    }
}

/// What one copy-mode queue carries with room to spare; above it a flow is striped.
const QUEUE_FPS: u64 = 500_000;

/// Flows for each worker from which on those at "max" are not striped.
const CROWD: u32 = 64;

/// Assigns every flow to queues. At most `cores` workers in all, shared fairly by the
/// ports that send, so that no worker waits for another's core.
pub(super) fn assign(spec: &Spec, ports: &[PortLimits], cores: usize) -> Vec<Stream> {
    let mut sending: Vec<usize> = spec.flows.iter().map(|flow| flow.tx).collect();
    sending.sort_unstable();
    sending.dedup();
    let workers_per_port = (cores / sending.len().max(1)).max(1) as u32;
    let mut next_queue = vec![0_u32; spec.ports.len()];
    let mut flows = vec![0; spec.ports.len()];
    spec.flows.iter().for_each(|flow| flows[flow.tx] += 1);
    let mut streams = Vec::new();
    for (flow_index, flow) in spec.flows.iter().enumerate() {
        let workers = ports[flow.tx].tx_queues.min(workers_per_port).max(1);
        // So many fill every queue evenly, each on one of them.
        let crowd = flow.frames_per_second(ports[flow.tx].link_bps).is_none()
            && flows[flow.tx] >= CROWD * workers;
        let queues = if crowd { 1 } else { stripes(flow, ports[flow.tx].link_bps).min(workers) };
        // A stream for each tuple, on as few queues: so they leave in the flow's order.
        let stride = match flow.order {
            Order::Queue => queues,
            Order::Tuple => tuple_turn(flow).map_or(1, |tuples| tuples as u32),
        };
        let first_queue = next_queue[flow.tx];
        next_queue[flow.tx] += queues;
        for first in 0..stride {
            let queue = QueueId((first_queue + first % queues) % workers);
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

/// Whether the flows that leave by a port ask for more than copy mode carries: "max", or more
/// frames a second in all than one queue is given.
pub(super) fn is_fast(spec: &Spec, port: usize, link_bps: u64) -> bool {
    let flows = || spec.flows.iter().filter(|flow| flow.tx == port);
    let unlimited = |flow: &Flow| flow.burst.is_none() && flow.legs(link_bps).is_none();
    let fps = |flow: &Flow| Some(flow.frames_per_second(link_bps)?.to_f64());
    flows().any(unlimited) || flows().filter_map(fps).sum::<f64>() > QUEUE_FPS as f64
}

/// The pacer of one stream of the flow, which starts at `start_ns`; `None`: it waits for
/// nothing.
pub(super) fn pacer(
    flow: &Flow,
    link_bps: u64,
    stream: &Stream,
    phase: f64,
    start_ns: u64,
) -> Option<Pacer> {
    let frames = requested_frames(flow, link_bps);
    let share = Share { first: stream.first, stride: stream.stride, phase, frames };
    let profile = Profile::of(flow, link_bps, start_ns + delay_ns(flow))?;
    Some(Pacer::new(profile, Spacing::of(flow, stream.flow as u64), &share))
}

/// The part of a gap by which each flow starts later, so that the flows of a port take
/// turns: of n flows of one rate, the k-th by k/n. Rates are set apart from each other by
/// the golden ratio, which no ratio of their gaps brings together for long. A flow that sends
/// nothing has no turn.
pub(super) fn phases(spec: &Spec, link_bps: impl Fn(usize) -> u64) -> Vec<f64> {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let rate = |flow: &Flow| flow.frames_per_second(link_bps(flow.tx));
    let mut flows_of: HashMap<_, (usize, f64)> = HashMap::new();
    let mut rates_of = vec![0_u32; spec.ports.len()];
    let sends = |flow: &&Flow| flow.end != End::Frames(0);
    for flow in spec.flows.iter().filter(sends) {
        let (flows, _) = flows_of.entry((flow.tx, rate(flow))).or_insert_with(|| {
            rates_of[flow.tx] += 1;
            (0, f64::from(rates_of[flow.tx] - 1) * GOLDEN % 1.0)
        });
        *flows += 1;
    }
    let mut placed: HashMap<_, usize> = HashMap::new();
    let place = |flow: &Flow| {
        let key = (flow.tx, rate(flow));
        let Some(&(flows, apart)) = flows_of.get(&key) else { return 0.0 };
        let place = placed.entry(key).or_default();
        *place += 1;
        ((*place - 1) as f64 + apart) / flows as f64
    };
    spec.flows.iter().map(place).collect()
}

/// Frames the whole flow is to send; `None`: as many as fit until the stop.
pub(super) fn requested_frames(flow: &Flow, link_bps: u64) -> Option<u64> {
    match (flow.end, flow.burst) {
        (End::Frames(frames), _) => Some(frames),
        // Trains have no even rate; what fits is what was asked.
        (End::After(_), Some(_)) | (End::Never, _) => None,
        (End::After(_), None) if flow.schedule.is_empty() => {
            flow.requested_frames(flow.frames_per_second(link_bps)?)
        }
        (End::After(time), None) => {
            Some(frames_within(&flow.legs(link_bps)?, time.as_nanos() as u64))
        }
    }
}

/// How much later than the trial the flow starts.
pub(super) fn delay_ns(flow: &Flow) -> u64 {
    flow.delay.as_nanos() as u64
}

/// Mean frames a second that a flow of this rate is to keep from its start until `last_ns`,
/// its last frame, on a clock that stood at times; `None` at "max" and in bursts.
pub(super) fn intended_pps(
    flow: &Flow,
    legs: Option<&[Leg]>,
    start_ns: u64,
    last_ns: Option<u64>,
    clock: &Clock,
) -> Option<f64> {
    let legs = legs.filter(|_| flow.burst.is_none())?;
    // A flow that began paused began later.
    let first_ns = start_ns + clock.stood_ns(start_ns + 1);
    let paused = |last_ns| start_ns + clock.stood_ns(last_ns) > first_ns;
    match last_ns.filter(|&last_ns| legs.len() > 1 || paused(last_ns)) {
        Some(last_ns) if last_ns > first_ns => {
            let seconds = (last_ns - first_ns) as f64 / 1e9;
            Some(Profile::new(legs, start_ns).frames_by(clock.at(last_ns)) / seconds)
        }
        _ => Some(legs[0].to.to_f64()),
    }
}

/// How long the flow takes; `None`: not known before.
pub(super) fn planned(flow: &Flow, link_bps: u64) -> Option<Duration> {
    match flow.end {
        End::After(time) => Some(time.saturating_add(flow.delay)),
        End::Never => None,
        End::Frames(frames) => {
            let mut profile = Profile::of(flow, link_bps, 0)?;
            let trains = flow.burst.map_or(Duration::ZERO, |burst| {
                burst.gap.saturating_mul((frames / burst.frames.max(1)) as u32)
            });
            let sending = Duration::from_nanos(profile.due_ns(frames as f64));
            Some(sending.saturating_add(trains).saturating_add(flow.delay))
        }
    }
}

/// CLOCK_MONOTONIC of the flow's end, where time ends it.
pub(super) fn stop_ns(flow: &Flow, start_ns: u64) -> Option<u64> {
    match flow.end {
        End::After(time) => {
            Some(start_ns.saturating_add(delay_ns(flow)).saturating_add(time.as_nanos() as u64))
        }
        End::Frames(_) | End::Never => None,
    }
}
