//! An MPLS label stack entry (RFC 3032, RFC 5462).

use super::{eth, ipv4, ipv6};
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
};
use crate::spec::{Layer, Values};
use std::fmt::Write as _;

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
pub(super) fn read<'a>(bytes: &'a [u8], text: &mut String) -> &'a [u8] {
    let mut rest = bytes;
    loop {
        let Some((entry, inner)) = rest.split_first_chunk::<4>() else {
            text.push_str("; mpls TRUNCATED");
            return bytes;
        };
        let entry = u32::from_be_bytes(*entry);
        let _ = write!(text, "; mpls {} ttl {}", entry >> 12, entry & 0xff);
        if entry >> 9 & 7 != 0 {
            let _ = write!(text, " tc {}", entry >> 9 & 7);
        }
        rest = inner;
        if entry >> 8 & 1 == 1 {
            break;
        }
    }
    match rest.first().map_or(0, |octet| octet >> 4) {
        4 => drop(ipv4::read(rest, text)),
        6 => drop(ipv6::read(rest, text)),
        // RFC 4448, without a control word.
        0 if rest.len() >= 14 => drop(eth::read_inner(rest, text)),
        _ => {
            let _ = write!(text, "; payload len {}", rest.len());
        }
    }
    bytes
}
