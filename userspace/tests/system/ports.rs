//! Ports that cannot be used: one clear line, CONTRACT's exit code, nothing attached.

use crate::testbed::{
    ForeignProgram, ForeignSocket, Lab, Linerate, Outcome, Port, eventually, much_of_the_machine,
    one_flow,
};
use serde_json::Value;
use std::time::{Duration, Instant};

fn flow() -> String {
    one_flow("rate = \"1kpps\"\nframes = 100")
}

/// Fails unless it was one clear line, and no result.
#[track_caller]
fn one_line(outcome: &Outcome) {
    let lines = outcome.stderr.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(lines, 1, "not one clear line: {outcome}");
    assert!(outcome.stdout.is_empty(), "a result of nothing: {outcome}");
}

#[track_caller]
fn refused(lab: &Lab, text: &str, code: i32, words: &[&str]) {
    let outcome = Linerate::run(&lab.flow_file(text)).exits(code).says(words);
    one_line(&outcome);
    lab.assert_nothing_attached();
}

/// The file with another PORT for west and for east.
fn with_ports(west: &str, east: &str) -> String {
    format!("[ports]\nwest = {{ if = \"{west}\" }}\neast = {{ if = \"{east}\" }}\n{}", flow())
}

#[test]
fn an_unknown_interface_is_64() {
    let lab = Lab::cable();
    let nowhere = Port { interface: "ghost".to_owned(), ..lab.west.clone() }.to_string();
    refused(&lab, &with_ports(&nowhere, "EAST"), 64, &["ghost"]);
    refused(&lab, &with_ports("WEST", &nowhere), 64, &["ghost"]);
    refused(&lab, &flow().replace("tx = \"west\"", "tx = \"wast\""), 64, &["wast"]);
}

#[test]
fn an_unknown_namespace_is_64() {
    let lab = Lab::cable();
    refused(&lab, &with_ports("west@atlantis", "EAST"), 64, &["atlantis"]);
    refused(&lab, &with_ports("WEST", "east@atlantis"), 64, &["atlantis"]);
}

#[test]
fn an_interface_that_is_down_is_2() {
    for end in [|lab: &Lab| lab.west.clone(), |lab: &Lab| lab.east.clone()] {
        let lab = Lab::cable();
        let port = end(&lab);
        port.ip_link(&["down"]);
        refused(&lab, &flow(), 2, &[&port.interface, "down"]);
    }
}

#[test]
fn no_carrier_is_2() {
    // West is up; its cable ends in the device, which is down.
    let lab = Lab::with_device();
    lab.device.as_ref().unwrap().0.ip_link(&["down"]);
    refused(&lab, &flow(), 2, &["west", "carrier"]);
}

#[test]
fn a_foreign_xdp_program_is_2_and_stays() {
    for end in [|lab: &Lab| lab.west.clone(), |lab: &Lab| lab.east.clone()] {
        let lab = Lab::cable();
        let port = end(&lab);
        let program = ForeignProgram::attach(&port);
        let before = port.xdp();
        assert!(before.is_some());
        let outcome =
            Linerate::run(&lab.flow_file(&flow())).exits(2).says(&[&port.interface, "XDP"]);
        one_line(&outcome);
        assert_eq!(port.xdp(), before, "the foreign program was replaced");
        drop(program);
        eventually("the port is free", || port.xdp().is_none());
        lab.assert_nothing_attached();
    }
}

#[test]
fn a_queue_that_another_socket_has_is_2_after_two_seconds() {
    let lab = Lab::cable();
    let socket = ForeignSocket::bind(&lab.west, 0);
    let started = Instant::now();
    refused(&lab, &flow(), 2, &["west", "queue 0", "busy", "another AF_XDP socket"]);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(2), "gave up after {took:?}");
    drop(socket);
    Linerate::run(&lab.flow_file(&flow())).exits(0).result().flow("f").assert_clean(100);
}

#[test]
fn a_queue_that_is_given_up_soon_is_awaited() {
    let lab = Lab::cable();
    let socket = ForeignSocket::bind(&lab.west, 0);
    let run = Linerate::start(&lab.flow_file(&flow()));
    eventually("the analyser is attached", || lab.east.xdp().is_some());
    drop(socket);
    run.wait().exits(0).result().flow("f").assert_clean(100);
}

#[test]
fn a_port_that_another_linerate_holds_is_2() {
    let lab = Lab::cable();
    let endless = lab.flow_file(&flow().replace("frames = 100", ""));
    let mut first = Linerate::start(&endless);
    eventually("the first sends", || lab.west.counters().tx_packets > 100);
    let second =
        Linerate::run(&lab.flow_file(&flow())).exits(2).says(&["west", "held by another linerate"]);
    one_line(&second);
    first.assert_running();
    first.signal(libc::SIGINT);
    let result = first.wait().exits(0).result();
    let row = result.flow("f");
    row.assert_clean(row.count("tx_frames"));
    lab.assert_nothing_attached();
}

#[test]
fn parallel_runs_on_different_ports_do_not_meet() {
    let (one, other) = (Lab::cable(), Lab::cable());
    let text = flow().replace("frames = 100", "frames = 1000");
    let runs = [&one, &other].map(|lab| Linerate::start(&lab.flow_file(&text)));
    for run in runs {
        run.wait().exits(0).result().flow("f").assert_clean(1000);
    }
}

#[test]
fn an_unresolved_next_hop_is_2() {
    let lab = Lab::with_device(); // which forwards nothing
    let text = format!(
        "[ports]\nwest = {{ if = \"WEST\", addr = [\"198.18.0.2/24\"], gw = \"198.18.0.1\" }}\neast = {{ if = \"EAST\" }}\n{}",
        flow().replace("02:00:00:00:00:02", "auto")
    );
    refused(&lab, &text, 2, &["198.18.0.1"]);
}

#[test]
fn an_mtu_that_is_too_small_is_64_on_either_port() {
    let text = flow().replace("128", "1500");
    for end in [|lab: &Lab| lab.west.clone(), |lab: &Lab| lab.east.clone()] {
        let lab = Lab::cable();
        let port = end(&lab);
        port.ip_link(&["mtu", "1400"]);
        refused(&lab, &text, 64, &[&port.interface, "MTU", "1400"]);
    }
}

#[test]
fn the_largest_frame_of_the_mtu_passes() {
    let lab = Lab::cable();
    let text = flow().replace("128", "1518");
    Linerate::run(&lab.flow_file(&text)).exits(0).result().flow("f").assert_clean(100);
}

#[test]
fn settings_and_promiscuity_are_put_back() {
    let lab = Lab::cable();
    let settings = |port: &Port| {
        let features = port.command("ethtool", &["-k", &port.interface]);
        let link = port.command("ip", &["-d", "link", "show", "dev", &port.interface]);
        (features, link)
    };
    let before = [settings(&lab.west), settings(&lab.east)];
    Linerate::run(&lab.flow_file(&flow())).exits(0).result().flow("f").assert_clean(100);
    assert_eq!([settings(&lab.west), settings(&lab.east)], before);
}

#[test]
fn ports_lists_the_ports_of_the_namespace() {
    let lab = Lab::one_namespace();
    let outcome = Linerate::spawn_inside(&lab.west, &[], &["ports"]).wait().exits(0);
    for word in ["west", "east", "veth", lab.west.mac().as_str()] {
        assert!(outcome.stdout.contains(word), "no {word}: {outcome}");
    }
    let port = lab.west.to_string();
    let outcome = Linerate::spawn(["ports", &port]).wait().exits(0);
    assert!(outcome.stdout.contains("1500"), "no MTU: {outcome}");
    Linerate::spawn(["ports", "ghost0"]).wait().exits(64).says(&["ghost0"]);
}

#[test]
fn ports_as_json_is_one_document_with_what_the_kernel_says() {
    let lab = Lab::cable();
    let outcome = Linerate::spawn(["ports", &lab.west.to_string(), "--json", "-"]).wait().exits(0);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(document["schema"], "linerate.ports/1");
    let port = &document["ports"][0];
    assert_eq!((&port["mac"], &port["mtu"]), (&lab.west.mac().into(), &1500.into()));
    let xdp = port["capabilities"]["xdp"]["xdp"].as_array().unwrap();
    assert!(xdp.contains(&"redirect".into()) && !xdp.contains(&"xsk-zerocopy".into()), "{port:#}");
}

#[test]
fn a_probe_says_that_it_sends_and_tells_what_left_by_the_kernels_count() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let before = lab.west.counters();
    let port = lab.west.to_string();
    let outcome = Linerate::spawn(["ports", &port, "--probe", "--json", "-"]).wait().exits(0);
    let outcome = outcome.says(&["sending from", "nobody's address"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let ceilings = document["ports"][0]["ceilings"].as_array().unwrap();
    let measured: Vec<(u64, f64)> = ceilings
        .iter()
        .filter_map(|it| Some((it["size"].as_u64()?, it["measured"]["fps"].as_f64()?)))
        .collect();
    assert_eq!(measured.iter().map(|&(size, _)| size).collect::<Vec<_>>(), [64, 1518]);
    // One second each.
    let sent = (lab.west.counters().tx_packets - before.tx_packets) as f64;
    let told: f64 = measured.iter().map(|&(_, fps)| fps).sum();
    assert!((told / sent - 1.0).abs() < 0.05, "{told} told, {sent} sent");
    lab.assert_nothing_attached();
}

#[test]
fn a_probe_without_carrier_is_2_and_sends_nothing() {
    let lab = Lab::cable();
    lab.east.ip_link(&["down"]);
    let outcome = Linerate::spawn(["ports", &lab.west.to_string(), "--probe"]).wait().exits(2);
    outcome.says(&["west", "carrier"]);
    assert_eq!(lab.west.counters().tx_packets, 0);
    lab.assert_nothing_attached();
}
