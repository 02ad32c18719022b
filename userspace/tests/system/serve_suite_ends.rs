//! Suites in the daemon that do not come to their end at once: no finished trial is lost or run
//! twice.
#![cfg(feature = "serve")]
#![allow(unsafe_code, reason = "kill(2) has no safe face in std")]

use crate::{
    serve_suites::{by_command, ended, order, part, real, simulated, start, view},
    testbed::{Daemon, Lab, eventually},
};
use serde_json::{Value, json};

#[test]
fn a_suite_that_was_stopped_or_killed_goes_on_and_sends_no_finished_trial_again() {
    let lab = Lab::cable();
    let mut daemon = Daemon::start(&lab, &[]);
    let mut live = daemon.live("", "");
    let suite = start(&daemon, &real(&lab, &json!({})));
    let rates = live.by_ref().find(|event| event.kind == "rates").unwrap();
    assert!(rates.data["flows"][0]["totals"]["tx_frames"].as_u64().unwrap() > 0, "{rates:?}");
    let trials = |daemon: &Daemon| part(daemon, suite, "trials").as_array().unwrap().clone();
    eventually("a trial of latency", || {
        view(&daemon, suite)["progress"]["current"]["test"] == "latency"
    });
    let course = view(&daemon, suite)["progress"].clone();
    assert_eq!(course["current"]["frame"], "128", "{course}");
    assert!(course["remaining_ns"].as_u64().unwrap() > 0, "{course}");
    let rounds = ["stop", "kill", "term"];
    let mut done = Vec::new();
    for (round, how) in rounds.into_iter().enumerate() {
        eventually("another trial", || trials(&daemon).len() > round + 1);
        match how {
            "stop" => drop(order(&daemon, suite, "stop").is(200)),
            "kill" => daemon.signal(libc::SIGKILL),
            _ => daemon.signal(libc::SIGTERM),
        }
        if how == "stop" {
            assert_eq!(ended(&daemon, suite)["state"], "stopped");
            let kept = part(&daemon, suite, "result");
            assert_eq!(kept["verdict"], "invalid", "it is not whole");
        } else {
            let descendants = daemon.descendants();
            daemon.wait();
            eventually("its processes are gone", || {
                let path = |pid: &u32| format!("/proc/{pid}");
                descendants.iter().all(|pid| !std::path::Path::new(&path(pid)).exists())
            });
            daemon = Daemon::start(&lab, &[]);
            let state = if how == "kill" { "failed" } else { "stopped" };
            assert_eq!(view(&daemon, suite)["state"], state, "{how}");
        }
        lab.assert_nothing_attached();
        done = trials(&daemon);
        assert!(done.len() > round + 1, "{how}: {done:?}");
        let before = lab.east.counters().rx_packets;
        assert_eq!(order(&daemon, suite, "resume").is(200)["state"], "running");
        eventually("it goes on", || trials(&daemon).len() > done.len());
        let now = trials(&daemon);
        assert_eq!(now[..done.len()], done, "{how}: the same trials");
        if how == "kill" {
            // Old trials alone would be more than what was sent since.
            let frames = |trials: &[Value]| -> u64 {
                trials.iter().map(|trial| trial["tx_frames"].as_u64().unwrap()).sum()
            };
            let sent = lab.east.counters().rx_packets - before;
            let most = frames(&trials(&daemon)[done.len()..]) + 4_100;
            assert!(sent <= most, "{sent} frames since, {most} at most");
        }
    }
    assert_eq!(ended(&daemon, suite)["state"], "done");
    let result = part(&daemon, suite, "result");
    assert_eq!(result["verdict"], "done", "{:#}", result["reasons"]);
    let whole = result["trials"].as_array().unwrap();
    assert_eq!(whole[..done.len()], done);
    assert_eq!(whole.len(), whole.last().unwrap()["id"].as_u64().unwrap() as usize);
    lab.assert_nothing_attached();
}

#[test]
fn a_simulated_suite_that_is_killed_in_the_middle_of_writes_ends_as_if_it_was_not() {
    let lab = Lab::cable();
    let mut suite = simulated();
    suite["tests"] = json!(["throughput", "loss", "latency", "back-to-back"]);
    suite["back_to_back"] = json!({"repeats": 50});
    let whole = by_command(&lab, &suite);
    let mut daemon = Daemon::start(&lab, &[]);
    let id = start(&daemon, &suite);
    for _ in 0..3 {
        let reached = |daemon: &Daemon| view(daemon, id)["progress"]["trials"].as_u64();
        let from = reached(&daemon).unwrap_or(0);
        eventually("more trials", || reached(&daemon).is_none_or(|trials| trials > from + 20));
        daemon.signal(libc::SIGKILL);
        daemon.wait();
        daemon = Daemon::start(&lab, &[]);
        if view(&daemon, id)["state"] == "done" {
            break;
        }
        order(&daemon, id, "resume").is(200);
    }
    assert_eq!(ended(&daemon, id)["state"], "done");
    let result = part(&daemon, id, "result");
    for key in ["rows", "trials", "verdict", "duration_ns"] {
        assert_eq!(result[key], whole[key], "{key}");
    }
    // And it is carried to another daemon, whole.
    let archive = daemon.get("/api/v1/export").is(200);
    let other_lab = Lab::cable();
    let other = Daemon::start(&other_lab, &[]);
    other.post("/api/v1/import", &archive).is(204);
    assert_eq!(part(&other, 1, "result"), result);
    assert_eq!(part(&other, 1, "trials"), result["trials"]);
}

#[test]
fn a_data_plane_that_dies_ends_a_suite_which_goes_on_in_a_new_one() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let suite = start(&daemon, &real(&lab, &json!({})));
    let count = || part(&daemon, suite, "trials").as_array().unwrap().len();
    eventually("a trial", || count() > 0);
    let worker = *daemon.descendants().last().unwrap();
    // SAFETY: it is a process of the daemon, which runs.
    assert_eq!(unsafe { libc::kill(worker as i32, libc::SIGKILL) }, 0);
    let over = ended(&daemon, suite);
    assert_eq!((&over["state"], &over["verdict"]), (&json!("failed"), &json!("invalid")), "{over}");
    assert!(over["reason"].as_str().unwrap().contains("signal 9"), "{over}");
    daemon.get(&format!("/api/v1/suites/{suite}/result")).is(409);
    let kept = count();
    assert!(kept > 0, "finished trials are kept");
    order(&daemon, suite, "resume").is(200);
    assert_eq!(ended(&daemon, suite)["state"], "done");
    assert!(count() > kept);
    lab.assert_nothing_attached();
}
