//! Frames of more than a page: several AF_XDP buffers on the way out, fragments on the way in.

use crate::testbed::{Lab, Linerate, transmit_in};

/// With FCS: on both sides of what one and two buffers hold, and the greatest.
const SIZES: [usize; 7] = [64, 1518, 3844, 3845, 7684, 7685, 9216];

fn flow(settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        {settings}
        size = {SIZES:?}
        rate = "7kpps"
        frames = 7000
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = {{range = "1-5"}}}}}},
        ]
        "#
    )
}

fn lab() -> Lab {
    let lab = Lab::cable();
    for port in [&lab.west, &lab.east] {
        port.ip_link(&["mtu", "9216"]);
    }
    lab
}

#[test]
fn jumbo_frames_arrive_octet_by_octet() {
    let captured = transmit_in(&lab(), &flow(""));
    captured.assert_payload_and_tags(42);
    let expected = SIZES.iter().cycle().take(7000).map(|size| size - 4);
    assert!(captured.frames.iter().map(Vec::len).eq(expected), "sizes in turn");
    let dissection =
        captured.dissect(&["ip.checksum.status", "udp.checksum.status", "udp.dstport"]);
    dissection.every("ip.checksum.status", "1").every("udp.checksum.status", "1");
    dissection.cycles("udp.dstport", &["1", "2", "3", "4", "5"]);
}

#[test]
fn the_analyser_reads_jumbo_frames_to_their_end() {
    let lab = lab();
    let before = lab.east.counters().rx_packets;
    let flow = flow("rx = \"east\"\nintegrity = \"full\"");
    let result = Linerate::run(&lab.flow_file(&flow)).exits(0).result();
    let row = result.flow("f");
    row.assert_clean(7000);
    assert!(lab.east.counters().rx_packets - before >= 7000);
    row.assert_counts(&[("rx_bytes", 1000 * SIZES.iter().sum::<usize>() as u64)]);
    lab.assert_nothing_attached();
}
