//! TCP: a bare header without options (RFC 9293).

use super::{Network, PROTOCOL_TCP, hex, read_checksum};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Place, Role},
    digits,
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::Values;

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

pub(super) fn read(network: &Network<'_>, packet: &[u8], out: &mut Reading) {
    if packet.len() < HEADER {
        out.truncated("tcp", packet);
        return;
    }
    let word = |at| u16::from_be_bytes(load(packet, at));
    let long = |at| u32::from_be_bytes(load(packet, at));
    let offset = packet[12] >> 4;
    let end = (usize::from(offset) * 4).clamp(HEADER, packet.len());
    let (header, payload) = packet.split_at(end);
    out.header("tcp", header);
    out.field("src", Words::Bare, word(0));
    out.field("dst", Words::To, word(2));
    out.field("seq", Words::Named("seq"), long(4));
    out.field("ack", Words::Named("ack"), long(8));
    out.field("flags", Words::TcpFlags, packet[13]);
    out.field("window", Words::Named("window"), word(14));
    out.field("ns", Words::NotZero("ns"), packet[12] & 1);
    out.field("data_offset", Words::Silent, offset);
    out.field("checksum", Words::Silent, hex(word(16)));
    out.field("urgent", Words::NotZero("urgent"), word(18));
    if end > HEADER {
        out.field("options", Words::Named("options"), digits(&header[HEADER..]));
    }
    read_checksum(Some(network), packet, out);
    out.payload(payload, false);
}
