//! One `[[flow]]`: its keys with the defaults under them, then one row or, for `bidir`, two.

use super::{
    Burst, End, Expect, Flow, Integrity, Layer, MacAddress, Order, Spacing, Track, Vary,
    error::SpecError,
    expect, layer, measured,
    node::{Entry, Node, Section, Value},
    port::Ports,
    schedule, size, stack,
};
use crate::units::{FrameSize, Rate, Ratio, parse_duration};
use std::time::Duration;

/// Every key of a flow.
pub(super) const KEYS: [&str; 19] = [
    "name",
    "repeat",
    "tx",
    "rx",
    "bidir",
    "rate",
    "size",
    "delay",
    "duration",
    "frames",
    "burst",
    "layers",
    "vary",
    "spacing",
    "schedule",
    "track",
    "integrity",
    "order",
    "expect",
];

/// Of which a flow has one at most.
const ENDS: [&str; 3] = ["duration", "frames", "burst"];

/// Most rows: stream ids have 16 bits.
pub(super) const FLOWS_MAX: usize = 65_535;

/// The flow with the defaults for all it does not say. Its end replaces a default one
/// of another kind, its `schedule` a default `rate`.
pub(super) fn merged(flow: &Node, defaults: Option<&Node>) -> Result<Node, SpecError> {
    Section::open(flow, &KEYS)?;
    let (Value::Table(own), Some(Node { value: Value::Table(defaults), .. })) =
        (&flow.value, defaults)
    else {
        return Ok(flow.clone());
    };
    let has = |key: &str| own.iter().any(|entry| entry.key == key);
    let ends = ENDS.into_iter().any(has);
    let wanted = |entry: &&Entry| {
        let key = entry.key.as_str();
        !(has(key) || ends && ENDS.contains(&key) || has("schedule") && key == "rate")
    };
    let entries = own.iter().chain(defaults.iter().filter(wanted)).cloned().collect();
    Ok(Node { place: flow.place.clone(), value: Value::Table(entries) })
}

/// `repeat` of a merged flow.
pub(super) fn repeat(flow: &Node) -> Result<u32, SpecError> {
    let node = Section::open(flow, &KEYS)?.get("repeat");
    Ok(node.map_or(Ok(1), |node| node.whole(1, FLOWS_MAX as i128))? as u32)
}

/// The rows of a merged flow.
pub(super) fn read(node: &Node, ports: &mut Ports) -> Result<Vec<Flow>, SpecError> {
    let section = Section::open(node, &KEYS)?;
    let (name, tx, rx) =
        (read_name(&section)?, read_tx(&section, ports)?, read_rx(&section, ports)?);
    let (end, burst) = read_end(&section)?;
    let stack_node = section.need(
        "layers",
        "[{eth = {}}, {ipv4 = {src = .., dst = ..}}, {udp = {src = .., dst = ..}}]; there are no default headers",
    )?;
    let entries = read_layers(stack_node)?;
    let layer_nodes: Vec<_> = entries.iter().map(|entry| entry.node).collect();
    let settings = entries.iter().flat_map(|entry| entry.settings.iter().cloned()).collect();
    let layers = entries.into_iter().map(|entry| entry.layer).collect();
    let choice = |key, allowed: &[&str]| read_choice(&section, key, allowed);
    let schedule = section.get("schedule").map_or(Ok(Vec::new()), schedule::read)?;
    let rate = section.get("rate").map_or(Ok(Rate::Max), read_rate)?;
    let flow = Flow {
        name,
        tx,
        rx: rx.first().copied(),
        more_rx: rx.iter().skip(1).copied().collect(),
        rate: schedule.first().map_or(rate, |step| step.rate),
        schedule,
        spacing: match choice("spacing", &["constant", "poisson"])? {
            Some(1) => Spacing::Poisson,
            _ => Spacing::Constant,
        },
        sizes: section.get("size").map_or(Ok(vec![FrameSize::MIN]), size::read)?,
        delay: section.get("delay").map_or(Ok(Duration::ZERO), read_time)?,
        end,
        burst,
        layers,
        settings,
        vary: match choice("vary", &["independent", "zip", "product", "random"])? {
            Some(1) => Vary::Zip,
            Some(2) => Vary::Product,
            Some(3) => Vary::Random,
            _ => Vary::Independent,
        },
        track: match choice("track", &["tag", "count", "none"])? {
            Some(1) => Track::Count,
            Some(2) => Track::None,
            _ => Track::Tag,
        },
        integrity: match choice("integrity", &["tag", "full"])? {
            Some(1) => Integrity::Full,
            _ => Integrity::Tag,
        },
        order: match choice("order", &["queue", "tuple"])? {
            Some(1) => Order::Tuple,
            _ => Order::Queue,
        },
        expect: section.get("expect").map_or(Ok(Expect::default()), expect::read)?,
    };
    measured::check(&flow, &section)?;
    check_spacing(&flow, &section)?;
    let parts = stack::Parts {
        flow: node,
        size: section.get("size"),
        vary: section.get("vary"),
        stack: stack_node,
        layers: &layer_nodes,
    };
    stack::check(&flow, &parts)?;
    directions(flow, &section, layer_nodes[0])
}

/// Which of the `allowed` words a key has.
fn read_choice(
    section: &Section<'_>,
    key: &str,
    allowed: &[&str],
) -> Result<Option<usize>, SpecError> {
    let Some(node) = section.get(key) else { return Ok(None) };
    let words = allowed.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let text = node.text(&words)?;
    allowed.iter().position(|word| *word == text).map(Some).ok_or_else(|| node.unfit(words))
}

fn read_name(section: &Section<'_>) -> Result<String, SpecError> {
    let allowed = "a text that is not empty, on one line";
    let node = section.need("name", "\"any text\"")?;
    let name = node.text(allowed)?;
    if name.trim().is_empty() || name.contains(char::is_control) {
        return Err(node.unfit(allowed));
    }
    Ok(name.to_owned())
}

fn read_tx(section: &Section<'_>, ports: &mut Ports) -> Result<usize, SpecError> {
    ports.index(section.need("tx", "a name under [ports] or a PORT")?)
}

/// The receiving ports, in order.
fn read_rx(section: &Section<'_>, ports: &mut Ports) -> Result<Vec<usize>, SpecError> {
    let Some(node) = section.get("rx") else { return Ok(Vec::new()) };
    let nodes = node.one_or_more();
    if nodes.is_empty() {
        let allowed = "one port or more; leave `rx` out to transmit only";
        return Err(node.wrong("an empty list of ports", allowed));
    }
    let mut receivers = Vec::with_capacity(nodes.len());
    for one in nodes {
        let port = ports.index(one)?;
        if receivers.contains(&port) {
            return Err(one.wrong("the same port twice", "each receiving port once"));
        }
        receivers.push(port);
    }
    Ok(receivers)
}

/// Reads `rate`, which alone must not exceed the line.
pub(super) fn read_rate(node: &Node) -> Result<Rate, SpecError> {
    let text = node.text(Rate::FORMS)?;
    let rate: Rate =
        text.parse().map_err(|_| node.wrong(format!("\"{text}\" is no rate"), Rate::FORMS))?;
    match rate {
        Rate::LineShare(share) if share > Ratio::ONE => {
            Err(node.wrong(format!("{rate} is over the line"), "at most 100%"))
        }
        _ => Ok(rate),
    }
}

/// Reads a time above 0.
pub(super) fn read_duration(node: &Node) -> Result<Duration, SpecError> {
    let allowed = "a time above 0, such as \"10s\", \"500ms\" or \"1.5m\"";
    match parse_duration(node.text(allowed)?) {
        Some(duration) if duration > Duration::ZERO => Ok(duration),
        _ => Err(node.unfit(allowed)),
    }
}

/// Reads a time that may be 0.
pub(super) fn read_time(node: &Node) -> Result<Duration, SpecError> {
    let allowed = "a time such as \"0s\", \"10s\" or \"500ms\"";
    parse_duration(node.text(allowed)?).ok_or_else(|| node.unfit(allowed))
}

fn read_end(section: &Section<'_>) -> Result<(End, Option<Burst>), SpecError> {
    let count = |node: &Node| node.whole(1, u64::MAX.into()).map(|count| count as u64);
    let [duration, frames, burst] = ENDS.map(|key| section.get(key));
    match (duration, frames, burst) {
        (None, None, None) => Ok((End::Never, None)),
        (Some(node), None, None) => Ok((End::After(read_duration(node)?), None)),
        (None, Some(node), None) => Ok((End::Frames(count(node)?), None)),
        (None, None, Some(node)) => {
            let burst = Section::open(node, &["frames", "gap", "repeat"])?;
            let frames = count(burst.need("frames", "1 or more")?)?;
            let gap = read_duration(burst.need("gap", "a time such as \"1ms\"")?)?;
            let end = match burst.get("repeat").map(|node| Ok((node, count(node)?))).transpose()? {
                None => End::Never,
                Some((node, repeat)) => {
                    End::Frames(frames.checked_mul(repeat).ok_or_else(|| {
                        node.wrong(
                            "frames x repeat is too large",
                            format!("a product of at most {}", u64::MAX),
                        )
                    })?)
                }
            };
            Ok((end, Some(Burst { frames, gap })))
        }
        _ => {
            let second = ENDS.iter().rev().find_map(|key| section.get(key)).unwrap_or(section.node);
            Err(second.wrong("the flow has two ends", "one of `duration`, `frames` and `burst`"))
        }
    }
}

fn read_layers(node: &Node) -> Result<Vec<layer::Entry<'_>>, SpecError> {
    let allowed = "a list of layers, outermost first, that begins with {eth = {}}";
    match &node.value {
        Value::List(nodes) if !nodes.is_empty() => {
            let entry = |(at, node)| layer::read(node, at, nodes.get(at + 1));
            nodes.iter().enumerate().map(entry).collect()
        }
        Value::List(_) => Err(node.wrong("no layer at all", allowed)),
        _ => Err(node.unfit(allowed)),
    }
}

/// Fails if rate, schedule, spacing and bursts contradict each other.
fn check_spacing(flow: &Flow, section: &Section<'_>) -> Result<(), SpecError> {
    if let (Some(node), Some(_)) = (section.get("schedule"), section.get("rate")) {
        return Err(node.wrong("`schedule` beside `rate`", "one of the two"));
    }
    if let (Some(node), true) = (section.get("burst"), !flow.schedule.is_empty()) {
        return Err(node.wrong("`burst` beside `schedule`", "bursts at a fixed `rate`"));
    }
    if let (Some(node), Rate::Max, None) = (section.get("delay"), flow.rate, flow.burst) {
        return Err(node.wrong("rate \"max\" waits for nothing", "`delay` with a `rate`"));
    }
    let random = section.get("spacing").filter(|_| flow.spacing == Spacing::Poisson);
    if let Some(node) = random {
        if flow.burst.is_some() {
            return Err(node.wrong(
                "bursts have a spacing of their own",
                "spacing = \"poisson\" without `burst`",
            ));
        }
        if flow.rate == Rate::Max {
            return Err(node.wrong(
                "rate \"max\" has no mean gap",
                "spacing = \"poisson\" with a `rate` such as \"10%\"",
            ));
        }
    }
    Ok(())
}

/// One row, or two for `bidir`.
fn directions(flow: Flow, section: &Section<'_>, eth: &Node) -> Result<Vec<Flow>, SpecError> {
    let resolvable = |flow: &Flow| {
        let inner = |layer: &Layer| matches!(layer, Layer::Eth { dst: MacAddress::Auto, .. });
        let inside = flow.layers.iter().skip(1).any(inner);
        !inside && (flow.destination().is_some() || !flow.resolves_destination())
    };
    if !resolvable(&flow) {
        return Err(
            eth.wrong("without an IP header nobody can resolve `dst`", "a MAC address as `dst`")
        );
    }
    let bidir = section.get("bidir");
    let (Some(node), true) = (bidir, bidir.map_or(Ok(false), Node::boolean)?) else {
        return Ok(vec![flow]);
    };
    if !flow.more_rx.is_empty() {
        return Err(node.wrong("`bidir` with several `rx` ports", "`bidir` with one `rx` port"));
    }
    let Some(rx) = flow.rx.filter(|rx| *rx != flow.tx) else {
        return Err(
            node.wrong("`bidir` has no second port", "`bidir` with `rx` on another port than `tx`")
        );
    };
    let reverse = Flow {
        name: format!("{}/rev", flow.name),
        tx: rx,
        rx: Some(flow.tx),
        layers: (0..flow.layers.len()).map(|at| reversed(&flow.layers, at)).collect(),
        ..flow.clone()
    };
    if !resolvable(&reverse) {
        let allowed = "a MAC address as `src` too, which is the `dst` of the way back";
        return Err(eth.wrong(
            "`bidir` without an IP header, or with `eth` inside a tunnel, cannot resolve the way back",
            allowed,
        ));
    }
    Ok(vec![Flow { name: format!("{}/fwd", flow.name), ..flow }, reverse])
}

/// The header of the way back: addresses and ports swapped.
fn reversed(layers: &[Layer], at: usize) -> Layer {
    let mut back = layers[at].clone();
    match &mut back {
        // Both ends of a VXLAN listen on the same port.
        Layer::Udp { .. } if matches!(layers.get(at + 1), Some(Layer::Vxlan { .. })) => (),
        Layer::Arp { sha, spa, tha, tpa, .. } => {
            std::mem::swap(spa, tpa);
            if let MacAddress::Given(sha) = sha {
                std::mem::swap(sha, tha);
            }
        }
        Layer::Ipv4 { src, dst, .. }
        | Layer::Ipv6 { src, dst, .. }
        | Layer::Udp { src, dst, .. }
        | Layer::Tcp { src, dst, .. } => std::mem::swap(src, dst),
        Layer::Eth { src, dst, .. } => {
            std::mem::swap(src, dst);
            // A next hop given for the way out is no source of the way back, unless the
            // file also says who sent to it.
            if *dst == MacAddress::Auto {
                *src = MacAddress::Auto;
            }
        }
        _ => (),
    }
    back
}
