//! Where a flow's frames go first: the MAC address behind `eth.dst = "auto"`.

use super::{SessionError, port::Port};
use crate::{
    nic::{Mac, VlanTag, resolve_neighbours},
    packet::{NextHop, Program},
    spec::{Flow, Layer, MacAddress, PortSpec, Values},
};
use ipnet::IpNet;
use std::{collections::HashMap, net::IpAddr, time::Duration};

const WAIT: Duration = Duration::from_secs(3);
/// Destinations of one flow that are asked for one by one.
const DESTINATIONS_MAX: usize = 4096;

/// What was learned so far, so that 500 flows ask their gateway once.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<(usize, Vec<u16>, IpAddr), Mac>);

impl Known {
    /// The next hop of `flow` on `port`: the gateway for destinations that are not on
    /// link, else the destination itself. In a flow over many VLANs the first is asked.
    pub(super) fn next_hop(
        &mut self,
        flow: &Flow,
        spec: &PortSpec,
        port: &Port,
    ) -> Result<NextHop, SessionError> {
        let Some(Layer::Eth { dst: MacAddress::Auto, .. }) = flow.layers.first() else {
            return Ok(NextHop::Static);
        };
        let Some(destinations) = Program::destinations(flow) else {
            return Err(SessionError::NoDestination { flow: flow.name.clone() });
        };
        let destinations: Vec<IpAddr> = destinations.iter().take(DESTINATIONS_MAX + 1).collect();
        let hops: Vec<IpAddr> = destinations.iter().map(|&to| first_hop(to, spec)).collect();
        let mut asked = hops.clone();
        asked.sort_unstable();
        asked.dedup();
        if asked.len() > DESTINATIONS_MAX {
            return Err(SessionError::TooManyDestinations {
                flow: flow.name.clone(),
                max: DESTINATIONS_MAX,
            });
        }
        let tags = vlan_tags(flow);
        let ids: Vec<u16> = tags.iter().map(|tag| tag.id()).collect();
        let key = |hop: IpAddr| (flow.tx, ids.clone(), hop);
        let unknown: Vec<IpAddr> =
            asked.iter().copied().filter(|&hop| !self.0.contains_key(&key(hop))).collect();
        if !unknown.is_empty() {
            let macs = resolve_neighbours(&port.info, &sources(flow, spec), &unknown, &tags, WAIT)?;
            self.0.extend(unknown.iter().map(|&hop| key(hop)).zip(macs));
        }
        let macs: Vec<Mac> = hops.iter().map(|&hop| self.0[&key(hop)]).collect();
        let all_the_same = macs.iter().all(|mac| *mac == macs[0]);
        Ok(if all_the_same { NextHop::One(macs[0]) } else { NextHop::PerDestination(macs) })
    }
}

fn first_hop(destination: IpAddr, port: &PortSpec) -> IpAddr {
    let on_link = port.addresses.iter().any(|net| net.contains(&destination));
    let gateway = port.gateways.iter().find(|gateway| gateway.is_ipv4() == destination.is_ipv4());
    match gateway {
        Some(&gateway) if !on_link => gateway,
        _ => destination,
    }
}

/// Whom the question comes from: the port's addresses, else the flow's first source.
fn sources(flow: &Flow, port: &PortSpec) -> Vec<IpNet> {
    if port.addresses.is_empty() {
        let first = Program::sources(flow).and_then(|sources| sources.iter().next());
        return first.map(IpNet::from).into_iter().collect();
    }
    port.addresses.clone()
}

/// The VLAN tags of a flow's frames; of those that vary, the first.
pub fn vlan_tags(flow: &Flow) -> Vec<VlanTag> {
    let vlans: Vec<_> = flow
        .layers
        .iter()
        .skip(1)
        .map_while(|layer| match layer {
            Layer::Vlan { id, tpid, .. } => Some((first(id), tpid.as_ref().map(first))),
            _ => None,
        })
        .collect();
    let innermost = vlans.len().saturating_sub(1);
    vlans
        .iter()
        .enumerate()
        .map(|(place, &(id, tpid))| VlanTag {
            tpid: tpid.unwrap_or(if place == innermost { 0x8100 } else { 0x88a8 }),
            tci: id,
        })
        .collect()
}

fn first(values: &Values) -> u16 {
    match values {
        Values::One(value)
        | Values::Range { first: value, .. }
        | Values::Random { low: value, .. } => *value as u16,
        Values::List(values) => values.first().copied().unwrap_or(0) as u16,
    }
}
