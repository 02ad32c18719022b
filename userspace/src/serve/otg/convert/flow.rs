//! One flow.

use super::{
    super::{
        Refusal,
        model::{EndForm, Flow, LatencyMode, Metrics, PayloadForm, RatioForm, TxRx},
        refusal::At,
    },
    Measured, PlannedPort, header,
    load::{self, Line},
    size,
};
use crate::{
    spec,
    units::{Rate, Ratio},
};
use serde_json::{Map, Value, json};

/// A flow in the shape of the flow file, and what is not in that.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) keys: Map<String, Value>,
    /// Of each layer the index of the header that it comes from.
    pub(super) headers: Vec<usize>,
    pub(super) tx: usize,
    pub(super) rx: Vec<usize>,
    pub(super) metrics: Option<Measured>,
    /// Speed of the sending port's line.
    line: Line,
    /// Octets between two frames at least.
    gap: u64,
}

impl Part {
    /// How many frames the flow sends in all, if that can be told.
    pub(super) fn frames(&self, flow: &spec::Flow) -> Option<u64> {
        match flow.end {
            spec::End::Frames(frames) => Some(frames),
            // Of trains only the engine knows.
            _ if flow.burst.is_some() => None,
            _ if matches!(flow.rate, Rate::LineShare(_)) && self.line.bps.is_none() => None,
            _ => flow.requested_frames(flow.frames_per_second(self.line.bps.unwrap_or(0))?),
        }
    }
}

pub(super) fn convert(
    flow: &Flow,
    ports: &[PlannedPort],
    at: &At<'_>,
    warnings: &mut Vec<String>,
) -> Result<Part, Refusal> {
    if flow.egress_packet.as_ref().is_some_and(|headers| !headers.is_empty()) {
        return Err(at.key("egress_packet").refuse("egress tracking is not supported"));
    }
    if let Some(payload) = &flow.payload
        && payload.choice != Some(PayloadForm::IncrementByte)
    {
        return Err(at.key("payload").refuse("allowed: increment_byte"));
    }
    let (tx, rx) = ends(&flow.tx_rx, ports, &at.key("tx_rx"))?;
    let metrics = metrics(flow.metrics.as_ref(), rx.len(), &at.key("metrics"))?;
    let line = Line { bps: ports[tx].line_bps.or(ports[tx].link_bps) };
    let packet = at.key("packet");
    let headers = flow.packet.as_deref().unwrap_or_default();
    if headers.is_empty() {
        return Err(packet.refuse("no header at all; the first is ethernet"));
    }
    let stack = header::stack(headers, &packet)?;
    let duration = load::duration(flow.duration.as_ref(), line, &at.key("duration"))?;
    let (mut keys, gap) = duration;
    keys.insert("name".into(), json!(flow.name));
    keys.insert("tx".into(), json!(ports[tx].name));
    if !rx.is_empty() {
        let names: Vec<_> = rx.iter().map(|&port| &ports[port].name).collect();
        keys.insert("rx".into(), json!(names));
    }
    let rate = load::rate(flow.rate.as_ref(), ports[tx].line_bps, &at.key("rate"))?;
    keys.insert("rate".into(), json!(rate));
    keys.insert("size".into(), size::size(flow.size.as_ref(), &at.key("size"), warnings)?);
    keys.insert("layers".into(), json!(stack.layers));
    keys.insert("track".into(), json!("none"));
    Ok(Part { name: flow.name.clone(), keys, headers: stack.headers, tx, rx, metrics, line, gap })
}

/// The index of the port with this name.
pub(super) fn port_index(name: &str, ports: &[PlannedPort], at: &At<'_>) -> Result<usize, Refusal> {
    ports
        .iter()
        .position(|port| port.name == name)
        .ok_or_else(|| at.refuse(format!("there is no port \"{name}\"")))
}

fn ends(tx_rx: &TxRx, ports: &[PlannedPort], at: &At<'_>) -> Result<(usize, Vec<usize>), Refusal> {
    let given = [(EndForm::Port, "port", tx_rx.port.is_some())];
    super::chosen(tx_rx.choice, &given, EndForm::Port, at)?;
    let at = at.key("port");
    let Some(port) = &tx_rx.port else { return Err(at.refuse("`tx_name` is missing")) };
    let tx = port_index(&port.tx_name, ports, &at.key("tx_name"))?;
    let mut rx: Vec<usize> = Vec::new();
    let names = at.key("rx_names");
    for (index, name) in port.rx_names.iter().flatten().enumerate() {
        let at = names.index(index);
        let port = port_index(name, ports, &at)?;
        if rx.contains(&port) {
            return Err(at.refuse(format!("\"{name}\" stands there twice")));
        }
        rx.push(port);
    }
    // The older form, which many scripts still use.
    if let Some(name) = &port.rx_name {
        let at = at.key("rx_name");
        let port = port_index(name, ports, &at)?;
        match rx[..] {
            [] => rx.push(port),
            [only] if only == port => (),
            _ => return Err(at.refuse("it is another port than `rx_names` has")),
        }
    }
    Ok((tx, rx))
}

fn metrics(
    metrics: Option<&Metrics>,
    receivers: usize,
    at: &At<'_>,
) -> Result<Option<Measured>, Refusal> {
    let Some(metrics) = metrics else { return Ok(None) };
    if metrics.predefined_metric_tags.as_ref().and_then(|tags| tags.rx_name) == Some(true) {
        return Err(at.key("predefined_metric_tags").refuse("tracking by port is not supported"));
    }
    if let Some(ratio) = &metrics.rx_tx_ratio {
        let at = at.key("rx_tx_ratio");
        let given = [
            (RatioForm::RxCount, "rx_count", ratio.rx_count.is_some()),
            (RatioForm::Value, "value", ratio.value.is_some()),
        ];
        let one = match super::chosen(ratio.choice, &given, RatioForm::Value, &at)? {
            RatioForm::RxCount => receivers <= 1,
            RatioForm::Value => ratio.value.is_none_or(|value| (value - 1.0).abs() < f64::EPSILON),
        };
        if !one {
            return Err(at.refuse("a frame is expected once, at one of the ports; allowed: 1"));
        }
    }
    let latency = metrics.latency.as_ref().filter(|latency| latency.enable == Some(true));
    Ok((metrics.enable == Some(true)).then(|| Measured {
        loss: metrics.loss == Some(true),
        timestamps: metrics.timestamps == Some(true),
        latency: latency.map(|latency| latency.mode.unwrap_or(LatencyMode::StoreForward)),
    }))
}

/// Fails if the gap that the client wants at least is not left.
pub(super) fn check_gap(part: &Part, flow: &spec::Flow, at: &At<'_>) -> Result<(), Refusal> {
    let longest = flow.sizes.iter().map(|size| size.bytes()).max().unwrap_or(0);
    let fps = flow.frames_per_second(part.line.bps.unwrap_or(0)).map_or(0.0, Ratio::to_f64);
    load::check_gap(part.gap, fps, longest, part.line, &at.key("duration"))
}
