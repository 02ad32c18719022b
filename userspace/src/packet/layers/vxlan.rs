//! VXLAN (RFC 7348).

use super::eth;
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
};
use crate::spec::Values;
use std::fmt::Write as _;

/// The I flag: the VNI is valid.
const VALID: u8 = 0x08;

pub(super) fn append(b: &mut Builder, vni: &Values) -> Result<(), PacketError> {
    let at = b.header(&[VALID, 0, 0, 0, 0, 0, 0, 0]);
    b.field("vxlan.vni", Place { offset: at + 4, width: 4, shift: 8, bits: 24 }, vni)
}

/// Reads the header and the frame in it; nothing if it is no VXLAN.
pub(super) fn read(packet: &[u8], text: &mut String) {
    if let Some((header, frame)) = packet.split_first_chunk::<8>()
        && header[0] == VALID
    {
        let vni = u32::from_be_bytes([0, header[4], header[5], header[6]]);
        let _ = write!(text, "; vxlan {vni}");
        eth::read_inner(frame, text);
    }
}
