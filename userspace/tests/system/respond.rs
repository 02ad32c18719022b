//! A port that sends test frames back: round trips counted exactly, pings, ARP and datagrams
//! answered, other people's traffic let alone. Judged by the kernel's counters, its own ping
//! and sockets, and what `run` counts at the other end.

use crate::testbed::{ForeignProgram, Lab, Linerate, Outcome, PacketSocket, eventually, udp_frame};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Starts a responder at east and waits until it answers.
#[track_caller]
fn start(lab: &Lab, arguments: &[&str]) -> Linerate {
    let east = lab.east.to_string();
    let responder = Linerate::spawn([&["respond", &east, "--json", "-"], arguments].concat());
    eventually("the responder runs", || lab.east.xdp().is_some());
    std::thread::sleep(Duration::from_millis(200));
    responder
}

#[track_caller]
fn end(responder: Linerate) -> (Outcome, Value) {
    responder.signal(libc::SIGINT);
    let outcome = responder.wait().exits(0);
    let document = document(&outcome);
    (outcome, document)
}

#[track_caller]
fn document(outcome: &Outcome) -> Value {
    let document: Value = serde_json::from_str(&outcome.stdout).expect("one JSON document");
    assert_eq!(document["schema"], "linerate.respond/1");
    let total = &document["total"];
    let count = |value: &Value, name: &str| value[name].as_u64().expect("a count");
    let parts = ["reflected_frames", "ping_answers", "refused_frames", "passed_frames"];
    assert_eq!(
        count(total, "seen_frames"),
        parts.iter().map(|part| count(total, part)).sum::<u64>(),
        "every frame that was seen has a place: {outcome}"
    );
    let queues = document["queues"].as_array().expect("queues");
    for name in ["seen_frames", "reflected_frames", "passed_frames"] {
        let sum: u64 = queues.iter().map(|queue| count(queue, name)).sum();
        assert_eq!(sum, count(total, name), "{name} by queue: {outcome}");
    }
    document
}

/// Frames out of west and back there.
fn round_trip(frames: u64, layers: &str) -> String {
    format!(
        r#"
        [ports]
        west = {{ if = "WEST", addr = ["198.18.0.2/24", "2001:2::2/64"] }}
        [[flow]]
        name = "f"
        tx = "west"
        rx = "west"
        rate = "20kpps"
        frames = {frames}
        size = 128
        integrity = "full"
        layers = [{layers}]
        "#
    )
}

const FOUR: &str = r#"{eth = {dst = "auto"}}, {ipv4 = {src = "198.18.0.2", dst = "198.18.0.9"}}, {udp = {src = 49184, dst = 7}}"#;
const SIX: &str = r#"{eth = {dst = "auto"}}, {vlan = {id = 5}}, {ipv6 = {src = "2001:2::2", dst = "2001:2::9"}}, {udp = {src = 49184, dst = 7}}"#;
const RAW: &str = r#"{eth = {dst = "02:00:00:00:00:02", type = 0x88b5}}"#;

#[test]
fn every_frame_comes_back_and_its_latency_is_told_as_a_round_trip() {
    for (mode, layers) in [
        ("--l2", FOUR),
        ("--l2", SIX),
        ("--l2", RAW),
        ("--l3", FOUR),
        ("--l3", SIX),
        ("--udp-echo", FOUR),
    ] {
        const SENT: u64 = 10_000;
        let lab = Lab::cable();
        let responder = start(&lab, &[mode, "--addr", "198.18.0.9,2001:2::9"]);
        let before = (lab.west.counters(), lab.east.counters());
        let run = Linerate::run(&lab.flow_file(&round_trip(SENT, layers))).exits(0);
        let result = run.result();
        let row = result.flow("f");
        row.assert_clean(SENT);
        assert_eq!(row.value("latency_ns.definition"), "round-trip", "{mode} {layers}");
        assert!(run.stdout.contains("latency is the round trip"), "{run}");
        let (outcome, document) = end(responder);
        assert_eq!(document["total"]["reflected_frames"], SENT, "{mode} {layers}: {outcome}");
        assert_eq!(document["total"]["reflected_bytes"], SENT * 128);
        assert_eq!(document["total"]["refused_frames"], 0);
        assert_eq!(document["port"]["xdp_tx_dropped"], 0);
        let after = (lab.west.counters(), lab.east.counters());
        // ARP or ND, and nothing else, came beside them.
        let (there, back) =
            (after.1.rx_packets - before.1.rx_packets, after.0.rx_packets - before.0.rx_packets);
        assert!((SENT..SENT + 8).contains(&there), "{there} frames to the responder");
        assert!((SENT..SENT + 8).contains(&back), "{back} frames from the responder");
        lab.assert_nothing_attached();
    }
}

#[test]
fn the_kernel_of_the_other_end_gets_its_pings_and_datagrams_answered() {
    let lab = Lab::cable();
    lab.west.command("ip", &["address", "add", "198.18.0.1/24", "dev", "west"]);
    // A veth takes what XDP sends back where a program is.
    let _program = ForeignProgram::attach(&lab.west);
    // On a veth a checksum is otherwise left to hardware that is not there.
    lab.west.command("ethtool", &["-K", "west", "tx", "off"]);
    let responder = start(&lab, &["--udp-echo", "--addr", "198.18.0.9"]);
    let ping = lab.west.command("ping", &["-c", "20", "-i", "0.02", "-s", "1400", "198.18.0.9"]);
    assert!(ping.contains("20 received"), "{ping}");
    let socket = lab.west.inside(|| UdpSocket::bind("198.18.0.1:0").expect("a socket"));
    socket.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    let to = SocketAddr::from((Ipv4Addr::new(198, 18, 0, 9), 7));
    for octets in [0, 1, 17, 1400] {
        let data: Vec<u8> = (0..octets).map(|octet| octet as u8).collect();
        socket.send_to(&data, to).expect("sent");
        let mut buffer = [0; 2000];
        let (length, from) = socket.recv_from(&mut buffer).expect("an echo");
        assert_eq!((from, &buffer[..length]), (to, &data[..]));
    }
    let (outcome, document) = end(responder);
    assert_eq!(document["total"]["ping_answers"], 20, "{outcome}");
    assert_eq!(document["total"]["reflected_frames"], 4);
    assert!(document["neighbour_answers"].as_u64() >= Some(1), "{outcome}");
    assert!(lab.east.xdp().is_none());
}

#[test]
fn what_is_no_test_frame_reaches_the_kernel_untouched() {
    const SENT: u32 = 500;
    let lab = Lab::cable();
    lab.address_kernels();
    let responder = start(&lab, &[]);
    let heard = PacketSocket::open(&lab.east);
    let socket = PacketSocket::open(&lab.west);
    (0..SENT).for_each(|number| socket.send(&udp_frame(90, number)));
    let mut passed = 0;
    heard.receive(Duration::from_secs(1), |frame| {
        passed += u32::from(frame == udp_frame(90, passed));
    });
    assert_eq!(passed, SENT, "all, in order and unchanged");
    let ping = lab.west.command("ping", &["-c", "3", "-i", "0.02", "198.18.0.2"]);
    assert!(ping.contains("3 received"), "the kernel answers for its own address: {ping}");
    let (outcome, document) = end(responder);
    assert_eq!(document["total"]["reflected_frames"], 0, "{outcome}");
    assert_eq!(document["total"]["ping_answers"], 0);
    lab.assert_nothing_attached();
}

#[test]
fn a_far_end_that_does_not_poll_is_named_with_what_to_do() {
    let lab = Lab::cable();
    lab.west.command("ethtool", &["-K", "west", "gro", "off"]);
    let responder = start(&lab, &["--addr", "198.18.0.9"]);
    // Sent by hand: `run` would poll.
    let socket = PacketSocket::open(&lab.west);
    let mut frame = udp_frame(90, 0);
    let tag_at = frame.len() - 14;
    for sequence in 0..50_u8 {
        let tag = [1, 2, 0x41, 0, 1, 0, 0, 0, sequence % 16, 9, 9, 9, 9, 9];
        frame[tag_at..].copy_from_slice(&tag);
        socket.send(&frame);
    }
    std::thread::sleep(Duration::from_millis(1500));
    let (outcome, document) = end(responder);
    assert_eq!(document["total"]["reflected_frames"], 50, "{outcome}");
    assert_eq!(document["port"]["xdp_tx_dropped"], 50, "{outcome}");
    assert!(outcome.stderr.contains("attach an XDP program there"), "{outcome}");
    assert_eq!(lab.east.counters().tx_dropped, 50, "the kernel counts the same");
}

#[test]
fn it_ends_as_every_command_does_and_leaves_nothing_attached() {
    let lab = Lab::cable();
    let east = lab.east.to_string();
    let respond = |arguments: &[&str]| {
        Linerate::spawn([&["respond", &east, "--json", "-"], arguments].concat())
    };
    respond(&["--l2", "--l3"]).wait().exits(64);
    respond(&["--addr", "224.0.0.1"]).wait().exits(64).says(&["224.0.0.1"]);
    Linerate::spawn(["respond", "nowhere0"]).wait().exits(64).says(&["nowhere0"]);
    let outcome = respond(&["--for", "300ms"]).wait().exits(0);
    assert_eq!(document(&outcome)["reasons"].as_array().map(Vec::len), Some(0));

    let bounded = start(&lab, &["--for", "60s"]);
    respond(&[]).wait().exits(2).says(&["held by another linerate"]);
    bounded.signal(libc::SIGTERM);
    bounded.wait().exits(2).says(&["interrupted"]);
    lab.assert_nothing_attached();

    let killed = start(&lab, &[]);
    killed.signal(libc::SIGKILL);
    assert_eq!(killed.wait().code, None);
    eventually("the port is free", || lab.east.xdp().is_none());

    let foreign = ForeignProgram::attach(&lab.east);
    respond(&[]).wait().exits(2).says(&["another XDP program"]);
    drop(foreign);

    let lost = start(&lab, &[]);
    lab.east.delete();
    let outcome = lost.wait().exits(2).says(&["east@"]);
    document(&outcome);
}
