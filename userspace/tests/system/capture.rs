//! What passes a port is in the file, all of it, in order and whole; the kernel keeps its
//! traffic. Judged by tshark, by capinfos and by the kernel's own echoes.

use crate::testbed::{
    ForeignProgram, Lab, Linerate, PacketSocket, dissect_file, eventually, exchange_echoes,
    udp_frame,
};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FLOW: &str = r#"
    [[flow]]
    name = "f"
    tx = "west"
    rate = "20kpps"
    frames = 10000
    size = 128
    layers = [
      {eth = {dst = "02:00:00:00:00:02"}},
      {vlan = {id = 100}},
      {ipv4 = {src = "198.18.1.1", dst = "198.18.1.2"}},
      {udp = {src = 49184, dst = 7}},
    ]
    "#;

/// Starts a capture at east and waits until it listens.
#[track_caller]
fn start(lab: &Lab, file: &Path, arguments: &[&str]) -> Linerate {
    let east = lab.east.to_string();
    let head = ["capture", &east, "--write", file.to_str().unwrap()];
    let capture = Linerate::spawn([&head, arguments].concat());
    // The file is made once everything is attached; its head when it is written to.
    eventually("the capture runs", || lab.east.xdp().is_some() && file.exists());
    std::thread::sleep(Duration::from_millis(100));
    capture
}

fn file(lab: &Lab) -> PathBuf {
    let path = lab.file("capture.pcapng", b"");
    std::fs::remove_file(&path).unwrap();
    path
}

#[test]
fn test_frames_and_the_kernels_own_are_all_there_in_order() {
    let lab = Lab::cable();
    lab.address_kernels();
    let path = file(&lab);
    let capture = start(&lab, &path, &[]);
    let run = Linerate::start(&lab.flow_file(FLOW));
    let east = Ipv4Addr::new(198, 18, 0, 2);
    assert_eq!(exchange_echoes(&lab.west, east, 20, Duration::from_millis(10)), 20);
    run.wait().exits(0);
    capture.signal(libc::SIGINT);
    let outcome = capture.wait().exits(0);

    let dissection =
        dissect_file(&path, &["vlan.id", "udp.dstport", "icmp.type", "frame.time_epoch"]);
    let ports = dissection.column("udp.dstport");
    assert_eq!(ports.iter().filter(|port| **port == "7").count(), 10_000, "{outcome}");
    let tagged = dissection.column("vlan.id");
    assert_eq!(tagged.iter().filter(|id| **id == "100").count(), 10_000, "tags put back");
    let echoes = dissection.column("icmp.type");
    assert_eq!(echoes.iter().filter(|kind| **kind == "8").count(), 20, "requests came in");
    assert_eq!(echoes.iter().filter(|kind| **kind == "0").count(), 20, "answers went out");
    let times = dissection.column("frame.time_epoch");
    assert!(times.is_sorted(), "times go back");
    // All but the first few, by which the session was recognised.
    assert!(outcome.stderr.contains("9992 test frames came through AF_XDP"), "{outcome}");
    assert!(outcome.stderr.contains("for want of room: 0"), "{outcome}");
    lab.assert_nothing_attached();
}

#[test]
fn filter_snap_length_and_count_are_kept_exactly() {
    let lab = Lab::cable();
    let path = file(&lab);
    let arguments = ["--filter", "udp and not port 9", "--snap", "50", "--count", "30"];
    let capture = start(&lab, &path, &arguments);
    let socket = PacketSocket::open(&lab.west);
    for number in 0..40 {
        socket.send(&[vec![0xff; 12], vec![0x88, 0xb5], vec![0; 46]].concat());
        let mut other = udp_frame(90, number);
        other[37] = 9;
        socket.send(&other);
        socket.send(&udp_frame(90 + number as usize, number));
    }
    capture.wait().exits(0);
    let dissection = dissect_file(&path, &["frame.cap_len", "udp.dstport"]);
    dissection.every("frame.cap_len", "50").every("udp.dstport", "7");
    let lengths: Vec<u64> = (90..120).collect();
    assert_eq!(dissection.numbers("frame.len"), lengths);
}

/// The kernel counts what came (the interface) and what found no buffer (`XDP_STATISTICS`,
/// which `capture` tells), tshark what was written: nothing may be left over.
#[test]
fn frames_that_come_while_nobody_reads_are_lost_to_the_empty_fill_ring_and_named_so() {
    const SENT: u64 = 20_000;
    let lab = Lab::cable();
    let path = file(&lab);
    let capture = start(&lab, &path, &[]);
    capture.signal(libc::SIGSTOP);
    let before = lab.east.counters().rx_packets;
    let flow = FLOW.replace("10000", &SENT.to_string()).replace("20kpps", "50kpps");
    let result = Linerate::run(&lab.flow_file(&flow)).exits(0).result();
    assert_eq!(result.flow("f").count("tx_frames"), SENT);
    assert_eq!(lab.east.counters().rx_packets - before, SENT, "the kernel's count at east");
    capture.signal(libc::SIGCONT);
    // Those that had room are still read.
    std::thread::sleep(Duration::from_millis(500));
    capture.signal(libc::SIGINT);
    let outcome = capture.wait().exits(0);
    let tagged = dissect_file(&path, &["vlan.id"]);
    let written = tagged.column("vlan.id").iter().filter(|id| **id == "100").count() as u64;
    assert!((1000..SENT / 2).contains(&written), "{written} frames had room");
    let lost = SENT - written;
    for words in [
        format!("for want of room: {lost} "),
        format!("AF_XDP fill ring empty: {lost}, RX ring full: 0"),
    ] {
        assert!(outcome.stderr.contains(&words), "no `{words}`: {outcome}");
    }
    lab.assert_nothing_attached();
}

#[test]
fn a_port_that_is_set_down_ends_the_capture_and_the_file_is_whole() {
    let lab = Lab::cable();
    let path = file(&lab);
    let capture = start(&lab, &path, &["--for", "50s"]);
    // The other end may lose its link, as some do when a program is attached there.
    lab.west.ip_link(&["down"]);
    std::thread::sleep(Duration::from_millis(1500));
    lab.west.ip_link(&["up"]);
    Linerate::run(&lab.flow_file(FLOW)).exits(0);
    lab.east.ip_link(&["down"]);
    let down = Instant::now();
    let fault = format!("{} was set down", lab.east);
    let outcome = capture.wait().exits(2).says(&[&fault]);
    assert!(down.elapsed() < Duration::from_secs(2), "{:?}: {outcome}", down.elapsed());
    let ports = dissect_file(&path, &["udp.dstport"]);
    let ours = ports.column("udp.dstport").iter().filter(|port| **port == "7").count();
    assert_eq!(ours, 10_000, "{outcome}");
    lab.assert_nothing_attached();
}

#[test]
fn a_ring_of_files_keeps_the_last_frames() {
    const SENT: u64 = 5_000;
    let lab = Lab::cable();
    let path = file(&lab);
    let files = [1, 2, 3].map(|number| path.with_extension(format!("{number}.pcapng")));
    let east = lab.east.to_string();
    let write = path.to_str().unwrap();
    let capture = Linerate::spawn(["capture", &east, "--write", write, "--ring", "3x100kB"]);
    eventually("the capture runs", || lab.east.xdp().is_some() && files[0].exists());
    std::thread::sleep(Duration::from_millis(100));
    let ids = format!("id = {{range = \"0-{}\"}}, dst = \"198.18.1.2\"", SENT - 1);
    let flow = FLOW.replace("10000", &SENT.to_string()).replace("dst = \"198.18.1.2\"", &ids);
    Linerate::run(&lab.flow_file(&flow)).exits(0);
    capture.signal(libc::SIGINT);
    capture.wait().exits(0);
    assert!(!path.exists(), "a file beside the ring");
    let mut kept = Vec::new();
    for file in &files {
        let bytes = std::fs::metadata(file).expect("a file of the ring").len();
        assert!(bytes <= 100_000, "{bytes} octets in {}", file.display());
        let dissection = dissect_file(file, &["ip.id"]);
        let id = |text: &&str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
        kept.extend(dissection.column("ip.id").iter().map(id));
    }
    kept.sort_unstable();
    assert!(kept.len() > 900, "{} frames in 300 kB", kept.len());
    let last: Vec<u64> = (SENT - kept.len() as u64..SENT).collect();
    assert_eq!(kept, last, "the frames that came last, each once");
    let none = Linerate::spawn(["capture", &east, "--write", "-", "--ring", "3x100kB"]);
    none.wait().exits(64).says(&["--ring"]);
}

#[test]
fn a_port_in_use_and_a_wrong_filter_are_refused_by_name() {
    let lab = Lab::cable();
    let (west, east) = (lab.west.to_string(), lab.east.to_string());
    let path = file(&lab);
    let write = path.to_str().unwrap();
    let capture = |arguments: &[&str]| {
        Linerate::spawn([&["capture", "--write", write], arguments].concat()).wait()
    };
    capture(&[&east, "--filter", "udp port and"]).exits(64).says(&["--filter", "inbound"]);
    capture(&["nowhere0"]).exits(64).says(&["nowhere0"]);
    let first = start(&lab, &path, &[]);
    capture(&[&east]).exits(2).says(&["held by another linerate"]);
    first.signal(libc::SIGTERM);
    first.wait().exits(0);
    let foreign = ForeignProgram::attach(&lab.west);
    capture(&[&west]).exits(2).says(&["another XDP program"]);
    drop(foreign);
    lab.assert_nothing_attached();
}
