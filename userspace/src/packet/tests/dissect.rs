//! Dissections against the independent reader, and what varies against what differs.

use super::{compile, flows::*, frames, judge::judge};
use crate::{
    packet::{Cursor, TAG_BYTES, dissect},
    spec::{Layer, Spec, Track, Values},
};
use proptest::prelude::*;
use std::{net::IpAddr, ops::Range};

/// A value as it stands in a flow file.
fn number(text: &str) -> u128 {
    let hex = |digits: &str| u128::from_str_radix(digits, 16).unwrap();
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.to_bits().into(),
        Ok(IpAddr::V6(address)) => address.to_bits(),
        Err(_) if text.matches(':').count() == 5 => hex(&text.replace(':', "")),
        Err(_) => match text.strip_prefix("0x") {
            Some(digits) => hex(digits),
            None => text.parse().unwrap(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_dissection_says_what_the_independent_reader_says(flow in any_flow()) {
        for frame in frames(&flow, 6) {
            let read = dissect(&frame, flow.track == Track::Tag);
            let (mut at, mut vlans) = (0, 0);
            let verdict = judge(&frame);
            let mut headers = read.headers.iter();
            for layer in flow.layers.iter().filter(|layer| !matches!(layer, Layer::Raw { .. })) {
                let header = headers.next().unwrap();
                prop_assert_eq!((header.name, header.offset, header.octets), (layer.name(), at, layer.bytes()));
                prop_assert!(header.faults.is_empty(), "{read}");
                at += header.octets;
                let name = if header.name == "vlan" { format!("vlan{vlans}") } else { header.name.into() };
                vlans += usize::from(header.name == "vlan");
                for field in &header.fields {
                    // The reader's `eth.type` is the last of several.
                    let judged = verdict.fields.get(&format!("{name}.{}", field.name));
                    if let Some(judged) = judged.filter(|_| (header.name, field.name) != ("eth", "type")) {
                        prop_assert_eq!(number(&field.value), *judged, "{}.{}", name, field.name);
                    }
                }
                let judged = verdict.fields.keys().filter(|key| key.starts_with(&format!("{name}.")));
                prop_assert!(judged.count() <= header.fields.len());
            }
            let payload = headers.next();
            prop_assert_eq!(payload.map_or(0, |header| header.octets), frame.len() - at);
            prop_assert!(headers.next().is_none());
            let tag = (flow.track == Track::Tag).then(|| frame.len() - TAG_BYTES);
            prop_assert_eq!(read.tag.map(|(at, _)| at), tag);
        }
    }

    #[test]
    fn what_does_not_vary_is_the_same_in_all_frames_of_a_size(flow in any_flow()) {
        let program = compile(&flow);
        let mut cursor = Cursor::new(program.clone(), 0, 1);
        let mut first: Vec<Option<Vec<u8>>> = vec![None; program.variants().len()];
        for number in 0..40 {
            let variant = cursor.variant();
            let mut frame = vec![0; program.max_frame_bytes()];
            cursor.fill(&mut frame);
            let octets = cursor.write(&mut frame, &super::stamp(number));
            frame.truncate(octets);
            for range in program.varying(variant) {
                frame[range].fill(0);
            }
            let known = first[usize::from(variant)].get_or_insert_with(|| frame.clone());
            prop_assert_eq!(&*known, &frame);
        }
    }
}

fn varying(layers: Vec<Layer>, sizes: &[u16], track: Track) -> Vec<Range<usize>> {
    compile(&crate::spec::Flow { track, ..flow(layers, sizes) }).varying(0)
}

#[test]
fn only_what_varies_is_said_to() {
    let layers = |src| vec![eth(), ipv4(src, Values::One(2)), udp(Values::One(1), Values::One(7))];
    let one = || Values::One(1);
    assert_eq!(varying(layers(one()), &[64], Track::None), []);
    // Of a tagged frame of 60 octets the UDP checksum and the tag.
    assert_eq!(varying(layers(one()), &[64], Track::Tag), [40..42, 46..60]);
    // An address, and both checksums over it, which touches the first.
    assert_eq!(varying(layers(range(1, 9)), &[64], Track::None), [24..30, 40..42]);
    // Two sizes: both lengths too.
    assert_eq!(varying(layers(one()), &[64, 128], Track::None), [16..18, 24..26, 38..42]);
    // 12 bits of a VLAN id touch two octets, its priority one.
    let tagged = |id, pcp| {
        let vlan = Layer::Vlan { id, pcp, dei: Values::One(0), tpid: None };
        varying(vec![eth(), vlan], &[64], Track::None)
    };
    assert_eq!(tagged(range(1, 9), one()), vec![Range { start: 14, end: 16 }]);
    assert_eq!(tagged(one(), range(0, 8)), vec![Range { start: 14, end: 15 }]);
}

#[test]
fn tunnels_options_and_faults_are_read_and_told() {
    let text = r#"
        [[flow]]
        name = "f"
        tx = "nowhere"
        size = 200
        layers = [
            {eth = {dst = "02:00:00:00:00:01"}}, {mpls = {label = 16, tc = 3}},
            {ipv6 = {src = "2001:2::1", dst = "2001:2::2"}}, {fragment = {id = 9}},
            {udp = {src = 1, dst = 4789}}, {vxlan = {vni = 77}},
            {eth = {src = "02:00:00:00:00:03", dst = "02:00:00:00:00:04"}},
            {ipv4 = {src = "10.0.0.1", dst = "10.0.0.2", df = true}},
            {gre = {key = 5, checksum = true}}, {raw = {hex = "dead"}},
        ]"#;
    let flow = Spec::from_toml(text).unwrap().flows.remove(0);
    let mut frame = frames(&flow, 1).remove(0);
    assert_eq!(
        dissect(&frame, false).to_string(),
        "196 octets; eth 02:00:00:00:00:11 > 02:00:00:00:00:01; mpls 16 ttl 64 tc 3; \
         ipv6 2001:2::1 > 2001:2::2 hop limit 64 len 138; fragment len 8 id 9; \
         udp 1 > 4789 len 130; vxlan 77; eth 02:00:00:00:00:03 > 02:00:00:00:00:04; \
         ipv4 10.0.0.1 > 10.0.0.2 ttl 64 len 100 df; gre checksum key 5 protocol 0x88b5; \
         payload len 68"
    );
    let gre = frame.len() - 68 - 12;
    frame[gre + 20] ^= 1;
    let read = dissect(&frame, false);
    let at = |name| read.headers.iter().find(|header| header.name == name).unwrap();
    assert_eq!((at("gre").offset, &at("gre").faults[..]), (gre, &["BAD CHECKSUM"][..]));
    assert_eq!(at("udp").faults, ["BAD CHECKSUM"]);
    assert!(at("fragment").faults.is_empty());
    frame.truncate(gre - 10);
    assert_eq!(dissect(&frame, false).headers.last().unwrap().faults, ["BAD LENGTH"]);
}

#[test]
fn a_frame_cut_anywhere_is_read_as_far_as_it_goes() {
    let layers = vec![eth(), ipv4(range(1, 9), Values::One(2)), udp(range(1, 5), range(1, 5))];
    for frame in frames(&flow(layers, &[90]), 3) {
        for octets in 0..frame.len() {
            let read = dissect(&frame[..octets], true);
            assert!(
                !read.headers.is_empty() && read.headers.iter().any(|h| !h.faults.is_empty()),
                "{read}"
            );
        }
    }
}
