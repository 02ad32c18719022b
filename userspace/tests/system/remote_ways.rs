//! The way to another daemon: over HTTPS, for runs and suites of a daemon, for the test API;
//! of another version, and after the lease has ended. Judged by openssl's certificates, snappi
//! and the kernel's counters.
#![cfg(feature = "serve")]

use crate::{
    otg,
    remote::{DAEMON, TOKEN, assert_free, daemon, daemon_with, far, join, run, run_with},
    serve_suites::{ended, real, start},
    serve_tls::openssl,
    testbed::{Daemon, Lab, Linerate, Outcome, eventually},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

const SENT: u64 = 4_000;

#[track_caller]
fn assert_all_came(outcome: &Outcome) {
    let result = outcome.result();
    for name in ["f/fwd", "f/rev"] {
        let counts = [("tx_frames", SENT), ("rx_unique_frames", SENT), ("lost_frames", 0)];
        result.flow(name).assert_counts(&counts);
    }
}

#[test]
fn over_https_the_daemon_is_believed_that_the_named_authority_vouches_for_and_no_other() {
    let lab = Lab::cable();
    join(&lab);
    let authority = openssl(&lab, "authority", &[]);
    let by = ["-CA", authority.certificate.to_str().unwrap()];
    let by = [&by[..], &["-CAkey", authority.key.to_str().unwrap()]].concat();
    let names = ["-addext", "subjectAltName=IP:10.99.0.2"];
    let names = [&names[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat();
    let own = openssl(&lab, "own", &[&names[..], &by].concat());
    let arguments = own.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let daemon_over_https = daemon_with(&lab, &[], &arguments);
    let trust =
        |of: &std::path::Path| format!("LINERATE_REMOTE_CA={}", of.to_str().expect("a path"));

    let frames = format!("frames = {SENT}");
    let trusted = trust(&authority.certificate);
    assert_all_came(&run_with(&lab, &[&trusted], "4kpps", &frames).wait().exits(0));
    assert_free(&lab.east);

    let stranger = openssl(&lab, "stranger", &names);
    let refused = run_with(&lab, &[&trust(&stranger.certificate)], "4kpps", &frames);
    refused.wait().exits(2).says(&["[10.99.0.2]:8080", "certificate", "LINERATE_REMOTE_CA"]);
    // openssl makes a certificate that is its own authority, unless it is told otherwise.
    drop(daemon_over_https);
    let own = openssl(&lab, "authority-itself", &["-addext", "subjectAltName=IP:10.99.0.2"]);
    let arguments = own.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let _again = daemon_with(&lab, &[], &arguments);
    let refused = run_with(&lab, &[&trust(&own.certificate)], "4kpps", &frames);
    refused.wait().exits(2).says(&["[10.99.0.2]:8080", "basicConstraints=CA:FALSE"]);
    let plain = run(&lab, "4kpps", &frames).wait();
    plain.exits(2).says(&["[10.99.0.2]:8080", "HTTPS", "LINERATE_REMOTE_CA"]);
    let missing = run_with(&lab, &["LINERATE_REMOTE_CA=/nowhere.pem"], "4kpps", &frames);
    missing.wait().exits(64).says(&["LINERATE_REMOTE_CA", "/nowhere.pem"]);
    lab.assert_nothing_attached();
}

#[test]
fn runs_and_suites_posted_to_a_daemon_use_a_port_of_another() {
    let lab = Lab::cable();
    join(&lab);
    let _far_daemon = daemon(&lab, &[]);
    let far = far(&lab);
    let address = "127.0.0.1:8081";
    let store = Daemon::store(&lab).display().to_string();
    let serve = ["serve", "--listen", address, "--otg", "127.0.0.1:0", "--store", &store];
    let token = format!("LINERATE_REMOTE_TOKEN={TOKEN}");
    let process = Linerate::spawn_inside(&lab.west, &["env", &token], &serve);
    let mut near = Daemon::of(process, address.into());
    lab.west.inside(|| near.await_ready());
    lab.west.inside(|| {
        let flow = json!({"name": "f", "tx": "west", "rx": far, "bidir": true, "rate": "4kpps",
            "frames": SENT, "size": 128, "layers": [
                {"eth": {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}},
                {"ipv4": {"src": "198.18.0.1", "dst": "198.18.0.2"}},
                {"udp": {"src": 49184, "dst": 7}}]});
        let body = json!({"spec": {"flow": [flow]}});
        let before = (lab.west.counters(), lab.east.counters());
        let run = near.post("/api/v1/runs", &body).is(201)["id"].as_u64().unwrap();
        let over = near.ended(run);
        assert_eq!(over["state"], "done", "{over}");
        let result = near.get(&format!("/api/v1/runs/{run}/result")).is(200);
        // On a busy machine a rate may be off.
        let verdict = result["verdict"].as_str().unwrap();
        assert!(["ok", "tester-limited"].contains(&verdict), "{result}");
        for row in result["flows"].as_array().unwrap() {
            let count = |key: &str| row[key].as_u64().unwrap();
            let counts = (count("tx_frames"), count("rx_unique_frames"), count("lost_frames"));
            assert_eq!(counts, (SENT, SENT, 0), "{row}");
        }
        let after = (lab.west.counters(), lab.east.counters());
        for (port, before, after) in [("west", before.0, after.0), ("east", before.1, after.1)] {
            let gained = after.rx_packets - before.rx_packets;
            assert!((SENT..SENT + 8).contains(&gained), "{gained} frames came to {port}");
        }
        let told = near.get(&format!("/api/v1/ports/{}", far.replace('/', "%2F"))).is(200);
        assert_eq!(told["ports"][0]["if"], far.as_str(), "{told}");
        assert_eq!(told["ports"][0]["mac"], lab.east.mac().as_str(), "{told}");

        let mut suite = real(&lab, &json!({"tests": ["throughput"]}));
        suite["ports"] = json!({"west": {"if": "west"}, "east": {"if": far}});
        suite["throughput"]["max_rate"] = json!("2kpps");
        let id = start(&near, &suite);
        let over = ended(&near, id);
        assert_eq!(over["state"], "done", "{over}");
        let result = near.get(&format!("/api/v1/suites/{id}/result")).is(200);
        let throughput = &result["rows"][0]["throughput"];
        // How much a busy machine sends is its own matter; the cable loses nothing.
        assert!(throughput["fps"].as_f64() > Some(0.0), "{result}");
        for trial in result["trials"].as_array().unwrap() {
            assert_eq!(trial["tx_frames"], trial["rx_unique_frames"], "{trial}");
        }
    });
    near.signal(libc::SIGTERM);
    near.wait().exits(0);
    lab.assert_nothing_attached();
}

#[test]
fn the_test_api_has_a_port_of_another_daemon_under_its_alias() {
    let lab = Lab::cable();
    join(&lab);
    let _far_daemon = daemon(&lab, &[]);
    let alias = format!("localhost:5556={}", far(&lab));
    let token = format!("LINERATE_REMOTE_TOKEN={TOKEN}");
    let inside = ["ip", "netns", "exec", &lab.west.netns];
    let before = [&inside[..], &["env", &token]].concat();
    let near = otg::Daemon::start(&lab, &before, &["--alias", &alias]);
    let ports = ["west", "localhost:5556"];
    assert_eq!(otg::snappi(&near, &inside, "remote.py", ports, &[]), 3);
    near.stop();
    lab.assert_nothing_attached();
}

#[test]
fn a_daemon_of_another_version_is_not_worked_with_and_says_so() {
    let lab = Lab::cable();
    join(&lab);
    let far_daemon = daemon(&lab, &[]);
    let url = format!("http://{DAEMON}/api/v1/remote/clock");
    let bearer = format!("authorization: Bearer {TOKEN}");
    let curl = |version: &str| {
        let version = format!("linerate-version: {version}");
        lab.west.command("curl", &["-s", "-i", "-H", &bearer, "-H", &version, &url])
    };
    let said = curl("99.0.0");
    assert!(said.starts_with("HTTP/1.1 409") && said.contains("99.0.0"), "{said}");
    assert!(said.contains("install one version on both hosts"), "{said}");
    assert!(curl(env!("CARGO_PKG_VERSION")).starts_with("HTTP/1.1 200"));
    far_daemon.signal(libc::SIGTERM);
    far_daemon.wait().exits(0);

    // What such a daemon says is the line that the user reads.
    let body = said.split_once("\r\n\r\n").expect("a body").1.to_owned();
    let listener = lab.east.inside(|| TcpListener::bind(DAEMON).expect("its address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let head = "HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-type: application/problem+json";
            let _ = write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    let outcome = run(&lab, "1kpps", "frames = 10").wait().exits(2);
    outcome.says(&["[10.99.0.2]:8080", "99.0.0", "install one version on both hosts"]);
    lab.assert_nothing_attached();
}

#[test]
fn a_run_that_slept_through_its_lease_is_invalid_and_leaves_nothing_on_either_side() {
    let lab = Lab::cable();
    join(&lab);
    let _daemon = daemon(&lab, &[]);
    let run = run(&lab, "2kpps", "duration = \"60s\"");
    eventually("both send", || {
        lab.west.counters().rx_packets > 500 && lab.east.counters().rx_packets > 500
    });
    run.signal(libc::SIGSTOP);
    eventually("the lease has ended", || lab.east.xdp().is_none());
    run.signal(libc::SIGCONT);
    let outcome = run.wait_for(Duration::from_mins(1)).exits(2);
    let result: Value = outcome.result().document;
    assert_eq!(result["verdict"], "invalid", "{outcome}");
    assert!(outcome.stdout.contains("lease is over"), "{outcome}");
    assert_free(&lab.west);
    assert_free(&lab.east);
    lab.assert_nothing_attached();
}

#[test]
fn a_daemon_that_is_stopped_in_order_makes_the_run_of_another_invalid() {
    let lab = Lab::cable();
    join(&lab);
    let far_daemon = daemon(&lab, &[]);
    let run = run(&lab, "2kpps", "duration = \"60s\"");
    eventually("both send", || lab.east.counters().rx_packets > 500);
    far_daemon.signal(libc::SIGTERM);
    far_daemon.wait().exits(0);
    let outcome = run.wait_for(Duration::from_mins(1)).exits(2);
    assert_eq!(outcome.result().document["verdict"], "invalid", "{outcome}");
    assert_free(&lab.west);
    lab.assert_nothing_attached();
}
