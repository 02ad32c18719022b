//! ICMP (RFC 792) and `ICMPv6` (RFC 4443), as far as echo has fields.

use super::{Network, PROTOCOL_ICMPV6, read_checksum};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Place},
};
use crate::spec::Values;
use std::fmt::Write as _;

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

pub(super) fn read(network: Option<&Network<'_>>, packet: &[u8], text: &mut String) {
    let name = if network.is_some() { "icmpv6" } else { "icmp" };
    let Some(header) = packet.first_chunk::<8>() else {
        let _ = write!(text, "; {name} TRUNCATED");
        return;
    };
    let word = |at| u16::from_be_bytes([header[at], header[at + 1]]);
    let _ = write!(
        text,
        "; {name} type {} code {} id {} seq {}",
        header[0],
        header[1],
        word(4),
        word(6)
    );
    read_checksum(network, packet, text);
}
