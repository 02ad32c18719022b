//! An MPLS label stack entry (RFC 3032, RFC 5462).

use super::{eth, ipv4, ipv6};
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::{Layer, Values};

pub(super) fn append(
    b: &mut Builder,
    label: &Values,
    tc: &Values,
    ttl: &Values,
    rest: &[Layer],
) -> Result<(), PacketError> {
    let at = b.header(&[0; 4]);
    b.field("mpls.label", Place { offset: at, width: 4, shift: 12, bits: 20 }, label)?;
    b.field("mpls.tc", Place::bits(at + 2, 9, 3), tc)?;
    b.field("mpls.ttl", Place::bits(at + 2, 0, 8), ttl)?;
    let bottom = !matches!(rest.first(), Some(Layer::Mpls { .. }));
    b.put(Place::bits(at + 2, 8, 1), bottom.into());
    Ok(())
}

/// Reads the label stack and what stands on it, which no field announces: as every router
/// does, IP by its version. Returns all the octets, for no length says where they end.
pub(super) fn read<'a>(bytes: &'a [u8], out: &mut Reading) -> &'a [u8] {
    let mut rest = bytes;
    loop {
        let Some((header, inner)) = rest.split_at_checked(4) else {
            out.truncated("mpls", rest);
            return bytes;
        };
        let entry = u32::from_be_bytes(load(header, 0));
        let bottom = entry >> 8 & 1;
        out.header("mpls", header);
        out.field("label", Words::Bare, entry >> 12);
        out.field("ttl", Words::Named("ttl"), entry & 0xff);
        out.field("tc", Words::NotZero("tc"), entry >> 9 & 7);
        out.field("bottom", Words::Silent, bottom);
        rest = inner;
        if bottom == 1 {
            break;
        }
    }
    match rest.first().map_or(0, |octet| octet >> 4) {
        4 => drop(ipv4::read(rest, out)),
        6 => drop(ipv6::read(rest, out)),
        // RFC 4448, without a control word.
        0 if rest.len() >= 14 => drop(eth::read(rest, out)),
        _ => out.payload(rest, true),
    }
    bytes
}
