//! Labels, tunnels, ARP and extension headers on the wire: each frame arrives, is counted
//! once and checked in full; and as tshark reads it at the peer.

use crate::testbed::{Lab, Linerate, transmit};

const FRAMES: u64 = 500;
const ETH: &str = r#"{eth = {dst = "02:00:00:00:00:02"}}"#;
const IPV4: &str = r#"{ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.9"}}}"#;
const IPV6: &str = r#"{ipv6 = {src = "2001:2::1", dst = {range = "2001:2::2-2001:2::9"}}}"#;
const UDP: &str = "{udp = {src = {range = \"50000-50099\"}, dst = 9}}";

fn flow(name: &str, size: u16, layers: &[&str]) -> String {
    format!(
        r#"
        [[flow]]
        name = "{name}"
        tx = "west"
        rx = "east"
        rate = "5kpps"
        frames = {FRAMES}
        size = [{size}, {}]
        integrity = "full"
        layers = [{}]
        "#,
        size + 1,
        layers.join(", ")
    )
}

#[test]
fn every_stack_is_counted_exactly_and_checked_in_full() {
    let label = "{mpls = {label = {range = \"16-999\"}}}";
    let gre = "{gre = {checksum = true, key = 5, sequence = {range = \"0-4294967294\"}}}";
    let vxlan =
        ["{udp = {src = {range = \"50000-50099\"}}}", "{vxlan = {vni = {range = \"1-99\"}}}", ETH];
    let extensions =
        ["{hop_by_hop = {}}", "{routing = {}}", "{fragment = {id = {range = \"0-9999\"}}}"];
    let segments = r#"{routing = {type = 4, segments_left = 1, data = "01000000 20010db8000000000000000000000042 20010db8000000000000000000000002"}}"#;
    let arp = r#"{arp = {spa = {range = "10.0.0.1-10.0.0.99"}, tpa = "10.0.0.254"}}"#;
    let raw = r#"{raw = {hex = "00112233"}}"#;
    let stacks: [(&str, u16, Vec<&str>); 11] = [
        ("mpls", 64, vec![ETH, label, IPV4, UDP]),
        ("mpls stack", 96, vec![ETH, "{vlan = {id = 7}}", label, label, label, IPV6, UDP]),
        ("vxlan4", 110, [&[ETH, IPV4][..], &vxlan, &[IPV4, UDP]].concat()),
        (
            "vxlan6",
            170,
            [&[ETH, IPV6][..], &vxlan, &["{vlan = {id = 9}}", IPV6, UDP, raw]].concat(),
        ),
        ("gre", 84, vec![ETH, IPV4, "{gre = {}}", IPV4, UDP]),
        ("gre ethernet", 130, vec![ETH, IPV6, gre, ETH, IPV4, UDP]),
        ("ip in ip", 120, vec![ETH, IPV4, IPV6, UDP]),
        ("extensions", 104, [&[ETH, IPV6][..], &extensions, &[UDP]].concat()),
        ("segments", 140, vec![ETH, IPV6, segments, UDP]),
        ("arp", 64, vec![ETH, arp]),
        ("raw on mpls", 90, vec![ETH, label, IPV4, UDP, raw]),
    ];
    let lab = Lab::cable();
    let before = lab.east.counters().rx_packets;
    let text: String =
        stacks.iter().map(|(name, size, layers)| flow(name, *size, layers)).collect();
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    for (name, ..) in &stacks {
        result.flow(name).assert_clean(FRAMES);
    }
    let received = lab.east.counters().rx_packets - before;
    assert!(received >= FRAMES * stacks.len() as u64, "{received} frames by the kernel");
}

#[test]
fn a_label_stack_ends_where_the_last_label_stands() {
    let text = flow(
        "f",
        128,
        &[ETH, "{mpls = {label = 16, ttl = 9}}", "{mpls = {label = 1048575, tc = 7}}", IPV6, UDP],
    );
    let captured =
        transmit(&text.replace("rx = \"east\"\n", "").replace("integrity = \"full\"", ""));
    let dissection = captured.dissect(&[
        "eth.type",
        "mpls.label",
        "mpls.exp",
        "mpls.bottom",
        "mpls.ttl",
        "udp.checksum.status",
    ]);
    dissection.every("eth.type", "0x8847").every("mpls.label", "16,1048575");
    dissection.every("mpls.exp", "0,7").every("mpls.ttl", "9,64");
    dissection.every("udp.checksum.status", "1");
}
