//! How runs end: by themselves, by a signal, by force, by loss of the port.

use crate::testbed::{Lab, Linerate, eventually};
use std::time::{Duration, Instant};

/// CONTRACT: a run whose port is lost ends within two seconds.
const END_AFTER_LOSS: Duration = Duration::from_secs(2);

/// A flow with this end, such as `duration = "1s"`; none: endless.
fn flow(end: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rx = "east"
        rate = "10kpps"
        {end}
        size = 128
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#
    )
}

/// Starts the run and waits until it has sent a thousand frames.
fn start(lab: &Lab, end: &str) -> Linerate {
    let run = Linerate::start(&lab.flow_file(&flow(end)));
    eventually("the run sends", || lab.west.counters().tx_packets > 1000);
    run
}

#[test]
fn a_signal_ends_an_endless_run_well() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let lab = Lab::cable();
        let run = start(&lab, "");
        run.signal(signal);
        let result = run.wait().exits(0).result();
        let row = result.flow("f");
        assert!(row.count("tx_frames") > 1000);
        row.assert_counts(&[("lost_frames", 0), ("duplicate_frames", 0), ("corrupt_frames", 0)]);
        assert_eq!(row.count("tx_frames"), lab.east.counters().rx_packets);
        lab.assert_nothing_attached();
    }
}

#[test]
fn a_bounded_run_that_is_interrupted_is_not_measured_validly() {
    let lab = Lab::cable();
    let run = start(&lab, "duration = \"60s\"");
    run.signal(libc::SIGINT);
    let outcome = run.wait().exits(2);
    assert!(outcome.took < Duration::from_secs(30), "{outcome}");
    let result = outcome.result();
    assert_eq!(result.document["verdict"], "invalid");
    let row = result.flow("f");
    assert!(row.count("tx_frames") > 1000, "valid rows are kept");
    row.assert_counts(&[("requested_frames", 600_000), ("lost_frames", 0)]);
    lab.assert_nothing_attached();
}

#[test]
fn a_second_signal_does_not_leave_anything_attached() {
    let lab = Lab::cable();
    let run = start(&lab, "");
    run.signal(libc::SIGINT);
    run.signal(libc::SIGINT);
    let _ = run.wait();
    eventually("the ports are free", || lab.west.xdp().is_none() && lab.east.xdp().is_none());
}

#[test]
fn kill_9_leaves_nothing_attached_and_the_next_run_starts_at_once() {
    let lab = Lab::cable();
    let run = start(&lab, "");
    assert!(lab.east.xdp().is_some(), "the analyser is attached while it runs");
    run.signal(libc::SIGKILL);
    assert_eq!(run.wait().code, None);
    // No waiting here: that the queues are still being released is linerate's to bear.
    let again = Linerate::run(&lab.flow_file(&flow("frames = 5000"))).exits(0);
    again.result().flow("f").assert_clean(5000);
    lab.assert_nothing_attached();
}

#[test]
fn kill_9_alone_frees_the_ports() {
    let lab = Lab::cable();
    let run = start(&lab, "");
    run.signal(libc::SIGKILL);
    let _ = run.wait();
    eventually("the ports are free", || lab.west.xdp().is_none() && lab.east.xdp().is_none());
    let link = lab.east.command("ip", &["-d", "link", "show", "dev", "east"]);
    assert!(link.contains("promiscuity 0"), "{link}");
}

/// Harms a running bounded run; it must end in time, with exit 2, the reason and the result
/// so far.
#[track_caller]
fn ends_after(harm: fn(&Lab), reason: &str) -> Lab {
    let lab = Lab::cable();
    let run = start(&lab, "duration = \"60s\"");
    let harmed = Instant::now();
    harm(&lab);
    let outcome = run.wait();
    let took = harmed.elapsed();
    let outcome = outcome.exits(2);
    assert!(took <= END_AFTER_LOSS, "ended {took:?} after the port was lost: {outcome}");
    let result = outcome.result();
    assert_eq!(result.document["verdict"], "invalid");
    let reasons = result.document["reasons"].as_array().unwrap();
    let says = |text: &serde_json::Value| text.as_str().unwrap().contains(reason);
    assert!(reasons.iter().any(says), "no `{reason}`: {outcome}");
    assert!(result.flow("f").count("tx_frames") > 1000, "the result so far: {outcome}");
    lab
}

#[test]
fn a_run_ends_when_its_interfaces_are_deleted() {
    ends_after(|lab| lab.east.delete(), "is gone");
}

#[test]
fn a_run_ends_when_its_transmitter_is_set_down() {
    ends_after(|lab| lab.west.ip_link(&["down"]), "is down; run `ip link set west up`")
        .assert_nothing_attached();
}

#[test]
fn a_run_ends_when_its_receiver_is_set_down() {
    ends_after(|lab| lab.east.ip_link(&["down"]), "is down; run `ip link set east up`")
        .assert_nothing_attached();
}

#[test]
fn an_endless_run_ends_when_its_port_is_lost() {
    let lab = Lab::cable();
    let run = start(&lab, "");
    lab.east.ip_link(&["down"]);
    run.wait().exits(2).result();
    lab.assert_nothing_attached();
}

#[test]
fn runs_in_quick_succession_all_work() {
    let lab = Lab::cable();
    let file = lab.flow_file(&flow("frames = 1000"));
    for _ in 0..4 {
        Linerate::run(&file).exits(0).result().flow("f").assert_clean(1000);
    }
    lab.assert_nothing_attached();
}
