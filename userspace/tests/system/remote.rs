//! Ports of another daemon in one's own runs and suites: two hosts, one result. Judged by the
//! kernel's counters, a limiter between them, and clocks that are one or are known to differ.

use crate::rfc2544::SHORT_WAITS;
use crate::suites::document;
use crate::testbed::{
    Lab, Limit, Linerate, Outcome, Port, command, eventually, much_of_the_machine, with_priority,
};
use serde_json::Value;
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const DAEMON: &str = "10.99.0.2:8080";
pub(crate) const TOKEN: &str = "a-token-of-two-dozen-octets";

/// Joins the two hosts by a way of their own, beside the one that is tested.
pub(crate) fn join(lab: &Lab) {
    let (west, east) = (&lab.west.netns, &lab.east.netns);
    command(
        "ip",
        &["-n", west, "link", "add", "ctl", "type", "veth", "peer", "name", "ctl", "netns", east],
    );
    for (netns, address) in [(west, "10.99.0.1/24"), (east, "10.99.0.2/24")] {
        command("ip", &["-n", netns, "address", "add", address, "dev", "ctl"]);
        command("ip", &["-n", netns, "link", "set", "ctl", "up"]);
    }
}

/// The daemon on east's host, behind a `wrapper`.
pub(crate) fn daemon(lab: &Lab, wrapper: &[&str]) -> Linerate {
    daemon_with(lab, wrapper, &[])
}

/// The same with more options.
pub(crate) fn daemon_with(lab: &Lab, wrapper: &[&str], more: &[&str]) -> Linerate {
    let store = lab.directory().join("far.db").display().to_string();
    let token = lab.file("token", TOKEN.as_bytes()).display().to_string();
    let serve = ["serve", "--listen", DAEMON, "--otg", "127.0.0.1:0", "--store", &store];
    let daemon = Linerate::spawn_inside(
        &lab.east,
        wrapper,
        &[&serve[..], &["--token-file", &token], more].concat(),
    );
    let address = DAEMON.parse().unwrap();
    let open = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
    eventually("the daemon listens", || lab.west.inside(open));
    daemon
}

/// A linerate on west's host that knows the token.
pub(crate) fn near(lab: &Lab, arguments: &[&str]) -> Linerate {
    near_with(lab, &[], arguments)
}

/// The same with more variables in its environment.
pub(crate) fn near_with(lab: &Lab, variables: &[&str], arguments: &[&str]) -> Linerate {
    let token = format!("LINERATE_REMOTE_TOKEN={TOKEN}");
    Linerate::spawn_inside(&lab.west, &[&["env", &token], variables].concat(), arguments)
}

/// The PORT that east is from west's host.
pub(crate) fn far(lab: &Lab) -> String {
    format!("[10.99.0.2]:8080/{}", lab.east.interface)
}

/// A run both ways.
pub(crate) fn run(lab: &Lab, rate: &str, end: &str) -> Linerate {
    run_with(lab, &[], rate, end)
}

/// The same with more variables in its environment.
pub(crate) fn run_with(lab: &Lab, variables: &[&str], rate: &str, end: &str) -> Linerate {
    let text = format!(
        r#"
        [ports]
        west = {{ if = "west", addr = "198.18.0.1/24" }}
        east = {{ if = "{}", addr = "198.18.0.2/24" }}
        [[flow]]
        name = "f"
        tx = "west"
        rx = "east"
        bidir = true
        rate = "{rate}"
        {end}
        size = 128
        integrity = "full"
        layers = [
          {{eth = {{dst = "auto"}}}},
          {{ipv4 = {{src = "198.18.0.1", dst = "198.18.0.2"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#,
        far(lab)
    );
    let file = lab.file("flows.toml", text.as_bytes());
    near_with(lab, variables, &["run", file.to_str().unwrap(), "--json", "-"])
}

#[track_caller]
fn far_port(outcome: &Outcome) -> Value {
    let ports = outcome.result().document["ports"].clone();
    ports.as_array().unwrap().iter().find(|port| port["name"] == "east").unwrap().clone()
}

#[track_caller]
pub(crate) fn assert_free(port: &Port) {
    eventually("the port is given back", || port.xdp().is_none());
}

#[test]
fn two_hosts_make_one_result_and_one_clock_is_found_to_be_one() {
    const SENT: u64 = 20_000;
    let lab = Lab::cable();
    join(&lab);
    let daemon = daemon(&lab, &[]);
    let before = (lab.west.counters(), lab.east.counters());
    let outcome = run(&lab, "10kpps", &format!("frames = {SENT}")).wait().exits(0);
    let result = outcome.result();
    for name in ["f/fwd", "f/rev"] {
        let row = result.flow(name);
        row.assert_counts(&[
            ("tx_frames", SENT),
            ("rx_unique_frames", SENT),
            ("lost_frames", 0),
            ("duplicate_frames", 0),
            ("reordered_frames", 0),
            ("corrupt_frames", 0),
            ("stale_frames", 0),
        ]);
        row.assert_counts(&[("ledger.completed", SENT), ("ledger.matched", SENT)]);
    }
    // ARP, and nothing else, beside them.
    let after = (lab.west.counters(), lab.east.counters());
    for (port, gained) in [
        ("west", after.0.rx_packets - before.0.rx_packets),
        ("east", after.1.rx_packets - before.1.rx_packets),
    ] {
        assert!((SENT..SENT + 8).contains(&gained), "{gained} frames came to {port}");
    }
    let port = far_port(&outcome);
    let error = port["clock_error_ns"].as_u64().expect("an error");
    let offset = port["clock_offset_ns"].as_i64().expect("an offset");
    assert!(offset.unsigned_abs() <= error, "{offset} +-{error}: it is one clock");
    assert!(error < 20_000_000, "+-{error} ns");
    // Both rows have a latency, or neither, and then the sum of both is told.
    let there = result.flow("f/fwd").value("latency_ns");
    if there.is_null() {
        assert!(outcome.stdout.contains("there and back it is"), "{outcome}");
    } else {
        assert_eq!(there["uncertainty"].as_u64(), Some(error), "{outcome}");
    }
    assert!(result.flow("f/fwd").value("ledger.rx_port").as_u64() >= Some(SENT), "{outcome}");
    assert_free(&lab.east);
    daemon.signal(libc::SIGTERM);
    daemon.wait().exits(0);
    lab.assert_nothing_attached();
}

#[test]
fn a_clock_that_is_thousands_of_seconds_off_is_found_and_taken_out_of_what_it_stamps() {
    const SENT: u64 = 10_000;
    const AHEAD_S: i64 = 5_000;
    let lab = Lab::cable();
    join(&lab);
    // What a program in the kernel reads is not shifted: so this host only sends.
    let ahead = AHEAD_S.to_string();
    let _daemon =
        daemon(&lab, &["unshare", "--time", "--monotonic", &ahead, "--fork", "--kill-child"]);
    let far = far(&lab);
    let text = format!(
        r#"
        [[flow]]
        name = "f"
        tx = "{far}"
        rx = "west"
        rate = "10kpps"
        frames = {SENT}
        size = 128
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.1", dst = "198.18.0.2"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#
    );
    let file = lab.file("flows.toml", text.as_bytes());
    let outcome = near(&lab, &["run", file.to_str().unwrap(), "--json", "-"]).wait().exits(0);
    let result = outcome.result();
    let row = result.flow("f");
    row.assert_counts(&[("tx_frames", SENT), ("rx_unique_frames", SENT), ("lost_frames", 0)]);
    let ports = result.document["ports"].as_array().unwrap();
    let port = ports.iter().find(|port| port["if"] == far.as_str()).unwrap();
    let error = port["clock_error_ns"].as_u64().expect("an error");
    let offset = port["clock_offset_ns"].as_i64().expect("an offset");
    let wrong = (offset + AHEAD_S * 1_000_000_000).unsigned_abs();
    assert!(wrong <= error, "{offset} +-{error}, and it is -{AHEAD_S} s");
    let kernel = lab.west.counters().rx_packets;
    assert!((SENT..SENT + 8).contains(&kernel), "{kernel}");
}

#[test]
fn quick_rfc2544_between_two_hosts_finds_the_rate_of_a_limiter() {
    const LIMIT: u32 = 5_000;
    const DEPTH: u32 = 90;
    let _machine = much_of_the_machine();
    // The machine is shared with the device: who sends must not wait for it.
    with_priority();
    let lab = Lab::with_limiter(Limit { pps: LIMIT, depth: DEPTH, drop_every: 0 });
    join(&lab);
    let _daemon = daemon(&lab, &[]);
    let far = far(&lab);
    let waits = lab.file("waits.toml", SHORT_WAITS.as_bytes());
    let outcome = near(
        &lab,
        &[
            "rfc2544",
            waits.to_str().unwrap(),
            "--tx",
            "west",
            "--rx",
            &far,
            "--profile",
            "quick",
            "--sizes",
            "64",
            "--tests",
            "throughput,latency,loss",
            "--repeats",
            "1",
            "--max-rate",
            "6kpps",
            "--resolution",
            "80fps",
            "--json",
            "-",
        ],
    )
    .wait_for(Duration::from_mins(3))
    .exits(0);
    let row = &document(&outcome)["rows"][0];
    let throughput = &row["throughput"];
    let fps = throughput["fps"].as_f64().expect("a rate");
    let seconds = throughput["verified_duration_ns"].as_f64().expect("a time") / 1e9;
    let most = f64::from(LIMIT) + f64::from(DEPTH) / seconds;
    assert!((fps - most).abs() <= 0.02 * f64::from(LIMIT), "{fps} of {most}: {outcome}");
    assert_eq!(throughput["bound"], "exact", "{outcome}");
    assert_eq!(throughput["limited_by"], "device", "{outcome}");
    for loss in row["frame_loss"].as_array().expect("a table") {
        let count = |key: &str| loss[key].as_u64().expect("a count");
        assert_eq!(count("tx_frames"), count("rx_unique_frames") + count("lost_frames"));
    }
    assert_free(&lab.east);
    lab.assert_nothing_attached();
}

#[test]
fn a_daemon_that_dies_makes_the_run_invalid_and_leaves_nothing_on_either_side() {
    let lab = Lab::cable();
    join(&lab);
    let daemon = daemon(&lab, &[]);
    let run = run(&lab, "5kpps", "duration = \"60s\"");
    eventually("both send", || {
        lab.west.counters().rx_packets > 1000 && lab.east.counters().rx_packets > 1000
    });
    daemon.signal(libc::SIGKILL);
    let outcome = run.wait().exits(2);
    let result = outcome.result();
    assert_eq!(result.document["verdict"], "invalid", "{outcome}");
    assert!(outcome.stdout.contains("[10.99.0.2]:8080"), "{outcome}");
    assert!(result.flow("f/fwd").count("tx_frames") > 1000, "valid rows are kept");
    assert_free(&lab.east);
    assert_free(&lab.west);
}

#[test]
fn a_run_that_is_killed_is_given_up_by_the_daemon_and_the_next_one_works() {
    let lab = Lab::cable();
    join(&lab);
    let _daemon = daemon(&lab, &[]);
    let killed = run(&lab, "5kpps", "");
    eventually("both send", || {
        lab.west.counters().rx_packets > 1000 && lab.east.counters().rx_packets > 1000
    });
    assert!(lab.east.xdp().is_some());
    // `ip netns exec` and `env` became linerate: one process.
    killed.signal(libc::SIGKILL);
    let _ = killed.wait();
    let given_up = std::time::Instant::now();
    while lab.east.xdp().is_some() {
        assert!(given_up.elapsed() < Duration::from_secs(10), "the lease has no end");
        std::thread::sleep(Duration::from_millis(50));
    }
    let again = run(&lab, "5kpps", "frames = 2000").wait().exits(0);
    again.result().flow("f/rev").assert_counts(&[("rx_unique_frames", 2000)]);
}

#[test]
fn frames_without_a_tag_are_counted_on_both_hosts() {
    let lab = Lab::cable();
    join(&lab);
    let daemon = daemon(&lab, &[]);
    let far = far(&lab);
    let flow = ["run", "--tx", "west", "--rx", &far, "--bidir", "--track", "count"];
    let headers = ["--ipv4", "198.18.0.1,198.18.0.2", "--tcp", "49184,7"];
    let macs = ["--eth", "02:00:00:00:00:01,02:00:00:00:00:02", "--json", "-"];
    let end = ["--rate", "5kpps", "--frames", "5000"];
    let outcome = near(&lab, &[&flow[..], &headers, &macs, &end].concat()).wait().exits(0);
    let result = outcome.result();
    for name in ["flow/fwd", "flow/rev"] {
        let row = result.flow(name);
        row.assert_counts(&[("tx_frames", 5000), ("rx_frames", 5000), ("lost_frames", 0)]);
        row.assert_counts(&[("ledger.matched", 5000), ("misdirected_frames", 0)]);
        assert!(row.value("latency_ns").is_null() && row.value("duplicate_frames").is_null());
    }
    assert_free(&lab.east);
    daemon.signal(libc::SIGTERM);
    daemon.wait().exits(0);
}

#[test]
fn what_cannot_be_had_from_another_host_is_refused_by_name() {
    let lab = Lab::cable();
    join(&lab);
    let frames = "frames = 10";
    run(&lab, "1kpps", frames).wait().exits(2).says(&["[10.99.0.2]:8080"]);
    let _daemon = daemon(&lab, &[]);
    let far = far(&lab);
    let flow = ["--tx", "west", "--rx", &far, "--ipv4", "198.18.0.1,198.18.0.2", "--frames", "10"];
    let flow = [&["run"], &flow[..], &["--udp", "1,7", "--eth", "auto,02:00:00:00:00:02"]].concat();
    let stranger = |token: &str| {
        let token = format!("LINERATE_REMOTE_TOKEN={token}");
        Linerate::spawn_inside(&lab.west, &["env", &token], &flow).wait()
    };
    stranger("a-token-that-is-not-the-one").exits(2).says(&["[10.99.0.2]:8080", "token"]);
    let live = [&flow[..], &["--backend", "live_frames"]].concat();
    near(&lab, &live).wait().exits(64).says(&["live frames", "another daemon"]);
    let nowhere = far.replace("/east", "/nowhere0");
    let nowhere: Vec<&str> =
        flow.iter().map(|&it| if it == far { &nowhere[..] } else { it }).collect();
    near(&lab, &nowhere).wait().exits(64).says(&["nowhere0"]);
    for verb in [&["capture", &far, "--write", "-"][..], &["respond", &far], &["ports", &far]] {
        near(&lab, verb).wait().exits(64).says(&["another daemon"]);
    }
    let busy = Linerate::spawn(["respond", &lab.east.to_string()]);
    eventually("the responder runs", || lab.east.xdp().is_some());
    near(&lab, &flow).wait().exits(2).says(&["held by another linerate"]);
    busy.signal(libc::SIGTERM);
    busy.wait().exits(0);
    lab.assert_nothing_attached();
}
