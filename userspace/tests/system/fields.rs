//! Every way a field may vary, as tshark reads it at the peer.

use crate::testbed::{Captured, transmit};

const FRAMES: usize = 600;

/// Sends `FRAMES` frames: `settings` of the flow, then its layers above Ethernet.
#[track_caller]
fn send(settings: &str, layers: &str) -> Captured {
    let captured = transmit(&format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rate = "20kpps"
        frames = {FRAMES}
        size = 128
        {settings}
        layers = [{{eth = {{dst = "02:00:00:00:00:02"}}}}, {layers}]
        "#
    ));
    assert_eq!(captured.frames.len(), FRAMES);
    captured
}

fn ipv4_udp(source: &str, destination: &str, udp: &str) -> String {
    format!("{{ipv4 = {{src = {source}, dst = {destination}}}}}, {{udp = {{{udp}}}}}")
}

/// IPv4 and UDP fields of every frame, with both checksums found good.
#[track_caller]
fn fields_of(captured: &Captured) -> crate::testbed::Dissection {
    let fields = [
        "ip.src",
        "ip.dst",
        "udp.srcport",
        "udp.dstport",
        "ip.checksum.status",
        "udp.checksum.status",
    ];
    let dissection = captured.dissect(&fields);
    dissection.every("ip.checksum.status", "1").every("udp.checksum.status", "1");
    dissection
}

fn addresses(last: impl IntoIterator<Item = u8>) -> Vec<String> {
    last.into_iter().map(|octet| format!("198.18.1.{octet}")).collect()
}

#[test]
fn a_list_is_taken_in_turn() {
    let captured = send(
        "",
        &ipv4_udp("\"198.18.0.2\"", "\"198.18.1.1\"", "src = 1, dst = {list = [7, 9, 53]}"),
    );
    fields_of(&captured).cycles("udp.dstport", &["7", "9", "53"]).every("udp.srcport", "1");
}

#[test]
fn a_range_includes_both_ends() {
    let captured = send(
        "",
        &ipv4_udp("\"198.18.0.2\"", "{range = \"198.18.1.1-198.18.1.254\"}", "src = 1, dst = 7"),
    );
    fields_of(&captured).cycles("ip.dst", &addresses(1..=254));
}

#[test]
fn a_step_that_misses_the_end_stops_before_it() {
    let range = "{range = \"198.18.1.1-198.18.1.254\", step = 3}";
    let captured = send("", &ipv4_udp("\"198.18.0.2\"", range, "src = 1, dst = 7"));
    let cycle = addresses((1..=254).step_by(3));
    assert_eq!(cycle.len(), 85);
    fields_of(&captured).cycles("ip.dst", &cycle);
}

#[test]
fn a_negative_step_counts_down() {
    let range = "{range = \"198.18.1.10-198.18.1.1\", step = -3}";
    let ports = "src = {range = \"65535-65530\", step = -1}, dst = 7";
    let captured = send("", &ipv4_udp(range, "\"198.18.1.1\"", ports));
    let dissection = fields_of(&captured);
    dissection.cycles("ip.src", &addresses([10, 7, 4, 1]));
    dissection.cycles("udp.srcport", &["65535", "65534", "65533", "65532", "65531", "65530"]);
}

#[test]
fn a_range_carries_over_octets() {
    let range = "{range = \"198.18.0.254-198.18.1.1\"}";
    let captured = send("", &ipv4_udp("\"198.18.0.2\"", range, "src = 1, dst = 7"));
    let cycle = ["198.18.0.254", "198.18.0.255", "198.18.1.0", "198.18.1.1"];
    fields_of(&captured).cycles("ip.dst", &cycle);
}

#[test]
fn fields_vary_each_by_itself_unless_told_otherwise() {
    let captured = send(
        "",
        &ipv4_udp(
            "{range = \"198.18.1.1-198.18.1.3\"}",
            "{list = [\"198.18.1.9\", \"198.18.1.8\"]}",
            "src = {range = \"1000-1004\"}, dst = {range = \"7-13\", step = 2}",
        ),
    );
    let dissection = fields_of(&captured);
    dissection.cycles("ip.src", &addresses([1, 2, 3])).cycles("ip.dst", &addresses([9, 8]));
    dissection.cycles("udp.srcport", &["1000", "1001", "1002", "1003", "1004"]);
    dissection.cycles("udp.dstport", &["7", "9", "11", "13"]);
}

#[test]
fn zip_advances_all_fields_in_step() {
    let captured = send(
        "vary = \"zip\"",
        &ipv4_udp(
            "{range = \"198.18.1.1-198.18.1.4\"}",
            "{list = [\"198.18.1.9\", \"198.18.1.8\", \"198.18.1.7\", \"198.18.1.6\"]}",
            "src = 5, dst = {range = \"40-10\", step = -10}",
        ),
    );
    let dissection = fields_of(&captured);
    dissection.cycles("ip.src", &addresses([1, 2, 3, 4]));
    dissection.cycles("ip.dst", &addresses([9, 8, 7, 6]));
    dissection.cycles("udp.dstport", &["40", "30", "20", "10"]);
}

#[test]
fn product_takes_every_combination_the_last_field_fastest() {
    let captured = send(
        "vary = \"product\"",
        &ipv4_udp(
            "{range = \"198.18.1.1-198.18.1.2\"}",
            "{range = \"198.18.1.11-198.18.1.13\"}",
            "src = {list = [5, 6]}, dst = {range = \"1-4\"}",
        ),
    );
    let mut cycle = Vec::new();
    for source in 1..=2 {
        for destination in 11..=13 {
            for source_port in 5..=6 {
                cycle.extend((1..=4).map(|port| (source, destination, source_port, port)));
            }
        }
    }
    let column =
        |pick: fn(&(u8, u8, u16, u16)) -> String| cycle.iter().map(pick).collect::<Vec<_>>();
    let dissection = fields_of(&captured);
    dissection.cycles("ip.src", &column(|frame| format!("198.18.1.{}", frame.0)));
    dissection.cycles("ip.dst", &column(|frame| format!("198.18.1.{}", frame.1)));
    dissection.cycles("udp.srcport", &column(|frame| frame.2.to_string()));
    dissection.cycles("udp.dstport", &column(|frame| frame.3.to_string()));
}

#[test]
fn random_repeats_after_its_count_and_is_the_same_for_the_same_seed() {
    let ports_with_seed = |seed: u32| {
        let port = format!("src = 1, dst = {{random = \"1000-1999\", seed = {seed}, count = 100}}");
        let captured = send("", &ipv4_udp("\"198.18.0.2\"", "\"198.18.1.1\"", &port));
        fields_of(&captured).numbers("udp.dstport")
    };
    let ports = ports_with_seed(7);
    assert!(ports.iter().all(|port| (1000..=1999).contains(port)));
    assert!(ports.iter().enumerate().all(|(frame, port)| *port == ports[frame % 100]));
    let mut different = ports[..100].to_vec();
    different.sort_unstable();
    different.dedup();
    // 100 draws of 1,000 values: fewer than 80 different ones happen once in 10^7.
    assert!(different.len() >= 80, "only {} different values of 100", different.len());
    assert_eq!(ports_with_seed(7), ports, "the same seed gave other values");
    assert_ne!(ports_with_seed(8), ports, "another seed gave the same values");
}

#[test]
fn vary_random_draws_every_field_from_its_values_by_itself() {
    let captured = send(
        "vary = \"random\"",
        &ipv4_udp(
            "\"198.18.0.2\"",
            "{range = \"198.18.1.1-198.18.1.4\"}",
            "src = 1, dst = {list = [7, 9, 53, 80]}",
        ),
    );
    let dissection = fields_of(&captured);
    let pairs: Vec<(&str, &str)> =
        dissection.column("ip.dst").into_iter().zip(dissection.column("udp.dstport")).collect();
    let mut different = pairs.clone();
    different.sort_unstable();
    different.dedup();
    // 600 draws of 16 pairs: one of them misses with probability 16 x (15/16)^600 = 10^-16.
    assert_eq!(different.len(), 16, "{different:?}");
    assert!(pairs.iter().all(|(address, _)| addresses(1..=4).iter().any(|a| a == address)));
    assert!(pairs[..16] != pairs[16..32], "a fixed cycle is not random");
}

#[test]
fn vlan_mac_and_ip_header_fields_vary_too() {
    let captured = transmit(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rate = "20kpps"
        frames = 600
        size = 128
        layers = [
          {eth = {src = {range = "02:00:00:00:01:fe-02:00:00:00:02:01"}, dst = {list = ["02:00:00:00:00:0a", "02:00:00:00:00:0b"]}}},
          {vlan = {id = {range = "100-599"}, pcp = {range = "0-7"}}},
          {ipv4 = {src = "198.18.0.2", dst = "198.18.1.1", ttl = {range = "10-1", step = -1}, dscp = {list = [0, 46]}, id = {range = "0-65535", step = 7}}},
          {udp = {src = 49184, dst = 7}},
        ]
        "#,
    );
    let dissection = captured.dissect(&[
        "eth.src",
        "eth.dst",
        "vlan.id",
        "vlan.priority",
        "ip.ttl",
        "ip.dsfield.dscp",
        "ip.id",
        "ip.checksum.status",
        "udp.checksum.status",
    ]);
    let numbers =
        |range: std::ops::RangeInclusive<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    let sources = ["01:fe", "01:ff", "02:00", "02:01"].map(|end| format!("02:00:00:00:{end}"));
    dissection.cycles("eth.src", &sources);
    dissection.cycles("eth.dst", &["02:00:00:00:00:0a", "02:00:00:00:00:0b"]);
    dissection.cycles("vlan.id", &numbers(100..=599)).cycles("vlan.priority", &numbers(0..=7));
    dissection.cycles("ip.ttl", &["10", "9", "8", "7", "6", "5", "4", "3", "2", "1"]);
    dissection.cycles("ip.dsfield.dscp", &["0", "46"]);
    let ids: Vec<String> = (0..=65_535).step_by(7).map(|id| id.to_string()).collect();
    dissection.cycles("ip.id", &ids);
    dissection.every("ip.checksum.status", "1").every("udp.checksum.status", "1");
}

#[test]
fn ipv6_fields_vary_with_good_checksums() {
    let captured = send(
        "",
        r#"{ipv6 = {src = {range = "2001:2::1-2001:2::3"}, dst = {range = "2001:2::ffff-2001:2::1:1"}, flow_label = {range = "0-9"}, hop_limit = {list = [1, 255]}}}, {udp = {src = {range = "1-7"}, dst = 7}}"#,
    );
    let dissection = captured.dissect(&[
        "ipv6.src",
        "ipv6.dst",
        "ipv6.flow",
        "ipv6.hlim",
        "udp.srcport",
        "udp.checksum.status",
    ]);
    dissection.cycles("ipv6.src", &["2001:2::1", "2001:2::2", "2001:2::3"]);
    dissection.cycles("ipv6.dst", &["2001:2::ffff", "2001:2::1:0", "2001:2::1:1"]);
    dissection.cycles("ipv6.flow", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    dissection.cycles("ipv6.hlim", &["1", "255"]);
    dissection.cycles("udp.srcport", &["1", "2", "3", "4", "5", "6", "7"]);
    dissection.every("udp.checksum.status", "1");
}

#[test]
fn tcp_and_icmp_fields_vary_with_good_checksums() {
    let tcp = r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}}, {tcp = {src = {range = "1-3"}, dst = 80, seq = {range = "4294967290-4294967295"}, flags = {list = [2, 16]}, window = {range = "5-1", step = -1}}}"#;
    let dissection = send("", tcp).dissect(&[
        "tcp.srcport",
        "tcp.seq_raw",
        "tcp.flags",
        "tcp.window_size_value",
        "tcp.checksum.status",
    ]);
    dissection.cycles("tcp.srcport", &["1", "2", "3"]);
    let sequences: Vec<String> =
        (4_294_967_290..=4_294_967_295_u32).map(|n| n.to_string()).collect();
    dissection.cycles("tcp.seq_raw", &sequences).cycles("tcp.flags", &["2", "16"]);
    dissection.cycles("tcp.window_size_value", &["5", "4", "3", "2", "1"]);
    dissection.every("tcp.checksum.status", "1");

    let icmp = r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}}, {icmp = {type = 8, code = 0, id = {range = "1-2"}, seq = {range = "0-65535"}}}"#;
    let dissection = send("", icmp).dissect(&["icmp.ident", "icmp.seq", "icmp.checksum.status"]);
    let numbers: Vec<String> = (0..FRAMES).map(|n| n.to_string()).collect();
    dissection.cycles("icmp.ident", &["1", "2"]).cycles("icmp.seq", &numbers);
    dissection.every("icmp.checksum.status", "1");
}
