//! A configuration of the schema to the shape of the flow file.
//!
//! The defaults of the schema are put in here. What cannot be sent as it is asked is
//! refused by its path; a warning is for what changes no frame.

mod field;
mod filter;
mod flow;
mod header;
mod ip;
mod layer;
mod load;
mod port;
mod size;
#[cfg(test)]
mod tests;

use super::{
    Refusal,
    model::{CaptureFormat, Config, LatencyMode},
    refusal::At,
};
use crate::spec::{Flow, Spec, SpecError, Track};
use crate::units::Rate;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// What the client has set up, in this house's words.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// A flow file's shape; `None`: there is no flow.
    pub(super) spec: Option<Value>,
    /// As they were given.
    pub(super) ports: Vec<PlannedPort>,
    /// As they were given.
    pub(super) flows: Vec<PlannedFlow>,
    /// As they were given.
    pub(super) captures: Vec<PlannedCapture>,
    /// What the client should know.
    pub(super) warnings: Vec<String>,
}

/// A port of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedPort {
    pub(super) name: String,
    pub(super) location: String,
    /// The PORT that the location stands for.
    pub(super) interface: String,
    /// Speed that the client gave.
    pub(super) line_bps: Option<u64>,
    /// Speed of the link.
    pub(super) link_bps: Option<u64>,
}

/// A flow of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlannedFlow {
    pub(super) name: String,
    /// Index of the sending port.
    pub(super) tx: usize,
    /// Indices of the receiving ports.
    pub(super) rx: Vec<usize>,
    /// What is measured; `None`: nothing.
    pub(super) metrics: Option<Measured>,
    /// As in the flow file.
    pub(super) rate: Rate,
    /// How many frames it sends; `None`: it is not known, or has no end.
    pub(super) frames: Option<u64>,
    /// What a frame takes on the sending port's wire on average, ns, where there is one.
    pub(super) wire_ns: Option<f64>,
    /// Of each layer the index of the header that it comes from.
    pub(super) headers: Vec<usize>,
}

/// What a client wants to know of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) loss: bool,
    pub(super) timestamps: bool,
    pub(super) latency: Option<LatencyMode>,
}

/// A capture of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedCapture {
    /// Indices of its ports.
    pub(super) ports: Vec<usize>,
    /// Octets kept of every frame, with FCS.
    pub(super) snap: Option<u32>,
    /// In the words of a capture's filter; empty: all frames.
    pub(super) filter: String,
    pub(super) format: CaptureFormat,
}

/// What is known of the world when a configuration is converted.
pub(super) trait World {
    /// The PORT that a location stands for.
    fn interface(&self, location: &str) -> String;
    /// The speed of a PORT's link, if it reports one.
    fn link_bps(&self, interface: &str) -> Option<u64>;
}

/// Converts a whole configuration.
pub(super) fn convert(config: &Config, world: &dyn World) -> Result<Plan, Refusal> {
    check_names(config)?;
    let mut plan = Plan { ports: port::ports(config, world)?, ..Plan::default() };
    port::layer1(config, &mut plan)?;
    port::options(config.options.as_ref(), &mut plan.warnings)?;
    plan.captures = port::captures(config, &plan.ports)?;
    let flows = config.flows.as_deref().unwrap_or_default();
    if flows.is_empty() {
        return Ok(plan);
    }
    let all = At::root("flows");
    let mut parts = Vec::with_capacity(flows.len());
    for (index, flow) in flows.iter().enumerate() {
        let part = flow::convert(flow, &plan.ports, &all.index(index), &mut plan.warnings)?;
        parts.push(part);
    }
    let spec = settle(&mut parts, &mut plan, &all)?;
    port::lines(&spec, &plan, &parts)?;
    plan.spec = Some(file(&parts, &plan.ports));
    let planned = |(part, flow): (flow::Part, &Flow)| PlannedFlow {
        rate: flow.rate,
        frames: part.frames(flow),
        wire_ns: wire_ns(&plan.ports, part.tx, &part.rx, flow),
        name: part.name,
        metrics: part.metrics,
        headers: part.headers,
        tx: part.tx,
        rx: part.rx,
    };
    plan.flows = parts.into_iter().zip(&spec.flows).map(planned).collect();
    Ok(plan)
}

/// What a frame of the flow takes on the wire on average, where both ends have one.
fn wire_ns(ports: &[PlannedPort], tx: usize, rx: &[usize], flow: &Flow) -> Option<f64> {
    let all = rx.iter().all(|&rx| ports[rx].link_bps.is_some());
    let bps = ports[tx].link_bps.filter(|_| all)?;
    Some(flow.mean_size().to_f64() * 8e9 / bps as f64)
}

/// Names of all objects are unique.
fn check_names(config: &Config) -> Result<(), Refusal> {
    let ports = config.ports.iter().flatten().map(|port| &port.name);
    let layer1 = config.layer1.iter().flatten().map(|layer1| &layer1.name);
    let captures = config.captures.iter().flatten().map(|capture| &capture.name);
    let flows = config.flows.iter().flatten().map(|flow| &flow.name);
    let all = (ports.enumerate().map(|(at, name)| ("ports", at, name)))
        .chain(layer1.enumerate().map(|(at, name)| ("layer1", at, name)))
        .chain(captures.enumerate().map(|(at, name)| ("captures", at, name)))
        .chain(flows.enumerate().map(|(at, name)| ("flows", at, name)));
    let mut names: HashSet<&str> = HashSet::new();
    for (list, index, name) in all {
        let list = At::root(list);
        let entry = list.index(index);
        let at = entry.key("name");
        // A flow file would put a number in for "{i}".
        if name.trim().is_empty() || name.contains(char::is_control) || name.contains("{i}") {
            return Err(at.refuse("a name is a line of text that is not empty, without \"{i}\""));
        }
        if !names.insert(name) {
            return Err(at.refuse(format!("another object has the name \"{name}\" already")));
        }
    }
    Ok(())
}

/// Reads the flows, decides how each is tracked, and reads them again so.
fn settle(parts: &mut [flow::Part], plan: &mut Plan, all: &At<'_>) -> Result<Spec, Refusal> {
    let untracked = read(parts, &plan.ports)?;
    for ((index, part), flow) in parts.iter_mut().enumerate().zip(&untracked.flows) {
        flow::check_gap(part, flow, &all.index(index))?;
        if part.metrics.is_none() || part.rx.is_empty() {
            continue;
        }
        let hidden = flow.settings.iter().find(|setting| setting.field.hides_tag);
        let least = Flow { track: Track::Tag, ..flow.clone() }.least_bytes();
        let short = flow.sizes.iter().map(|size| size.bytes()).min().unwrap_or(0);
        let at = all.index(index);
        let reason = match hidden {
            Some(setting) => format!(
                "{}: frames with a `{}` of their own hide the tag from the receiver",
                at.key("packet"),
                setting.field.key
            ),
            None if usize::from(short) < least => format!(
                "{}: frames of {short} octets are too short for the tag, which takes {least}",
                at.key("size")
            ),
            None => {
                part.keys.insert("track".into(), json!("tag"));
                continue;
            }
        };
        part.keys.insert("track".into(), json!("count"));
        plan.warnings.push(format!(
            "{reason}; they are told by their headers and counted; latency, order and duplicates are not measured"
        ));
    }
    read(parts, &plan.ports)
}

/// The flow file.
fn file(parts: &[flow::Part], ports: &[PlannedPort]) -> Value {
    let ports = ports.iter().map(|port| (port.name.clone(), json!({"if": port.interface})));
    let flows: Vec<_> = parts.iter().map(|part| Value::Object(part.keys.clone())).collect();
    json!({"ports": ports.collect::<Map<_, _>>(), "flow": flows})
}

fn read(parts: &[flow::Part], ports: &[PlannedPort]) -> Result<Spec, Refusal> {
    Spec::from_json(&file(parts, ports).into()).map_err(|error| place(&error, parts))
}

/// The refusal of what a flow file would be refused for, at the place in the configuration
/// that it comes from.
fn place(error: &SpecError, parts: &[flow::Part]) -> Refusal {
    let (key, problem) = match error {
        SpecError::Invalid { place, problem, allowed } => {
            (place.key.as_str(), format!("{problem}; allowed: {allowed}"))
        }
        other => ("", other.to_string()),
    };
    let headers = |flow: usize| parts.get(flow).map(|part| &part.headers[..]);
    Refusal { path: original(key, &headers).unwrap_or_default(), problem }
}

/// `flow[0].layers[2].udp.src` is in the configuration `flows[0].packet[2].udp`.
/// `headers` has of each flow's layers the index of the header.
pub(super) fn original<'a>(
    key: &str,
    headers: &dyn Fn(usize) -> Option<&'a [usize]>,
) -> Option<String> {
    let (index, rest) = key.strip_prefix("flow[")?.split_once(']')?;
    let headers = headers(index.parse().ok()?)?;
    let flow = format!("flows[{index}]");
    let Some(layers) = rest.strip_prefix(".layers") else {
        let key = rest.trim_start_matches('.').split('.').next().unwrap_or_default();
        return Some(match key {
            "" => flow,
            "frames" | "burst" | "delay" => format!("{flow}.duration"),
            "track" => format!("{flow}.metrics"),
            key => format!("{flow}.{key}"),
        });
    };
    let layer = layers.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let header = layer.and_then(|(at, _)| headers.get(at.parse::<usize>().ok()?));
    Some(match header {
        Some(header) => format!("{flow}.packet[{header}]"),
        None => format!("{flow}.packet"),
    })
}

/// The choice, or what is there without one, or else `usual`. What is there and not chosen
/// would be ignored, so it is refused.
pub(super) fn chosen<T: Copy + PartialEq>(
    choice: Option<T>,
    given: &[(T, &str, bool)],
    usual: T,
    at: &At<'_>,
) -> Result<T, Refusal> {
    let mut present = given.iter().filter(|(.., present)| *present);
    let form = choice.or(present.clone().next().map(|(form, ..)| *form)).unwrap_or(usual);
    match present.find(|(other, ..)| *other != form) {
        Some((_, name, _)) => Err(at.key(name).refuse("it is not what `choice` says")),
        None => Ok(form),
    }
}
