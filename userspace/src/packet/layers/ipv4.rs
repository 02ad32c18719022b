//! IPv4, without options (RFC 791).

use super::{Network, protocol, read_checksum, read_transport};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Length, Place, Role},
};
use crate::spec::{Layer, Values};
use std::{fmt::Write as _, net::Ipv4Addr};

const HEADER: usize = 20;
const DONT_FRAGMENT: u64 = 0x4000;

/// The values of the `ipv4` layer.
pub(super) struct Fields<'a> {
    pub(super) src: &'a Values,
    pub(super) dst: &'a Values,
    pub(super) dscp: &'a Values,
    pub(super) ecn: &'a Values,
    pub(super) id: &'a Values,
    pub(super) df: bool,
    pub(super) ttl: &'a Values,
    pub(super) protocol: Option<&'a Values>,
}

pub(super) fn append(b: &mut Builder, f: &Fields<'_>, rest: &[Layer]) -> Result<(), PacketError> {
    let at = b.network_header(&[0; HEADER]);
    b.put(Place::bits(at, 8, 8), 0x45);
    b.role_field("ipv4.src", Role::Tuple, Place::word(at + 12, 4), f.src)?;
    b.role_field("ipv4.dst", Role::Destination, Place::word(at + 16, 4), f.dst)?;
    b.field("ipv4.dscp", Place::bits(at, 2, 6), f.dscp)?;
    b.field("ipv4.ecn", Place::bits(at, 0, 2), f.ecn)?;
    b.field("ipv4.id", Place::word(at + 4, 2), f.id)?;
    b.put(Place::word(at + 6, 2), if f.df { DONT_FRAGMENT } else { 0 });
    b.field("ipv4.ttl", Place::bits(at + 8, 8, 8), f.ttl)?;
    match f.protocol {
        Some(values) => b.field("ipv4.protocol", Place::bits(at + 8, 0, 8), values)?,
        None => b.put(Place::bits(at + 8, 0, 8), protocol(rest).into()),
    }
    b.lengths.push(Length { offset: at + 2, from: at });
    b.checksums.push(Checksum {
        offset: at + 10,
        from: at,
        to: Some(at + HEADER),
        pseudo: None,
        never_zero: false,
        wrong: false,
    });
    b.addresses = Some([at + 12..at + 16, at + 16..at + HEADER]);
    Ok(())
}

/// Reads a packet and returns it, cut to its total length.
pub(super) fn read<'a>(bytes: &'a [u8], text: &mut String) -> &'a [u8] {
    let header = usize::from(bytes.first().unwrap_or(&0) & 0xf) * 4;
    if header < HEADER || bytes.len() < header {
        text.push_str("; ipv4 TRUNCATED");
        return bytes;
    }
    let word = |at| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let address = |at| Ipv4Addr::from_octets(crate::packet::words::load(bytes, at));
    let length = usize::from(word(2));
    let _ = write!(text, "; ipv4 {} > {} ttl {} len {length}", address(12), address(16), bytes[8]);
    for (name, value) in
        [("dscp", u16::from(bytes[1] >> 2)), ("ecn", u16::from(bytes[1] & 3)), ("id", word(4))]
    {
        if value != 0 {
            let _ = write!(text, " {name} {value}");
        }
    }
    if word(6) == DONT_FRAGMENT as u16 {
        text.push_str(" df");
    }
    read_checksum(None, &bytes[..header], text);
    if length < header || length > bytes.len() {
        text.push_str(" BAD LENGTH");
        return bytes;
    }
    let packet = &bytes[..length];
    read_transport(
        &Network { src: &packet[12..16], dst: &packet[16..HEADER], protocol: packet[9] },
        &packet[header..],
        text,
    );
    packet
}
