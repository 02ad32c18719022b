//! What a client has set up, and what became of it so far.

use super::{
    convert::{Plan, PlannedFlow, original},
    model::Activity,
    refusal::{Failure, Refusal},
};
use crate::serve::engine::{EngineError, Event, FlowTotals, RunPhase, RunSnapshot};
use crate::{report::SampleRow, units::monotonic_ns};
use serde_json::Value;
use std::{
    collections::HashMap,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Everything that is kept between two requests.
#[derive(Debug)]
pub(super) struct State {
    /// The configuration as it was given, without nulls.
    pub(super) document: Value,
    pub(super) plan: Plan,
    pub(super) run: Option<Run>,
    /// Of every port of the plan.
    pub(super) ports: Vec<PortState>,
    /// By index of the port.
    pub(super) captures: HashMap<usize, Capture>,
}

/// The last transmission.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) number: u64,
    /// Its result is there, or it broke off.
    pub(super) over: bool,
    /// Why it broke off.
    pub(super) fault: Option<String>,
    /// Of every flow of the plan.
    pub(super) flows: Vec<FlowState>,
    /// CLOCK_REALTIME less CLOCK_MONOTONIC at its start, ns.
    epoch_ns: u64,
    phase: RunPhase,
}

/// What the client has asked of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Not started yet.
    Wait,
    Send,
    Pause,
    /// Stopped before its end.
    Stop,
}

/// A flow of the last transmission.
#[derive(Debug)]
pub(super) struct FlowState {
    pub(super) order: Order,
    pub(super) totals: FlowTotals,
    /// The interval that ended last.
    pub(super) latest: Option<SampleRow>,
    /// What a frame takes on the wire, as planned when it was started.
    pub(super) wire_ns: Option<f64>,
    /// Frames sent in intervals whose loss is final, and how many of them were lost.
    settled: (u64, f64),
    /// Share of the frames lost, once that is final.
    loss_ratio: Option<f64>,
}

/// What the kernel counted on a port.
#[derive(Debug, Clone, Default)]
pub(super) struct PortState {
    /// When the counters were cleared.
    pub(super) base: Counted,
    /// What was answered last, and when.
    pub(super) last: Option<(Instant, Counted, [f64; 4])>,
    /// What is seen of the link, and since when, ns since 1970.
    pub(super) link: Option<(bool, u64)>,
}

/// Frames and octets with FCS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) tx_frames: u64,
    pub(super) rx_frames: u64,
    pub(super) tx_bytes: u64,
    pub(super) rx_bytes: u64,
}

/// A capture at a port.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) number: u64,
    /// It writes nothing any more.
    pub(super) over: bool,
    /// Why it ended by itself.
    pub(super) fault: Option<String>,
}

impl State {
    pub(super) fn new(document: Value, plan: Plan) -> Self {
        let ports = vec![PortState::default(); plan.ports.len()];
        Self { document, plan, run: None, ports, captures: HashMap::new() }
    }

    /// The transmission that goes on.
    pub(super) fn running(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| !run.over)
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut Run> {
        self.run.as_mut().filter(|run| !run.over)
    }

    /// Takes notice of what happened; false: it is about something else.
    pub(super) fn hear(&mut self, event: &Event) -> bool {
        match event {
            Event::Snapshot(snapshot) => self.with_run(snapshot.run, |run| run.show(snapshot)),
            Event::Done { run, result } => self.with_run(*run, |run| run.end(&result.to_value())),
            Event::Failed { run, reason } => self.with_run(*run, |run| run.fail(reason)),
            Event::CaptureDone { capture, fault, .. } => {
                let mine = self.captures.values_mut().find(|mine| mine.number == *capture);
                mine.map(|mine| {
                    mine.over = true;
                    mine.fault.clone_from(fault);
                })
                .is_some()
            }
            // Of its own runs nobody draws anything.
            Event::Histograms(drawn) => self.with_run(drawn.run, |_| ()),
            Event::Suite(_) => false,
        }
    }

    /// Nothing that was going on goes on.
    pub(super) fn end_all(&mut self, reason: &str) {
        if let Some(run) = self.running_mut() {
            run.fail(reason);
        }
        for capture in self.captures.values_mut().filter(|capture| !capture.over) {
            capture.over = true;
            capture.fault = Some(reason.to_owned());
        }
    }

    fn with_run(&mut self, number: u64, act: impl FnOnce(&mut Run)) -> bool {
        self.run.as_mut().filter(|run| run.number == number).map(act).is_some()
    }

    /// What the engine says of the flows, at the place in the configuration.
    pub(super) fn refused(&self, error: EngineError) -> Failure {
        let EngineError::Invalid { place, message } = &error else { return error.into() };
        let headers = |flow: usize| self.plan.flows.get(flow).map(|flow| &flow.headers[..]);
        match original(place, &headers) {
            Some(path) => Refusal::at(&path, message).into(),
            None => error.into(),
        }
    }

    /// Whether a flow is being sent, or would go on.
    pub(super) fn sends(&self) -> bool {
        (0..self.plan.flows.len()).any(|flow| self.activity(flow) != Activity::Stopped)
    }

    /// What a flow does.
    pub(super) fn activity(&self, index: usize) -> Activity {
        let Some(run) = self.running() else { return Activity::Stopped };
        let (flow, planned) = (&run.flows[index], &self.plan.flows[index]);
        let sent_all = planned.frames.is_some_and(|frames| flow.totals.tx_frames >= frames);
        match flow.order {
            Order::Wait | Order::Stop => Activity::Stopped,
            _ if run.phase != RunPhase::Sending || sent_all => Activity::Stopped,
            Order::Pause => Activity::Paused,
            Order::Send => Activity::Started,
        }
    }
}

impl Run {
    /// A run whose flows send but for those that wait.
    pub(super) fn new(number: u64, flows: &[PlannedFlow], waits: impl Fn(usize) -> bool) -> Self {
        let flow = |(index, planned): (usize, &PlannedFlow)| FlowState {
            order: if waits(index) { Order::Wait } else { Order::Send },
            totals: FlowTotals::default(),
            latest: None,
            wire_ns: planned.wire_ns,
            settled: (0, 0.0),
            loss_ratio: None,
        };
        Self {
            number,
            over: false,
            fault: None,
            flows: flows.iter().enumerate().map(flow).collect(),
            epoch_ns: now_ns().saturating_sub(monotonic_ns()),
            phase: RunPhase::Sending,
        }
    }

    fn show(&mut self, snapshot: &RunSnapshot) {
        self.phase = snapshot.phase;
        for (flow, live) in self.flows.iter_mut().zip(&snapshot.flows) {
            flow.totals = live.totals;
            flow.latest = Some(live.latest.clone());
            for row in &live.finished {
                let Some(loss_ratio) = row.loss_ratio else { continue };
                flow.settled.0 += row.tx_frames;
                flow.settled.1 += loss_ratio * row.tx_frames as f64;
            }
        }
    }

    fn end(&mut self, result: &Value) {
        self.over = true;
        let rows = result["flows"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (flow, row) in self.flows.iter_mut().zip(rows) {
            flow.latest = None;
            flow.loss_ratio = row["loss_ratio"].as_f64();
            let count = |key: &str| row[key].as_u64();
            let totals = &mut flow.totals;
            totals.tx_frames = count("tx_frames").unwrap_or(totals.tx_frames);
            totals.tx_bytes = count("tx_bytes").unwrap_or(totals.tx_bytes);
            totals.rx_frames = count("rx_frames").or(totals.rx_frames);
            totals.rx_bytes = count("rx_bytes").or(totals.rx_bytes);
            let ns = |key: &str| row["latency_ns"][key].as_f64().map(|ns| ns.round() as i64);
            totals.latency_min_ns = ns("min").or(totals.latency_min_ns);
            totals.latency_mean_ns = ns("mean").or(totals.latency_mean_ns);
            totals.latency_max_ns = ns("max").or(totals.latency_max_ns);
        }
    }

    fn fail(&mut self, reason: &str) {
        self.over = true;
        self.fault = Some(reason.to_owned());
        self.flows.iter_mut().for_each(|flow| flow.latest = None);
    }

    /// A time of CLOCK_MONOTONIC in ns since 1970.
    pub(super) fn epoch_ns(&self, monotonic_ns: u64) -> u64 {
        self.epoch_ns + monotonic_ns
    }
}

impl FlowState {
    /// Frames lost in per cent: of those whose fate is known. `None`: they have no tags, so it
    /// is known in the end alone.
    pub(super) fn loss_percent(&self) -> Option<f64> {
        let settled = || (self.settled.0 > 0).then(|| self.settled.1 / self.settled.0 as f64);
        let counted = self.totals.rx_frames.is_some() && self.totals.rx_unique_frames.is_none();
        let none_yet = || (!counted).then_some(0.0);
        Some(100.0 * self.loss_ratio.or_else(settled).or_else(none_yet)?)
    }
}

/// Nanoseconds since 1970.
pub(super) fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}
