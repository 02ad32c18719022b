//! Ports of other shapes: generic XDP, one queue, large MTU, more load than can be sent.

use crate::testbed::{Lab, Linerate, RunResult, much_of_the_machine};

const FLOW: &str = r#"
    [[flow]]
    name = "f"
    tx = "west"
    rx = "east"
    rate = "10kpps"
    frames = 10000
    size = 128
    layers = [
      {eth = {src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}},
      {vlan = {id = 7}},
      {ipv4 = {src = "198.18.0.2", dst = {range = "198.18.1.1-198.18.1.9"}}},
      {udp = {src = 49184, dst = 7}},
    ]
    "#;

/// The result of the run, held against the kernel's count at east.
#[track_caller]
fn run(lab: &Lab, text: &str) -> RunResult {
    let before = lab.east.counters().rx_packets;
    let result = Linerate::run(&lab.flow_file(text)).exits(0).result();
    let received: u64 = result.flows().iter().map(|row| row.count("rx_frames")).sum();
    assert_eq!(received, lab.east.counters().rx_packets - before, "the kernel's count at east");
    lab.assert_nothing_attached();
    result
}

#[test]
fn a_port_that_refuses_native_xdp_is_counted_exactly_in_generic_mode() {
    // veth has native XDP only where the peer sends on no more queues than it receives on.
    let lab = Lab::cable_with_queues(4, 2);
    let result = run(&lab, FLOW);
    result.flow("f").assert_clean(10_000);
    let east = &result.document["ports"][1];
    assert_eq!(east["rx_mode"], "generic", "{east:#}");
}

#[test]
fn a_veth_promises_stamps_that_it_has_not_and_the_kernel_times_its_frames() {
    let lab = Lab::cable();
    let file = lab.flow_file(FLOW);
    let arguments = ["run", file.to_str().unwrap(), "--json", "-", "-v"];
    let outcome = Linerate::spawn(arguments).wait().exits(0);
    let why = "timed by the kernel, not the NIC: it stamps nothing in hardware";
    let told = outcome.stderr.lines().find(|line| line.contains(why));
    assert!(told.is_some_and(|line| line.starts_with("east (veth)")), "{outcome}");
    let result = outcome.result();
    result.flow("f").assert_clean(10_000);
    let document = &result.document;
    let clocks = ["west", "east"].map(|name| {
        let ports = document["ports"].as_array().unwrap();
        let port = ports.iter().find(|port| port["name"] == name).unwrap();
        assert!(!port["settings_changed"].to_string().contains("timestamps"), "{port:#}");
        port["clock"].clone()
    });
    assert_eq!(clocks, ["monotonic", "monotonic"]);
    assert_eq!(document["flows"][0]["latency_ns"]["clock"], "monotonic");
    assert!(!document["reasons"].to_string().contains("NIC"), "{document:#}");
}

#[test]
fn one_queue_is_enough() {
    let lab = Lab::cable_with_queues(1, 1);
    run(&lab, FLOW).flow("f").assert_clean(10_000);
}

#[test]
fn frames_larger_than_1518_pass_where_the_mtu_allows() {
    let lab = Lab::cable();
    for port in [&lab.west, &lab.east] {
        port.ip_link(&["mtu", "3000"]);
    }
    run(&lab, &FLOW.replace("128", "[64, 3018]")).flow("f").assert_clean(10_000);
}

#[test]
fn what_could_not_be_sent_in_time_is_unsent_and_no_loss() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let text = FLOW.replace("10kpps", "8Mpps").replace("frames = 10000", "duration = \"300ms\"");
    let result = run(&lab, &text);
    let row = result.flow("f");
    row.assert_counts(&[("requested_frames", 2_400_000)]);
    let (sent, unsent) = (row.count("tx_frames"), row.count("unsent_frames"));
    assert!(sent > 0 && unsent > 0, "{sent} sent, {unsent} unsent of 8 Mpps");
    assert_eq!(result.document["verdict"], "tester-limited");
    // The stop time is fixed: it does not go on until all is sent.
    assert!(result.document["duration_ns"].as_u64().unwrap() < 400_000_000);
}

#[test]
fn another_port_can_stand_in_for_a_name_of_the_file() {
    let lab = Lab::cable();
    let ports = "[ports]\nwest = { if = \"ens1f0\" }\neast = { if = \"EAST\" }\n";
    let file = lab.flow_file(&format!("{ports}{FLOW}"));
    let stand_in = format!("west={}", lab.west);
    let arguments = ["run", file.to_str().unwrap(), "--port", &stand_in, "--json", "-"];
    Linerate::spawn(arguments).wait().exits(0).result().flow("f").assert_clean(10_000);
}

#[test]
fn yaml_has_the_same_shape() {
    let lab = Lab::cable();
    let text = r#"
ports:
  west: {if: "WEST"}
  east: {if: "EAST"}
flow:
  - name: f
    tx: west
    rx: east
    rate: 10kpps
    frames: 5000
    size: [64, 128]
    layers:
      - eth: {dst: "02:00:00:00:00:02"}
      - ipv4: {src: 198.18.0.2, dst: {range: 198.18.1.1-198.18.1.9}}
      - udp: {src: 49184, dst: {list: [7, 9]}}
"#;
    let text = text.replace("WEST", &lab.west.to_string()).replace("EAST", &lab.east.to_string());
    let file = lab.file("flows.yaml", text.as_bytes());
    Linerate::run(&file).exits(0).result().flow("f").assert_clean(5000);
}
