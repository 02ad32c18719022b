//! VXLAN (RFC 7348).

use super::eth;
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::Values;

/// The I flag: the VNI is valid.
const VALID: u8 = 0x08;

pub(super) fn append(b: &mut Builder, vni: &Values) -> Result<(), PacketError> {
    let at = b.header(&[VALID, 0, 0, 0, 0, 0, 0, 0]);
    b.field("vxlan.vni", Place { offset: at + 4, width: 4, shift: 8, bits: 24 }, vni)
}

/// Reads the header and the frame in it; payload if it is no VXLAN.
pub(super) fn read(packet: &[u8], out: &mut Reading) {
    match packet.split_at_checked(8) {
        Some((header, frame)) if header[0] == VALID => {
            out.header("vxlan", header);
            out.field("vni", Words::Bare, u32::from_be_bytes(load(header, 4)) >> 8);
            eth::read(frame, out);
        }
        _ => out.payload(packet, false),
    }
}
