//! IPv6 extension headers and labels, by the pure headers and by the program. The second
//! part needs root.

use crate::common::{
    frame::{IPV6, Shape, TCP, Tag, UDP, other, tag},
    outcome,
};
use proptest::prelude::*;
use xdp_ebpf::host;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// The frame with these extension headers between IPv6 and L4: kind, octets after the
/// first eight, and octets 2 and 3.
fn extended(shape: Shape, tag: Tag, headers: &[(u8, u8, [u8; 2])]) -> Vec<u8> {
    let frame = shape.frame(tag);
    let mut extensions = Vec::new();
    for (at, (kind, units, octets)) in headers.iter().enumerate() {
        let next = headers.get(at + 1).map_or(shape.protocol, |(kind, ..)| *kind);
        let units = if *kind == FRAGMENT { 0 } else { *units };
        extensions.extend([next, units, octets[0], octets[1]]);
        extensions.extend(std::iter::repeat_n(0, 4 + 8 * usize::from(units)));
    }
    let (head, rest) = frame.split_at(shape.l4());
    let mut frame = [head, &extensions, rest].concat();
    let length = (frame.len() - shape.l4() - shape.padding) as u16;
    frame[shape.l3() + 4..][..2].copy_from_slice(&length.to_be_bytes());
    if let Some((first, ..)) = headers.first() {
        frame[shape.l3() + 6] = *first;
    }
    frame
}

/// Octets of these extension headers.
fn octets(headers: &[(u8, u8, [u8; 2])]) -> usize {
    headers
        .iter()
        .map(|&(kind, units, _)| if kind == FRAGMENT { 8 } else { 8 + 8 * usize::from(units) })
        .sum()
}

fn headers() -> impl Strategy<Value = Vec<(u8, u8, [u8; 2])>> {
    let kind =
        prop_oneof![Just(HOP_BY_HOP), Just(DESTINATION_OPTIONS), Just(ROUTING), Just(FRAGMENT)];
    prop::collection::vec((kind, 0_u8..5, Just([0, 0])), 0..=6)
}

proptest! {
    #[test]
    fn l4_is_found_behind_extension_headers(
        headers in headers(),
        payload in 0_usize..90,
        padding in 0_usize..20,
        tcp: bool,
    ) {
        let protocol = if tcp { TCP } else { UDP };
        let shape = Shape { protocol, payload, padding, ..IPV6 };
        let frame = extended(shape, tag(0), &headers);
        let parsed = host::parse(&frame);
        prop_assert_eq!(parsed.end as usize, frame.len() - padding);
        prop_assert_eq!(parsed.l4_offset as usize, shape.l4() + octets(&headers));
        prop_assert_eq!((parsed.protocol, parsed.headers_damaged), (u32::from(protocol), 0));
        let l4 = &frame[shape.l4() + octets(&headers)..frame.len() - padding];
        let sums: u64 = l4.chunks(host::CHUNK_BYTES).map(host::chunk_sum).sum();
        prop_assert_eq!(host::fold(parsed.pseudo_header_sum + sums), 0xffff);
    }

    #[test]
    fn damage_to_extension_headers_reads_no_octet_beyond_the_frame(
        headers in headers(),
        damage in prop::collection::vec((54_usize..120, any::<u8>()), 0..6),
        keep in 54_usize..200,
    ) {
        let mut frame = extended(Shape { payload: 40, ..IPV6 }, tag(0), &headers);
        for (at, octet) in damage {
            if let Some(place) = frame.get_mut(at) {
                *place = octet;
            }
        }
        frame.truncate(keep);
        // A heap of its own for each: a reader beyond the end is found by valgrind or ASan,
        // and the program below by the verifier.
        host::parse(&frame.into_boxed_slice());
    }
}

#[test]
fn what_is_a_piece_or_still_on_its_way_has_no_l4_to_check() {
    for (kind, octets, known) in [
        (FRAGMENT, [0, 0], true),
        (FRAGMENT, [0, 1], false),
        (FRAGMENT, [0, 8], false),
        (ROUTING, [4, 0], true),
        (ROUTING, [4, 1], false),
    ] {
        let parsed = host::parse(&extended(IPV6, tag(0), &[(kind, 0, octets)]));
        assert_eq!(parsed.protocol == u32::from(UDP), known, "{kind} {octets:?}");
        assert_eq!(parsed.headers_damaged, 0);
    }
}

#[test]
fn the_program_takes_frames_with_extension_headers_and_finds_their_damage() {
    let all = [
        (HOP_BY_HOP, 1, [0, 0]),
        (ROUTING, 2, [0, 0]),
        (DESTINATION_OPTIONS, 0, [0, 0]),
        (FRAGMENT, 0, [0, 0]),
    ];
    let shape = Shape { payload: 100, padding: 3, ..IPV6 };
    let in_full = Tag { stream: 2, ..tag(0) };
    let sound = extended(shape, tag(0), &all);
    assert_eq!(outcome(&sound, 0), [("unique", 1)]);
    assert_eq!(outcome(&extended(shape, in_full, &all), 2), [("unique", 1)]);

    let udp = shape.l4() + octets(&all);
    let mut length = sound;
    length[udp + 5] ^= 1;
    assert_eq!(outcome(&length, 0), [("corrupt", 1)]);
    let mut payload = extended(shape, in_full, &all);
    payload[udp + 50] ^= 1;
    assert_eq!(outcome(&payload, 2), [("corrupt", 1)]);
}

#[test]
fn a_labelled_frame_has_its_tag_at_its_end() {
    assert_eq!(outcome(&other(0x8847, 60, tag(0)), 0), [("unique", 1)]);
    assert_eq!(outcome(&other(0x0806, 32, tag(0)), 0), [("unique", 1)]);
}
