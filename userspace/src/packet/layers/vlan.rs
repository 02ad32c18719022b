//! IEEE 802.1Q tag, one or several.

use super::{ETHERTYPE_SERVICE_VLAN, ETHERTYPE_VLAN, ethertype};
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
};
use crate::spec::{Layer, Values};
use std::fmt::Write as _;

/// Appends the tag control information and the type of what follows; the TPID is the
/// type field of the header before.
pub(super) fn append(
    b: &mut Builder,
    id: &Values,
    pcp: &Values,
    dei: &Values,
    rest: &[Layer],
) -> Result<(), PacketError> {
    let at = b.header(&[0; 4]);
    b.field("vlan.id", Place::bits(at, 0, 12), id)?;
    b.field("vlan.pcp", Place::bits(at, 13, 3), pcp)?;
    b.field("vlan.dei", Place::bits(at, 12, 1), dei)?;
    append_type(b, at + 2, rest)
}

/// Writes, at `at`, the `EtherType` of the next layer: of a VLAN tag, its TPID, by
/// default 0x8100, and 0x88a8 for all but the innermost of several.
pub(super) fn append_type(b: &mut Builder, at: usize, rest: &[Layer]) -> Result<(), PacketError> {
    let value = match rest {
        [Layer::Vlan { tpid: Some(values), .. }, ..] => {
            return b.field("vlan.tpid", Place::word(at, 2), values);
        }
        [Layer::Vlan { .. }, Layer::Vlan { .. }, ..] => ETHERTYPE_SERVICE_VLAN,
        [Layer::Vlan { .. }, ..] => ETHERTYPE_VLAN,
        _ => ethertype(rest),
    };
    b.put(Place::word(at, 2), value.into());
    Ok(())
}

/// Reads a tag; returns the type and the octets that follow.
pub(super) fn read<'a>(tpid: u16, bytes: &'a [u8], text: &mut String) -> Option<(u16, &'a [u8])> {
    let Some((header, rest)) = bytes.split_first_chunk::<4>() else {
        text.push_str("; vlan TRUNCATED");
        return None;
    };
    let control = u16::from_be_bytes([header[0], header[1]]);
    let _ = write!(text, "; vlan {} pcp {}", control & 0xfff, control >> 13);
    if control & 0x1000 != 0 {
        text.push_str(" dei");
    }
    if tpid != ETHERTYPE_VLAN {
        let _ = write!(text, " tpid {tpid:#06x}");
    }
    Some((u16::from_be_bytes([header[2], header[3]]), rest))
}
