//! IPv6 (RFC 8200).

use super::{Network, extension, protocol, read_transport};
use crate::packet::{
    PacketError,
    builder::{Builder, Length, Place, Role},
};
use crate::spec::{Layer, Values};
use std::{fmt::Write as _, net::Ipv6Addr};

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
pub(super) fn read<'a>(bytes: &'a [u8], text: &mut String) -> &'a [u8] {
    if bytes.len() < HEADER {
        text.push_str("; ipv6 TRUNCATED");
        return bytes;
    }
    let address = |at| Ipv6Addr::from_octets(crate::packet::words::load(bytes, at));
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let _ =
        write!(text, "; ipv6 {} > {} hop limit {} len {length}", address(8), address(24), bytes[7]);
    let first = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    for (name, value) in [("traffic class", first >> 20 & 0xff), ("flow label", first & 0xf_ffff)] {
        if value != 0 {
            let _ = write!(text, " {name} {value}");
        }
    }
    if HEADER + length > bytes.len() {
        text.push_str(" BAD LENGTH");
        return bytes;
    }
    let packet = &bytes[..HEADER + length];
    let mut network =
        Network { src: &packet[8..24], dst: &packet[24..HEADER], protocol: packet[6] };
    if let Some(rest) = extension::read(&mut network, &packet[HEADER..], text) {
        read_transport(&network, rest, text);
    }
    packet
}
