//! One codec per header: how it is laid out, and how it is read back for people.

mod arp;
mod eth;
mod extension;
mod gre;
mod icmp;
mod ipv4;
mod ipv6;
mod mpls;
mod raw;
mod tcp;
mod udp;
mod vlan;
mod vxlan;

use super::{Mac, NextHop, PacketError, builder::Builder, dissect::Reading};
use crate::spec::{Layer, Setting};

pub(super) use eth::read as read_frame;

/// Lays out the headers of `layers`.
pub(super) fn build(
    layers: &[Layer],
    settings: &[Setting],
    own_mac: Mac,
    next_hop: &NextHop,
) -> Result<Builder, PacketError> {
    check_order(layers)?;
    let mut builder = Builder::default();
    let b = &mut builder;
    for (at, layer) in layers.iter().enumerate() {
        let rest = &layers[at + 1..];
        b.starts.push(b.bytes.len());
        match layer {
            Layer::Eth { dst, src, ethertype } => {
                eth::append(b, dst, src, ethertype.as_ref(), own_mac, next_hop, rest)?;
            }
            Layer::Vlan { id, pcp, dei, .. } => vlan::append(b, id, pcp, dei, rest)?,
            Layer::Ipv4 { src, dst, dscp, ecn, id, df, ttl, protocol } => {
                let protocol = protocol.as_ref();
                ipv4::append(
                    b,
                    &ipv4::Fields { src, dst, dscp, ecn, id, df: *df, ttl, protocol },
                    rest,
                )?;
            }
            Layer::Ipv6 { src, dst, traffic_class, flow_label, hop_limit, next_header } => {
                let next_header = next_header.as_ref();
                let fields =
                    ipv6::Fields { src, dst, traffic_class, flow_label, hop_limit, next_header };
                ipv6::append(b, &fields, rest)?;
            }
            Layer::Mpls { label, tc, ttl } => mpls::append(b, label, tc, ttl, rest)?,
            Layer::Arp { op, sha, spa, tha, tpa } => {
                arp::append(b, &arp::Fields { op, sha, spa, tha, tpa }, own_mac)?;
            }
            Layer::HopByHop { options } | Layer::DestinationOptions { options } => {
                extension::append_options(b, options, rest);
            }
            Layer::Routing { kind, segments_left, data } => {
                extension::append_routing(b, *kind, *segments_left, data, rest);
            }
            Layer::Fragment { id } => extension::append_fragment(b, id, rest)?,
            Layer::Gre { protocol, checksum, key, sequence } => {
                let (protocol, key, sequence) =
                    (protocol.as_ref(), key.as_ref(), sequence.as_ref());
                gre::append(
                    b,
                    &gre::Fields { protocol, checksum: *checksum, key, sequence },
                    rest,
                )?;
            }
            Layer::Vxlan { vni } => vxlan::append(b, vni)?,
            Layer::Udp { src, dst, checksum } => udp::append(b, src, dst, *checksum)?,
            Layer::Tcp { src, dst, seq, ack, flags, window } => {
                tcp::append(b, &tcp::Fields { src, dst, seq, ack, flags, window })?;
            }
            Layer::Icmp { kind, code, id, seq } => icmp::append(b, false, [kind, code, id, seq])?,
            Layer::Icmpv6 { kind, code, id, seq } => icmp::append(b, true, [kind, code, id, seq])?,
            Layer::Raw { bytes } => raw::append(b, bytes),
        }
    }
    b.apply(settings)?;
    let raw: usize = layers
        .iter()
        .map(|layer| if let Layer::Raw { bytes } = layer { bytes.len() } else { 0 })
        .sum();
    match builder.bytes.len() - raw {
        headers if headers > xdp_ebpf::abi::HEADER_BYTES_MAX as usize => {
            Err(PacketError::HeadersTooLong(headers))
        }
        _ => Ok(builder),
    }
}

fn check_order(layers: &[Layer]) -> Result<(), PacketError> {
    match layers.first() {
        Some(Layer::Eth { .. }) => (),
        other => return Err(PacketError::NotEthernet(other.map_or("none", Layer::name))),
    }
    for pair in layers.windows(2) {
        if !pair[1].stands_on(&pair[0]) {
            return Err(PacketError::Order { layer: pair[1].name(), after: pair[0].name() });
        }
    }
    Ok(())
}

/// IEEE 802 local experimental `EtherType` 1, for what has none of its own.
const ETHERTYPE_EXPERIMENTAL: u16 = 0x88b5;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_VLAN: u16 = 0x8100;
/// RFC 3032 section 5.
const ETHERTYPE_MPLS: u16 = 0x8847;
/// Transparent Ethernet Bridging (RFC 1701), for frames in GRE.
const ETHERTYPE_ETHERNET: u16 = 0x6558;
const ETHERTYPE_SERVICE_VLAN: u16 = 0x88a8;
/// Of service tags before IEEE 802.1ad.
const ETHERTYPE_OLD_SERVICE_VLAN: u16 = 0x9100;

/// The `EtherType` that announces the next layer.
fn ethertype(rest: &[Layer]) -> u16 {
    match rest.first() {
        Some(Layer::Ipv4 { .. }) => ETHERTYPE_IPV4,
        Some(Layer::Ipv6 { .. }) => ETHERTYPE_IPV6,
        Some(Layer::Arp { .. }) => ETHERTYPE_ARP,
        Some(Layer::Mpls { .. }) => ETHERTYPE_MPLS,
        Some(Layer::Eth { .. }) => ETHERTYPE_ETHERNET,
        _ => ETHERTYPE_EXPERIMENTAL,
    }
}

/// RFC 4727 section 2.1 (RFC 3692), for what has no protocol number of its own.
const PROTOCOL_EXPERIMENTAL: u8 = 253;
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_ICMPV6: u8 = 58;
/// RFC 2003.
const PROTOCOL_IPV4: u8 = 4;
/// RFC 2473.
const PROTOCOL_IPV6: u8 = 41;
const PROTOCOL_GRE: u8 = 47;
/// RFC 8200 sections 4.3 to 4.6.
const PROTOCOL_HOP_BY_HOP: u8 = 0;
const PROTOCOL_ROUTING: u8 = 43;
const PROTOCOL_FRAGMENT: u8 = 44;
const PROTOCOL_DESTINATION_OPTIONS: u8 = 60;

/// The protocol number that announces the next layer.
fn protocol(rest: &[Layer]) -> u8 {
    match rest.first() {
        Some(Layer::Udp { .. }) => PROTOCOL_UDP,
        Some(Layer::Tcp { .. }) => PROTOCOL_TCP,
        Some(Layer::Icmp { .. }) => PROTOCOL_ICMP,
        Some(Layer::Icmpv6 { .. }) => PROTOCOL_ICMPV6,
        Some(Layer::Ipv4 { .. }) => PROTOCOL_IPV4,
        Some(Layer::Ipv6 { .. }) => PROTOCOL_IPV6,
        Some(Layer::Gre { .. }) => PROTOCOL_GRE,
        Some(Layer::HopByHop { .. }) => PROTOCOL_HOP_BY_HOP,
        Some(Layer::Routing { .. }) => PROTOCOL_ROUTING,
        Some(Layer::Fragment { .. }) => PROTOCOL_FRAGMENT,
        Some(Layer::DestinationOptions { .. }) => PROTOCOL_DESTINATION_OPTIONS,
        _ => PROTOCOL_EXPERIMENTAL,
    }
}

/// What a reader knows of the L3 header when it comes to the next one.
struct Network<'a> {
    /// Source and final destination as they stand in the frame.
    src: &'a [u8],
    dst: &'a [u8],
    protocol: u8,
}

/// Reads the L4 header and says where the payload begins in `packet`.
fn read_transport(network: &Network<'_>, packet: &[u8], out: &mut Reading) {
    match network.protocol {
        PROTOCOL_UDP => udp::read(network, packet, out),
        PROTOCOL_TCP => tcp::read(network, packet, out),
        PROTOCOL_ICMP => icmp::read(None, packet, out),
        PROTOCOL_ICMPV6 => icmp::read(Some(network), packet, out),
        PROTOCOL_GRE => gre::read(packet, out),
        PROTOCOL_IPV4 => drop(ipv4::read(packet, out)),
        PROTOCOL_IPV6 => drop(ipv6::read(packet, out)),
        _ => {
            out.tell("protocol");
            out.tell("next_header");
            out.payload(packet, true);
        }
    }
}

/// Says so if the octets, with the pseudo header in front, do not sum up to all ones.
fn read_checksum(network: Option<&Network<'_>>, bytes: &[u8], out: &mut Reading) {
    use super::words::{fold, sum};
    let pseudo = network.map_or(0, |network| {
        sum(network.src) + sum(network.dst) + u64::from(network.protocol) + bytes.len() as u64
    });
    if fold(pseudo + sum(bytes)) != 0xffff {
        out.fault("BAD CHECKSUM");
    }
}

/// A type, protocol number or checksum as people write it.
fn hex(word: u16) -> String {
    format!("{word:#06x}")
}
