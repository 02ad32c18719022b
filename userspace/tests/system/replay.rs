//! A capture sent again: the same octets in the same order, and counted by their content
//! exactly as a device's books and the kernel count them.

use crate::testbed::{
    Act, Behaviour, Device, Lab, Linerate, Outcome, Receiver, command, eventually, exchange_echoes,
    pcap_file, udp_frame,
};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// UDP frames that differ in their last octets, of three sizes, `gap_us` apart.
fn frames(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|number| udp_frame(60 + 400 * (number as usize % 3), number)).collect()
}

fn recording(lab: &Lab, frames: &[Vec<u8>], gap_us: u32) -> PathBuf {
    lab.file("recording.pcap", &pcap_file(frames, gap_us))
}

#[track_caller]
fn replay(lab: &Lab, file: &Path, arguments: &[&str]) -> Linerate {
    let (west, east) = (lab.west.to_string(), lab.east.to_string());
    let ports = ["--tx", &west, "--rx", &east, "--json", "-"];
    let arguments: Vec<String> = [&["replay", file.to_str().unwrap()], &ports[..], arguments]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    Linerate::spawn(arguments)
}

/// The only row of a result.
#[track_caller]
fn assert_counts(outcome: &Outcome, counts: &[(&str, u64)]) {
    outcome.result().flows()[0].assert_counts(counts);
}

#[test]
fn every_format_leaves_octet_by_octet_in_the_order_of_the_file() {
    let lab = Lab::cable();
    let frames = frames(300);
    let plain = recording(&lab, &frames, 100);
    for format in ["pcap", "nsecpcap", "pcapng"] {
        let file = lab.file("converted", b"");
        let paths = [plain.to_str().unwrap(), file.to_str().unwrap()];
        command("editcap", &["-F", format, paths[0], paths[1]]);
        let receiver = Receiver::start(&lab.east);
        let west = lab.west.to_string();
        let arguments = ["replay", paths[1], "--tx", &west, "--json", "-"];
        let outcome = Linerate::spawn(arguments).wait().exits(0);
        assert_counts(&outcome, &[("tx_frames", 300), ("requested_frames", 300)]);
        assert_eq!(receiver.stop(), frames, "{format}");
    }
    lab.assert_nothing_attached();
}

#[test]
fn loops_are_exact_and_every_frame_of_them_is_counted() {
    let lab = Lab::cable();
    let before = lab.east.counters().rx_packets;
    let file = recording(&lab, &frames(7), 10);
    let outcome = replay(&lab, &file, &["--loop", "3000", "--rate", "20kpps"]).wait().exits(0);
    let all = 21_000;
    assert_counts(
        &outcome,
        &[("requested_frames", all), ("tx_frames", all), ("rx_unique_frames", all)],
    );
    let octets: usize = frames(7).iter().map(|frame| frame.len() + 4).sum();
    assert_counts(&outcome, &[("tx_bytes", 3000 * octets as u64), ("lost_frames", 0)]);
    assert_eq!(lab.east.counters().rx_packets - before, all, "the kernel's counter");
    let result = outcome.result();
    for unknown in ["latency_ns", "reordered_frames", "corrupt_frames", "ledger.in_order"] {
        assert!(result.flows()[0].value(unknown).is_null(), "{unknown} was not measured");
    }
    lab.assert_nothing_attached();
}

#[test]
fn limits_by_frames_and_by_time_ask_for_exactly_what_is_due() {
    let lab = Lab::cable();
    // 3 frames in 2 ms, then a mean gap: one a millisecond.
    let file = recording(&lab, &frames(3), 1000);
    for (arguments, requested) in [
        (&["--frames", "500"][..], 500),
        (&["--for", "500ms"], 500),
        (&["--for", "250ms", "--speed", "2x"], 500),
        (&["--loop", "2"], 6),
        (&["--loop", "100", "--frames", "50", "--rate", "1kpps"], 50),
        (&["--for", "100ms", "--rate", "10kpps"], 1000),
    ] {
        let outcome = replay(&lab, &file, arguments).wait().exits(0);
        assert_counts(&outcome, &[("requested_frames", requested)]);
    }
}

#[test]
fn a_devices_drops_and_duplicates_are_its_own_and_never_cancel_out() {
    let lab = Lab::with_device();
    let act = |number| match number % 100 {
        7 | 9 => Act::Drop,
        50 => Act::Duplicate,
        _ => Act::Pass,
    };
    let device = Device::eastward(&lab, Behaviour { spray: true, ..Behaviour::of(act) });
    let file = recording(&lab, &frames(2000), 50);
    let outcome = replay(&lab, &file, &[]).wait().exits(0);
    let books = device.stop();
    assert_eq!((books.seen, books.dropped, books.duplicated), (2000, 40, 20), "{outcome}");
    assert_counts(
        &outcome,
        &[("rx_unique_frames", 1960), ("lost_frames", 40), ("duplicate_frames", 20)],
    );
}

#[test]
fn other_traffic_lives_on_and_is_not_counted() {
    let lab = Lab::cable();
    lab.address_kernels();
    let file = recording(&lab, &frames(100), 100);
    let mut run = replay(&lab, &file, &["--for", "2s"]);
    let before = lab.west.counters().tx_packets;
    eventually("the replay sends", || lab.west.counters().tx_packets > before + 1000);
    let east = Ipv4Addr::new(198, 18, 0, 2);
    assert_eq!(exchange_echoes(&lab.west, east, 50, Duration::from_millis(10)), 50);
    run.assert_running();
    let outcome = run.wait().exits(0);
    let row = outcome.result();
    let sent = row.flows()[0].count("tx_frames");
    assert_counts(&outcome, &[("rx_frames", sent), ("duplicate_frames", 0), ("lost_frames", 0)]);
    let seen = row.flows()[0].count("ledger.seen");
    assert!(seen >= sent + 50, "{seen} seen of {sent} sent and 50 echoes");
}

#[test]
fn gaps_are_those_of_the_capture_and_never_shorter() {
    let lab = Lab::cable();
    let file = recording(&lab, &frames(5), 40_000);
    for (speed, gap_ns) in [("1x", 40_000_000), ("4x", 10_000_000)] {
        let outcome = replay(&lab, &file, &["--speed", speed]).wait().exits(0);
        let result = outcome.result();
        let gap = result.flows()[0].number("tx_gap_ns.mean");
        // What is late once makes the mean of all gaps longer, never shorter by much.
        assert!(gap > 0.95 * f64::from(gap_ns), "{speed}: mean gap {gap} ns");
        assert!(gap < 1.5 * f64::from(gap_ns), "{speed}: mean gap {gap} ns");
    }
}

#[test]
fn a_hundred_thousand_frames_at_full_speed_are_all_accounted_for() {
    let _alone = crate::testbed::much_of_the_machine();
    let lab = Lab::cable();
    let file = recording(&lab, &frames(100_000), 1);
    let before = lab.west.counters().tx_packets;
    let outcome = replay(&lab, &file, &["--rate", "max"]).wait().exits(0);
    assert_counts(&outcome, &[("tx_frames", 100_000)]);
    assert_eq!(lab.west.counters().tx_packets - before, 100_000, "the kernel's counter");
    let result = outcome.result();
    let row = result.flows()[0];
    let dropped = row.value("ledger.rx_dropped").as_u64().unwrap_or(0);
    assert!(row.count("lost_frames") <= dropped, "lost without a place: {outcome}");
}

#[test]
fn files_that_cannot_be_sent_are_refused_by_name_and_nothing_is_attached() {
    let lab = Lab::cable();
    let good = pcap_file(&frames(3), 10);
    let short = pcap_file(&[udp_frame(60, 0), vec![0xff; 42]], 10);
    let jumbo = pcap_file(&[udp_frame(60, 0), udp_frame(1600, 1)], 10);
    for (content, words) in [
        (&b"no capture at all, but long enough"[..], &["neither pcap nor pcapng"][..]),
        (&good[..24], &["no frame"]),
        (&good[..good.len() - 1], &["middle of frame 3"]),
        (&short, &["frame 2", "42 octets", "--pad"]),
        (&jumbo, &["frame 2", "1586", "mtu"]),
    ] {
        let file = lab.file("bad.pcap", content);
        replay(&lab, &file, &[]).wait().exits(64).says(words);
    }
    let file = lab.file("good.pcap", &good);
    for (arguments, words) in [
        (&["--speed", "fast"][..], &["--speed"][..]),
        (&["--rate", "11Gbps"], &["over the line"]),
        (&["--loop", "0"], &["--loop"]),
        (&["--rate", "1kpps", "--speed", "2x"], &["--rate"]),
    ] {
        replay(&lab, &file, arguments).wait().exits(64).says(words);
    }
    replay(&lab, Path::new("/nonexistent.pcap"), &[]).wait().exits(64).says(&["nonexistent"]);
    lab.assert_nothing_attached();
}

#[test]
fn a_signal_ends_an_endless_replay_well_and_a_bounded_one_invalid() {
    let lab = Lab::cable();
    let file = recording(&lab, &frames(10), 1000);
    for (rounds, code) in [("forever", 0), ("100000", 2)] {
        let before = lab.west.counters().tx_packets;
        let run = replay(&lab, &file, &["--loop", rounds]);
        eventually("the replay sends", || lab.west.counters().tx_packets > before + 100);
        run.signal(libc::SIGINT);
        let outcome = run.wait().exits(code);
        assert!(outcome.result().flows()[0].count("tx_frames") > 100, "{outcome}");
        assert_counts(&outcome, &[("lost_frames", 0)]);
        lab.assert_nothing_attached();
    }
}
