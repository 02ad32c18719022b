//! Whole frames against an independent reader.

mod count;
mod dissect;
mod filter;
mod flows;
mod judge;
mod live;
mod recording;
mod settings;

use super::{
    Cursor, NextHop, PacketError, Program, TAG_BYTES, Tag, TagStamp, TupleCount, tuple_turn,
    values::value,
};
use crate::spec::{Flow, Layer, MacAddress, Track, UdpChecksum, Values, Vary};
use flows::{HOP, OWN, any_flow, eth, fields, flow, ipv4, range, udp};
use judge::judge;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

fn compile(flow: &Flow) -> Arc<Program> {
    Arc::new(Program::compile(flow, OWN, &NextHop::One(HOP)).unwrap())
}

/// What a worker would stamp on the n-th frame of a stream.
fn stamp(sequence: u32) -> TagStamp {
    let time_ns = 0x00ff_ffff_ff00 + u64::from(sequence) * 0x1_0001;
    TagStamp { magic: TagStamp::magic(0x3_1234, 9), stream: 0xbeef, sequence, time_ns }
}

/// The first `count` frames, each written over the one before as a worker does it.
fn frames(flow: &Flow, count: u32) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(compile(flow), 0, 1);
    let mut chunk = vec![0xee; 2048];
    let mut was = cursor.variant();
    cursor.fill(&mut chunk);
    (0..count)
        .map(|number| {
            cursor.refit(&mut chunk, was);
            was = cursor.variant();
            assert_eq!(cursor.frame(), u64::from(number));
            let length = cursor.frame_bytes();
            assert_eq!(cursor.write(&mut chunk, &stamp(number)), length);
            chunk[..length].to_vec()
        })
        .collect()
}

fn period(values: &Values) -> u64 {
    match values {
        Values::One(_) => 1,
        Values::List(list) => list.len() as u64,
        Values::Range { count, .. } | Values::Random { count, .. } => u64::from(*count),
    }
}

/// The words of the contract: frame i takes value i mod the period, each field by itself
/// or in step; with `product` the last field is the fastest digit of i.
fn expected(flow: &Flow, frame: u64) -> BTreeMap<String, HashSet<u128>> {
    let mut digits = frame;
    let fields = fields(&flow.layers);
    fields
        .into_iter()
        .rev()
        .map(|(name, values)| {
            let period = period(&values);
            let one = |index: u64| HashSet::from([value(&values, index as u32)]);
            let allowed = match flow.vary {
                Vary::Independent | Vary::Zip => one(frame % period),
                Vary::Product => {
                    let digit = digits % period;
                    digits /= period;
                    one(digit)
                }
                Vary::Random => (0..period).map(|index| value(&values, index as u32)).collect(),
            };
            (name, allowed)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_independent_reader_finds_every_field_length_and_checksum(flow in any_flow()) {
        let raw = match flow.layers.last() {
            Some(Layer::Raw { bytes }) => bytes.as_slice(),
            _ => &[],
        };
        for (number, frame) in (0..).zip(frames(&flow, 40)) {
            let size = flow.sizes[number as usize % flow.sizes.len()];
            prop_assert_eq!(frame.len(), usize::from(size.bytes()) - 4);
            let verdict = judge(&frame);
            for (name, allowed) in expected(&flow, number) {
                let got = verdict.fields[&name];
                prop_assert!(allowed.contains(&got), "frame {number}: {name} is {got:#x}, not {allowed:x?}");
            }
            prop_assert_eq!(&verdict.payload[..raw.len()], raw);
            let mut pattern = &verdict.payload[raw.len()..];
            if flow.track == Track::Tag {
                let (rest, tag) = pattern.split_last_chunk::<TAG_BYTES>().unwrap();
                let TagStamp { stream, sequence, time_ns, .. } = stamp(number as u32);
                let time_ns = time_ns % (1 << 40);
                prop_assert_eq!(Tag::decode(tag), Tag { nonce: 0x3_1234, trial: 9, stream, sequence, time_ns });
                pattern = rest;
            }
            prop_assert!(pattern.iter().enumerate().all(|(at, &octet)| octet == at as u8), "payload {pattern:x?}");
        }
    }

    #[test]
    fn striped_streams_send_together_the_frames_of_one(flow in any_flow(), streams in 1_u32..9) {
        let flow = Flow { track: Track::None, ..flow };
        let program = compile(&flow);
        let mut cursors: Vec<_> = (0..streams).map(|first| Cursor::new(program.clone(), first, streams)).collect();
        for (number, frame) in frames(&flow, 60).iter().enumerate() {
            let cursor = &mut cursors[number % streams as usize];
            let mut chunk = vec![0; program.max_frame_bytes()];
            cursor.fill(&mut chunk);
            let length = cursor.write(&mut chunk, &stamp(0));
            prop_assert_eq!(&chunk[..length], &frame[..], "frame {}", number);
        }
    }

    #[test]
    fn counted_tuples_are_the_tuples_that_frames_have(flow in any_flow(), limit in 0_u32..80) {
        let tuples: HashSet<Vec<u128>> = frames(&flow, limit)
            .iter()
            .map(|frame| {
                let mut fields = judge(frame).fields;
                if fields.keys().any(|name| name.starts_with("ip")) {
                    fields.retain(|name, _| !name.starts_with("eth"));
                }
                fields.retain(|name, _| matches!(name.split_once('.'), Some((_, "src" | "dst"))));
                fields.into_values().collect()
            })
            .collect();
        prop_assert_eq!(compile(&flow).tuples(Some(limit.into())), TupleCount::Exactly(tuples.len() as u128));
    }
}

#[test]
fn tuples_come_in_a_turn_unless_something_else_mixes_them() {
    let udp = |src: &str| {
        format!(
            "{{ipv4 = {{src = \"198.18.0.2\", dst = {{range = \"198.18.1.1-198.18.1.4\"}}, ttl = {{range = \"60-64\"}}}}}}, {{udp = {{src = {src}, dst = 7}}}}"
        )
    };
    let turn = |vary: &str, src: &str| {
        let layers = udp(src);
        let file = format!(
            "[[flow]]\nname = \"f\"\ntx = \"a\"\nvary = \"{vary}\"\nlayers = [{{eth = {{}}}}, {layers}]"
        );
        tuple_turn(&crate::spec::Spec::from_toml(&file).unwrap().flows[0])
    };
    assert_eq!(turn("independent", "5"), Some(4));
    assert_eq!(turn("independent", "{range = \"1-6\"}"), Some(12), "the least common multiple");
    assert_eq!(turn("independent", "{list = [5, 5, 6]}"), None, "one comes twice");
    assert_eq!(turn("product", "{range = \"1-6\"}"), None, "the TTL varies faster");
    assert_eq!(turn("random", "5"), None);
}

#[test]
fn tuples_without_end_are_those_of_one_cycle() {
    let count = |vary, src, dst| {
        let layers = vec![eth(), ipv4(Values::One(1), dst), udp(src, Values::One(7))];
        compile(&Flow { vary, ..flow(layers, &[64]) }).tuples(None)
    };
    assert_eq!(count(Vary::Independent, range(1, 6), range(1, 4)), TupleCount::Exactly(12));
    assert_eq!(count(Vary::Zip, range(1, 4), range(1, 4)), TupleCount::Exactly(4));
    assert_eq!(
        count(Vary::Product, range(1, 60_000), range(1, 1 << 31)),
        TupleCount::Exactly(60_000 << 31)
    );
    assert_eq!(count(Vary::Random, range(1, 10), range(1, 10)), TupleCount::Exactly(100));
    assert_eq!(
        count(Vary::Product, Values::List(vec![5, 5, 6]), range(1, 4)),
        TupleCount::Exactly(8)
    );
    let TupleCount::AtLeast(seen) = count(Vary::Random, range(1, 60_000), range(1, 1 << 31)) else {
        panic!("a draw from so many never shows all")
    };
    assert!((1 << 19..=1 << 20).contains(&seen));
}

#[test]
fn a_udp_checksum_is_never_zero_though_all_others_occur() {
    let layers = vec![
        eth(),
        ipv4(range(0x0a00_0001, 3), Values::One(9)),
        udp(Values::One(1), Values::One(2)),
    ];
    let mut cursor = Cursor::new(compile(&flow(layers, &[64])), 0, 1);
    let mut chunk = vec![0; 60];
    cursor.fill(&mut chunk);
    let mut seen = HashSet::new();
    for sequence in 0..300_000_u32 {
        cursor.write(&mut chunk, &TagStamp { magic: 1, stream: 1, sequence, time_ns: 5 });
        seen.insert([chunk[40], chunk[41]]);
    }
    assert!(!seen.contains(&[0, 0]));
    assert_eq!(seen.len(), 0xffff);
}

#[test]
fn a_given_udp_checksum_stands_as_it_is() {
    for value in [0, 0x1234] {
        let l4 = Layer::Udp {
            src: range(1, 5),
            dst: Values::One(7),
            checksum: UdpChecksum::Fixed(value),
        };
        let flow = flow(vec![eth(), ipv4(Values::One(1), range(1, 3)), l4], &[64, 65]);
        assert!(frames(&flow, 20).iter().all(|frame| frame[40..42] == value.to_be_bytes()));
    }
}

#[test]
fn given_types_and_protocols_replace_the_computed_ones() {
    let values = Values::List(vec![200, 201, 202]);
    let mut ip = ipv4(Values::One(1), Values::One(2));
    if let Layer::Ipv4 { protocol, .. } = &mut ip {
        *protocol = Some(values);
    }
    let seen: Vec<_> = frames(&flow(vec![eth(), ip], &[64]), 4)
        .iter()
        .map(|frame| judge(frame).fields["ipv4.protocol"])
        .collect();
    assert_eq!(seen, [200, 201, 202, 200]);

    let given = Layer::Eth {
        dst: MacAddress::Auto,
        src: MacAddress::Auto,
        ethertype: Some(Values::One(0x88cc)),
    };
    let frame = &frames(&flow(vec![given, Layer::Raw { bytes: vec![1, 2] }], &[64]), 1)[0];
    assert_eq!(frame[12..18], [0x88, 0xcc, 1, 2, 0, 1]);

    let next = Values::List(vec![200, 201]);
    let one = || Values::One(1);
    let ip = Layer::Ipv6 {
        src: one(),
        dst: one(),
        traffic_class: one(),
        flow_label: one(),
        hop_limit: one(),
        next_header: Some(next),
    };
    let seen: Vec<_> = frames(&flow(vec![eth(), ip], &[90]), 3)
        .iter()
        .map(|frame| judge(frame).fields["ipv6.next_header"])
        .collect();
    assert_eq!(seen, [200, 201, 200]);
}

#[test]
fn a_next_hop_stays_with_its_destination_however_fields_vary() {
    let count = 5;
    let macs: Vec<_> = (0..count as u8).map(|last| [2, 0, 0, 0, 1, last]).collect();
    for vary in [Vary::Independent, Vary::Zip, Vary::Product, Vary::Random] {
        let layers = vec![
            eth(),
            ipv4(range(100, count), range(200, count)),
            udp(Values::One(1), range(1, count)),
        ];
        let flow = Flow { vary, ..flow(layers, &[64]) };
        let set = Program::destinations(&flow).unwrap();
        assert_eq!(set.iter().count(), macs.len());
        let program = Program::compile(&flow, OWN, &NextHop::PerDestination(macs.clone())).unwrap();
        let mut cursor = Cursor::new(Arc::new(program), 0, 1);
        let mut chunk = vec![0; 60];
        cursor.fill(&mut chunk);
        let mut seen = HashSet::new();
        for number in 0..200 {
            cursor.write(&mut chunk, &stamp(number));
            let fields = judge(&chunk).fields;
            assert_eq!(fields["eth.dst"] & 0xff, fields["ipv4.dst"] - 200);
            seen.insert(fields["eth.dst"]);
        }
        assert_eq!(seen.len(), macs.len());
    }
    let few = NextHop::PerDestination(macs[1..].to_vec());
    let flow = flow(vec![eth(), ipv4(Values::One(1), range(200, count))], &[64]);
    assert_eq!(
        Program::compile(&flow, OWN, &few).err(),
        Some(PacketError::NextHops { got: 4, wanted: 5 })
    );
}

#[test]
fn address_sets_hold_what_frames_carry() {
    let address = |v4: u128| IpAddr::from((v4 as u32).to_be_bytes());
    for dst in [
        Values::Range { first: 1000, step: -3, count: 50 },
        Values::List(vec![5, 9, 5]),
        Values::Random { low: 1, high: 400, seed: 4, count: 100 },
    ] {
        let flow = flow(vec![eth(), ipv4(Values::One(77), dst)], &[64]);
        let carried: HashSet<_> =
            frames(&flow, 200).iter().map(|frame| judge(frame).fields["ipv4.dst"]).collect();
        let set = Program::destinations(&flow).unwrap();
        for v4 in 0..2000 {
            assert_eq!(set.contains(address(v4)), carried.contains(&v4), "{v4}");
        }
        assert_eq!(
            set.iter().collect::<HashSet<_>>(),
            carried.iter().map(|&v4| address(v4)).collect()
        );
        assert_eq!(Program::sources(&flow).unwrap().iter().collect::<Vec<_>>(), [address(77)]);
        assert!(!set.contains("::5".parse().unwrap()));
    }
    assert!(Program::destinations(&flow(vec![eth()], &[64])).is_none());
}

#[test]
fn a_frame_that_cannot_hold_headers_and_tag_is_refused_with_the_least_size() {
    let least =
        |layers, size| match Program::compile(&flow(layers, &[size]), OWN, &NextHop::One(HOP)) {
            Err(PacketError::TooShort { least, .. }) => Some(least),
            _ => None,
        };
    let one = || Values::One(1);
    let vlan = || Layer::Vlan { id: one(), pcp: one(), dei: one(), tpid: None };
    let l4 = || udp(one(), one());
    let tcp = || Layer::Tcp {
        src: one(),
        dst: one(),
        seq: one(),
        ack: one(),
        flags: one(),
        window: one(),
    };
    let v6 = || Layer::Ipv6 {
        src: one(),
        dst: one(),
        traffic_class: one(),
        flow_label: one(),
        hop_limit: one(),
        next_header: None,
    };
    // CONTRACT, flow file, least sizes with a tag.
    assert_eq!(least(vec![eth(), vlan(), ipv4(one(), one()), l4()], 64), None);
    assert_eq!(least(vec![eth(), vlan(), vlan(), ipv4(one(), one()), l4()], 67), Some(68));
    assert_eq!(least(vec![eth(), ipv4(one(), one()), tcp()], 71), Some(72));
    assert_eq!(least(vec![eth(), v6(), l4()], 79), Some(80));
    assert_eq!(least(vec![eth(), v6(), tcp()], 91), Some(92));
}

#[test]
fn headers_that_cannot_be_laid_out_are_refused_by_name() {
    let refusal =
        |flow: &Flow| Program::compile(flow, OWN, &NextHop::Static).unwrap_err().to_string();
    let given = |values| Layer::Eth {
        dst: MacAddress::Given(values),
        src: MacAddress::Auto,
        ethertype: None,
    };
    let mac = || given(Values::One(1));
    let one = || Values::One(1);
    let stack = |layers| flow(layers, &[64]);
    for (flow, words) in [
        (stack(vec![]), "begin `layers` with `eth`"),
        (stack(vec![eth()]), "no next hop was resolved"),
        (stack(vec![mac(), udp(one(), one())]), "`udp` cannot follow `eth`"),
        (
            stack(vec![
                mac(),
                ipv4(one(), one()),
                Layer::Icmpv6 { kind: one(), code: one(), id: one(), seq: one() },
            ]),
            "`icmpv6` cannot follow `ipv4`",
        ),
        (
            stack(vec![given(Values::One(1 << 48))]),
            "`eth.dst` has values that do not fit; it holds 0 to 281474976710655",
        ),
        (stack(vec![mac(), ipv4(range(u128::from(u32::MAX), 2), one())]), "`ipv4.src`"),
        (stack(vec![mac(), ipv4(Values::List(vec![]), one())]), "`ipv4.src` has no value"),
        (
            Flow { vary: Vary::Zip, ..stack(vec![mac(), ipv4(range(1, 2), range(1, 3))]) },
            "`ipv4.src` has 2 values and `ipv4.dst` has 3",
        ),
        (flow(vec![mac()], &[]), "no frame size"),
    ] {
        let refusal = refusal(&flow);
        assert!(refusal.contains(words), "{refusal}");
        assert!(!refusal.contains('\n'));
    }
}
