//! GRE (RFC 2784) with key and sequence number (RFC 2890).

use super::{ETHERTYPE_ETHERNET, eth, ethertype, hex, read_checksum};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Place},
    dissect::{Reading, Words},
    words::load,
};
use crate::spec::{Layer, Values};

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;

/// The values of the `gre` layer.
pub(super) struct Fields<'a> {
    pub(super) protocol: Option<&'a Values>,
    pub(super) checksum: bool,
    pub(super) key: Option<&'a Values>,
    pub(super) sequence: Option<&'a Values>,
}

pub(super) fn append(b: &mut Builder, f: &Fields<'_>, rest: &[Layer]) -> Result<(), PacketError> {
    let at = b.header(&[0; 4]);
    let mut flags = 0;
    if f.checksum {
        flags |= CHECKSUM;
        let offset = b.header(&[0; 4]);
        b.checksums.push(Checksum {
            offset,
            from: at,
            to: None,
            pseudo: None,
            never_zero: false,
            wrong: false,
        });
    }
    for (name, flag, values) in [("gre.key", KEY, f.key), ("gre.sequence", SEQUENCE, f.sequence)] {
        if let Some(values) = values {
            flags |= flag;
            let offset = b.header(&[0; 4]);
            b.field(name, Place::word(offset, 4), values)?;
        }
    }
    b.put(Place::word(at, 2), flags.into());
    match f.protocol {
        Some(values) => b.field("gre.protocol", Place::word(at + 2, 2), values)?,
        None => b.put(Place::word(at + 2, 2), ethertype(rest).into()),
    }
    Ok(())
}

pub(super) fn read(packet: &[u8], out: &mut Reading) {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let (Some(flags), Some(protocol)) = (word(0), word(2)) else {
        out.truncated("gre", packet);
        return;
    };
    let optional = [(CHECKSUM, "checksum"), (KEY, "key"), (SEQUENCE, "sequence")]
        .into_iter()
        .filter(|(flag, _)| flags & flag != 0);
    let octets = 4 + 4 * optional.clone().count();
    let Some((header, rest)) = packet.split_at_checked(octets) else {
        out.truncated("gre", packet);
        return;
    };
    out.header("gre", header);
    for (at, (flag, name)) in (4..).step_by(4).zip(optional) {
        if flag == CHECKSUM {
            let sum = u16::from_be_bytes(load(header, at));
            out.field("checksum", Words::Instead("checksum"), hex(sum));
            read_checksum(None, packet, out);
        } else {
            out.field(name, Words::Named(name), u32::from_be_bytes(load(header, at)));
        }
    }
    out.field("protocol", Words::Silent, hex(protocol));
    match protocol {
        ETHERTYPE_ETHERNET => drop(eth::read(rest, out)),
        other => drop(eth::read_type(other, rest, out)),
    }
}
