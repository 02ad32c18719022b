//! UDP (RFC 768).

use super::{Network, PROTOCOL_UDP, hex, read_checksum, vxlan};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Length, Place, Role},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::{UdpChecksum, Values};

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

pub(super) fn read(network: &Network<'_>, packet: &[u8], out: &mut Reading) {
    let Some((header, payload)) = packet.split_at_checked(8) else {
        out.truncated("udp", packet);
        return;
    };
    let word = |at| u16::from_be_bytes(load(header, at));
    let (length, checksum) = (word(4), word(6));
    out.header("udp", header);
    out.field("src", Words::Bare, word(0));
    out.field("dst", Words::To, word(2));
    out.field("length", Words::Named("len"), length);
    let is_whole = usize::from(length) == packet.len();
    let absent = is_whole && checksum == 0;
    let words = if absent { Words::Instead("no checksum") } else { Words::Silent };
    out.field("checksum", words, hex(checksum));
    if !is_whole {
        out.fault("BAD LENGTH");
    } else if !absent {
        read_checksum(Some(network), packet, out);
    }
    if word(2) == VXLAN_PORT {
        vxlan::read(payload, out);
    } else {
        out.payload(payload, false);
    }
}
