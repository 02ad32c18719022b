//! Ports and what is said of them.

use super::{
    super::{
        Refusal,
        model::{Config, Options},
        refusal::At,
    },
    Plan, PlannedCapture, PlannedPort, World, filter,
    flow::{Part, port_index},
};
use crate::spec::Spec;

pub(super) fn ports(config: &Config, world: &dyn World) -> Result<Vec<PlannedPort>, Refusal> {
    let all = At::root("ports");
    let mut ports: Vec<PlannedPort> = Vec::new();
    for (index, port) in config.ports.iter().flatten().enumerate() {
        let at = all.index(index);
        let at = at.key("location");
        let location = port.location.clone().unwrap_or_default();
        if location.is_empty() {
            return Err(at.refuse("a port needs the name of an interface, or an alias of one"));
        }
        let interface = world.interface(&location);
        if let Some(other) = ports.iter().find(|other| other.interface == interface) {
            return Err(at.refuse(format!(
                "\"{location}\" is the interface {interface}, which port \"{}\" has already",
                other.name
            )));
        }
        let name = port.name.clone();
        let link_bps = world.link_bps(&interface);
        ports.push(PlannedPort { name, location, interface, line_bps: None, link_bps });
    }
    Ok(ports)
}

/// Takes speeds over; all else of a link stays as it is.
pub(super) fn layer1(config: &Config, plan: &mut Plan) -> Result<(), Refusal> {
    let all = At::root("layer1");
    for (index, layer1) in config.layer1.iter().flatten().enumerate() {
        let at = all.index(index);
        let names = at.key("port_names");
        for (index, name) in layer1.port_names.iter().enumerate() {
            let port = port_index(name, &plan.ports, &names.index(index))?;
            if let Some(speed) = layer1.speed {
                plan.ports[port].line_bps = Some(speed.bps());
            }
        }
        let negotiated = layer1.auto_negotiate.is_some()
            || layer1.auto_negotiation.is_some()
            || layer1.ieee_media_defaults.is_some()
            || layer1.media.is_some();
        if negotiated {
            plan.warnings.push(format!("{at}: media and negotiation of links are not changed"));
        }
        if layer1.promiscuous == Some(false) {
            let at = at.key("promiscuous");
            plan.warnings.push(format!("{at}: ports are promiscuous while they measure"));
        }
        if let Some(mtu) = layer1.mtu.filter(|mtu| !(64..=14_000).contains(&mtu.0)) {
            let problem = format!("{}; allowed: 64 to 14000", mtu.0);
            return Err(at.key("mtu").refuse(problem));
        }
        // Clients send the default of the schema always.
        if let Some(mtu) = layer1.mtu.filter(|mtu| mtu.0 != 1500) {
            plan.warnings.push(format!("{at}: the MTU of an interface is not set to {}", mtu.0));
        }
    }
    Ok(())
}

pub(super) fn options(
    options: Option<&Options>,
    warnings: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(options) = options else { return Ok(()) };
    let root = At::root("options");
    if let Some(ports) = &options.port_options {
        let at = root.key("port_options");
        if ports.location_preemption == Some(true) {
            let at = at.key("location_preemption");
            warnings.push(format!("{at}: a port that another program holds is not taken from it"));
        }
        if ports.data_integrity == Some(true) {
            return Err(at.key("data_integrity").refuse("allowed: false"));
        }
    }
    if options.flow_options.as_ref().and_then(|flow| flow.packet_loss_duration) == Some(true) {
        let at = root.key("flow_options");
        return Err(at.key("packet_loss_duration").refuse("allowed: false"));
    }
    Ok(())
}

pub(super) fn captures(
    config: &Config,
    ports: &[PlannedPort],
) -> Result<Vec<PlannedCapture>, Refusal> {
    let all = At::root("captures");
    let mut taken = vec![false; ports.len()];
    let mut captures = Vec::new();
    for (index, capture) in config.captures.iter().flatten().enumerate() {
        let at = all.index(index);
        let filters = capture.filters.as_deref().unwrap_or_default();
        let filter = filter::filter(filters, &at.key("filters"))?;
        let names = at.key("port_names");
        let mut of = Vec::new();
        for (index, name) in capture.port_names.iter().enumerate() {
            let at = names.index(index);
            let port = port_index(name, ports, &at)?;
            if ports[port].interface.starts_with('[') {
                return Err(at.refuse(format!(
                    "\"{name}\" is a port of another daemon; capture it on that host"
                )));
            }
            if std::mem::replace(&mut taken[port], true) {
                return Err(at.refuse(format!("\"{name}\" has a capture already")));
            }
            of.push(port);
        }
        let snap = capture.packet_size.map(|size| size.0);
        if let Some(size) = snap.filter(|size| !(1..=65_535).contains(size)) {
            return Err(at.key("packet_size").refuse(format!("{size}; allowed: 1 to 65535")));
        }
        captures.push(PlannedCapture {
            ports: of,
            snap: snap.map(|size| size as u32),
            filter,
            format: capture.format.unwrap_or_default(),
        });
    }
    Ok(captures)
}

/// More than any link has.
const MADE_UP_BPS: u64 = 1_600_000_000_000;

/// Fails if the flows ask more of a line than it carries.
pub(super) fn lines(spec: &Spec, plan: &Plan, parts: &[Part]) -> Result<(), Refusal> {
    let speed = |name: &str| {
        let port = plan.ports.iter().find(|port| port.name == name)?;
        port.line_bps.or(port.link_bps)
    };
    // A port without a wire has a speed that it makes up, which is heard when it is opened.
    let speed = |name| speed(name).unwrap_or(MADE_UP_BPS);
    let speeds: Vec<u64> = spec.ports.iter().map(|port| speed(&port.name)).collect();
    spec.check_line_rates(&speeds).map_err(|error| super::place(&error, parts))
}
