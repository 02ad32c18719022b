//! UDP (RFC 768).

use super::{Network, PROTOCOL_UDP, read_checksum, vxlan};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Length, Place, Role},
};
use crate::spec::{UdpChecksum, Values};
use std::fmt::Write as _;

/// RFC 7348 section 5.
const VXLAN_PORT: u16 = 4789;

pub(super) fn append(
    b: &mut Builder,
    src: &Values,
    dst: &Values,
    checksum: UdpChecksum,
) -> Result<(), PacketError> {
    let at = b.header(&[0; 8]);
    b.role_field("udp.src", Role::Tuple, Place::word(at, 2), src)?;
    b.role_field("udp.dst", Role::Tuple, Place::word(at + 2, 2), dst)?;
    b.lengths.push(Length { offset: at + 4, from: at });
    match checksum {
        UdpChecksum::Fixed(value) => b.put(Place::word(at + 6, 2), value.into()),
        UdpChecksum::Auto => b.checksums.push(Checksum {
            offset: at + 6,
            from: at,
            to: None,
            pseudo: b.addresses.clone().map(|addresses| (addresses, PROTOCOL_UDP)),
            never_zero: true,
            wrong: false,
        }),
    }
    Ok(())
}

pub(super) fn read(network: &Network<'_>, packet: &[u8], text: &mut String) {
    let Some(header) = packet.first_chunk::<8>() else {
        text.push_str("; udp TRUNCATED");
        return;
    };
    let word = |at| u16::from_be_bytes([header[at], header[at + 1]]);
    let _ = write!(text, "; udp {} > {} len {}", word(0), word(2), word(4));
    if usize::from(word(4)) != packet.len() {
        text.push_str(" BAD LENGTH");
    } else if word(6) == 0 {
        text.push_str(" no checksum");
    } else {
        read_checksum(Some(network), packet, text);
    }
    if word(2) == VXLAN_PORT {
        vxlan::read(&packet[8..], text);
    }
}
