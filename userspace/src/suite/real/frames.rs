//! Test frames of RFC 2544 appendix C.2.6.4, and the flows that send them.

use super::{
    addresses::{self, PORTS_MAX, Place, Side, own_address},
    lanes::{Lane, Lanes, Member},
    queries,
};
use crate::{
    spec::{
        Addressing, End, Expect, Flow, Integrity, Layer, MacAddress, Modifiers, Order, PortSpec,
        Spacing, Spec, Track, UdpChecksum, Values, Vary,
    },
    units::{FCS_BYTES, FrameSize, Rate, Ratio},
};
use std::time::Duration;

/// C.2.6.4: TTL 10, from port 0xC020 to 7 (echo).
const TTL: u128 = 10;
const SOURCE_PORT: u128 = 0xc020;
const ECHO: u128 = 7;
/// RFC 2544 section 11.1: to the hardware broadcast address.
const BROADCAST: u128 = 0xffff_ffff_ffff;

/// A way through the device, as places in a list of ports.
pub(super) type Way = (usize, usize);

/// The ways between the pairs, as places in the ports.
///
/// # Errors
/// A sentence, if a port is not there.
pub(super) fn ways(
    ports: &[PortSpec],
    pairs: &[(String, String)],
    both: bool,
) -> Result<Vec<Way>, String> {
    let place = |name: &String| {
        let is_it = |port: &PortSpec| port.name == *name || port.interface == *name;
        ports.iter().position(is_it).ok_or_else(|| {
            let names: Vec<_> = ports.iter().map(|port| port.name.as_str()).collect();
            format!("there is no port {name}; allowed: {}", names.join(", "))
        })
    };
    let mut ways = Vec::new();
    for (tx, rx) in pairs {
        let (tx, rx) = (place(tx)?, place(rx)?);
        ways.extend([Some((tx, rx)), both.then_some((rx, tx))].into_iter().flatten());
    }
    Ok(ways)
}

/// What the frames look like, and how many of which.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) addressing: Addressing,
    pub(super) modifiers: Modifiers,
    /// Every size that a trial may have.
    pub(super) sizes: &'a [FrameSize],
    /// Loads that may follow each other in a trial.
    pub(super) stages: usize,
}

/// Flows of test frames along the ways; a lane for each.
///
/// # Errors
/// A sentence, if the address plan has no room for so many ports.
pub(super) fn lanes(ports: &[PortSpec], ways: &[Way], form: Form<'_>) -> Result<Lanes, String> {
    let places = places(ports, ways, form.addressing)?;
    let mut lanes = Lanes {
        spec: Spec {
            ports: ports
                .iter()
                .zip(&places)
                .map(|(port, place)| place.port(port, form.addressing.networks))
                .collect(),
            flows: Vec::new(),
            origins: crate::spec::Origins::default(),
        },
        lanes: Vec::new(),
    };
    for &(tx, rx) in ways {
        let name = format!("{} to {}", ports[tx].name, ports[rx].name);
        let layers = layers(places[tx], places[rx], form);
        let broadcast = u64::from(form.modifiers.broadcast.min(100));
        let mut members = Vec::new();
        if form.modifiers.management {
            // First in the file, so that its turn is at the begin of each second.
            members.push(query(&mut lanes.spec, (tx, rx), &layers)?);
        }
        let frames = member(&mut lanes.spec, &name, (tx, rx), layers.clone(), form);
        let weight = Ratio::new(u128::from(100 - broadcast), 100);
        members.push(Member { weight, ..frames });
        if broadcast > 0 {
            let mut layers = layers;
            layers[0] = ethernet(MacAddress::Given(Values::One(BROADCAST)));
            let name = format!("{name}, broadcast");
            let broadcasts = member(&mut lanes.spec, &name, (tx, rx), layers, form);
            let weight = Ratio::new(broadcast.into(), 100);
            members.push(Member { weight, counted: false, ..broadcasts });
        }
        lanes.lanes.push(Lane { tx, rx, members });
    }
    Ok(lanes)
}

/// Whoever sends first is on the near side of the device.
fn places(ports: &[PortSpec], ways: &[Way], addressing: Addressing) -> Result<Vec<Place>, String> {
    let mut sides = vec![None; ports.len()];
    for &(tx, rx) in ways {
        sides[tx].get_or_insert(Side::In);
        sides[rx].get_or_insert(Side::Out);
    }
    let sides: Vec<_> = sides.into_iter().map(|side| side.unwrap_or(Side::In)).collect();
    let count = |side| sides.iter().filter(|&&other| other == side).count();
    let most = count(Side::In).max(count(Side::Out));
    if most > PORTS_MAX {
        return Err(format!(
            "{most} ports on one side; the addresses of RFC 2544 C.2.2 are for {PORTS_MAX}"
        ));
    }
    let place = |(at, &side): (usize, &Side)| Place {
        side,
        number: 1 + sides[..at].iter().filter(|&&other| other == side).count() as u8,
        ports: count(side) as u8,
        ipv6: addressing.ipv6,
        given: own_address(&ports[at], addressing.ipv6),
    };
    Ok(sides.iter().enumerate().map(place).collect())
}

fn member(spec: &mut Spec, name: &str, way: Way, layers: Vec<Layer>, form: Form<'_>) -> Member {
    let flow = flow(name, way, layers, form);
    let first = spec.flows.len();
    spec.flows.extend((0..form.stages.max(1)).map(|_| flow.clone()));
    Member {
        weight: Ratio::ONE,
        each_second: false,
        counted: true,
        sizes: None,
        flows: (first..spec.flows.len()).collect(),
    }
}

/// SNMP requests to the device, behind the Ethernet, VLAN and IP headers of test frames.
fn query(spec: &mut Spec, way: Way, layers: &[Layer]) -> Result<Member, String> {
    let port = &spec.ports[way.0];
    let (link, ip) = layers.split_at(layers.len() - 2);
    let mut ip = ip[0].clone();
    let ipv6 = matches!(ip, Layer::Ipv6 { .. });
    let device = port.gateways.iter().find(|gateway| gateway.is_ipv6() == ipv6);
    let device = device.ok_or_else(|| {
        format!("management queries need the device's address: give port {} its `gw`", port.name)
    })?;
    if let Layer::Ipv4 { dst, .. } | Layer::Ipv6 { dst, .. } = &mut ip {
        *dst = addresses::number(*device);
    }
    let layers = [link, &[ip], &queries::layers(ipv6)].concat();
    let bytes: usize = layers.iter().map(Layer::bytes).sum();
    let size = FrameSize::new(bytes as u16 + FCS_BYTES).unwrap_or(FrameSize::MIN);
    let name = format!("queries from {}", port.name);
    let form = Form {
        addressing: Addressing::default(),
        modifiers: Modifiers::default(),
        sizes: &[size],
        stages: 1,
    };
    let query = Flow { rx: None, track: Track::None, ..flow(&name, way, layers, form) };
    spec.flows.push(query);
    Ok(Member {
        weight: Ratio::ZERO,
        each_second: true,
        counted: false,
        sizes: Some(vec![size]),
        flows: vec![spec.flows.len() - 1],
    })
}

/// A flow with every size that any of the frames has.
fn flow(name: &str, (tx, rx): Way, layers: Vec<Layer>, form: Form<'_>) -> Flow {
    let mut sizes = form.sizes.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    Flow {
        name: name.to_owned(),
        tx,
        rx: Some(rx),
        more_rx: Vec::new(),
        rate: Rate::Max,
        schedule: Vec::new(),
        spacing: Spacing::Constant,
        sizes,
        delay: Duration::ZERO,
        end: End::Never,
        burst: None,
        layers,
        settings: Vec::new(),
        // RFC 2544 section 12: destinations at random, each as likely as any other.
        vary: if form.addressing.networks { Vary::Random } else { Vary::Independent },
        track: Track::Tag,
        integrity: Integrity::Tag,
        order: Order::Queue,
        expect: Expect::default(),
    }
}

fn layers(from: Place, to: Place, form: Form<'_>) -> Vec<Layer> {
    let zero = || Values::One(0);
    let mut layers = vec![ethernet(MacAddress::Auto)];
    layers.extend(form.modifiers.vlan.map(|id| Layer::Vlan {
        id: Values::One(id.into()),
        pcp: zero(),
        dei: zero(),
        tpid: None,
    }));
    let src = from.host();
    let dst = if form.addressing.networks { to.remote_hosts() } else { to.host() };
    layers.push(if form.addressing.ipv6 {
        Layer::Ipv6 {
            src,
            dst,
            traffic_class: zero(),
            flow_label: zero(),
            hop_limit: Values::One(TTL),
            next_header: None,
        }
    } else {
        Layer::Ipv4 {
            src,
            dst,
            dscp: zero(),
            ecn: zero(),
            id: zero(),
            df: false,
            ttl: Values::One(TTL),
            protocol: None,
        }
    });
    // RFC 8200 section 8.1: without a checksum there is no UDP over IPv6.
    let checksum = if form.addressing.ipv6 { UdpChecksum::Auto } else { UdpChecksum::Fixed(0) };
    layers.push(Layer::Udp { src: Values::One(SOURCE_PORT), dst: Values::One(ECHO), checksum });
    layers
}

fn ethernet(dst: MacAddress) -> Layer {
    Layer::Eth { dst, src: MacAddress::Auto, ethertype: None }
}
