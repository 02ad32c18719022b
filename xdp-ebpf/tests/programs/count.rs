//! Frames without a tag, frame by frame, through `BPF_PROG_TEST_RUN`. Needs root.

use crate::common::{
    SECOND,
    frame::{IPV4, IPV6, Shape, TCP, Tag, other, patch_ipv4, tag},
    moved, now_ns, require_root, setup,
};
use xdp_ebpf::{Action, Analyser, AnalyserSetup, XdpMode, abi, extent};

/// Tags of another session: to this one the octets are payload.
fn payload() -> Tag {
    Tag { nonce: 0x1_0001, time_ns: 7, ..tag(0) }
}

fn words(octets: &[u8]) -> [u64; 16] {
    let mut all = [0; 128];
    let looked = octets.len().min(all.len());
    all[..looked].copy_from_slice(&octets[..looked]);
    std::array::from_fn(|at| u64::from_ne_bytes(all[8 * at..8 * at + 8].try_into().unwrap()))
}

/// A rule for this very frame, but for the octets of its packet in `free`.
fn rule(frame: &[u8], stream: u32, free: &[usize]) -> abi::count_rule {
    let (packet, version) = extent(frame);
    let value = &frame[packet];
    let mut mask = vec![0xff; value.len()];
    for &at in free {
        mask[at] = 0;
    }
    let kept: Vec<u8> = value.iter().zip(&mask).map(|(value, mask)| value & mask).collect();
    abi::count_rule {
        value: words(&kept),
        mask: words(&mask),
        stream,
        version: version.into(),
        least_bytes: value.len() as u32,
        most_bytes: value.len() as u32,
        ..Default::default()
    }
}

fn counting(rules: &[abi::count_rule]) -> Analyser {
    require_root();
    let setup = AnalyserSetup { counted: rules.to_vec(), ..setup(1) };
    let mut analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
    analyser.begin_trial(1, now_ns() - 30 * SECOND);
    analyser
}

fn counted(analyser: &Analyser, frame: &[u8]) -> bool {
    let before = analyser.port_record(0);
    let run = analyser.test_run(frame, 0, 1).unwrap();
    assert_eq!(run.frame, frame, "nothing is changed");
    let after = analyser.port_record(0);
    let matched = after.matched - before.matched;
    assert_eq!(matched + after.passed - before.passed, 1);
    assert_eq!(run.action == Action::Drop, matched == 1);
    matched == 1
}

const HOP: [usize; 4] = [1, 8, 10, 11];
const SHORT: Shape = Shape { payload: 0, protocol: TCP, ..IPV4 };

#[test]
fn a_frame_that_fits_is_counted_and_dropped_and_any_other_passes() {
    let frame = SHORT.frame(payload());
    let analyser = counting(&[rule(&frame, 1, &HOP)]);
    let before = now_ns();
    for _ in 0..3 {
        assert!(counted(&analyser, &frame));
    }
    let record = analyser.record(1, 0);
    assert_eq!(moved(&record), [("unique", 3)]);
    assert_eq!(record.bytes, 3 * frame.len() as u64);
    assert!(before <= record.first_rx_ns && record.first_rx_ns < record.last_rx_ns);
    assert_eq!(record.timed, 0);

    for at in (14..frame.len()).filter(|at| !HOP.contains(&(at - 14))) {
        let mut foreign = frame.clone();
        foreign[at] ^= 0x10;
        assert!(!counted(&analyser, &foreign), "octet {at}");
    }
    for at in HOP.into_iter().map(|at| 14 + at).chain(0..12) {
        let mut routed = frame.clone();
        routed[at] ^= 1;
        assert!(counted(&analyser, &routed), "octet {at}");
    }
}

#[test]
fn vlan_tags_and_padding_do_not_matter_to_a_packet() {
    let frame = SHORT.frame(payload());
    let analyser = counting(&[rule(&frame, 0, &HOP)]);
    for (name, shape) in [
        ("a VLAN tag", Shape { vlans: &[0x8100], ..SHORT }),
        ("two", Shape { vlans: &[0x88a8, 0x8100], ..SHORT }),
        ("padding", Shape { padding: 6, ..SHORT }),
    ] {
        assert!(counted(&analyser, &shape.frame(payload())), "{name}");
    }
    assert!(!counted(&analyser, &Shape { payload: 1, ..SHORT }.frame(payload())), "longer");
    assert!(!counted(&analyser, &frame[..frame.len() - 1]), "cut off");
}

#[test]
fn a_field_holds_from_its_least_to_its_greatest_value() {
    let frame = SHORT.frame(payload());
    // The destination port, octets 22 and 23 of the packet, from 200 to 300.
    let field = abi::count_field { low: 200, span: 100, bits: 0xffff, offset: 22, drop: 48 };
    let mut rule = rule(&frame, 0, &[1, 8, 10, 11, 22, 23]);
    (rule.field[0], rule.fields) = (field, 1);
    let analyser = counting(&[rule]);
    let with = |port: u16| {
        let mut frame = frame.clone();
        frame[36..38].copy_from_slice(&port.to_be_bytes());
        frame
    };
    for (port, fits) in
        [(199, false), (200, true), (250, true), (300, true), (301, false), (0, false)]
    {
        assert_eq!(counted(&analyser, &with(port)), fits, "port {port}");
    }
    // Four bits in the middle of a word: the low nibble of octet 20 from 1 to 3.
    let nibble = abi::count_field { low: 1, span: 2, bits: 0xf, offset: 20, drop: 56 };
    let mut other = rule;
    (other.mask[2], other.value[2]) = (0, 0);
    (other.field[1], other.fields) = (nibble, 2);
    let analyser = counting(&[other]);
    for (octet, fits) in [(0xa0, false), (0xb1, true), (0x03, true), (0x04, false)] {
        let mut frame = with(222);
        frame[34] = octet;
        assert_eq!(counted(&analyser, &frame), fits, "octet {octet:#x}");
    }
}

#[test]
fn lengths_hold_from_the_shortest_to_the_longest() {
    let shape = |payload| Shape { payload, ..IPV4 };
    let frame = shape(50).frame(payload());
    // Neither IP nor UDP length, nor checksum, nor what a shorter frame has no more.
    let free: Vec<usize> = [1, 2, 3, 8, 10, 11, 24, 25, 26, 27].into_iter().chain(30..92).collect();
    let mut rule = rule(&frame, 0, &free);
    (rule.least_bytes, rule.most_bytes) = (62, 1062);
    let analyser = counting(&[rule]);
    for (octets, fits) in [(19, false), (20, true), (500, true), (1020, true), (1021, false)] {
        assert_eq!(counted(&analyser, &shape(octets).frame(payload())), fits, "{octets}");
    }
}

#[test]
fn what_holds_no_ip_is_compared_as_a_whole() {
    let frame = other(0x88b5, 40, payload());
    let analyser = counting(&[rule(&frame, 0, &[])]);
    assert!(counted(&analyser, &frame));
    for at in 0..frame.len() {
        let mut foreign = frame.clone();
        foreign[at] ^= 1;
        assert!(!counted(&analyser, &foreign), "octet {at}");
    }
    // As IP its packet begins with the same octets as that whole frame.
    let mut version = rule(&frame, 0, &[]);
    version.version = 4;
    assert!(!counted(&counting(&[version]), &frame));
}

#[test]
fn octets_behind_the_beginning_are_not_compared() {
    let shape = Shape { payload: 400, ..IPV6 };
    let frame = shape.frame(payload());
    let analyser = counting(&[rule(&frame, 0, &[])]);
    let differs = |at: usize| {
        let mut frame = frame.clone();
        frame[at] ^= 1;
        counted(&analyser, &frame)
    };
    assert!(counted(&analyser, &frame) && differs(14 + 128) && !differs(14 + 127));
}

#[test]
fn the_first_of_many_rules_that_holds_counts() {
    let frame = |last: u8| {
        let mut frame = SHORT.frame(payload());
        patch_ipv4(&mut frame, &SHORT, 19, &[last]);
        frame
    };
    let rules: Vec<_> = (0..64).map(|last| rule(&frame(last), u32::from(last) % 2, &HOP)).collect();
    let analyser = counting(&rules);
    for last in 0..=64 {
        assert_eq!(counted(&analyser, &frame(last)), last < 64, "{last}");
    }
    let unique = |stream| analyser.record(stream, 0).unique;
    assert_eq!((unique(0), unique(1)), (32, 32));
    let analyser = counting(&[rule(&frame(1), 1, &HOP), rule(&frame(1), 0, &HOP)]);
    assert!(counted(&analyser, &frame(1)));
    assert_eq!(moved(&analyser.record(1, 0)), [("unique", 1)]);
}

#[test]
fn a_frame_for_another_port_is_misdirected() {
    let frame = SHORT.frame(payload());
    let analyser = counting(&[rule(&frame, 3, &HOP)]);
    assert!(counted(&analyser, &frame));
    assert_eq!(moved(&analyser.record(3, 0)), [("misdirected", 1)]);
}

#[test]
fn a_tag_is_looked_for_first_and_what_only_looks_like_one_is_counted() {
    let ours = IPV4.frame(tag(0));
    // The tag, payload and checksum are not compared: as for a flow with the same headers.
    let free: Vec<usize> = [1, 8, 10, 11, 26, 27].into_iter().chain(28..46).collect();
    let analyser = counting(&[rule(&ours, 1, &free)]);
    assert!(counted(&analyser, &ours));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1)]);
    assert_eq!(moved(&analyser.record(1, 0)), []);

    let unknown = IPV4.frame(Tag { stream: 999, ..tag(1) });
    assert!(counted(&analyser, &unknown), "the nonce is there by chance");
    assert_eq!(moved(&analyser.record(1, 0)), [("unique", 1)]);
    assert_eq!(analyser.port_record(0).implausible, 0);
}

#[test]
fn each_trial_counts_anew_and_a_listener_hears() {
    let frame = SHORT.frame(payload());
    let mut analyser = counting(&[rule(&frame, 0, &HOP)]);
    assert!(counted(&analyser, &frame));
    for trial in 2..6 {
        analyser.begin_trial(trial, now_ns());
        assert_eq!(moved(&analyser.record(0, 0)), []);
        assert!(counted(&analyser, &frame));
        assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1)]);
    }
    analyser.set_listened(true);
    let run = analyser.test_run(&frame, 0, 1).unwrap();
    assert_eq!((run.action, run.frame), (Action::Pass, frame));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 2)]);
}
