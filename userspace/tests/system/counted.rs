//! Flows without a tag: frames told by their headers and counted. Judged by the kernel's
//! counters, a device that keeps its own books, and a Linux router.

use crate::neighbours::router;
use crate::testbed::{
    Act, Behaviour, Device, Lab, Linerate, Outcome, eventually, exchange_echoes,
    much_of_the_machine, transfer_over_tcp,
};
use std::net::Ipv4Addr;
use std::time::Duration;

const FRAMES: u64 = 4000;

/// A flow from west to east of these layers behind Ethernet; its `dst` is given.
fn flow(name: &str, settings: &str, layers: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "{name}"
        tx = "west"
        rx = "east"
        rate = "8kpps"
        frames = {FRAMES}
        track = "count"
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02", src = "02:00:00:00:00:03"}}}},
          {layers}
        ]
        "#
    )
}

const FOUR: &str = r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}},"#;
const SIX: &str = r#"{ipv6 = {src = "2001:2::1", dst = "2001:2::2"}},"#;
const TCP: &str = "{tcp = {src = 49184, dst = 7}},";
const UDP: &str = "{udp = {src = 49184, dst = 7}},";

/// A plain flow that the testbed's device understands.
fn plain(settings: &str) -> String {
    flow("f", settings, &format!("{FOUR}{UDP}"))
}

/// Every sent frame came, and what nobody measured is null.
#[track_caller]
fn assert_whole(outcome: &Outcome, name: &str, frames: u64) {
    let result = outcome.result();
    let row = result.flow(name);
    row.assert_counts(&[("tx_frames", frames), ("rx_frames", frames), ("lost_frames", 0)]);
    row.assert_counts(&[("ledger.matched", frames)]);
    for name in [
        "rx_unique_frames",
        "duplicate_frames",
        "reordered_frames",
        "late_frames",
        "corrupt_frames",
        "stale_frames",
        "latency_ns",
        "ipdv_ns",
        "rx_gap_ns",
        "outage.by_gap_ns",
        "ledger.in_order",
    ] {
        assert!(row.value(name).is_null(), "{name} was not measured: {:#}", row.0);
    }
    assert!(row.value("ledger.missing_at").is_null(), "{:#}", row.0);
}

/// The flow through the testbed's device.
#[track_caller]
fn through(act: fn(u64) -> Act, settings: &str) -> Outcome {
    let lab = Lab::with_device();
    let device = Device::eastward(&lab, Behaviour::of(act));
    let outcome = Linerate::run(&lab.flow_file(&plain(settings)));
    assert_eq!(device.stop().seen, FRAMES, "frames at the device; {outcome}");
    lab.assert_nothing_attached();
    outcome
}

#[test]
fn frames_too_short_for_a_tag_are_counted_exactly_under_every_header() {
    let flows = [
        ("tcp", 64, format!("{FOUR}{TCP}")),
        ("six", 66, format!("{SIX}{UDP}")),
        ("six-tcp", 78, format!("{SIX}{TCP}")),
        ("tags", 64, format!("{{vlan = {{id = 5}}}}, {{vlan = {{id = 6}}}}, {FOUR}{UDP}")),
        (
            "arp",
            64,
            "{arp = {spa = \"198.18.0.2\", tha = \"02:00:00:00:00:07\", tpa = \"198.18.0.3\"}}"
                .into(),
        ),
        ("mpls", 64, format!("{{mpls = {{label = 17}}}}, {FOUR}{TCP}")),
        ("raw", 64, "{raw = {hex = \"0102030405060708\"}}".into()),
    ];
    let text: String = flows
        .iter()
        .map(|(name, size, layers)| flow(name, &format!("size = {size}"), layers))
        .collect();
    let lab = Lab::cable();
    let before = (lab.west.counters(), lab.east.counters());
    let outcome = Linerate::run(&lab.flow_file(&text)).exits(0);
    let all = flows.len() as u64 * FRAMES;
    let after = (lab.west.counters(), lab.east.counters());
    assert_eq!(after.0.tx_packets - before.0.tx_packets, all);
    assert_eq!(after.1.rx_packets - before.1.rx_packets, all);
    for (name, size, _) in flows {
        assert_whole(&outcome, name, FRAMES);
        let bytes = FRAMES * size;
        outcome.result().flow(name).assert_counts(&[("tx_bytes", bytes), ("rx_bytes", bytes)]);
        outcome.result().flow(name).assert_counts(&[("misdirected_frames", 0)]);
    }
    lab.assert_nothing_attached();
}

#[test]
fn frames_that_a_device_drops_are_lost_and_no_others() {
    let drop = |number| if number % 10 == 9 { Act::Drop } else { Act::Pass };
    let result = through(drop, "").exits(0).result();
    let row = result.flow("f");
    row.assert_counts(&[("rx_frames", FRAMES / 10 * 9), ("lost_frames", FRAMES / 10)]);
    assert!((row.number("loss_ratio") - 0.1).abs() < 1e-12);
    assert_eq!(row.value("ledger.missing_at"), "wire/device");
    through(drop, "expect = {loss = \"0\"}").exits(1);
    through(drop, "expect = {loss = \"<=10%\"}").exits(0);
}

#[test]
fn more_frames_than_were_sent_make_the_count_void() {
    let twice = |number| if number % 10 == 5 { Act::Duplicate } else { Act::Pass };
    let outcome = through(twice, "").exits(2);
    let result = outcome.result();
    result.flow("f").assert_counts(&[("rx_frames", FRAMES / 10 * 11)]);
    assert_eq!(result.flow("f").value("verdict"), "invalid");
    let reasons = result.document["reasons"].to_string();
    assert!(
        reasons.contains("4400 frames with its headers came where 4000 were sent"),
        "{reasons}"
    );
}

#[test]
fn frames_that_come_back_are_misdirected() {
    let reflect = |number| if number % 10 == 3 { Act::Reflect } else { Act::Pass };
    let result = through(reflect, "").exits(0).result();
    let row = result.flow("f");
    row.assert_counts(&[("misdirected_frames", 400), ("lost_frames", 400), ("rx_frames", 3600)]);
    assert_eq!(row.value("ledger.missing_at"), "misdirected");
}

#[test]
fn wherever_a_frame_of_a_flow_with_two_receivers_comes_it_is_counted() {
    let lab = Lab::with_device();
    let reflect = |number| if number % 4 == 3 { Act::Reflect } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour { spray: true, ..Behaviour::of(reflect) });
    let text = plain("").replace("rx = \"east\"", "rx = [\"east\", \"west\"]");
    let outcome = Linerate::run(&lab.flow_file(&text)).exits(0);
    assert_eq!(device.stop().reflected, FRAMES / 4);
    assert_whole(&outcome, "f", FRAMES);
}

#[test]
fn a_linux_router_on_the_way_changes_nothing_that_is_compared() {
    let lab = router();
    let text = r#"
        [ports]
        west = { if = "WEST", addr = ["198.18.0.2/24", "2001:2:0:0::2/64"], gw = ["198.18.0.1", "2001:2:0:0::1"] }
        east = { if = "EAST", addr = ["198.18.1.2/24", "2001:2:0:1::2/64"], gw = ["198.18.1.1", "2001:2:0:1::1"] }
        [defaults]
        tx = "west"
        rx = "east"
        bidir = true
        rate = "4kpps"
        frames = 4000
        track = "count"
        [[flow]]
        name = "four"
        layers = [{eth = {dst = "auto"}}, {ipv4 = {src = {range = "198.18.0.10-198.18.0.19"}, dst = {range = "198.18.1.10-198.18.1.29"}, dscp = 46}}, {tcp = {src = 49184, dst = 7}}]
        [[flow]]
        name = "six"
        size = [78, 128, 1500]
        layers = [{eth = {dst = "auto"}}, {ipv6 = {src = "2001:2:0:0::10", dst = {range = "2001:2:0:1::10-2001:2:0:1::19"}}}, {tcp = {src = 49184, dst = {list = [7, 9]}}}]
        "#;
    let outcome = Linerate::run(&lab.flow_file(text)).exits(0);
    for name in ["four/fwd", "four/rev", "six/fwd", "six/rev"] {
        assert_whole(&outcome, name, FRAMES);
    }
    lab.assert_nothing_attached();
}

#[test]
fn ping_and_tcp_live_beside_counted_frames_and_are_not_counted() {
    let lab = Lab::cable();
    lab.address_kernels();
    let tcp = flow("f", "bidir = true", &format!("{FOUR}{TCP}")).replace("4000", "16000");
    let before = lab.west.counters();
    let mut run = Linerate::start(&lab.flow_file(&tcp));
    eventually("the run sends", || lab.west.counters().tx_packets > before.tx_packets + 1000);
    let (east, gap) = (Ipv4Addr::new(198, 18, 0, 2), Duration::from_millis(10));
    std::thread::scope(|scope| {
        scope.spawn(|| transfer_over_tcp(&lab.west, &lab.east, east, 50, gap));
        assert_eq!(exchange_echoes(&lab.west, east, 50, gap), 50, "echoes lost or changed");
    });
    run.assert_running();
    let outcome = run.wait().exits(0);
    assert_whole(&outcome, "f/fwd", 16_000);
    assert_whole(&outcome, "f/rev", 16_000);
}

#[test]
fn tagged_and_counted_flows_share_a_port_and_its_drops_are_told_apart() {
    let lab = Lab::with_device();
    let drop = |number| if number % 4 == 3 { Act::Drop } else { Act::Pass };
    let device =
        Device::eastward(&lab, Behaviour { ports: 9..=9, act: drop, ..Behaviour::default() });
    let with = |name: &str, port: &str, settings: &str| {
        flow(name, settings, &format!("{FOUR}{UDP}")).replace("dst = 7", &format!("dst = {port}"))
    };
    let text = [
        with("counted", "7", ""),
        with("hurt", "9", ""),
        // The same headers as a counted flow: its tag tells it.
        with("tagged", "7", "").replace("\"count\"", "\"tag\""),
    ];
    let outcome = Linerate::run(&lab.flow_file(&text.concat())).exits(0);
    assert_eq!(device.stop().dropped, FRAMES / 4);
    assert_whole(&outcome, "counted", FRAMES);
    let result = outcome.result();
    result.flow("hurt").assert_counts(&[("rx_frames", 3000), ("lost_frames", 1000)]);
    result.flow("tagged").assert_clean(FRAMES);
    assert!(!result.flow("tagged").value("latency_ns").is_null());
}

#[test]
fn fields_that_vary_in_every_way_are_counted() {
    let dst = |values: &str| FOUR.replace("\"198.18.1.1\"", values);
    let flows = [
        ("list", "", format!("{}{TCP}", dst("{list = [\"198.18.2.1\", \"198.18.9.9\"]}"))),
        ("range", "size = [64, 90, 1518]", format!("{}{TCP}", dst("{range = \"198.19.0.1-198.19.0.200\", step = 3}"))),
        ("random", "vary = \"random\"", format!("{}{{tcp = {{src = {{random = \"1024-2047\", seed = 3, count = 900}}, dst = {{range = \"100-1\", step = -1}}}}}}", dst("\"198.18.3.3\""))),
        ("product", "vary = \"product\"\nsize = \"imix\"", format!("{}{{udp = {{src = {{range = \"1-9\"}}, dst = {{list = [5, 3, 7]}}}}}}", dst("\"198.18.4.4\""))),
        ("six", "size = 90", "{ipv6 = {src = \"2001:2::1\", dst = {list = [\"2001:2::2\", \"2001:2:0:9::1\"]}, flow_label = {range = \"1-99\"}}}, {tcp = {src = 1, dst = 2}}".into()),
    ];
    let text: String =
        flows.iter().map(|(name, settings, layers)| flow(name, settings, layers)).collect();
    let lab = Lab::cable();
    let outcome = Linerate::run(&lab.flow_file(&text)).exits(0);
    for (name, ..) in flows {
        assert_whole(&outcome, name, FRAMES);
    }
}

#[test]
fn flows_that_a_receiver_cannot_tell_apart_are_refused_by_name() {
    let lab = Lab::cable();
    let one = flow("one", "", &format!("{FOUR}{TCP}"));
    let twin = flow("twin", "", &format!("{FOUR}{TCP}"))
        .replace("198.18.1.1\"", "198.18.1.1\", dscp = 46");
    let outcome = Linerate::run(&lab.flow_file(&format!("{one}{twin}")));
    outcome.exits(64).says(&["flow[1].track", "east", "\"twin\"", "\"one\""]);
    // Each at a receiver of its own.
    let back =
        twin.replace("tx = \"west\"", "tx = \"east\"").replace("rx = \"east\"", "rx = \"west\"");
    let outcome = Linerate::run(&lab.flow_file(&format!("{one}{back}"))).exits(0);
    let result = outcome.result();
    for name in ["one", "twin"] {
        assert_whole(&outcome, name, FRAMES);
        let strays = result.flow(name).value("misdirected_frames");
        assert!(strays.is_null(), "at the other port it would be taken for the other: {strays}");
    }
    let many: String = (0..65)
        .map(|number| {
            flow(&format!("f{number}"), "", &format!("{FOUR}{{tcp = {{src = {number}, dst = 7}}}}"))
        })
        .collect();
    let outcome = Linerate::run(&lab.flow_file(&many));
    outcome.exits(64).says(&["flow[64].track", "65 flows", "at most 64"]);
    lab.assert_nothing_attached();
}

#[test]
fn a_flow_striped_over_queues_is_counted_as_one() {
    let _quiet = much_of_the_machine();
    let lab = Lab::cable();
    let text = plain("").replace("8kpps", "max").replace("frames = 4000", "frames = 200000");
    let before = lab.east.counters();
    let outcome = Linerate::run(&lab.flow_file(&text));
    let result = outcome.result();
    let row = result.flow("f");
    let came = lab.east.counters().rx_packets - before.rx_packets;
    row.assert_counts(&[
        ("tx_frames", 200_000),
        ("rx_frames", came),
        ("lost_frames", 200_000 - came),
    ]);
    assert!(row.value("rx_pps").as_f64() > Some(0.0));
}

#[test]
fn live_frames_need_no_tag_either() {
    let lab = Lab::cable_with_queues(1, 1);
    let text = flow("f", "", &format!("{FOUR}{TCP}"));
    let outcome =
        Linerate::start_with_backend(&lab.flow_file(&text), "live_frames").wait().exits(0);
    assert_whole(&outcome, "f", FRAMES);
    assert_eq!(outcome.result().document["ports"][0]["tx_mode"], "live-frames");
    lab.assert_nothing_attached();
}

#[test]
fn flags_alone_ask_for_a_count() {
    let lab = Lab::cable();
    let (west, east) = (lab.west.to_string(), lab.east.to_string());
    let run = |more: &[&str]| {
        let flow = ["run", "--tx", &west, "--rx", &east, "--eth", "auto,02:00:00:00:00:02"];
        let headers = ["--ipv4", "198.18.0.2,198.18.1.1", "--tcp", "49184,7", "--frames", "4000"];
        let end = ["--rate", "8kpps", "--json", "-"];
        Linerate::spawn([&flow[..], &headers, &end, more].concat()).wait()
    };
    run(&["--size", "64"]).exits(64).says(&["size 72 to 9216", "from 64 on track = \"count\""]);
    let outcome = run(&["--size", "64", "--track", "count", "--samples"]).exits(0);
    assert_whole(&outcome, "flow", FRAMES);
    let result = outcome.result();
    let samples = result.flow("flow").value("samples").as_array().unwrap().clone();
    let came: u64 = samples.iter().map(|sample| sample["rx_frames"].as_u64().unwrap()).sum();
    assert_eq!(came, FRAMES);
    assert!(samples.iter().all(|sample| sample["loss_ratio"].is_null()), "{samples:?}");

    let result = run(&["--size", "64", "--track", "none"]).exits(0).result();
    let row = result.flow("flow");
    row.assert_counts(&[("tx_frames", FRAMES)]);
    for name in ["rx_frames", "rx_unique_frames", "lost_frames", "loss_ratio", "ledger.matched"] {
        assert!(row.value(name).is_null(), "nobody measured {name}: {:#}", row.0);
    }
}
