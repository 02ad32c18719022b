use crate::abi;
use std::ops::Range;

const ETHERNET_BYTES: usize = 14;
const VLANS_MAX: usize = 4;

/// What a frame (without FCS) is known by at a [`Matcher`](crate::Matcher): abi.h, matcher.
///
/// Frames with an equal IP packet are equal, whatever their MAC addresses, VLAN tags and
/// padding are: devices change those.
pub fn fingerprint(frame: &[u8]) -> u64 {
    let (octets, version) = extent(frame);
    let octets = &frame[octets];
    let mut hash = abi::FINGERPRINT_SEED ^ octets.len() as u64;
    for (index, part) in octets.chunks(abi::FINGERPRINT_BYTES as usize).enumerate() {
        let mut chunk = [0; abi::FINGERPRINT_BYTES as usize];
        chunk[..part.len()].copy_from_slice(part);
        if index == 0 {
            forget_hop(&mut chunk, version);
        }
        for word in chunk.as_chunks().0 {
            hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(abi::FINGERPRINT_FACTOR);
            hash ^= hash >> abi::FINGERPRINT_SHIFT;
        }
    }
    hash
}

/// The octets of a frame (without FCS) that it is known by, and the version of their IP: the
/// outermost IP packet without Ethernet padding, or the whole frame (0) where that holds none.
pub fn extent(frame: &[u8]) -> (Range<usize>, u8) {
    match ip_packet(frame) {
        Some(packet) => (packet.clone(), frame[packet.start] >> 4),
        None => (0..frame.len(), 0),
    }
}

/// Takes out what a router changes.
fn forget_hop(chunk: &mut [u8], version: u8) {
    match version {
        4 => [1, 8, 10, 11].into_iter().for_each(|at| chunk[at] = 0),
        6 => {
            chunk[0] &= 0xf0;
            chunk[1] &= 0x0f;
            chunk[7] = 0;
        }
        _ => {}
    }
}

fn ip_packet(frame: &[u8]) -> Option<Range<usize>> {
    let type_at = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let mut offset = ETHERNET_BYTES;
    for _ in 0..VLANS_MAX {
        if !matches!(type_at(offset - 2)?, 0x8100 | 0x88a8 | 0x9100) || frame.len() < offset + 4 {
            break;
        }
        offset += 4;
    }
    let header = frame.get(offset..offset + 20)?;
    let field = |at: usize| usize::from(u16::from_be_bytes([header[at], header[at + 1]]));
    if !matches!(type_at(offset - 2)?, 0x0800 | 0x86dd) {
        return None;
    }
    let (total, least) = if header[0] >> 4 == 4 { (field(2), 20) } else { (40 + field(4), 40) };
    (total >= least && offset + total <= frame.len()).then_some(offset..offset + total)
}
