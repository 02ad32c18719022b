//! ARP for IPv4 over Ethernet (RFC 826).

use super::{ETHERTYPE_IPV4, eth::number, hex};
use crate::packet::{
    Mac, PacketError,
    builder::{Builder, Place},
    dissect::{Reading, Words},
    format_mac,
    words::load,
};
use crate::spec::{MacAddress, Values};
use std::net::Ipv4Addr;

const HEADER: usize = 28;

/// The values of the `arp` layer.
pub(super) struct Fields<'a> {
    pub(super) op: &'a Values,
    pub(super) sha: &'a MacAddress,
    pub(super) spa: &'a Values,
    pub(super) tha: &'a Values,
    pub(super) tpa: &'a Values,
}

pub(super) fn append(b: &mut Builder, f: &Fields<'_>, own_mac: Mac) -> Result<(), PacketError> {
    let at = b.header(&[0; HEADER]);
    b.put(Place::word(at, 2), 1); // ares_hrd$Ethernet
    b.put(Place::word(at + 2, 2), ETHERTYPE_IPV4.into());
    b.put(Place::word(at + 4, 2), 6 << 8 | 4);
    b.field("arp.op", Place::word(at + 6, 2), f.op)?;
    match f.sha {
        MacAddress::Given(values) => b.field("arp.sha", Place::mac(at + 8), values)?,
        MacAddress::Auto => b.put(Place::mac(at + 8), number(own_mac)),
    }
    b.field("arp.spa", Place::word(at + 14, 4), f.spa)?;
    b.field("arp.tha", Place::mac(at + 18), f.tha)?;
    b.field("arp.tpa", Place::word(at + 24, 4), f.tpa)
}

/// Reads a packet and returns it with what follows, for no length says where it ends.
pub(super) fn read<'a>(bytes: &'a [u8], out: &mut Reading) -> &'a [u8] {
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        out.truncated("arp", bytes);
        return bytes;
    };
    let mac = |at| format_mac(load(header, at));
    let address = |at| Ipv4Addr::from_octets(load(header, at));
    out.header("arp", header);
    out.field("op", Words::Named("op"), u16::from_be_bytes(load(header, 6)));
    out.field("sha", Words::Named("sha"), mac(8));
    out.field("spa", Words::Named("spa"), address(14));
    out.field("tha", Words::Named("tha"), mac(18));
    out.field("tpa", Words::Named("tpa"), address(24));
    out.field("hardware_type", Words::Silent, u16::from_be_bytes(load(header, 0)));
    out.field("protocol_type", Words::Silent, hex(u16::from_be_bytes(load(header, 2))));
    out.field("hardware_length", Words::Silent, header[4]);
    out.field("protocol_length", Words::Silent, header[5]);
    out.payload(rest, false);
    bytes
}
