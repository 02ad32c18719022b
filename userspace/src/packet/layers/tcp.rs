//! TCP: a bare header without options (RFC 9293).

use super::{Network, PROTOCOL_TCP, read_checksum};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Place, Role},
};
use crate::spec::Values;
use std::fmt::Write as _;

const HEADER: usize = 20;

/// The values of the `tcp` layer.
pub(super) struct Fields<'a> {
    pub(super) src: &'a Values,
    pub(super) dst: &'a Values,
    pub(super) seq: &'a Values,
    pub(super) ack: &'a Values,
    pub(super) flags: &'a Values,
    pub(super) window: &'a Values,
}

pub(super) fn append(b: &mut Builder, f: &Fields<'_>) -> Result<(), PacketError> {
    let at = b.header(&[0; HEADER]);
    b.role_field("tcp.src", Role::Tuple, Place::word(at, 2), f.src)?;
    b.role_field("tcp.dst", Role::Tuple, Place::word(at + 2, 2), f.dst)?;
    b.field("tcp.seq", Place::word(at + 4, 4), f.seq)?;
    b.field("tcp.ack", Place::word(at + 8, 4), f.ack)?;
    b.put(Place::bits(at + 12, 12, 4), HEADER as u64 / 4);
    b.field("tcp.flags", Place::bits(at + 12, 0, 8), f.flags)?;
    b.field("tcp.window", Place::word(at + 14, 2), f.window)?;
    b.checksums.push(Checksum {
        offset: at + 16,
        from: at,
        to: None,
        pseudo: b.addresses.clone().map(|addresses| (addresses, PROTOCOL_TCP)),
        never_zero: false,
        wrong: false,
    });
    Ok(())
}

pub(super) fn read(network: &Network<'_>, packet: &[u8], text: &mut String) {
    let Some(header) = packet.first_chunk::<HEADER>() else {
        text.push_str("; tcp TRUNCATED");
        return;
    };
    let word = |at| u16::from_be_bytes([header[at], header[at + 1]]);
    let long = |at: usize| u32::from(word(at)) << 16 | u32::from(word(at + 2));
    let _ = write!(text, "; tcp {} > {} seq {} ack {} flags ", word(0), word(2), long(4), long(8));
    let flags = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
    let set: Vec<_> =
        (0..8).filter(|bit| header[13] >> bit & 1 == 1).map(|bit| flags[bit]).collect();
    text.push_str(&if set.is_empty() { "none".to_owned() } else { set.join(",") });
    let _ = write!(text, " window {}", word(14));
    read_checksum(Some(network), packet, text);
}
