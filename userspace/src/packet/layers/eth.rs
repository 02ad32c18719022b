//! Ethernet II (IEEE 802.3).

use super::{
    ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_MPLS, ETHERTYPE_OLD_SERVICE_VLAN,
    ETHERTYPE_SERVICE_VLAN, ETHERTYPE_VLAN, arp, hex, ipv4, ipv6, mpls, vlan,
};
use crate::packet::{
    Mac, NextHop, PacketError,
    addresses::destination_count,
    builder::{Builder, Place, Role},
    dissect::{Reading, Words},
    format_mac,
    program::network,
    words::load,
};
use crate::spec::{Layer, MacAddress, Values};

pub(super) fn append(
    b: &mut Builder,
    dst: &MacAddress,
    src: &MacAddress,
    type_given: Option<&Values>,
    own_mac: Mac,
    next_hop: &NextHop,
    rest: &[Layer],
) -> Result<(), PacketError> {
    let at = b.header(&[0; 14]);
    // Without L3 addresses it is these that tell conversations apart.
    let role = if at > 0 || network(rest).is_some() { Role::Plain } else { Role::Tuple };
    match src {
        MacAddress::Given(values) => b.role_field("eth.src", role, Place::mac(at + 6), values)?,
        MacAddress::Auto => b.put(Place::mac(at + 6), number(own_mac)),
    }
    match dst {
        MacAddress::Given(values) => b.role_field("eth.dst", role, Place::mac(at), values)?,
        MacAddress::Auto => append_next_hop(b, at, next_hop, rest)?,
    }
    match (type_given, rest.first()) {
        (Some(_), Some(Layer::Vlan { tpid: Some(_), .. })) => Err(PacketError::TypeTwice),
        (Some(values), _) => b.field("eth.type", Place::word(at + 12, 2), values),
        (None, _) => vlan::append_type(b, at + 12, rest),
    }
}

fn append_next_hop(
    b: &mut Builder,
    at: usize,
    next_hop: &NextHop,
    rest: &[Layer],
) -> Result<(), PacketError> {
    match next_hop {
        NextHop::Static => Err(PacketError::NoNextHop),
        NextHop::One(mac) => {
            b.put(Place::mac(at), number(*mac));
            Ok(())
        }
        NextHop::PerDestination(macs) => {
            let wanted = destination_count(rest).unwrap_or(1);
            if macs.len() != wanted as usize {
                return Err(PacketError::NextHops { got: macs.len(), wanted });
            }
            let macs = macs.iter().map(|&mac| number(mac).into()).collect();
            b.role_field("eth.dst", Role::Follows, Place::mac(at), &Values::List(macs))
        }
    }
}

pub(super) fn number(mac: Mac) -> u64 {
    mac.iter().fold(0, |number, &octet| number << 8 | u64::from(octet))
}

/// Reads a whole frame and returns its L3 packet, cut to the length its header states,
/// or else all after the last `EtherType`.
pub(in crate::packet) fn read<'a>(frame: &'a [u8], out: &mut Reading) -> &'a [u8] {
    let Some((header, rest)) = frame.split_at_checked(14) else {
        out.truncated("eth", frame);
        return frame;
    };
    let [dst, src] = [0, 6].map(|at| format_mac(load(header, at)));
    let kind = u16::from_be_bytes(load(header, 12));
    out.header("eth", header);
    out.field("src", Words::Bare, src);
    out.field("dst", Words::To, dst);
    out.field("type", Words::Silent, hex(kind));
    read_type(kind, rest, out)
}

/// Reads what an `EtherType` announces.
pub(super) fn read_type<'a>(mut kind: u16, mut rest: &'a [u8], out: &mut Reading) -> &'a [u8] {
    while matches!(kind, ETHERTYPE_VLAN | ETHERTYPE_SERVICE_VLAN | ETHERTYPE_OLD_SERVICE_VLAN) {
        match vlan::read(kind, rest, out) {
            Some((next, inner)) => (kind, rest) = (next, inner),
            None => return rest,
        }
    }
    match kind {
        ETHERTYPE_IPV4 => ipv4::read(rest, out),
        ETHERTYPE_IPV6 => ipv6::read(rest, out),
        ETHERTYPE_ARP => arp::read(rest, out),
        ETHERTYPE_MPLS => mpls::read(rest, out),
        _ => {
            // Of the header that announces it: `type`, in GRE `protocol`.
            out.tell("type");
            out.tell("protocol");
            out.payload(rest, true);
            rest
        }
    }
}
