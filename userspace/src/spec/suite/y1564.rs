//! ITU-T Y.1564: services and what they were promised.

use super::{
    Policing, Profile, ServiceSpec, Y1564Spec, common,
    file::Source,
    values::{self, Part, trial},
};
use crate::{
    spec::{
        error::SpecError,
        node::{Node, Section, Value},
    },
    units::Ratio,
};
use std::time::Duration;

const KEYS: [&str; 11] = [
    "name",
    "flows",
    "size",
    "cir",
    "eir",
    "burst",
    "policing",
    "flr",
    "ftd",
    "fdv",
    "availability",
];

/// What the MEF asks of a policer at the least: eight frames of 1,522 octets (MEF 6.1, CBS).
const LEAST_BURST_BYTES: u64 = 8 * 1522;

pub(super) fn read(source: Source<'_>) -> Result<Y1564Spec, SpecError> {
    let Source { root, flags, profile, .. } = source;
    let part = Part::open(root, "y1564", &["steps", "step", "performance", "policing"])?;
    let quick = profile == Profile::Quick;
    let seconds = Duration::from_secs;
    let quarters = (1..=4).map(|quarter| Ratio::new(quarter, 4)).collect();
    let services = root.get("service").map_or(Ok(Vec::new()), services)?;
    let suite = common::read(source)?;
    if let (None, Some(service)) = (&suite.flows, services.iter().find(|one| !one.flows.is_empty()))
    {
        let node = root.get("service").unwrap_or(root.node);
        let problem = format!("service {} names flows and there is no flow file", service.name);
        return Err(node.wrong(problem, "flows = \"FILE\" at the top of the suite file"));
    }
    Ok(Y1564Spec {
        suite,
        services,
        steps: part.or("steps", quarters, steps)?,
        step: part.flag_or(
            flags.trial.as_ref(),
            "step",
            seconds(if quick { 2 } else { 60 }),
            trial,
        )?,
        performance: part.or("performance", seconds(if quick { 15 } else { 900 }), trial)?,
        policing: part.or("policing", Policing::default(), |node| {
            let word = values::word(node, &["standard", "both"])?;
            Ok([Policing::Standard, Policing::Both][word])
        })?,
    })
}

/// Shares of CIR that rise.
fn steps(node: &Node) -> Result<Vec<Ratio>, SpecError> {
    let allowed = "shares of the CIR that rise up to 100%, such as [\"25%\", \"50%\", \"100%\"]";
    let steps = node.one_or_more().iter().map(|one| values::positive_share(one, allowed));
    let steps = steps.collect::<Result<Vec<_>, _>>()?;
    let rise = steps.is_sorted_by(|one, next| one < next);
    if steps.last() == Some(&Ratio::ONE) && rise { Ok(steps) } else { Err(node.unfit(allowed)) }
}

fn services(node: &Node) -> Result<Vec<ServiceSpec>, SpecError> {
    let Value::List(nodes) = &node.value else { return Err(node.unfit("[[service]]")) };
    let mut services: Vec<ServiceSpec> = Vec::new();
    for one in nodes {
        let service = service(one)?;
        if services.iter().any(|other| other.name == service.name) {
            let problem = format!("a second service {}", service.name);
            return Err(one.wrong(problem, "a name of its own for each service"));
        }
        services.push(service);
    }
    Ok(services)
}

fn service(node: &Node) -> Result<ServiceSpec, SpecError> {
    let section = Section::open(node, &KEYS)?;
    let share =
        |key, allowed| section.get(key).map(|node| values::share(node, allowed)).transpose();
    let delay = |key| {
        let read = |node: &Node| {
            values::time(node, Duration::from_nanos(1), Duration::from_mins(1))
                .map(|time| time.as_nanos() as u64)
        };
        section.get(key).map(read).transpose()
    };
    let flows = match section.get("flows") {
        Some(node) => node.one_or_more().iter().map(values::line).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(ServiceSpec {
        name: values::line(section.need("name", "\"any text\"")?)?,
        flows,
        frame: values::frame(section.need("size", "64 to 9216, or \"imix\"")?)?,
        cir_bps: values::bits_per_second(section.need("cir", "\"100Mbps\"")?)?,
        eir_bps: section.get("eir").map_or(Ok(0), |node| match &node.value {
            Value::Integer(0) => Ok(0),
            Value::Text(text) if text == "0" => Ok(0),
            _ => values::bits_per_second(node),
        })?,
        burst_bytes: section.get("burst").map_or(Ok(LEAST_BURST_BYTES), |node| {
            node.whole(0, 1_000_000_000).map(|octets| octets as u64)
        })?,
        policing: section.get("policing").map_or(Ok(true), Node::boolean)?,
        flr: share("flr", "a loss ratio such as \"0.1%\" or \"0\"")?.unwrap_or(Ratio::ZERO),
        ftd_ns: delay("ftd")?,
        fdv_ns: delay("fdv")?,
        availability: share("availability", "a share such as \"99.99%\"")?,
    })
}
