//! Frames that are not what was sent, through `BPF_PROG_TEST_RUN`. Needs root.

use crate::common::{
    analyser,
    frame::{ICMP, ICMPV6, IPV4, IPV6, Shape, TCP, Tag, UDP, other, patch_ipv4, tag},
    moved, now_ns, outcome, require_root, setup, take,
};
use xdp_ebpf::{Analyser, AnalyserSetup, XdpMode};

#[test]
fn a_header_that_contradicts_the_frame_is_corrupt() {
    let patched = |shape: Shape, offset: usize, value: &[u8]| {
        let mut frame = shape.frame(tag(0));
        patch_ipv4(&mut frame, &shape, offset, value);
        frame
    };
    let changed = |shape: Shape, at: usize| {
        let mut frame = shape.frame(tag(0));
        frame[at] ^= 0x10;
        frame
    };
    let length = |shape: Shape| (shape.frame(tag(0)).len() - shape.l3()) as u16;
    let options = Shape { options: 2, ..IPV4 };
    for (name, frame) in [
        ("IPv4 checksum", changed(IPV4, IPV4.l3() + 10)),
        ("IPv4 TTL without its checksum", changed(IPV4, IPV4.l3() + 8)),
        ("an IPv4 option", changed(options, options.l4() - 1)),
        ("IPv4 length longer than the frame", patched(IPV4, 2, &(length(IPV4) + 1).to_be_bytes())),
        ("IPv4 length shorter than it", patched(IPV4, 2, &(length(IPV4) - 1).to_be_bytes())),
        ("IPv4 length below its header", patched(IPV4, 2, &19_u16.to_be_bytes())),
        ("IPv4 version", changed(IPV4, IPV4.l3())),
        ("IPv6 length", changed(IPV6, IPV6.l3() + 5)),
        ("IPv6 version", changed(IPV6, IPV6.l3())),
        ("UDP length", changed(IPV4, IPV4.l4() + 5)),
        ("UDP length in IPv6", changed(IPV6, IPV6.l4() + 4)),
    ] {
        assert_eq!(outcome(&frame, 0), [("corrupt", 1)], "{name}");
    }
}

#[test]
fn a_corrupt_frame_is_not_in_the_window() {
    let analyser = analyser();
    let mut frame = IPV4.frame(tag(0));
    frame[IPV4.l3() + 10] ^= 1;
    take(&analyser, &frame);
    take(&analyser, &IPV4.frame(tag(0)));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 1), ("corrupt", 1)]);
}

#[test]
fn without_full_integrity_payload_is_nobodys_business() {
    let mut frame = Shape { payload: 20, ..IPV4 }.frame(tag(0));
    frame[IPV4.l4() + 12] ^= 1;
    assert_eq!(outcome(&frame, 0), [("unique", 1)]);
}

#[test]
fn full_integrity_takes_every_sound_frame() {
    let analyser = analyser();
    let mut sequence = 0;
    let mut sound = |shape: Shape| {
        take(&analyser, &shape.frame(Tag { stream: 2, ..tag(sequence) }));
        sequence += 1;
        let unique = u64::from(sequence);
        assert_eq!(moved(&analyser.record(2, 0)), [("unique", unique)], "{shape:?}");
    };
    for protocol in [UDP, TCP, ICMP, ICMPV6, 47] {
        for ipv6 in [false, true] {
            for payload in [0, 1, 7, 8, 105, 106, 107, 120, 121, 122, 128, 1_000, 1_458, 3_000] {
                // What no L4 header follows has no payload that the program could find.
                let payload = if protocol == 47 { 0 } else { payload };
                let shape = Shape { ipv6, protocol, payload, padding: payload % 3, ..IPV4 };
                sound(shape);
            }
        }
    }
    sound(Shape { udp_checksum: false, payload: 40, ..IPV4 });
}

#[test]
fn full_integrity_finds_one_wrong_octet_anywhere_in_l4() {
    let analyser = analyser();
    let mut corrupt = 0;
    for protocol in [UDP, TCP, ICMP, ICMPV6] {
        for payload in [10, 200] {
            let shape = Shape { protocol, payload, ..IPV4 };
            let frame = shape.frame(Tag { stream: 2, ..tag(0) });
            for at in shape.l4()..frame.len() - 14 {
                let mut frame = frame.clone();
                frame[at] ^= 0x20;
                take(&analyser, &frame);
                corrupt += 1;
                let moved = moved(&analyser.record(2, 0));
                assert_eq!(moved, [("corrupt", corrupt)], "octet {at} of protocol {protocol}");
            }
        }
    }
}

#[test]
fn full_integrity_finds_swapped_octets_that_no_checksum_sees() {
    let shape = Shape { payload: 300, ..IPV4 };
    let mut frame = shape.frame(Tag { stream: 2, ..tag(0) });
    // Two 16-bit words change places: the sum stays.
    let at = shape.l4() + 8 + 200;
    frame.swap(at, at + 2);
    frame.swap(at + 1, at + 3);
    assert_eq!(outcome(&frame, 2), [("corrupt", 1)]);
}

#[test]
fn a_tunnels_payload_is_where_the_set_up_says() {
    let shape = Shape { inner: 42, payload: 60, ..IPV4 };
    let frame = shape.frame(Tag { stream: 4, ..tag(0) });
    assert_eq!(outcome(&frame, 4), [("unique", 1)]);
    let unchecked = Shape { udp_checksum: false, ..shape };
    let mut frame = unchecked.frame(Tag { stream: 4, ..tag(0) });
    frame[shape.l4() + 50 + 59] ^= 1;
    assert_eq!(outcome(&frame, 4), [("corrupt", 1)]);
    let mut frame = other(0x88b5, 90, Tag { stream: 4, ..tag(0) });
    for octet in 0..40 {
        frame[14 + 50 + octet] = octet as u8;
    }
    assert_eq!(outcome(&frame, 4), [("unique", 1)], "50 octets after the VLAN tags");
    frame[14 + 50] ^= 1;
    assert_eq!(outcome(&frame, 4), [("corrupt", 1)]);
}

#[test]
fn a_frame_in_several_buffers_is_read_to_its_end() {
    require_root();
    let mut analyser =
        Analyser::load(&AnalyserSetup { mtu: 9_000, ..setup(1) }, XdpMode::Native).unwrap();
    analyser.begin_trial(1, now_ns());
    let shape = Shape { payload: 8_900, ..IPV4 };
    for (sequence, stream) in [(0, 0), (0, 2)] {
        take(&analyser, &shape.frame(Tag { stream, ..tag(sequence) }));
        let record = analyser.record(stream, 0);
        assert_eq!(moved(&record), [("unique", 1)], "stream {stream}");
        assert_eq!(record.bytes, 8_900 + 14 + 20 + 8 + 14);
    }
    let mut frame = shape.frame(Tag { stream: 2, ..tag(1) });
    frame[8_000] ^= 1;
    take(&analyser, &frame);
    assert_eq!(moved(&analyser.record(2, 0)), [("unique", 1), ("corrupt", 1)]);
    take(&analyser, &Shape { padding: 100, ..shape }.frame(tag(1)));
    assert_eq!(moved(&analyser.record(0, 0)), [("unique", 2)]);
}
