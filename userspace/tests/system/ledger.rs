//! Every place where a frame can vanish is named by the ledger and the verdict.
//!
//! An empty fill ring takes frames only where an AF_XDP socket receives: of a capture on any
//! driver (`capture`, by its `XDP_STATISTICS`), of a run where the NIC itself writes into our
//! memory, which no veth does.
//!
//! Frames go in trains: these have no even rate to miss, so that a busy machine does not
//! add a limit of the tester to what is to be shown.

use crate::testbed::{
    Act, Behaviour, Device, ForeignProgram, Lab, Linerate, Port, RunResult, Throttle, command,
    eventually, much_of_the_machine, one_flow,
};
use serde_json::Value;

/// Fails unless the frames of flow `f` went missing there, and the verdict says who did it.
#[track_caller]
fn missing(result: &RunResult, at: &str, verdict: &str, limited_by: &str) {
    let row = result.flow("f");
    assert_eq!(row.value("ledger.missing_at"), at, "{:#}", result.document);
    assert_eq!(row.value("verdict"), verdict, "{:#}", result.document);
    assert_eq!(row.value("ledger.limited_by"), limited_by, "{:#}", result.document);
}

/// Fails unless some reason has these words.
#[track_caller]
fn reason(result: &RunResult, words: &str) {
    let reasons = result.document["reasons"].as_array().expect("a list");
    let says = |reason: &Value| reason.as_str().is_some_and(|text| text.contains(words));
    assert!(reasons.iter().any(says), "no `{words}` in {reasons:#?}");
}

#[test]
fn a_full_tx_ring_leaves_frames_unsent() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let text = one_flow("rate = \"8Mpps\"\nduration = \"300ms\"");
    // Live frames have no ring, and reach this rate on some machines.
    let run = Linerate::start_with_backend(&lab.flow_file(&text), "af_xdp");
    let result = run.wait().exits(0).result();
    missing(&result, "unsent", "tester-limited", "tester-tx");
    reason(&result, "could not be sent in time");
}

#[test]
fn frames_that_the_kernel_never_gives_back_are_in_the_tx_ring() {
    // Sent through a macvlan into the queue of the port below, which lets a dozen frames
    // pass and keeps the others.
    let lab = Lab::cable();
    let below = &lab.west.interface;
    lab.west.command("ip", &["link", "add", "mac0", "link", below, "type", "macvlan"]);
    lab.west.command("ip", &["link", "set", "mac0", "up"]);
    let keep = "qdisc replace dev DEV root tbf rate 8bit burst 1600 limit 1000000";
    let keep = keep.replace("DEV", below);
    lab.west.command("tc", &keep.split(' ').collect::<Vec<_>>());
    let port = Port { interface: "mac0".to_owned(), ..lab.west.clone() };
    let flow = one_flow("rate = \"1kpps\"\nframes = 100");
    let text = format!("[ports]\nwest = {{ if = \"{port}\" }}\neast = {{ if = \"EAST\" }}\n{flow}");
    let result = Linerate::run(&lab.flow_file(&text)).exits(2).result();
    // Invalid: they may still leave, at any time.
    missing(&result, "tx ring", "invalid", "tester-tx");
    let (sent, back) = (100, result.flow("f").count("ledger.completed"));
    assert_eq!(lab.east.counters().rx_packets, back, "the kernel's count at east");
    reason(&result, &format!("the kernel did not give {} frames back", sent - back));
}

#[test]
fn an_overrun_ring_of_the_receiving_port_is_the_receivers_limit() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let throttle = Throttle::of(&lab.east);
    let text = one_flow("burst = {frames = 64, gap = \"1ms\", repeat = 1500}");
    let before = lab.west.counters().tx_dropped;
    let run = Linerate::start(&lab.flow_file(&text));
    eventually("the ring runs over", || lab.west.counters().tx_dropped > before + 1000);
    drop(throttle);
    let result = run.wait().exits(0).result();
    missing(&result, "peer ring", "receiver-limited", "tester-rx");
    let dropped = lab.west.counters().tx_dropped - before;
    let lost = result.flow("f").count("lost_frames");
    assert_eq!(lost, dropped, "the kernel's count at west");
    reason(&result, &format!("{lost} frames did not fit into the receiving port's ring"));
}

#[test]
fn an_overrun_ring_of_the_device_is_the_devices_loss() {
    let _alone = much_of_the_machine();
    let lab = Lab::with_device();
    let device = Device::faithful(&lab);
    let facing_west = &lab.device.as_ref().expect("a device").0;
    // With a program the device receives through its ring, as a NIC does.
    let _program = ForeignProgram::attach(facing_west);
    let throttle = Throttle::of(facing_west);
    let text = one_flow("burst = {frames = 32, gap = \"2ms\", repeat = 1000}");
    let before = lab.west.counters().tx_dropped;
    let run = Linerate::start(&lab.flow_file(&text));
    eventually("the ring runs over", || lab.west.counters().tx_dropped > before + 1000);
    drop(throttle);
    let result = run.wait().exits(0).result();
    device.stop();
    missing(&result, "device ring", "loss", "device");
    let dropped = lab.west.counters().tx_dropped - before;
    reason(&result, &format!("{dropped} at the device's full receive ring"));
}

#[test]
fn what_the_device_drops_is_lost_on_the_wire_or_in_the_device() {
    let lab = Lab::with_device();
    let act = |number| if number % 10 == 0 { Act::Drop } else { Act::Pass };
    let device = Device::eastward(&lab, Behaviour::of(act));
    let text = one_flow("burst = {frames = 10, gap = \"1ms\", repeat = 500}");
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    assert_eq!(device.stop().dropped, 500);
    missing(&result, "wire/device", "loss", "device");
    reason(&result, "500 on the wire or in the device");
}

#[test]
fn frames_that_arrive_where_no_analyser_is_are_told_from_lost_ones() {
    let lab = Lab::cable();
    let text = one_flow("burst = {frames = 10, gap = \"1ms\", repeat = 2000}");
    let run = Linerate::start(&lab.flow_file(&text));
    eventually("half is sent", || lab.west.counters().tx_packets > 10_000);
    detach_xdp(&lab.east);
    let result = run.wait().exits(0).result();
    missing(&result, "rx queue without analyser", "receiver-limited", "tester-rx");
    let lost = result.flow("f").count("lost_frames");
    assert_eq!(lab.east.counters().rx_packets, 20_000, "the kernel's count at east");
    assert_eq!(result.flow("f").count("ledger.rx_port"), 20_000);
    reason(&result, &format!("{lost} frames reached the port on a queue without the analyser"));
}

/// Takes the program off a port behind its owner's back.
fn detach_xdp(port: &Port) {
    let program = port.xdp().expect("a program")["prog"]["id"].clone();
    let links: Value = serde_json::from_str(&command("bpftool", &["-j", "link", "show"])).unwrap();
    let links = links.as_array().expect("a list");
    let link = links.iter().find(|link| link["prog_id"] == program).expect("its link");
    command("bpftool", &["link", "detach", "id", &link["id"].to_string()]);
    assert_eq!(port.xdp(), None);
}

#[test]
fn flows_that_share_a_port_have_its_counters_where_nothing_is_in_doubt() {
    let lab = Lab::cable();
    let text = one_flow("rate = \"5kpps\"\nframes = 5000")
        + &one_flow("rate = \"5kpps\"\nframes = 3000").replace("\"f\"", "\"g\"");
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    assert_eq!(lab.east.counters().rx_packets, 8000, "the kernel's count at east");
    for (name, frames) in [("f", 5000), ("g", 3000)] {
        let row = result.flow(name);
        row.assert_clean(frames);
        for key in ["submitted", "completed", "tx_port", "rx_port", "seen", "matched", "in_order"] {
            row.assert_counts(&[(&format!("ledger.{key}"), frames)]);
        }
        row.assert_counts(&[("ledger.rx_dropped", 0)]);
    }
}
