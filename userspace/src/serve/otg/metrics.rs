//! Answers to POST /monitor/metrics.

use super::{
    convert::{Measured, PlannedFlow},
    model::{
        Activity, FlowColumn, FlowMetric, FlowMetricsRequest, LatencyMetric, LatencyMode, Link,
        PortColumn, PortMetric, PortMetricsRequest, Real, Timestamps, Whole,
    },
    refusal::{At, Refusal},
    state::{Counted, FlowState, PortState, Run, State, now_ns},
};
use crate::serve::engine::PortCount;
use crate::units::{FCS_BYTES, L1_OVERHEAD_BYTES};
use std::time::{Duration, Instant};

/// Rates of ports are means over at least so long.
const RATE_WINDOW: Duration = Duration::from_millis(100);

/// The indices of the things named, in their order; none named: all.
pub(super) fn named<'a>(
    wanted: Option<&[String]>,
    names: impl Iterator<Item = &'a str> + Clone,
    what: &str,
    at: &At<'_>,
) -> Result<Vec<usize>, Refusal> {
    match wanted {
        None | Some([]) => Ok((0..names.count()).collect()),
        Some(wanted) => {
            let find = |(index, name): (usize, &String)| {
                let found = names.clone().position(|other| other == name);
                found
                    .ok_or_else(|| at.index(index).refuse(format!("there is no {what} \"{name}\"")))
            };
            wanted.iter().enumerate().map(find).collect()
        }
    }
}

/// What is known of the flows asked for.
pub(super) fn flows(
    state: &State,
    request: &FlowMetricsRequest,
) -> Result<Vec<FlowMetric>, Refusal> {
    let root = At::root("flow");
    let names = state.plan.flows.iter().map(|flow| flow.name.as_str());
    let at = root.key("flow_names");
    let all = request.flow_names.as_ref().is_none_or(Vec::is_empty);
    let indices = named(request.flow_names.as_deref(), names, "flow", &at)?;
    let mut metrics = Vec::new();
    for (place, index) in indices.into_iter().enumerate() {
        let planned = &state.plan.flows[index];
        match planned.metrics {
            Some(measured) => {
                let mut metric = flow(state, index, planned, measured);
                if let Some(columns @ [_, ..]) = request.metric_names.as_deref() {
                    keep_flow(&mut metric, columns);
                }
                metrics.push(metric);
            }
            None if all => (),
            None => {
                let problem = format!("flow \"{}\" has no metrics.enable", planned.name);
                return Err(at.index(place).refuse(problem));
            }
        }
    }
    Ok(metrics)
}

fn flow(state: &State, index: usize, planned: &PlannedFlow, measured: Measured) -> FlowMetric {
    let port = |port: usize| state.plan.ports[port].name.clone();
    let live = state.run.as_ref().map(|run| (run, &run.flows[index]));
    let totals = live.map(|(_, flow)| flow.totals).unwrap_or_default();
    let activity = state.activity(index);
    let latest = live.and_then(|(_, flow)| flow.latest.as_ref());
    let latest = latest.filter(|_| activity == Activity::Started);
    let tx_pps = latest.map_or(0.0, |row| row.tx_pps);
    let rx_pps = latest.and_then(|row| row.rx_pps).unwrap_or(0.0);
    let tx_bps = latest.map_or(0.0, |row| row.tx_bps_l2);
    let rx_bps = latest.and_then(|row| row.rx_bps_l2).unwrap_or(0.0);
    let l1 = |bps: f64, pps: f64| real(bps + pps * 8.0 * f64::from(L1_OVERHEAD_BYTES));
    FlowMetric {
        name: planned.name.clone(),
        port_tx: Some(port(planned.tx)),
        port_rx: Some(planned.rx.iter().map(|&rx| port(rx)).collect::<Vec<_>>().join(",")),
        transmit: Some(activity),
        frames_tx: whole(totals.tx_frames),
        frames_rx: whole(totals.rx_frames.unwrap_or(0)),
        bytes_tx: whole(totals.tx_bytes),
        bytes_rx: whole(totals.rx_bytes.unwrap_or(0)),
        frames_tx_rate: real(tx_pps),
        frames_rx_rate: real(rx_pps),
        tx_l1_rate_bps: l1(tx_bps, tx_pps),
        rx_l1_rate_bps: l1(rx_bps, rx_pps),
        tx_rate_bytes: real(tx_bps / 8.0),
        rx_rate_bytes: real(rx_bps / 8.0),
        tx_rate_bps: real(tx_bps),
        rx_rate_bps: real(rx_bps),
        tx_rate_kbps: real(tx_bps / 1e3),
        rx_rate_kbps: real(rx_bps / 1e3),
        tx_rate_mbps: real(tx_bps / 1e6),
        rx_rate_mbps: real(rx_bps / 1e6),
        loss: if measured.loss {
            live.map_or(real(0.0), |(_, flow)| flow.loss_percent().map(Real))
        } else {
            None
        },
        timestamps: live.filter(|_| measured.timestamps).and_then(|(run, flow)| stamps(run, flow)),
        latency: measured.latency.and_then(|mode| latency(live?.1, mode)),
    }
}

fn stamps(run: &Run, flow: &FlowState) -> Option<Timestamps> {
    let epoch = |ns: u64| Real(run.epoch_ns(ns) as f64);
    Some(Timestamps {
        first_timestamp_ns: epoch(flow.totals.first_rx_ns?),
        last_timestamp_ns: epoch(flow.totals.last_rx_ns?),
    })
}

/// The engine measures from the last bit that left to the first that came (RFC 1242,
/// store-and-forward) where links have a speed. From the first bit, a frame takes its own
/// time on the wire longer. A veth has no wire: first and last bit leave at once.
fn latency(flow: &FlowState, mode: LatencyMode) -> Option<LatencyMetric> {
    let more_ns = match mode {
        LatencyMode::StoreForward => 0.0,
        LatencyMode::CutThrough => flow.wire_ns.unwrap_or(0.0),
    };
    let ns = |value: Option<i64>| Some(Real(value? as f64 + more_ns));
    Some(LatencyMetric {
        minimum_ns: ns(flow.totals.latency_min_ns)?,
        maximum_ns: ns(flow.totals.latency_max_ns)?,
        average_ns: ns(flow.totals.latency_mean_ns)?,
    })
}

#[allow(clippy::unnecessary_wraps, reason = "columns can be left out")]
fn whole(count: u64) -> Option<Whole> {
    Some(Whole(count))
}

#[allow(clippy::unnecessary_wraps, reason = "columns can be left out")]
fn real(value: f64) -> Option<Real> {
    Some(Real(value))
}

/// Leaves out what was not asked for.
macro_rules! keep {
    ($metric:ident, $columns:ident, $of:ident, $($column:ident $field:ident,)*) => {
        $(if !$columns.contains(&$of::$column) {
            $metric.$field = None;
        })*
    };
}

fn keep_flow(metric: &mut FlowMetric, columns: &[FlowColumn]) {
    keep!(metric, columns, FlowColumn,
        Transmit transmit, FramesTx frames_tx, FramesRx frames_rx, BytesTx bytes_tx,
        BytesRx bytes_rx, FramesTxRate frames_tx_rate, FramesRxRate frames_rx_rate,
        TxL1RateBps tx_l1_rate_bps, RxL1RateBps rx_l1_rate_bps, TxRateBytes tx_rate_bytes,
        RxRateBytes rx_rate_bytes, TxRateBps tx_rate_bps, RxRateBps rx_rate_bps,
        TxRateKbps tx_rate_kbps, RxRateKbps rx_rate_kbps, TxRateMbps tx_rate_mbps,
        RxRateMbps rx_rate_mbps,
    );
}

fn keep_port(metric: &mut PortMetric, columns: &[PortColumn]) {
    keep!(metric, columns, PortColumn,
        Location location, Link link, Capture capture, Transmit transmit, FramesTx frames_tx,
        FramesRx frames_rx, BytesTx bytes_tx, BytesRx bytes_rx, FramesTxRate frames_tx_rate,
        FramesRxRate frames_rx_rate, BytesTxRate bytes_tx_rate, BytesRxRate bytes_rx_rate,
        LastChange last_change, Speed speed,
    );
}

/// The ports asked for.
pub(super) fn ports_asked(
    state: &State,
    request: &PortMetricsRequest,
) -> Result<Vec<usize>, Refusal> {
    let root = At::root("port");
    let names = state.plan.ports.iter().map(|port| port.name.as_str());
    named(request.port_names.as_deref(), names, "port", &root.key("port_names"))
}

/// What is known of these ports, by what the kernel has counted just now.
pub(super) fn ports(
    state: &mut State,
    request: &PortMetricsRequest,
    counts: &[(usize, PortCount)],
) -> Vec<PortMetric> {
    let mut metrics = Vec::with_capacity(counts.len());
    for (index, count) in counts {
        let sending = (0..state.plan.flows.len())
            .filter(|&flow| state.plan.flows[flow].tx == *index)
            .any(|flow| state.activity(flow) != Activity::Stopped);
        let capturing = state.captures.get(index).is_some_and(|capture| !capture.over);
        let activity = |on| Some(if on { Activity::Started } else { Activity::Stopped });
        let port = &mut state.ports[*index];
        let now = Counted::from(count);
        let gained = now.since(&port.base);
        let [tx_pps, rx_pps, tx_bytes, rx_bytes] = port.rates(now);
        let since_ns = port.see_link(count.link);
        let planned = &state.plan.ports[*index];
        let mut metric = PortMetric {
            name: planned.name.clone(),
            location: Some(planned.location.clone()),
            link: Some(if count.link { Link::Up } else { Link::Down }),
            capture: activity(capturing),
            transmit: activity(sending),
            frames_tx: whole(gained.tx_frames),
            frames_rx: whole(gained.rx_frames),
            bytes_tx: whole(gained.tx_bytes),
            bytes_rx: whole(gained.rx_bytes),
            frames_tx_rate: real(tx_pps),
            frames_rx_rate: real(rx_pps),
            bytes_tx_rate: real(tx_bytes),
            bytes_rx_rate: real(rx_bytes),
            last_change: whole(since_ns),
            speed: whole(planned.line_bps.or(planned.link_bps).unwrap_or(0)),
        };
        if let Some(columns @ [_, ..]) = request.column_names.as_deref() {
            keep_port(&mut metric, columns);
        }
        metrics.push(metric);
    }
    metrics
}

impl From<&PortCount> for Counted {
    fn from(count: &PortCount) -> Self {
        let with_fcs = |frames: u64, bytes: u64| bytes + frames * u64::from(FCS_BYTES);
        Self {
            tx_frames: count.tx_frames,
            rx_frames: count.rx_frames,
            tx_bytes: with_fcs(count.tx_frames, count.tx_bytes),
            rx_bytes: with_fcs(count.rx_frames, count.rx_bytes),
        }
    }
}

impl Counted {
    fn since(&self, before: &Self) -> Self {
        Self {
            tx_frames: self.tx_frames.saturating_sub(before.tx_frames),
            rx_frames: self.rx_frames.saturating_sub(before.rx_frames),
            tx_bytes: self.tx_bytes.saturating_sub(before.tx_bytes),
            rx_bytes: self.rx_bytes.saturating_sub(before.rx_bytes),
        }
    }
}

impl PortState {
    /// Frames and octets a second, sent and received, since it was asked before.
    fn rates(&mut self, now: Counted) -> [f64; 4] {
        let Some((at, before, rates)) = &self.last else {
            self.last = Some((Instant::now(), now, [0.0; 4]));
            return [0.0; 4];
        };
        if at.elapsed() < RATE_WINDOW {
            return *rates;
        }
        let (gained, seconds) = (now.since(before), at.elapsed().as_secs_f64());
        let rates = [gained.tx_frames, gained.rx_frames, gained.tx_bytes, gained.rx_bytes]
            .map(|count| count as f64 / seconds);
        self.last = Some((Instant::now(), now, rates));
        rates
    }

    /// Since when the link is as it is, as far as that was seen.
    fn see_link(&mut self, up: bool) -> u64 {
        match self.link {
            Some((was, since_ns)) if was == up => since_ns,
            _ => {
                let since_ns = now_ns();
                self.link = Some((up, since_ns));
                since_ns
            }
        }
    }
}
