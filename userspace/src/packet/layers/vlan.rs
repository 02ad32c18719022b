//! IEEE 802.1Q tag, one or several.

use super::{ETHERTYPE_SERVICE_VLAN, ETHERTYPE_VLAN, ethertype, hex};
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::{Layer, Values};

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
pub(super) fn read<'a>(tpid: u16, bytes: &'a [u8], out: &mut Reading) -> Option<(u16, &'a [u8])> {
    let Some((header, rest)) = bytes.split_at_checked(4) else {
        out.truncated("vlan", bytes);
        return None;
    };
    let (control, kind): (u16, u16) =
        (u16::from_be_bytes(load(header, 0)), u16::from_be_bytes(load(header, 2)));
    out.header("vlan", header);
    out.field("id", Words::Bare, control & 0xfff);
    out.field("pcp", Words::Named("pcp"), control >> 13);
    let dei = control >> 12 & 1;
    out.field("dei", if dei == 1 { Words::Instead("dei") } else { Words::Silent }, dei);
    let usual = tpid == ETHERTYPE_VLAN;
    out.field("tpid", if usual { Words::Silent } else { Words::Named("tpid") }, hex(tpid));
    out.field("type", Words::Silent, hex(kind));
    Some((kind, rest))
}
