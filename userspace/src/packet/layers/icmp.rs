//! ICMP (RFC 792) and `ICMPv6` (RFC 4443), as far as echo has fields.

use super::{Network, PROTOCOL_ICMPV6, hex, read_checksum};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Place},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::Values;

const ICMP_FIELDS: [&str; 4] = ["icmp.type", "icmp.code", "icmp.id", "icmp.seq"];
const ICMPV6_FIELDS: [&str; 4] = ["icmpv6.type", "icmpv6.code", "icmpv6.id", "icmpv6.seq"];

/// Appends type, code, id and seq; `v6`: with the pseudo header in the checksum.
pub(super) fn append(b: &mut Builder, v6: bool, values: [&Values; 4]) -> Result<(), PacketError> {
    let at = b.header(&[0; 8]);
    let places = [
        Place::bits(at, 8, 8),
        Place::bits(at, 0, 8),
        Place::word(at + 4, 2),
        Place::word(at + 6, 2),
    ];
    let names = if v6 { ICMPV6_FIELDS } else { ICMP_FIELDS };
    for ((name, place), values) in names.into_iter().zip(places).zip(values) {
        b.field(name, place, values)?;
    }
    let addresses = b.addresses.clone().filter(|_| v6);
    b.checksums.push(Checksum {
        offset: at + 2,
        from: at,
        to: None,
        pseudo: addresses.map(|addresses| (addresses, PROTOCOL_ICMPV6)),
        never_zero: false,
        wrong: false,
    });
    Ok(())
}

pub(super) fn read(network: Option<&Network<'_>>, packet: &[u8], out: &mut Reading) {
    let name = if network.is_some() { "icmpv6" } else { "icmp" };
    let Some((header, rest)) = packet.split_at_checked(8) else {
        out.truncated(name, packet);
        return;
    };
    let word = |at| u16::from_be_bytes(load(header, at));
    out.header(name, header);
    out.field("type", Words::Named("type"), header[0]);
    out.field("code", Words::Named("code"), header[1]);
    out.field("id", Words::Named("id"), word(4));
    out.field("seq", Words::Named("seq"), word(6));
    out.field("checksum", Words::Silent, hex(word(2)));
    read_checksum(network, packet, out);
    out.payload(rest, false);
}
