//! A port keeps its other company: what is not linerate's passes unharmed and uncounted.

use crate::testbed::{
    Lab, Linerate, PacketSocket, Receiver, eventually, exchange_echoes, transfer_over_tcp,
};
use std::net::Ipv4Addr;
use std::time::Duration;

const EAST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);

/// Both directions for two seconds, so that both ports send and receive.
const FLOW: &str = r#"
    [[flow]]
    name = "f"
    tx = "west"
    rx = "east"
    rate = "10kpps"
    frames = 20000
    bidir = true
    layers = [
      {eth = {dst = "02:00:00:00:00:02", src = "02:00:00:00:00:03"}},
      {ipv4 = {src = "198.18.1.1", dst = "198.18.1.2"}},
      {udp = {src = 49184, dst = 7}},
    ]
    "#;

#[test]
fn ping_and_tcp_live_through_a_run_and_are_not_counted() {
    let lab = Lab::cable();
    lab.address_kernels();
    let before = lab.west.counters();
    let mut run = Linerate::start(&lab.flow_file(FLOW));
    eventually("the run sends", || lab.west.counters().tx_packets > before.tx_packets + 1000);
    let gap = Duration::from_millis(10);
    std::thread::scope(|scope| {
        scope.spawn(|| transfer_over_tcp(&lab.west, &lab.east, EAST, 50, gap));
        assert_eq!(exchange_echoes(&lab.west, EAST, 50, gap), 50, "echoes lost or changed");
    });
    run.assert_running();
    let result = run.wait().exits(0).result();
    result.flow("f/fwd").assert_clean(20_000);
    result.flow("f/rev").assert_clean(20_000);
    let sent = lab.west.counters().tx_packets - before.tx_packets;
    assert!(sent >= 20_100, "{sent} frames left west: echoes and TCP are missing");
}

#[test]
fn kernels_still_reach_each_other_after_a_run() {
    let lab = Lab::cable();
    lab.address_kernels();
    let outcome = Linerate::run(&lab.flow_file(&FLOW.replace("20000", "2000"))).exits(0);
    outcome.result().flow("f/fwd").assert_clean(2000);
    assert_eq!(exchange_echoes(&lab.west, EAST, 3, Duration::ZERO), 3);
}

#[test]
fn strange_frames_pass_and_are_not_counted() {
    let lab = Lab::cable();
    let receiver = Receiver::start(&lab.east);
    let socket = PacketSocket::open(&lab.west);
    let before = lab.west.counters();
    let run = Linerate::start(&lab.flow_file(&FLOW.replace("bidir = true", "")));
    eventually("the run sends", || lab.west.counters().tx_packets > before.tx_packets + 1000);
    let strange = strange_frames();
    for frame in &strange {
        socket.send(frame);
    }
    let result = run.wait().exits(0).result();
    result.flow("f").assert_clean(20_000);
    // They came on two queues, between which there is no order.
    let sorted = |mut frames: Vec<Vec<u8>>| {
        frames.sort();
        frames
    };
    assert_eq!(sorted(receiver.stop()), sorted(strange), "frames that the kernel saw at east");
}

/// Frames that a careless parser would run past the end of, or take for its own.
fn strange_frames() -> Vec<Vec<u8>> {
    let ethernet = |kind: [u8; 2]| [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &kind].concat();
    let mut frames = vec![
        ethernet([0x08, 0x00]),                              // IPv4 without a header
        [ethernet([0x08, 0x00]), vec![0x4f; 19]].concat(),   // header longer than the frame
        [ethernet([0x08, 0x00]), vec![0x45; 20]].concat(),   // total length beyond the end
        [ethernet([0x86, 0xdd]), vec![0x60; 39]].concat(),   // IPv6 cut by one octet
        [ethernet([0x88, 0xb5]), vec![0xff; 1486]].concat(), // no IP at all
        [ethernet([0x00, 0x20]), vec![0x42; 46]].concat(),   // 802.3 length, LLC
        [ethernet([0x08, 0x06]), vec![0; 46]].concat(),      // an empty ARP
    ];
    let mut udp = ethernet([0x08, 0x00]);
    udp.extend([0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 1, 1, 198, 18, 1, 2]);
    udp.extend([0xc0, 0x20, 0, 7, 0, 26, 0, 0]);
    udp.extend([0; 18]); // where a tag would be: magic 0
    frames.push(udp);
    frames
}
