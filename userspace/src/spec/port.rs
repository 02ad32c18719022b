//! `[ports]`, and the ports that flows name directly.

use super::{
    PortSpec,
    error::{Place, SpecError},
    node::{Entry, Node, Section, Value},
};
use crate::units::parse_link_speed;
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

const PORT: &str = "\"ens1f0\", \"ens1f0@netns\" or \"pci:0000:17:00.0\"";

/// Longest interface name, IFNAMSIZ less its end (linux/if.h).
const INTERFACE_MAX: usize = 15;

/// The ports of a file: those declared, and those that flows use.
#[derive(Debug, Default)]
pub(super) struct Ports {
    declared: Vec<PortSpec>,
    used: Vec<PortSpec>,
    /// The places of both by name and by interface, for a file may have a port for every flow.
    declared_at: HashMap<String, usize>,
    used_at: HashMap<String, usize>,
}

impl Ports {
    /// Reads `[ports]`.
    pub(super) fn read(node: Option<&Node>) -> Result<Self, SpecError> {
        let Some(node) = node else { return Ok(Self::default()) };
        let Value::Table(entries) = &node.value else {
            return Err(node.unfit("a table of ports, such as west = {if = \"ens1f0\"}"));
        };
        let (mut ports, mut interfaces) = (Self::default(), HashSet::new());
        for entry in entries {
            let port = read_port(entry)?;
            if !interfaces.insert(port.interface.clone()) {
                distinct(&ports.declared, &port.interface, &entry.place)?;
            }
            place(&mut ports.declared_at, &port, ports.declared.len());
            ports.declared.push(port);
        }
        Ok(ports)
    }

    /// The index of the port that `node` names, by its name or as a PORT.
    pub(super) fn index(&mut self, node: &Node) -> Result<usize, SpecError> {
        let allowed = format!("a name under [ports] or a PORT: {PORT}");
        let text = node.text(&allowed)?;
        // A PORT that is also declared under a name is that port, not a second one.
        if let Some(at) = self.used_at.get(text) {
            return Ok(*at);
        }
        let port = match self.declared_at.get(text) {
            Some(at) => self.declared[*at].clone(),
            None => PortSpec {
                name: text.to_owned(),
                interface: check_interface(text, &node.place)?,
                addresses: Vec::new(),
                gateways: Vec::new(),
                line_bps: None,
            },
        };
        place(&mut self.used_at, &port, self.used.len());
        self.used.push(port);
        Ok(self.used.len() - 1)
    }

    /// The name of a port that is used.
    pub(super) fn name(&self, at: usize) -> &str {
        &self.used[at].name
    }

    /// Those that flows use so far, in order of first use.
    pub(super) fn used(&self) -> &[PortSpec] {
        &self.used
    }

    /// The same.
    pub(super) fn into_used(self) -> Vec<PortSpec> {
        self.used
    }
}

/// The first that has a name or an interface is meant by it.
fn place(places: &mut HashMap<String, usize>, port: &PortSpec, at: usize) {
    for key in [&port.name, &port.interface] {
        places.entry(key.clone()).or_insert(at);
    }
}

/// Fails if one of `ports` is the same interface.
pub(super) fn distinct(
    ports: &[PortSpec],
    interface: &str,
    place: &Place,
) -> Result<(), SpecError> {
    match ports.iter().find(|port| port.interface == interface) {
        Some(port) => Err(SpecError::invalid(
            place,
            format!("`{interface}` is port `{}` already", port.name),
            "one name for each interface",
        )),
        None => Ok(()),
    }
}

fn read_port(entry: &Entry) -> Result<PortSpec, SpecError> {
    let section = Section::open(&entry.node, &["if", "addr", "gw", "line"])?;
    let interface = section.need("if", "a PORT")?;
    Ok(PortSpec {
        name: entry.key.clone(),
        interface: check_interface(interface.text(PORT)?, &interface.place)?,
        addresses: section.get("addr").map_or(Ok(Vec::new()), read_addresses)?,
        gateways: section.get("gw").map_or(Ok(Vec::new()), read_gateways)?,
        line_bps: section.get("line").map(read_line).transpose()?,
    })
}

fn read_addresses(node: &Node) -> Result<Vec<ipnet::IpNet>, SpecError> {
    let allowed = "addresses with prefix length, such as \"198.18.0.2/24\" or \"2001:2::2/64\"";
    node.one_or_more()
        .iter()
        .map(|node| node.text(allowed)?.parse().map_err(|_| node.unfit(allowed)))
        .collect()
}

fn read_gateways(node: &Node) -> Result<Vec<IpAddr>, SpecError> {
    let allowed = "an IPv4 and an IPv6 address, one of each at most";
    let mut gateways: Vec<IpAddr> = Vec::new();
    for node in node.one_or_more() {
        let gateway: IpAddr = node.text(allowed)?.parse().map_err(|_| node.unfit(allowed))?;
        if gateways.iter().any(|other| other.is_ipv4() == gateway.is_ipv4()) {
            return Err(node.wrong(format!("{gateway} is a second gateway of its family"), allowed));
        }
        gateways.push(gateway);
    }
    Ok(gateways)
}

fn read_line(node: &Node) -> Result<u64, SpecError> {
    let allowed = "a link speed such as \"1G\", \"2.5G\" or \"100M\"";
    parse_link_speed(node.text(allowed)?).ok_or_else(|| node.unfit(allowed))
}

/// A PORT as far as its text alone can tell.
pub(super) fn check_interface(text: &str, place: &Place) -> Result<String, SpecError> {
    if text.starts_with('[') {
        return match text.split_once("]:").and_then(|(_, rest)| rest.split_once('/')) {
            Some((port, local)) if port.parse::<u16>().is_ok() && !local.starts_with('[') => {
                check_interface(local, place).map(|_| text.to_owned())
            }
            _ => Err(SpecError::invalid(place, format!("`{text}` is no PORT"), PORT)),
        };
    }
    let (interface, netns) =
        text.split_once('@').map_or((text, None), |(name, netns)| (name, Some(netns)));
    let plain = |name: &str| {
        !name.is_empty()
            && !matches!(name, "." | "..")
            && !name.contains(|c: char| c == '/' || c.is_whitespace())
    };
    let device = match interface.strip_prefix("pci:") {
        Some(address) => plain(address),
        // What the kernel takes as a name (dev_valid_name in net/core/dev.c).
        None => plain(interface) && interface.len() <= INTERFACE_MAX && !interface.contains(':'),
    };
    if device && netns.is_none_or(plain) {
        Ok(text.to_owned())
    } else {
        Err(SpecError::invalid(place, format!("`{text}` is no PORT"), PORT))
    }
}
