//! IPv6 (RFC 8200).

use super::{Network, extension, protocol, read_transport};
use crate::packet::{
    PacketError,
    builder::{Builder, Length, Place, Role},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::{Layer, Values};
use std::net::Ipv6Addr;

const HEADER: usize = 40;

/// The values of the `ipv6` layer.
pub(super) struct Fields<'a> {
    pub(super) src: &'a Values,
    pub(super) dst: &'a Values,
    pub(super) traffic_class: &'a Values,
    pub(super) flow_label: &'a Values,
    pub(super) hop_limit: &'a Values,
    pub(super) next_header: Option<&'a Values>,
}

pub(super) fn append(b: &mut Builder, f: &Fields<'_>, rest: &[Layer]) -> Result<(), PacketError> {
    let at = b.network_header(&[0; HEADER]);
    b.put(Place::bits(at, 12, 4), 6);
    b.address6("ipv6.src", Role::Tuple, at + 8, f.src)?;
    b.address6("ipv6.dst", Role::Destination, at + 24, f.dst)?;
    b.field("ipv6.traffic_class", Place::bits(at, 4, 8), f.traffic_class)?;
    b.field("ipv6.flow_label", Place { bits: 20, ..Place::word(at, 4) }, f.flow_label)?;
    b.field("ipv6.hop_limit", Place::bits(at + 6, 0, 8), f.hop_limit)?;
    match f.next_header {
        Some(values) => b.field("ipv6.next_header", Place::bits(at + 6, 8, 8), values)?,
        None => b.put(Place::bits(at + 6, 8, 8), protocol(rest).into()),
    }
    b.lengths.push(Length { offset: at + 4, from: at + HEADER });
    b.addresses = Some([at + 8..at + 24, at + 24..at + HEADER]);
    Ok(())
}

/// Reads a packet and returns it, cut to its payload length.
pub(super) fn read<'a>(bytes: &'a [u8], out: &mut Reading) -> &'a [u8] {
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        out.truncated("ipv6", bytes);
        return bytes;
    };
    let address = |at| Ipv6Addr::from_octets(load(header, at));
    let length = usize::from(u16::from_be_bytes(load(header, 4)));
    let first = u32::from_be_bytes(load(header, 0));
    out.header("ipv6", header);
    out.field("src", Words::Bare, address(8));
    out.field("dst", Words::To, address(24));
    out.field("hop_limit", Words::Named("hop limit"), header[7]);
    out.field("length", Words::Named("len"), length);
    out.field("traffic_class", Words::NotZero("traffic class"), first >> 20 & 0xff);
    out.field("flow_label", Words::NotZero("flow label"), first & 0xf_ffff);
    out.field("next_header", Words::Silent, header[6]);
    if length > rest.len() {
        out.fault("BAD LENGTH");
        return bytes;
    }
    let packet = &bytes[..HEADER + length];
    let mut network =
        Network { src: &packet[8..24], dst: &packet[24..HEADER], protocol: packet[6] };
    if let Some(rest) = extension::read(&mut network, &packet[HEADER..], out) {
        read_transport(&network, rest, out);
    }
    packet
}
