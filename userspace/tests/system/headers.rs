//! Every header stack, octet by octet, as tshark reads it at the peer.

use crate::testbed::{Captured, Lab, transmit, transmit_in};

const ETHERNET: &str = r#"{eth = {dst = "02:00:00:00:00:02"}}"#;
const IPV4: &str = r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}}"#;
const IPV6: &str = r#"{ipv6 = {src = "2001:2::1", dst = "2001:2::2"}}"#;
const FRAMES: usize = 300;

fn flow(size: u16, layers: &[&str]) -> String {
    format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rate = "10kpps"
        frames = {FRAMES}
        size = {size}
        layers = [{}]
        "#,
        layers.join(", ")
    )
}

/// Sends `FRAMES` frames of 128 octets with these layers, whose headers take `headers`
/// octets, and holds every frame's fields against `expected`.
#[track_caller]
fn check(layers: &[&str], headers: usize, expected: &[(&str, &str)]) -> Captured {
    let captured = transmit(&flow(128, layers));
    assert_eq!(captured.frames.len(), FRAMES);
    captured.assert_payload_and_tags(headers);
    let fields: Vec<&str> = expected.iter().map(|(field, _)| *field).collect();
    let dissection = captured.dissect(&fields);
    dissection.every("frame.len", "124");
    for (field, value) in expected {
        dissection.every(field, value);
    }
    captured
}

#[test]
fn ipv4_udp_has_every_field_and_good_checksums() {
    let ipv4 = r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1", dscp = 46, ecn = 1,
        id = 4660, ttl = 7, df = true}}"#
        .replace('\n', " ");
    check(
        &[ETHERNET, &ipv4, "{udp = {src = 49184, dst = 7}}"],
        42,
        &[
            ("eth.dst", "02:00:00:00:00:02"),
            ("eth.type", "0x0800"),
            ("ip.len", "110"),
            ("ip.dsfield.dscp", "46"),
            ("ip.dsfield.ecn", "1"),
            ("ip.id", "0x1234"),
            ("ip.flags", "0x02"),
            ("ip.ttl", "7"),
            ("ip.proto", "17"),
            ("ip.src", "198.18.0.2"),
            ("ip.dst", "198.18.1.1"),
            ("ip.checksum.status", "1"),
            ("udp.srcport", "49184"),
            ("udp.dstport", "7"),
            ("udp.length", "90"),
            ("udp.checksum.status", "1"),
        ],
    );
}

#[test]
fn defaults_are_ttl_64_dscp_0_and_the_ports_own_mac() {
    let lab = Lab::cable();
    let captured =
        transmit_in(&lab, &flow(64, &[ETHERNET, IPV4, "{udp = {src = 49184, dst = 7}}"]));
    captured.assert_payload_and_tags(42);
    let dissection = captured.dissect(&["eth.src", "ip.ttl", "ip.dsfield", "ip.flags.mf"]);
    dissection.every("eth.src", &lab.west.mac()).every("ip.ttl", "64").every("ip.dsfield", "0");
    dissection.every("frame.len", "60");
}

#[test]
fn one_vlan_tag_carries_id_and_priority() {
    let captured = check(
        &[
            ETHERNET,
            "{vlan = {id = 100, pcp = 5, dei = 1}}",
            IPV4,
            "{udp = {src = 49184, dst = 7}}",
        ],
        46,
        &[
            ("eth.type", "0x8100"),
            ("vlan.id", "100"),
            ("vlan.priority", "5"),
            ("vlan.etype", "0x0800"),
            ("ip.len", "106"),
            ("ip.checksum.status", "1"),
            ("udp.checksum.status", "1"),
        ],
    );
    // PCP 5, DEI 1, VID 100 in one word; tshark's versions print DEI differently.
    assert!(captured.frames.iter().all(|frame| frame[14..16] == [0xb0, 0x64]));
}

#[test]
fn qinq_is_88a8_outside_and_8100_inside() {
    check(
        &[
            ETHERNET,
            "{vlan = {id = 10, pcp = 3}}",
            "{vlan = {id = 20, pcp = 5}}",
            IPV4,
            "{udp = {src = 49184, dst = 7}}",
        ],
        50,
        &[
            ("eth.type", "0x88a8"),
            ("ieee8021ad.id", "10"),
            ("ieee8021ad.priority", "3"),
            ("vlan.id", "20"),
            ("vlan.priority", "5"),
            ("ip.len", "102"),
            ("udp.length", "82"),
            ("ip.checksum.status", "1"),
            ("udp.checksum.status", "1"),
        ],
    );
}

#[test]
fn a_given_tpid_stands() {
    let captured = check(
        &[
            ETHERNET,
            "{vlan = {id = 10, tpid = 0x9100}}",
            "{vlan = {id = 20}}",
            IPV4,
            "{udp = {src = 49184, dst = 7}}",
        ],
        50,
        &[("eth.type", "0x9100")],
    );
    assert!(captured.frames.iter().all(|frame| frame[16..18] == [0x81, 0x00]));
}

#[test]
fn ipv6_udp_has_every_field_and_good_checksums() {
    let ipv6 = r#"{ipv6 = {src = "2001:2::1", dst = "2001:2::2", traffic_class = 0xb9,
        flow_label = 0xabcde, hop_limit = 9}}"#
        .replace('\n', " ");
    check(
        &[ETHERNET, &ipv6, "{udp = {src = 49184, dst = 7}}"],
        62,
        &[
            ("eth.type", "0x86dd"),
            ("ipv6.tclass", "0xb9"),
            ("ipv6.flow", "0xabcde"),
            ("ipv6.hlim", "9"),
            ("ipv6.nxt", "17"),
            ("ipv6.plen", "70"),
            ("ipv6.src", "2001:2::1"),
            ("ipv6.dst", "2001:2::2"),
            ("udp.length", "70"),
            ("udp.checksum.status", "1"),
        ],
    );
}

#[test]
fn ipv4_tcp_has_every_field_and_good_checksums() {
    check(
        &[
            ETHERNET,
            IPV4,
            "{tcp = {src = 49184, dst = 80, seq = 305419896, ack = 7, flags = 0x12, window = 1000}}",
        ],
        54,
        &[
            ("ip.proto", "6"),
            ("ip.len", "110"),
            ("ip.checksum.status", "1"),
            ("tcp.srcport", "49184"),
            ("tcp.dstport", "80"),
            ("tcp.seq_raw", "305419896"),
            ("tcp.ack_raw", "7"),
            ("tcp.flags", "0x12"),
            ("tcp.window_size_value", "1000"),
            ("tcp.hdr_len", "20"),
            ("tcp.checksum.status", "1"),
        ],
    );
}

#[test]
fn ipv6_tcp_has_good_checksums() {
    check(
        &[ETHERNET, IPV6, "{tcp = {src = 49184, dst = 80}}"],
        74,
        &[("ipv6.nxt", "6"), ("ipv6.plen", "70"), ("tcp.checksum.status", "1")],
    );
}

#[test]
fn icmp_echo_has_every_field_and_a_good_checksum() {
    check(
        &[ETHERNET, IPV4, "{icmp = {type = 8, code = 0, id = 4660, seq = 7}}"],
        42,
        &[
            ("ip.proto", "1"),
            ("ip.checksum.status", "1"),
            ("icmp.type", "8"),
            ("icmp.code", "0"),
            ("icmp.ident", "4660"),
            ("icmp.seq", "7"),
            ("icmp.checksum.status", "1"),
        ],
    );
}

#[test]
fn icmpv6_echo_has_every_field_and_a_good_checksum() {
    check(
        &[ETHERNET, IPV6, "{icmpv6 = {type = 128, code = 0, id = 4660, seq = 7}}"],
        62,
        &[
            ("ipv6.nxt", "58"),
            ("icmpv6.type", "128"),
            ("icmpv6.code", "0"),
            ("icmpv6.echo.identifier", "0x1234"),
            ("icmpv6.echo.sequence_number", "7"),
            ("icmpv6.checksum.status", "1"),
        ],
    );
}

#[test]
fn raw_octets_stand_as_they_are_written() {
    let ethernet = r#"{eth = {dst = "02:00:00:00:00:02", type = 0x88b5}}"#;
    let captured =
        check(&[ethernet, r#"{raw = {hex = "deadbeef0102"}}"#], 20, &[("eth.type", "0x88b5")]);
    let raw = [0xde, 0xad, 0xbe, 0xef, 1, 2];
    assert!(captured.frames.iter().all(|frame| frame[14..20] == raw));
}

#[test]
fn raw_octets_ride_on_ipv4_too() {
    let ipv4 = r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1", protocol = 253}}"#;
    let expected = [("ip.proto", "253"), ("ip.len", "110"), ("ip.checksum.status", "1")];
    let captured = check(&[ETHERNET, ipv4, r#"{raw = {hex = "c0ffee"}}"#], 37, &expected);
    assert!(captured.frames.iter().all(|frame| frame[34..37] == [0xc0, 0xff, 0xee]));
}

#[test]
fn udp_checksum_is_left_out_or_wrong_on_request() {
    let none = "{udp = {src = 49184, dst = 7, checksum = 0}}";
    check(&[ETHERNET, IPV4, none], 42, &[("udp.checksum", "0"), ("ip.checksum.status", "1")]);
    let fixed = "{udp = {src = 49184, dst = 7, checksum = 0xbeef}}";
    check(&[ETHERNET, IPV4, fixed], 42, &[("udp.checksum", "0xbeef")]);
}

#[test]
fn each_stack_goes_down_to_its_least_size() {
    let udp = "{udp = {src = 49184, dst = 7}}";
    let tcp = "{tcp = {src = 49184, dst = 7}}";
    let vlan = "{vlan = {id = 7}}";
    let stacks: [(u16, usize, &[&str]); 5] = [
        (64, 46, &[ETHERNET, vlan, IPV4, udp]),
        (68, 50, &[ETHERNET, vlan, vlan, IPV4, udp]),
        (72, 54, &[ETHERNET, IPV4, tcp]),
        (80, 62, &[ETHERNET, IPV6, udp]),
        (92, 74, &[ETHERNET, IPV6, tcp]),
    ];
    for (size, headers, layers) in stacks {
        let captured = transmit(&flow(size, layers));
        captured.assert_payload_and_tags(headers);
        assert!(captured.frames.iter().all(|frame| frame.len() == usize::from(size) - 4));
        let dissection = captured.dissect(&["udp.checksum.status", "tcp.checksum.status"]);
        let l4 = if layers.contains(&udp) { "udp.checksum.status" } else { "tcp.checksum.status" };
        dissection.every(l4, "1");
    }
}

#[test]
fn an_untracked_flow_has_no_tag() {
    let text = flow(64, &[ETHERNET, IPV4, "{udp = {src = 49184, dst = 7}}"]);
    let captured = transmit(&text.replace("size", "track = \"none\"\nsize"));
    let first = &captured.frames[0];
    assert!(captured.frames.iter().all(|frame| frame == first), "untracked frames differ");
    captured.dissect(&["udp.checksum.status"]).every("udp.checksum.status", "1");
}
