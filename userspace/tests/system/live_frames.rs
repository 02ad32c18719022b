//! The live-frame back end: what it sends is what AF_XDP sends, counted and ended alike.

use crate::testbed::{
    Captured, Daemon, Lab, Linerate, Outcome, eventually, much_of_the_machine, transmit_by,
};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

const FLOW: &str = r#"
    [[flow]]
    name = "f"
    tx = "west"
    rx = "east"
    rate = "20kpps"
    frames = 20000
    size = 128
    layers = [
      {eth = {dst = "02:00:00:00:00:02"}},
      {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.9"}}},
      {udp = {src = {range = "1000-1999"}, dst = 7}},
    ]
    "#;

fn run(lab: &Lab, text: &str) -> Outcome {
    Linerate::start_with_backend(&lab.flow_file(text), "live_frames").wait()
}

/// A veth takes redirected frames only while its peer polls.
fn let_east_poll(lab: &Lab, polls: bool) {
    let gro = if polls { "on" } else { "off" };
    lab.east.command("ethtool", &["-K", &lab.east.interface, "gro", gro]);
}

/// Frames without what no two runs have in common: nonce, trial and time of the tag, and
/// the UDP checksum over them.
fn comparable(captured: &Captured, udp_checksum: usize) -> Vec<Vec<u8>> {
    let blank = |frame: &Vec<u8>| {
        let mut frame = frame.clone();
        let tag = frame.len() - 14;
        frame[tag..tag + 3].fill(0);
        frame[tag + 9..].fill(0);
        frame[udp_checksum..udp_checksum + 2].fill(0);
        frame
    };
    captured.frames.iter().map(blank).collect()
}

#[test]
fn frames_are_those_of_af_xdp_in_every_size_and_field() {
    for (settings, layers, udp_checksum) in [
        (
            "size = [64, 1518, 65, 570]",
            "{ipv4 = {src = {random = \"198.18.0.2-198.18.0.200\", seed = 3, count = 50}, \
             dst = {list = [\"198.18.1.1\", \"198.18.1.9\"]}, ttl = {range = \"200-1\", step = -3}}}, \
             {udp = {src = {range = \"1000-1099\"}, dst = {random = \"1-60000\"}}}",
            40,
        ),
        (
            "vary = \"random\"\nsize = \"imix\"",
            "{vlan = {id = {range = \"100-199\"}, pcp = 5}}, \
             {ipv4 = {src = \"198.18.0.2\", dst = {range = \"198.18.1.1-198.18.1.254\"}}}, \
             {udp = {src = {list = [1, 5, 9]}, dst = 7}}",
            44,
        ),
        (
            "vary = \"product\"\nsize = 96",
            "{ipv6 = {src = \"2001:2::1\", dst = {range = \"2001:2::ffff-2001:2::1:f\"}, \
             flow_label = {range = \"0-100\"}}}, {udp = {src = {range = \"1-3\"}, dst = 7}}",
            60,
        ),
    ] {
        let text = format!(
            "[[flow]]\nname = \"f\"\ntx = \"west\"\nrate = \"10kpps\"\nframes = 1000\n{settings}\n\
             layers = [{{eth = {{src = \"02:00:00:00:00:01\", dst = \"02:00:00:00:00:02\"}}}}, {layers}]"
        );
        let live = transmit_by("live_frames", &text);
        live.dissect(&["udp.checksum.status"]).every("udp.checksum.status", "1");
        let sockets = transmit_by("af_xdp", &text);
        let (live, sockets) = (comparable(&live, udp_checksum), comparable(&sockets, udp_checksum));
        assert_eq!(live.len(), 1000);
        for (number, (live, sockets)) in live.iter().zip(&sockets).enumerate() {
            assert_eq!(live, sockets, "frame {number} of {settings}");
        }
    }
}

#[test]
fn what_is_counted_is_what_the_kernel_counts() {
    let lab = Lab::cable();
    let before = (lab.west.counters().tx_packets, lab.east.counters().rx_packets);
    let result = run(&lab, FLOW).exits(0).result();
    let after = (lab.west.counters().tx_packets, lab.east.counters().rx_packets);
    assert_eq!((after.0 - before.0, after.1 - before.1), (20_000, 20_000));
    let row = result.flow("f");
    row.assert_clean(20_000);
    assert!(row.value("ledger.completed").is_null(), "nobody completes live frames");
    assert_eq!(result.document["ports"][0]["tx_mode"], "live-frames");
    lab.assert_nothing_attached();
}

#[test]
fn a_rate_is_held() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let text = FLOW.replace("20kpps", "50kpps").replace("20000", "100000");
    let result = run(&lab, &text).exits(0).result();
    let row = result.flow("f");
    row.assert_clean(100_000);
    // A busy machine may start late and then catch up; without a pacer it were millions.
    let pps = row.number("tx_pps");
    assert!((45_000.0..75_000.0).contains(&pps), "{pps} frames a second");
}

#[test]
fn sixty_flows_of_their_own_rates_and_bursts_share_a_worker() {
    let lab = Lab::cable_with_queues(1, 1);
    let even = FLOW.replace("\"f\"", "\"e{i}\"\nrepeat = 59").replace("20kpps", "200pps");
    let burst = FLOW.replace(
        "rate = \"20kpps\"\n    frames = 20000",
        "rate = \"20kpps\"\n    burst = {frames = 16, gap = \"10ms\", repeat = 20}",
    );
    let text = format!("{}{burst}", even.replace("20000", "200"));
    let result = run(&lab, &text).exits(0).result();
    assert_eq!(result.flows().len(), 60);
    for row in result.flows() {
        row.assert_clean(if row.0["name"] == "f" { 320 } else { 200 });
    }
}

#[test]
fn a_signal_ends_an_endless_run_well() {
    let lab = Lab::cable();
    let live = Linerate::start_with_backend(
        &lab.flow_file(&FLOW.replace("frames = 20000", "")),
        "live_frames",
    );
    eventually("the run sends", || lab.west.counters().tx_packets > 1000);
    live.signal(libc::SIGINT);
    let result = live.wait().exits(0).result();
    let row = result.flow("f");
    row.assert_counts(&[("lost_frames", 0), ("duplicate_frames", 0), ("corrupt_frames", 0)]);
    assert_eq!(row.count("tx_frames"), lab.east.counters().rx_packets);
    lab.assert_nothing_attached();
}

#[test]
fn kill_9_ends_the_sending_and_leaves_nothing_attached() {
    let lab = Lab::cable();
    let live = Linerate::start_with_backend(
        &lab.flow_file(&FLOW.replace("frames = 20000", "")),
        "live_frames",
    );
    eventually("the run sends", || lab.west.counters().tx_packets > 1000);
    live.signal(libc::SIGKILL);
    let _ = live.wait();
    eventually("the ports are free", || lab.west.xdp().is_none() && lab.east.xdp().is_none());
    let sent = lab.west.counters().tx_packets;
    thread::sleep(Duration::from_millis(100));
    assert_eq!(lab.west.counters().tx_packets, sent, "it still sends");
}

#[test]
fn a_peer_that_does_not_poll_is_refused_by_name() {
    let lab = Lab::cable();
    let_east_poll(&lab, false);
    let text = FLOW.replace("rx = \"east\"", "");
    run(&lab, &text).exits(77).says(&["west", "live frames", "gro on"]);
    lab.assert_nothing_attached();
}

#[test]
fn a_peer_that_stops_polling_voids_the_run() {
    let lab = Lab::cable();
    let_east_poll(&lab, true);
    let text = FLOW.replace("rx = \"east\"", "").replace("frames = 20000", "duration = \"2s\"");
    let live = Linerate::start_with_backend(&lab.flow_file(&text), "live_frames");
    eventually("the run sends", || lab.west.counters().tx_packets > 1000);
    let_east_poll(&lab, false);
    let result = live.wait().exits(2).result();
    let reasons = result.document["reasons"].to_string();
    assert_eq!(result.document["verdict"], "invalid");
    assert!(reasons.contains("nobody polling"), "{reasons}");
}

#[test]
fn a_frame_longer_than_a_page_is_refused_by_name() {
    let lab = Lab::cable();
    for port in [&lab.west, &lab.east] {
        port.ip_link(&["mtu", "3600"]);
    }
    let text = FLOW.replace("size = 128", "size = 3600");
    run(&lab, &text).exits(64).says(&["west", "3596", "live frames"]);
}

#[test]
fn auto_leaves_what_af_xdp_can_copy_to_af_xdp() {
    for (rate, mode) in [("20kpps", "copy"), ("max", "live-frames")] {
        let lab = Lab::cable_with_queues(1, 1);
        let file = lab.flow_file(&FLOW.replace("20kpps", rate));
        let result = Linerate::start_with_backend(&file, "auto").wait().exits(0).result();
        assert_eq!(result.document["ports"][0]["tx_mode"], mode, "at {rate}");
    }
}

#[test]
fn over_rest_it_pauses_and_goes_on_at_another_rate() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let layers = json!([{"eth": {"dst": "02:00:00:00:00:02"}},
        {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}}, {"udp": {"src": 1, "dst": 7}}]);
    let flow = json!({"name": "f", "tx": "west", "rx": "east", "rate": "5kpps", "layers": layers});
    let ports = json!({"west": {"if": lab.west.to_string()}, "east": {"if": lab.east.to_string()}});
    let body = json!({"spec": {"ports": ports, "flow": [flow]}, "backend": "live_frames"});
    let run = daemon.post("/api/v1/runs", &body).is(201)["id"].as_u64().unwrap();
    let order =
        |what: &str, body: Value| daemon.post(&format!("/api/v1/runs/{run}/{what}"), &body).is(200);
    let sent = || lab.west.counters().tx_packets;
    // By the kernel's count of a quarter of a second.
    let faster_than = |pps: f64| {
        let (before, begun) = (sent(), Instant::now());
        thread::sleep(Duration::from_millis(250));
        (sent() - before) as f64 > pps * begun.elapsed().as_secs_f64()
    };
    eventually("it sends", || sent() > 1000);
    eventually("it is seen", || {
        !daemon.get(&format!("/api/v1/runs/{run}")).is(200)["latest"].is_null()
    });
    assert!(!faster_than(10_000.0), "it was to send 5,000 frames a second");
    assert_eq!(order("pause", json!({}))["paused"], json!(["f"]));
    thread::sleep(Duration::from_millis(150));
    let paused = sent();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(sent(), paused, "frames left while it was paused");
    order("rate", json!({"flow": "f", "rate": "20kpps"}));
    assert_eq!(sent(), paused, "another rate does not resume it");
    assert_eq!(order("resume", json!({"flows": ["f"]}))["paused"], json!([]));
    eventually("it sends faster", || faster_than(15_000.0));
    order("rate", json!({"flow": "f", "rate": "5kpps"}));
    eventually("it sends as at first", || !faster_than(10_000.0));
    order("stop", json!({}));
    daemon.ended(run);
    let result = daemon.get(&format!("/api/v1/runs/{run}/result")).is(200);
    let (port, row) = (&result["ports"][0], &result["flows"][0]);
    assert_eq!(port["tx_mode"], "live-frames");
    assert_eq!((&row["lost_frames"], &row["tx_frames"]), (&json!(0), &json!(sent())));
    assert_eq!(lab.east.counters().rx_packets, sent());
    lab.assert_nothing_attached();
}
