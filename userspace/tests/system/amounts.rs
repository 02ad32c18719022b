//! How large and how many: every size mode, every way to write a rate and an end.

use crate::testbed::{Captured, Lab, Linerate, transmit, transmit_in};
use std::collections::BTreeMap;

fn flow(settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = {{range = "1-5"}}}}}},
        ]
        "#
    )
}

/// Sends 360 frames of these sizes; lengths and checksums are judged, sizes returned.
#[track_caller]
fn sizes_of(size: &str) -> Vec<usize> {
    let captured = transmit(&flow(&format!("rate = \"5kpps\"\nframes = 360\nsize = {size}")));
    captured.assert_payload_and_tags(42);
    let dissection = captured.dissect(&[
        "ip.len",
        "udp.length",
        "ip.checksum.status",
        "udp.checksum.status",
        "udp.dstport",
    ]);
    dissection.every("ip.checksum.status", "1").every("udp.checksum.status", "1");
    dissection.cycles("udp.dstport", &["1", "2", "3", "4", "5"]);
    let lengths: Vec<usize> = captured.frames.iter().map(Vec::len).collect();
    for (what, headers) in [("ip.len", 14), ("udp.length", 34)] {
        let found = dissection.numbers(what);
        let expected = lengths.iter().map(|length| (*length - headers) as u64);
        assert!(found.into_iter().eq(expected), "{what} differs from the frame's length");
    }
    assert_eq!(lengths.len(), 360);
    lengths.into_iter().map(|length| length + 4).collect()
}

#[track_caller]
fn assert_cycle(sizes: &[usize], cycle: &[usize]) {
    let expected: Vec<usize> = cycle.iter().copied().cycle().take(sizes.len()).collect();
    assert_eq!(sizes, expected);
}

/// One fixed cycle with these weights, no size in a block of its own.
#[track_caller]
fn assert_interleaved(sizes: &[usize], weights: &[(usize, usize)]) {
    let period: usize = weights.iter().map(|(_, weight)| weight).sum();
    assert_cycle(sizes, &sizes[..period]);
    let mut counts = BTreeMap::new();
    for size in &sizes[..period] {
        *counts.entry(*size).or_insert(0) += 1;
    }
    assert_eq!(counts, weights.iter().copied().collect());
    // Evenly: in any stretch a size occurs within two of its share.
    for length in 1..=period {
        for stretch in sizes.windows(length) {
            for (size, weight) in weights {
                let count = stretch.iter().filter(|found| *found == size).count() as f64;
                let share = (length * weight) as f64 / period as f64;
                assert!((count - share).abs() < 2.0, "{count} x {size} in {stretch:?}");
            }
        }
    }
}

#[test]
fn a_fixed_size_holds_for_every_frame() {
    assert_cycle(&sizes_of("1518"), &[1518]);
    assert_cycle(&sizes_of("65"), &[65]);
}

#[test]
fn a_list_of_sizes_is_taken_in_turn() {
    assert_cycle(&sizes_of("[64, 512, 1518, 99]"), &[64, 512, 1518, 99]);
}

#[test]
fn a_range_of_sizes_steps_from_end_to_end() {
    assert_cycle(&sizes_of("{range = \"100-400\", step = 100}"), &[100, 200, 300, 400]);
    let every_64: Vec<usize> = (64..=1518).step_by(64).collect();
    assert_cycle(&sizes_of("{range = \"64-1518\", step = 64}"), &every_64);
}

#[test]
fn imix_is_7_4_1_evenly_interleaved() {
    assert_interleaved(&sizes_of("\"imix\""), &[(64, 7), (570, 4), (1518, 1)]);
    assert_interleaved(&sizes_of("\"imix:trex\""), &[(64, 7), (594, 4), (1518, 1)]);
}

#[test]
fn weights_are_one_evenly_interleaved_cycle() {
    assert_interleaved(
        &sizes_of("{weights = {128=5, 256=3, 1024=2}}"),
        &[(128, 5), (256, 3), (1024, 2)],
    );
}

#[test]
fn the_default_size_is_64() {
    let captured = transmit(&flow("rate = \"5kpps\"\nframes = 10"));
    assert!(captured.frames.iter().all(|frame| frame.len() == 60));
}

/// The frames that a flow with these settings sends; requested and sent are equal.
#[track_caller]
fn count_of(captured: &Captured) -> u64 {
    let result = &captured.result;
    let row = result.flow("f");
    row.assert_counts(&[("unsent_frames", 0), ("requested_frames", row.count("tx_frames"))]);
    captured.frames.len() as u64
}

#[test]
fn frames_asks_for_exactly_that_many() {
    for frames in [1, 2, 63, 64, 65, 4097] {
        let captured = transmit(&flow(&format!("rate = \"40kpps\"\nframes = {frames}")));
        assert_eq!(count_of(&captured), frames);
    }
}

#[test]
fn a_burst_flow_sends_frames_times_repeat() {
    let captured =
        transmit(&flow("rate = \"40kpps\"\nburst = {frames = 16, gap = \"5ms\", repeat = 50}"));
    assert_eq!(count_of(&captured), 800);
}

#[test]
fn every_way_to_write_a_rate_asks_for_floor_of_rate_times_seconds() {
    let cases = [
        ("5kpps", "125", "500ms", 2500),
        ("0.005Mpps", "125", "0.5s", 2500),
        ("3333.3pps", "64", "700ms", 2333),
        ("7777pps", "64", "300ms", 2333),
        ("4Mbps", "125", "500ms", 2000),       // 8 x 125 bits
        ("5.8Mbps-l1", "125", "500ms", 2500),  // 8 x 145 bits
        ("0.05%", "125", "500ms", 2155),       // of veth's 10 Gbit/s: 4,310.3 pps
        ("10Mbps", "\"imix\"", "500ms", 1766), // mean 353.833 octets: 3,532.7 pps
    ];
    for (rate, size, duration, frames) in cases {
        let settings = format!("rate = \"{rate}\"\nsize = {size}\nduration = \"{duration}\"");
        assert_asks_for(&transmit(&flow(&settings)), frames);
    }
}

/// Exactly so many were asked for. The stop time is fixed, so a machine with other work
/// may leave a few unsent; not more than that.
#[track_caller]
fn assert_asks_for(captured: &Captured, frames: u64) {
    let row = captured.result.flow("f");
    row.assert_counts(&[("requested_frames", frames)]);
    let sent = row.count("tx_frames");
    assert!(sent <= frames && sent >= frames * 9 / 10, "{sent} of {frames} sent");
}

#[test]
fn a_given_line_rate_is_what_percent_means() {
    let ports = "[ports]\nwest = { if = \"WEST\", line = \"1G\" }\n";
    let settings = "rate = \"0.5%\"\nsize = 125\nduration = \"500ms\"";
    let captured = transmit_in(&Lab::cable(), &format!("{ports}{}", flow(settings)));
    assert_asks_for(&captured, 2155);
}

#[test]
fn flags_override_the_file() {
    let lab = Lab::cable();
    let file = lab.flow_file(&flow("rate = \"1kpps\"\nduration = \"60s\"\nsize = 100"));
    let path = file.to_str().unwrap();
    let arguments = ["run", path, "--for", "500ms", "--scale", "400%", "--json", "-"];
    let result = Linerate::spawn(arguments).wait().exits(0).result();
    result.flow("f").assert_counts(&[("requested_frames", 2000)]);
}
