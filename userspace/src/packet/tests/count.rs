//! Frames without a tag fit the rule of their flow, whatever a router does to them, and the
//! program in the kernel agrees.

use super::{
    flows::{OWN, any_flow, eth, flow, ipv4, range, udp},
    frames,
};
use crate::{
    packet::{PacketError, count_rule, may_be_mistaken},
    spec::{Flow, Layer, MacAddress, Track, Values},
    units::StreamId,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use xdp_ebpf::{
    Action, Analyser, AnalyserSetup, StreamSetup, XdpMode,
    abi::{COUNT_RULES_MAX, count_rule as Rule},
    extent,
};

fn counted(flow: Flow) -> Flow {
    Flow { track: Track::Count, ..flow }
}

fn rule(flow: &Flow) -> Rule {
    count_rule(flow, OWN, StreamId(0)).unwrap()
}

/// What abi.h says of a rule, octet by octet.
fn fits(rule: &Rule, frame: &[u8]) -> bool {
    let (packet, version) = extent(frame);
    let packet = &frame[packet];
    let octet = |words: &[u64], at: usize| words[at / 8].to_ne_bytes()[at % 8];
    let alike = (0..packet.len().min(128))
        .all(|at| (packet[at] ^ octet(&rule.value, at)) & octet(&rule.mask, at) == 0);
    let between = rule.field[..rule.fields as usize].iter().all(|field| {
        let eight = (0..8).map(|at| *packet.get(field.offset as usize + at).unwrap_or(&0));
        let word = eight.fold(0, |word, octet| word << 8 | u64::from(octet));
        let value = word >> field.drop & field.bits;
        field.low <= value && value - field.low <= field.span
    });
    let length =
        rule.least_bytes as usize <= packet.len() && packet.len() <= rule.most_bytes as usize;
    u32::from(version) == rule.version && length && alike && between
}

/// The frame as a router sends it on: other MAC addresses, a hop less, another DSCP.
fn routed(frame: &[u8]) -> Option<Vec<u8>> {
    let (packet, version) = extent(frame);
    let mut frame = frame.to_vec();
    let header = &mut frame[packet];
    match version {
        4 => (header[1], header[8]) = (0xb8, header[8].wrapping_sub(1)),
        6 => (header[1], header[7]) = (header[1] ^ 0x50, header[7].wrapping_sub(1)),
        _ => return None,
    }
    if version == 4 {
        header[10] ^= 0x5a;
    }
    frame[..12].copy_from_slice(&[9; 12]);
    frame.extend([0; 3]);
    Some(frame)
}

/// The flow, with one value for what says where its packet is.
fn told(flow: Flow) -> Option<Flow> {
    let flow = counted(flow);
    match count_rule(&flow, OWN, StreamId(0)) {
        Ok(_) => Some(flow),
        Err(PacketError::Formless) => None,
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_frame_fits_the_rule_of_its_flow(flow in any_flow()) {
        let Some(flow) = told(flow) else { return Ok(()) };
        let rule = rule(&flow);
        for frame in frames(&flow, 40) {
            prop_assert!(fits(&rule, &frame), "{frame:02x?} {rule:?}");
            if let Some(routed) = routed(&frame) {
                prop_assert!(fits(&rule, &routed), "{routed:02x?} {rule:?}");
            }
        }
    }

    #[test]
    fn a_frame_that_fits_two_flows_makes_them_mistakable(one in any_flow(), other in any_flow()) {
        let (Some(one), Some(other)) = (told(one), told(other)) else { return Ok(()) };
        let rules = [rule(&one), rule(&other)];
        let both = |frame: &Vec<u8>| rules.iter().all(|rule| fits(rule, frame));
        let any = frames(&one, 20).iter().chain(&frames(&other, 20)).any(both);
        prop_assert!(!any || may_be_mistaken(&rules[0], &rules[1]));
        prop_assert!(may_be_mistaken(&rules[0], &rules[0]));
        prop_assert_eq!(may_be_mistaken(&rules[0], &rules[1]), may_be_mistaken(&rules[1], &rules[0]));
    }
}

#[test]
fn the_kernel_counts_every_frame_for_its_own_flow() {
    assert!(nix::unistd::geteuid().is_root(), "this test loads a BPF program: run it as root");
    let mut runner = TestRunner::deterministic();
    let mut flows: Vec<(Flow, Rule)> = Vec::new();
    while flows.len() < COUNT_RULES_MAX as usize {
        let Some(flow) = told(any_flow().new_tree(&mut runner).unwrap().current()) else {
            continue;
        };
        let rule = count_rule(&flow, OWN, StreamId(flows.len() as u16)).unwrap();
        if !flows.iter().any(|(_, other)| may_be_mistaken(&rule, other)) {
            flows.push((flow, rule));
        }
    }
    let setup = AnalyserSetup {
        streams: vec![StreamSetup::default(); flows.len()],
        counted: flows.iter().map(|(_, rule)| *rule).collect(),
        ..AnalyserSetup::default()
    };
    let mut analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
    analyser.begin_trial(1, 1);
    for (number, (flow, _)) in (0..).zip(&flows) {
        let mut sent = 0;
        for frame in frames(flow, 12).iter().flat_map(|frame| [Some(frame.clone()), routed(frame)])
        {
            let Some(frame) = frame else { continue };
            assert_eq!(
                analyser.test_run(&frame, 0, 1).unwrap().action,
                Action::Drop,
                "{frame:02x?}"
            );
            sent += 1;
        }
        assert_eq!(analyser.record(number, 0).unique, sent, "{flow:?}");
    }
}

#[test]
fn flows_are_told_apart_by_values_lists_ranges_and_lengths() {
    let one = |value| Values::One(value);
    let ip = |dst| ipv4(one(0xc612_0002), dst);
    let port = |dst| udp(one(49_184), dst);
    let base = |dst, port_values, sizes: &[u16]| {
        rule(&counted(flow(vec![eth(), ip(dst), port(port_values)], sizes)))
    };
    let first = base(range(0xc612_0101, 254), one(7), &[64]);
    for (name, other, mistaken) in [
        ("itself", first, true),
        ("another range", base(range(0xc612_0201, 10), one(7), &[64]), false),
        ("a range that meets it", base(range(0xc612_01fe, 10), one(7), &[64]), true),
        ("an address inside it", base(one(0xc612_0180), one(7), &[64]), true),
        ("an address outside", base(one(0xc612_0200), one(7), &[64]), false),
        ("another port", base(range(0xc612_0101, 254), one(9), &[64]), false),
        ("ports around it", base(range(0xc612_0101, 254), Values::List(vec![6, 8]), &[64]), true),
        ("another length", base(range(0xc612_0101, 254), one(7), &[128]), false),
        ("its length and others", base(range(0xc612_0101, 254), one(7), &[60 + 68, 64]), true),
    ] {
        assert_eq!(may_be_mistaken(&first, &other), mistaken, "{name}");
        assert_eq!(may_be_mistaken(&other, &first), mistaken, "{name}");
    }
}

#[test]
fn frames_that_do_not_say_alike_where_their_packet_is_have_no_rule() {
    let typed = |ethertype| {
        let src = MacAddress::Auto;
        let eth = Layer::Eth { dst: MacAddress::Given(Values::One(1)), src, ethertype };
        counted(flow(vec![eth, ipv4(Values::One(1), Values::One(2))], &[64]))
    };
    assert_eq!(rule(&typed(None)).version, 4);
    assert_eq!(rule(&typed(Some(Values::One(0x88b5)))).version, 0, "no IP to whoever looks");
    let varying = typed(Some(Values::List(vec![0x0800, 0x88b5])));
    assert_eq!(count_rule(&varying, OWN, StreamId(0)), Err(PacketError::Formless));
}
