//! linerate's totals against the kernel's interface counters.

use crate::testbed::{Lab, Linerate, RunResult};

const LAYERS: &str = r#"[
      {eth = {src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}},
      {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.9"}}},
      {udp = {src = 49184, dst = 7}},
    ]"#;

fn flow(name: &str, settings: &str) -> String {
    format!(
        "[[flow]]\nname = \"{name}\"\ntx = \"west\"\nrx = \"east\"\n{settings}\nlayers = {LAYERS}\n"
    )
}

/// Runs the file; returns the kernel's count of frames east (sent, received) and west.
fn run(lab: &Lab, text: &str) -> (RunResult, [u64; 2], [u64; 2]) {
    let before = (lab.west.counters(), lab.east.counters());
    let result = Linerate::run(&lab.flow_file(text)).exits(0).result();
    let after = (lab.west.counters(), lab.east.counters());
    let eastward =
        [after.0.tx_packets - before.0.tx_packets, after.1.rx_packets - before.1.rx_packets];
    let westward =
        [after.1.tx_packets - before.1.tx_packets, after.0.rx_packets - before.0.rx_packets];
    (result, eastward, westward)
}

#[test]
fn frames_sent_and_received_are_the_kernels() {
    let lab = Lab::cable();
    let text = flow("f", "rate = \"30kpps\"\nframes = 30000\nsize = \"imix\"");
    let (result, eastward, westward) = run(&lab, &text);
    let row = result.flow("f");
    row.assert_clean(30_000);
    assert_eq!(eastward, [30_000; 2]);
    assert_eq!(westward, [0; 2]);
    row.assert_counts(&[("ledger.tx_port", 30_000), ("ledger.rx_port", 30_000)]);
    row.assert_counts(&[("ledger.seen", 30_000), ("ledger.matched", 30_000)]);
}

#[test]
fn bytes_are_l2_with_fcs() {
    let lab = Lab::cable();
    let text = flow("f", "rate = \"10kpps\"\nframes = 1200\nsize = \"imix\"");
    let (result, _, _) = run(&lab, &text);
    let bytes = 100 * (7 * 64 + 4 * 570 + 1518);
    result.flow("f").assert_counts(&[("tx_bytes", bytes), ("rx_bytes", bytes)]);
}

#[test]
fn both_directions_at_once_are_two_exact_rows() {
    let lab = Lab::cable();
    let text = flow("f", "rate = \"15kpps\"\nframes = 15000\nbidir = true");
    let (result, eastward, westward) = run(&lab, &text);
    for (name, tx, rx) in [("f/fwd", "west", "east"), ("f/rev", "east", "west")] {
        let row = result.flow(name);
        row.assert_clean(15_000);
        assert_eq!((row.value("tx_port"), row.value("rx_port")), (&tx.into(), &rx.into()));
    }
    assert_eq!((eastward, westward), ([15_000; 2], [15_000; 2]));
}

#[test]
fn several_flows_of_different_rate_and_size_are_each_exact() {
    let lab = Lab::cable();
    let flows = [
        ("slow", 100, "64"),
        ("mid", 3_000, "[64, 1518]"),
        ("fast", 20_000, "128"),
        ("mixed", 5_000, "\"imix\""),
    ];
    let text: String = flows
        .iter()
        .map(|(name, rate, size)| {
            flow(name, &format!("rate = \"{rate}pps\"\nframes = {rate}\nsize = {size}"))
        })
        .collect();
    let (result, eastward, _) = run(&lab, &text);
    assert_eq!(result.flows().len(), flows.len());
    for (name, rate, _) in flows {
        result.flow(name).assert_clean(rate);
    }
    assert_eq!(eastward, [28_100; 2]);
}

#[test]
fn flows_that_end_at_different_times_are_each_exact() {
    let lab = Lab::cable();
    let text = [
        flow("short", "rate = \"10kpps\"\nframes = 2000"),
        flow("counted", "rate = \"10kpps\"\nframes = 5000"),
        flow("long", "rate = \"2kpps\"\nframes = 3000"),
    ];
    let (result, eastward, _) = run(&lab, &text.concat());
    for (name, frames) in [("short", 2000), ("counted", 5000), ("long", 3000)] {
        result.flow(name).assert_clean(frames);
    }
    assert_eq!(eastward, [10_000; 2]);
}

#[test]
fn repeat_makes_numbered_flows() {
    let lab = Lab::cable();
    let text = flow("cust{i}", "repeat = 20\nrate = \"500pps\"\nframes = 500");
    let (result, eastward, _) = run(&lab, &text);
    let names: Vec<&str> =
        result.flows().iter().map(|flow| flow.0["name"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..20).map(|i| format!("cust{i}")).collect();
    assert_eq!(names, expected);
    for name in &expected {
        result.flow(name).assert_clean(500);
    }
    assert_eq!(eastward, [10_000; 2]);
}

#[test]
fn a_tcp_or_icmp_flow_is_counted_like_any_other() {
    let lab = Lab::cable();
    let stacks = [
        (
            "tcp",
            r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}}, {tcp = {src = 1, dst = 80}}"#,
        ),
        ("icmp", r#"{ipv4 = {src = "198.18.0.2", dst = "198.18.1.1"}}, {icmp = {type = 8}}"#),
        ("tcp6", r#"{ipv6 = {src = "2001:2::1", dst = "2001:2::2"}}, {tcp = {src = 1, dst = 80}}"#),
        ("icmp6", r#"{ipv6 = {src = "2001:2::1", dst = "2001:2::2"}}, {icmpv6 = {type = 128}}"#),
    ];
    let text: String = stacks
        .iter()
        .map(|(name, layers)| {
            let text =
                flow(name, "rate = \"2kpps\"\nframes = 1000\nsize = 128\nintegrity = \"full\"");
            let layers = format!("[{{eth = {{dst = \"02:00:00:00:00:02\"}}}}, {layers}]");
            text.replace(LAYERS, &layers)
        })
        .collect();
    let (result, eastward, _) = run(&lab, &text);
    for (name, _) in stacks {
        result.flow(name).assert_clean(1000);
    }
    assert_eq!(eastward, [4000; 2]);
}

#[test]
fn a_port_pair_in_one_namespace_needs_no_namespace_in_its_name() {
    let lab = Lab::one_namespace();
    let text = flow("f", "rate = \"10kpps\"\nframes = 5000");
    let text = format!("[ports]\nwest = {{ if = \"west\" }}\neast = {{ if = \"east\" }}\n{text}");
    let file = lab.flow_file(&text);
    let arguments = ["run", file.to_str().unwrap(), "--json", "-"];
    let outcome = Linerate::spawn_inside(&lab.west, &[], &arguments).wait().exits(0);
    outcome.result().flow("f").assert_clean(5000);
    lab.assert_nothing_attached();
}

#[test]
fn a_flow_can_be_written_in_flags_alone() {
    let lab = Lab::cable();
    let (west, east) = (lab.west.to_string(), lab.east.to_string());
    let before = lab.east.counters();
    let outcome = Linerate::spawn([
        "run",
        "--tx",
        &west,
        "--rx",
        &east,
        "--ipv4",
        "198.18.1.2,198.19.1.2",
        "--udp",
        "49184,7",
        "--size",
        "64",
        "--rate",
        "5kpps",
        "--bidir",
        "--frames",
        "5000",
        "--json",
        "-",
    ])
    .wait()
    .exits(0);
    let result = outcome.result();
    assert_eq!(result.flows().len(), 2);
    for row in result.flows() {
        row.assert_clean(5000);
    }
    assert!(lab.east.counters().rx_packets - before.rx_packets >= 5000);
}
