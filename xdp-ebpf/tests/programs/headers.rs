//! parse.h and payload.h against Rust. Needs no root.

use crate::common::frame::{IPV4, IPV6, Shape, Tag, UDP, sum};
use proptest::prelude::*;
use xdp_ebpf::host;
/// Where a frame's L3 ends, by the book; `None` where it cannot be told.
fn l3_end(frame: &[u8]) -> Option<usize> {
    let be =
        |at: usize| Some(usize::from(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?)));
    let mut offset = 14;
    for _ in 0..4 {
        if matches!(be(offset - 2)?, 0x8100 | 0x88a8 | 0x9100) && frame.len() >= offset + 4 {
            offset += 4;
        }
    }
    let version = frame.get(offset)? >> 4;
    let (header, total) = match (be(offset - 2)?, version) {
        (0x0800, 4) => (4 * usize::from(frame[offset] & 15), be(offset + 2)?),
        (0x86dd, 6) => (40, 40 + be(offset + 4)?),
        _ => return None,
    };
    let sane = header >= 20 && total >= header + 14 && offset + total <= frame.len();
    sane.then_some(offset + total)
}

fn shape() -> impl Strategy<Value = Shape> {
    let vlans = prop_oneof![
        Just(&[][..]),
        Just(&[0x8100][..]),
        Just(&[0x88a8, 0x8100][..]),
        Just(&[0x9100, 0x9100, 0x8100, 0x8100][..]),
        Just(&[0x8100, 0x8100, 0x8100, 0x8100, 0x8100][..]),
    ];
    (
        vlans,
        any::<bool>(),
        0_usize..=10,
        prop_oneof![Just(UDP), Just(6), Just(1), Just(58), Just(47)],
        0_usize..300,
        0_usize..40,
    )
        .prop_map(|(vlans, ipv6, options, protocol, payload, padding)| Shape {
            vlans,
            ipv6,
            options: if ipv6 { 0 } else { options },
            protocol,
            payload,
            padding,
            ..IPV4
        })
}

const TAG: Tag = Tag { nonce: 1, trial: 1, stream: 0, sequence: 0, time_ns: 0 };

proptest! {
    #[test]
    fn the_tag_is_read_as_it_is_written(
        nonce in 0_u32..1 << 18,
        trial in 0_u8..64,
        stream: u16,
        sequence: u32,
        time_ns in 0_u64..1 << 40,
    ) {
        let tag = host::decode_tag(&Tag { nonce, trial, stream, sequence, time_ns }.octets());
        prop_assert_eq!(
            (tag.nonce, tag.trial, tag.stream, tag.sequence, tag.time_ns),
            (nonce, u32::from(trial), u32::from(stream), sequence, time_ns)
        );
    }

    #[test]
    fn a_built_frame_is_parsed_and_sound(shape in shape()) {
        let frame = shape.frame(TAG);
        let parsed = host::parse(&frame);
        if shape.vlans.len() > 4 {
            prop_assert_eq!(parsed.end, 0);
            return Ok(());
        }
        prop_assert_eq!(parsed.offset as usize, shape.l3());
        prop_assert_eq!(parsed.end as usize, frame.len() - shape.padding);
        prop_assert_eq!(parsed.l4_offset as usize, shape.l4());
        prop_assert_eq!(parsed.protocol, u32::from(shape.protocol));
        prop_assert_eq!((parsed.headers_damaged, parsed.claims_ip), (0, 1));
        if parsed.has_checksum != 0 {
            let l4 = &frame[shape.l4()..frame.len() - shape.padding];
            let sums: u64 = l4.chunks(host::CHUNK_BYTES).map(host::chunk_sum).sum();
            prop_assert_eq!(host::fold(parsed.pseudo_header_sum + sums), 0xffff);
        }
        prop_assert_eq!(parsed.has_checksum != 0, shape.protocol != 47);
    }

    #[test]
    fn any_octets_are_parsed_as_the_book_says(
        shape in shape(),
        damage in prop::collection::vec((0_usize..60, any::<u8>()), 0..4),
        keep in 0_usize..400,
    ) {
        let mut frame = shape.frame(TAG);
        for (at, octet) in damage {
            if let Some(place) = frame.get_mut(at) {
                *place = octet;
            }
        }
        frame.truncate(keep.max(1));
        let parsed = host::parse(&frame);
        prop_assert_eq!(parsed.end as usize, l3_end(&frame).unwrap_or(0));
        // The quick way to the tag is only taken where the long one leads to the same place.
        if parsed.plain_tag_offset != 0 {
            prop_assert_eq!((parsed.plain_tag_offset + 14, parsed.headers_damaged), (parsed.end, 0));
        }
    }

    #[test]
    fn the_quick_way_leads_to_the_tag_of_every_plain_frame_and_to_no_other(shape in shape()) {
        let plain = shape.vlans.is_empty()
            && (shape.ipv6, shape.options, shape.protocol) == (false, 0, UDP);
        let frame = shape.frame(TAG);
        let tag_offset = if plain { frame.len() - shape.padding - 14 } else { 0 };
        prop_assert_eq!(host::parse(&frame).plain_tag_offset as usize, tag_offset);
    }

    #[test]
    fn no_damaged_header_is_plain(bit in 8 * 14..8 * 40_usize) {
        let mut frame = IPV4.frame(TAG);
        frame[bit / 8] ^= 1 << (bit % 8);
        // Neither the ports of UDP nor its checksum are looked at.
        let looked_at = !(34..38).contains(&(bit / 8));
        prop_assert_eq!(host::parse(&frame).plain_tag_offset == 0, looked_at);
    }

    #[test]
    fn one_flipped_bit_in_an_ipv4_header_is_found(options in 0_usize..=10, bit: prop::sample::Index) {
        let shape = Shape { options, ..IPV4 };
        let mut frame = shape.frame(TAG);
        // Not in version and lengths, which decide where the packet ends.
        let bit = 8 * (shape.l3() + 4) + bit.index(8 * (shape.l4() - shape.l3() - 4));
        frame[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(host::parse(&frame).headers_damaged, 1);
    }

    #[test]
    fn a_sum_folds_as_one_octet_pair_after_the_other(octets in prop::collection::vec(any::<u8>(), 0..=128)) {
        let right = host::fold(host::chunk_sum(&octets));
        // Folds in the order of the loads: octets swapped.
        prop_assert_eq!(right == 0xffff, sum(&octets) == 0xffff);
        if right <= 0xffff {
            prop_assert_eq!((right as u16).swap_bytes() % 0xffff, sum(&octets) % 0xffff);
        }
    }

    #[test]
    fn one_wrong_octet_of_payload_is_found(length in 1_usize..=128, chunk in 0_u32..70, wrong: prop::sample::Index, by in 1_u8..) {
        let position = 128 * chunk;
        let mut octets: Vec<u8> = (0..length).map(|at| (position as usize + at) as u8).collect();
        prop_assert!(!host::pattern_differs(&octets, position));
        let wrong = wrong.index(length);
        octets[wrong] = octets[wrong].wrapping_add(by);
        prop_assert!(host::pattern_differs(&octets, position));
    }
}

#[test]
fn a_udp_length_other_than_that_of_l3_is_damage() {
    for shape in [IPV4, IPV6] {
        let mut frame = shape.frame(TAG);
        frame[shape.l4() + 5] ^= 1;
        assert_eq!(host::parse(&frame).headers_damaged, 1);
    }
}
