//! Extension headers of IPv6 (RFC 8200 section 4).

use super::{
    Network, PROTOCOL_DESTINATION_OPTIONS, PROTOCOL_FRAGMENT, PROTOCOL_HOP_BY_HOP,
    PROTOCOL_ROUTING, protocol,
};
use crate::packet::{
    PacketError,
    builder::{Builder, Place},
    digits,
    dissect::{Reading, Words},
};
use crate::spec::{Layer, Values};
use std::ops::Range;

/// Routing types whose last hop the checksum of L4 takes for the destination.
const SOURCE_ROUTE: u8 = 0;
const MOBILE_IPV6: u8 = 2;
const SEGMENT_ROUTING: u8 = 4;

pub(super) fn append_options(b: &mut Builder, options: &[u8], rest: &[Layer]) {
    let at = b.header(&[protocol(rest), length(2 + options.len())]);
    b.header(options);
    debug_assert!((b.bytes.len() - at).is_multiple_of(8), "the spec pads");
}

pub(super) fn append_routing(
    b: &mut Builder,
    kind: u8,
    segments_left: u8,
    data: &[u8],
    rest: &[Layer],
) {
    let at = b.header(&[protocol(rest), length(4 + data.len()), kind, segments_left]);
    b.header(data);
    if let Some([_, dst]) = &mut b.addresses
        && let Some(last) = final_destination(kind, segments_left, 4 + data.len())
    {
        *dst = at + last.start..at + last.end;
    }
}

/// An atomic fragment (RFC 6946): offset 0, and none to follow.
pub(super) fn append_fragment(
    b: &mut Builder,
    id: &Values,
    rest: &[Layer],
) -> Result<(), PacketError> {
    let at = b.header(&[protocol(rest), 0, 0, 0, 0, 0, 0, 0]);
    b.field("fragment.id", Place::word(at + 4, 4), id)
}

/// The length field of a header of so many octets.
fn length(octets: usize) -> u8 {
    (octets / 8).saturating_sub(1) as u8
}

/// Where a routing header of so many octets holds the final destination: the last address
/// of a source route (RFC 2460), the home address (RFC 6275), the first entry of a
/// segment list, which is the last to be visited (RFC 8754).
fn final_destination(kind: u8, segments_left: u8, octets: usize) -> Option<Range<usize>> {
    let at = match kind {
        _ if segments_left == 0 || octets < 24 => return None,
        SOURCE_ROUTE => octets - 16,
        MOBILE_IPV6 | SEGMENT_ROUTING => 8,
        _ => return None,
    };
    Some(at..at + 16)
}

/// Reads the extension headers; returns what follows the last, where it can be told.
pub(super) fn read<'a>(
    network: &mut Network<'a>,
    mut bytes: &'a [u8],
    out: &mut Reading,
) -> Option<&'a [u8]> {
    loop {
        let name = match network.protocol {
            PROTOCOL_HOP_BY_HOP => "hop_by_hop",
            PROTOCOL_DESTINATION_OPTIONS => "destination_options",
            PROTOCOL_ROUTING => "routing",
            PROTOCOL_FRAGMENT => "fragment",
            _ => return Some(bytes),
        };
        let fragment = network.protocol == PROTOCOL_FRAGMENT;
        let octets = match bytes {
            [_, length, ..] if !fragment => 8 * (usize::from(*length) + 1),
            _ => 8,
        };
        let Some((header, rest)) = bytes.split_at_checked(octets) else {
            out.truncated(name, bytes);
            return None;
        };
        out.header(name, header);
        out.field("length", Words::Named("len"), octets);
        let mut last_fragment = true;
        if fragment {
            let at = u16::from_be_bytes([header[2], header[3]]);
            let id = u32::from_be_bytes([4, 5, 6, 7].map(|at| header[at]));
            out.field("id", Words::Named("id"), id);
            out.field("fragment_offset", Words::NotZero("offset"), at & 0xfff8);
            out.field("mf", Words::NotZero("mf"), at & 1);
            last_fragment = at & 0xfff9 == 0;
        } else if network.protocol == PROTOCOL_ROUTING {
            out.field("type", Words::Named("type"), header[2]);
            out.field("segments_left", Words::Named("segments left"), header[3]);
            out.field("data", Words::Silent, digits(&header[4..]));
            if let Some(last) = final_destination(header[2], header[3], octets) {
                network.dst = &header[last];
            }
        } else {
            out.field("options", Words::Silent, digits(&header[2..]));
        }
        out.field("next_header", Words::Silent, header[0]);
        if !last_fragment {
            out.payload(rest, false);
            return None;
        }
        network.protocol = header[0];
        bytes = rest;
    }
}
