//! IPv4, without options (RFC 791).

use super::{Network, hex, protocol, read_checksum, read_transport};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Length, Place, Role},
    digits,
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::{Layer, Values};
use std::net::Ipv4Addr;

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
pub(super) fn read<'a>(bytes: &'a [u8], out: &mut Reading) -> &'a [u8] {
    let header = usize::from(bytes.first().unwrap_or(&0) & 0xf) * 4;
    if header < HEADER || bytes.len() < header {
        out.truncated("ipv4", bytes);
        return bytes;
    }
    let word = |at| u16::from_be_bytes(load(bytes, at));
    let address = |at| Ipv4Addr::from_octets(load(bytes, at));
    let length = usize::from(word(2));
    let flags = word(6);
    out.header("ipv4", &bytes[..header]);
    out.field("src", Words::Bare, address(12));
    out.field("dst", Words::To, address(16));
    out.field("ttl", Words::Named("ttl"), bytes[8]);
    out.field("length", Words::Named("len"), length);
    out.field("dscp", Words::NotZero("dscp"), bytes[1] >> 2);
    out.field("ecn", Words::NotZero("ecn"), bytes[1] & 3);
    out.field("id", Words::NotZero("id"), word(4));
    let df = u16::from(flags & DONT_FRAGMENT as u16 != 0);
    out.field("df", if df == 1 { Words::Instead("df") } else { Words::Silent }, df);
    let mf = flags >> 13 & 1;
    out.field("mf", if mf == 1 { Words::Instead("mf") } else { Words::Silent }, mf);
    out.field("fragment_offset", Words::NotZero("fragment offset"), flags & 0x1fff);
    out.field("reserved", Words::NotZero("reserved"), flags >> 15);
    out.field("protocol", Words::Silent, bytes[9]);
    out.field("checksum", Words::Silent, hex(word(10)));
    if header > HEADER {
        out.field("options", Words::Named("options"), digits(&bytes[HEADER..header]));
    }
    read_checksum(None, &bytes[..header], out);
    if length < header || length > bytes.len() {
        out.fault("BAD LENGTH");
        return bytes;
    }
    let packet = &bytes[..length];
    if flags & 0x1fff != 0 {
        // Only the first fragment begins with the header that `protocol` names.
        out.payload(&packet[header..], true);
        return packet;
    }
    read_transport(
        &Network { src: &packet[12..16], dst: &packet[16..HEADER], protocol: packet[9] },
        &packet[header..],
        out,
    );
    packet
}
