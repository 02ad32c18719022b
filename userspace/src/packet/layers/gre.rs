//! GRE (RFC 2784) with key and sequence number (RFC 2890).

use super::{ETHERTYPE_ETHERNET, eth, ethertype, read_checksum};
use crate::packet::{
    PacketError,
    builder::{Builder, Checksum, Place},
};
use crate::spec::{Layer, Values};
use std::fmt::Write as _;

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

pub(super) fn read(packet: &[u8], text: &mut String) {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let (Some(flags), Some(protocol)) = (word(0), word(2)) else {
        text.push_str("; gre TRUNCATED");
        return;
    };
    text.push_str("; gre");
    let mut at = 4;
    for (flag, name) in [(CHECKSUM, "checksum"), (KEY, "key"), (SEQUENCE, "sequence")] {
        if flags & flag == 0 {
            continue;
        }
        let (Some(high), Some(low)) = (word(at), word(at + 2)) else {
            text.push_str(" TRUNCATED");
            return;
        };
        at += 4;
        if flag == CHECKSUM {
            text.push_str(" checksum");
            read_checksum(None, packet, text);
        } else {
            let _ = write!(text, " {name} {}", u32::from(high) << 16 | u32::from(low));
        }
    }
    match protocol {
        ETHERTYPE_ETHERNET => drop(eth::read_inner(&packet[at..], text)),
        other => drop(eth::read_type(other, &packet[at..], text)),
    }
}
