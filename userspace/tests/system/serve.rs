//! The daemon: REST, the live stream, the store, and how it lives and dies.
#![allow(unsafe_code, reason = "kill(2) has no safe face in std")]

use crate::testbed::{Daemon, Lab, Linerate, LiveEvent, eventually};
use serde_json::{Value, json};
use std::{thread, time::Duration};

/// One flow `f` from west to east, with further keys.
fn spec(lab: &Lab, more: &Value) -> Value {
    let mut flow = json!({
        "name": "f", "tx": "west", "rx": "east", "rate": "10kpps", "size": 128,
        "layers": [
            {"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
            {"udp": {"src": 49184, "dst": 7}},
        ],
    });
    flow.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "ports": {"west": {"if": lab.west.to_string()}, "east": {"if": lab.east.to_string()}},
        "flow": [flow],
    })
}

/// Starts a run of one flow; gives its number.
#[track_caller]
fn start(daemon: &Daemon, lab: &Lab, more: &Value) -> u64 {
    let body = json!({"spec": spec(lab, more), "backend": "af_xdp"});
    daemon.post("/api/v1/runs", &body).is(201)["id"].as_u64().unwrap()
}

#[track_caller]
fn result(daemon: &Daemon, run: u64) -> Value {
    daemon.ended(run);
    daemon.get(&format!("/api/v1/runs/{run}/result")).is(200)
}

#[test]
fn a_flow_set_is_run_and_every_interface_shows_what_the_kernel_counts() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &["--interval", "200ms"]);
    let set = json!({"name": "a set", "spec": spec(&lab, &json!({"frames": 10_000}))});
    let set = daemon.post("/api/v1/flows", &set).is(201)["id"].as_u64().unwrap();
    let run = daemon.post("/api/v1/runs", &json!({"flow_set": set, "backend": "af_xdp"})).is(201);
    assert_eq!((&run["name"], &run["flow_set"]), (&json!("a set"), &json!(set)));
    let run = run["id"].as_u64().unwrap();
    let document = result(&daemon, run);
    assert_eq!(document["schema"], "linerate.run/1");
    assert_eq!(document["verdict"], "ok", "{:#}", document["reasons"]);
    assert_eq!(document["flows"][0]["rx_unique_frames"], 10_000);
    assert_eq!(lab.east.counters().rx_packets, 10_000);

    let view = daemon.get(&format!("/api/v1/runs/{run}")).is(200);
    assert_eq!(view["latest"]["flows"][0]["totals"]["rx_unique_frames"], 10_000);
    let latest = daemon.get("/api/v1/collector/latest").is(200);
    assert_eq!(latest[0]["totals"]["tx_frames"], 10_000);
    let sum = |rows: &Value| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row["tx_frames"].as_u64().unwrap()).sum()
    };
    let history = daemon.get("/api/v1/collector/flows/f/history").is(200);
    assert_eq!(sum(&history["samples"]), 10_000);
    let two = daemon.get("/api/v1/collector/flows/f/history?count=2").is(200);
    assert_eq!(two["samples"].as_array().unwrap().len(), 2);
    // The same frames, drawn: each latency and each time between two is in a bucket.
    let drawn = daemon.get("/api/v1/collector/flows/f/latencies?count=300").is(200);
    let count = |counts: &Value| -> u64 {
        counts.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
    };
    let edges = drawn["edges_ns"].as_array().unwrap().len();
    let rows = drawn["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["counts"].as_array().unwrap().len() + 1 == edges));
    assert_eq!(rows.iter().map(|row| count(&row["counts"])).sum::<u64>(), 10_000);
    let gaps = daemon.get("/api/v1/collector/flows/f/gaps").is(200);
    for counts in ["rx_counts", "tx_counts"] {
        let between = count(&gaps[counts]);
        assert!((9_990..10_000).contains(&between), "{counts}: {between}");
    }
    daemon.get("/api/v1/collector/flows/nobody/gaps").is(404);
    assert_eq!(daemon.ask("DELETE", "/api/v1/collector/flows/f", "", b"").is(204), Value::Null);
    daemon.get("/api/v1/collector/flows/f/latest?run=4711").is(404);
    // What is forgotten in memory is kept in the store.
    let kept = daemon.get(&format!("/api/v1/collector/flows/f/history?run={run}")).is(200);
    assert_eq!(kept["samples"], history["samples"]);
    lab.assert_nothing_attached();
}

#[test]
fn the_second_client_on_a_port_is_told_who_has_it() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let run = start(&daemon, &lab, &json!({}));
    let body = json!({"spec": spec(&lab, &json!({})), "backend": "af_xdp"});
    let refused = daemon.post("/api/v1/runs", &body).is(409);
    assert_eq!(refused["holder"], format!("run {run}"), "{refused}");
    let listed = daemon.get("/api/v1/runs").is(200);
    assert_eq!(listed.as_array().unwrap().len(), 1, "a run that was refused is none: {listed}");
    daemon.post(&format!("/api/v1/runs/{run}/stop"), &json!({})).is(200);
    assert_eq!(result(&daemon, run)["verdict"], "ok");
    daemon.post(&format!("/api/v1/runs/{run}/stop"), &json!({})).is(409);

    // Another process is somebody too.
    let file = lab.flow_file(&crate::testbed::one_flow("rate = \"1kpps\""));
    let other = Linerate::start(&file);
    eventually("the other sends", || lab.west.xdp().is_some() && lab.east.xdp().is_some());
    let refused = daemon.post("/api/v1/runs", &body).is(409);
    assert!(refused["detail"].as_str().unwrap().contains("west"), "{refused}");
    other.signal(libc::SIGINT);
    other.wait().exits(0);
}

#[test]
fn what_is_wrong_is_named_by_its_field_and_changes_nothing() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let wrong = |more: Value| json!({"name": "x", "spec": spec(&lab, &more)});
    let refused = daemon.post("/api/v1/flows", &wrong(json!({"size": 20}))).is(422);
    assert_eq!(refused["field"], "spec.flow[0].size");
    let refused = daemon.post("/api/v1/flows/validate", &json!({"spec": {"flow": [{}]}})).is(422);
    assert!(refused["field"].as_str().unwrap().starts_with("spec.flow[0]"), "{refused}");
    let refused = daemon.post("/api/v1/flows", &json!({"name": 5, "spec": {}})).is(400);
    assert_eq!(refused["field"], "name");
    let refused = daemon.post("/api/v1/flows", &json!({"nme": "x", "spec": {}})).is(400);
    assert!(refused["detail"].as_str().unwrap().contains("nme"), "{refused}");
    daemon.post("/api/v1/runs", &json!({})).is(422);
    let body = json!({"spec": spec(&lab, &json!({})), "for": "never"});
    assert_eq!(daemon.post("/api/v1/runs", &body).is(422)["field"], "for");
    let nowhere = json!({"ports": {"west": {"if": "nowhere0"}, "east": {"if": "nowhere1"}},
        "flow": spec(&lab, &json!({}))["flow"]});
    let refused = daemon.post("/api/v1/runs", &json!({"spec": nowhere})).is(422);
    assert!(refused["detail"].as_str().unwrap().contains("nowhere0"), "{refused}");
    daemon.ask("POST", "/api/v1/runs", "content-type: text/plain\r\n", b"{}").is(415);
    daemon.ask("PATCH", "/api/v1/runs", "", b"").is(405);
    for path in
        ["/nothing.js", "/api/v1/nothing", "/api/v1/runs/7", "/api/v1/runs/x", "/api/v1/flows/-1"]
    {
        daemon.get(path).is(404);
    }
    daemon.get("/api/v1/flows?limit=0").is(400);
    daemon.ask("GET", "/api/v1/runs", "host: evil.example\r\n", b"").is(403);
    let foreign = "content-type: application/json\r\norigin: http://evil.example\r\n";
    daemon.ask("POST", "/api/v1/runs", foreign, b"{}").is(403);
    assert_eq!(daemon.get("/api/v1/flows").is(200), json!([]));
    assert_eq!(daemon.get("/api/v1/runs").is(200), json!([]));
    let big = vec![b' '; (1 << 20) + 1];
    let path = "/api/v1/runs/1/rate";
    daemon.ask("POST", path, "content-type: application/json\r\n", &big).is(413);
    assert_eq!(lab.west.counters().tx_packets, 0);
}

#[test]
fn flows_are_previewed_as_they_would_leave() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &["--alias", &format!("localhost:5555={}", lab.west)]);
    let flow = &spec(&lab, &json!({"tx": "localhost:5555", "frames": 3}))["flow"];
    let east = json!({"east": {"if": lab.east.to_string()}});
    let body = json!({"spec": {"ports": east, "flow": flow}});
    let planned = daemon.post("/api/v1/flows/validate", &body).is(200);
    assert_eq!(planned["flows"][0]["tx"], lab.west.to_string(), "the alias names the port");
    let shown = daemon.post("/api/v1/flows/preview?count=2", &body).is(200);
    let frames = shown["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 2);
    let octets = frames[0]["octets"].as_str().unwrap();
    assert_eq!((octets.len(), &frames[0]["size"]), (124 * 2, &json!(128)));
    assert!(octets.starts_with("020000000002"), "{octets}");
    let run = daemon.post("/api/v1/runs", &json!({"spec": body["spec"]})).is(201);
    assert_eq!(result(&daemon, run["id"].as_u64().unwrap())["flows"][0]["rx_unique_frames"], 3);
}

#[test]
fn a_run_is_paused_and_changed_while_it_goes_on() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let run = start(&daemon, &lab, &json!({"frames": 20_000}));
    let order = |what: &str, body: Value| daemon.post(&format!("/api/v1/runs/{run}/{what}"), &body);
    eventually("it sends", || lab.west.counters().tx_packets > 1000);
    eventually("it is seen", || {
        !daemon.get(&format!("/api/v1/runs/{run}")).is(200)["latest"].is_null()
    });
    assert_eq!(order("pause", json!({})).is(200)["paused"], json!(["f"]));
    thread::sleep(Duration::from_millis(150));
    let paused = lab.west.counters().tx_packets;
    assert!(paused < 20_000, "it was paused too late");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(lab.west.counters().tx_packets, paused);
    order("pause", json!({"flows": ["g"]})).is(409);
    order("rate", json!({"flow": "f", "rate": "fast"})).is(422);
    order("rate", json!({"flow": "f", "rate": "40kpps"})).is(200);
    assert_eq!(order("resume", json!({"flows": ["f"]})).is(200)["paused"], json!([]));
    let result = result(&daemon, run);
    assert_eq!(result["flows"][0]["rx_unique_frames"], 20_000);
    assert_eq!(lab.east.counters().rx_packets, 20_000);
    order("pause", json!({})).is(409);
}

#[test]
fn the_live_stream_goes_on_where_a_reader_left_it_and_ends_with_the_daemon() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &["--interval", "100ms"]);
    let mut reader = daemon.live("", "");
    // One that never reads holds nobody up.
    let _slow = daemon.live("", "");
    let run = start(&daemon, &lab, &json!({}));
    let seen: Vec<LiveEvent> = reader.by_ref().take(6).collect();
    assert_eq!((seen[0].kind.as_str(), &seen[0].data["state"]), ("run", &json!("starting")));
    let shot = seen.iter().find(|event| event.kind == "snapshot").expect("a snapshot");
    assert_eq!((&shot.data["run"], &shot.data["flows"][0]["name"]), (&json!(run), &json!("f")));
    drop(reader);
    let mut again = daemon.live("", &format!("last-event-id: {}\r\n", seen[1].id));
    let next = again.next().unwrap();
    assert_eq!((&next.id, &next.data), (&seen[2].id, &seen[2].data), "nothing is left out");
    let mut other = daemon.live("?flows=g", "");
    let part = other.find(|event| event.kind == "snapshot").unwrap();
    assert_eq!(part.data["flows"], json!([]), "no flow is named g");
    daemon.signal(libc::SIGTERM);
    let last = again.last().expect("events until the end");
    assert_eq!((last.kind.as_str(), &last.data["state"]), ("run", &json!("done")), "{last:?}");
    assert_eq!(other.last().map(|event| event.kind), Some("run".to_owned()));
    daemon.wait().exits(0);
    lab.assert_nothing_attached();
    // The endless run was ended in order, and its result kept.
    let daemon = Daemon::start(&lab, &[]);
    assert_eq!(result(&daemon, run)["verdict"], "ok");
}

#[test]
fn a_port_that_vanishes_ends_its_run_and_every_interface_says_so() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let reader = daemon.live("", "");
    let run = start(&daemon, &lab, &json!({}));
    eventually("it sends", || lab.west.counters().tx_packets > 1000);
    lab.east.delete();
    let over =
        reader.into_iter().find(|event| event.kind == "run" && event.data["state"] == "done");
    assert_eq!(over.unwrap().data["verdict"], "invalid");
    let document = result(&daemon, run);
    assert_eq!(document["verdict"], "invalid");
    let reasons = document["reasons"].to_string();
    assert!(reasons.contains("west") || reasons.contains("east"), "{reasons}");
    assert_eq!(daemon.get(&format!("/api/v1/runs/{run}")).is(200)["verdict"], "invalid");
}

#[test]
fn kill_9_leaves_nothing_behind_and_loses_nothing_finished() {
    let lab = Lab::cable();
    let mut finished = Vec::new();
    for round in 0..4_u64 {
        let daemon = Daemon::start(&lab, &["--interval", "100ms"]);
        for run in &finished {
            assert_eq!(result(&daemon, *run)["flows"][0]["rx_unique_frames"], 500);
        }
        let cut: Vec<_> = daemon.get("/api/v1/runs").is(200).as_array().unwrap().clone();
        assert_eq!(cut.iter().filter(|run| run["state"] == "failed").count() as u64, round);
        let run = start(&daemon, &lab, &json!({"frames": 500}));
        assert_eq!(daemon.ended(run)["state"], "done");
        finished.push(run);
        let endless = start(&daemon, &lab, &json!({}));
        // At another moment each time: before the first sample, and after some.
        thread::sleep(Duration::from_millis(round * 130));
        let descendants = daemon.descendants();
        assert_eq!(descendants.len(), 2, "a keeper and a worker");
        daemon.signal(libc::SIGKILL);
        assert_eq!(daemon.wait().code, None);
        eventually("its processes are gone", || {
            descendants.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
        });
        lab.assert_nothing_attached();
        let daemon = Daemon::start(&lab, &[]);
        let cut = daemon.get(&format!("/api/v1/runs/{endless}")).is(200);
        assert_eq!((&cut["state"], &cut["verdict"]), (&json!("failed"), &json!("invalid")));
        let history = format!("/api/v1/collector/flows/f/history?run={endless}");
        if round == 3 {
            let kept = daemon.get(&history).is(200);
            assert!(!kept["samples"].as_array().unwrap().is_empty(), "finished samples are kept");
        }
    }
}

#[test]
fn a_data_plane_that_dies_ends_its_runs_and_a_new_one_takes_over() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let run = start(&daemon, &lab, &json!({}));
    let worker = *daemon.descendants().last().unwrap();
    // SAFETY: it is a process of the daemon, which runs.
    assert_eq!(unsafe { libc::kill(worker as i32, libc::SIGKILL) }, 0);
    let over = daemon.ended(run);
    assert_eq!((&over["state"], &over["verdict"]), (&json!("failed"), &json!("invalid")));
    assert!(over["reason"].as_str().unwrap().contains("signal 9"), "{over}");
    assert!(
        daemon.get(&format!("/api/v1/runs/{run}/result")).is(409)["detail"]
            .as_str()
            .unwrap()
            .contains("signal 9")
    );
    let again = start(&daemon, &lab, &json!({"frames": 100}));
    assert_eq!(result(&daemon, again)["flows"][0]["rx_unique_frames"], 100);
}

#[test]
fn the_listener_has_no_privilege_left_and_its_data_plane_has() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let line = |pid: u32, name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
        for task in tasks.flatten() {
            let status = std::fs::read_to_string(task.path().join("status")).unwrap();
            let mine = status.lines().find(|line| line.starts_with(set)).unwrap();
            assert!(mine.ends_with("0000000000000000"), "{status}");
        }
    }
    assert_eq!(line(daemon.pid(), "NoNewPrivs"), "1");
    for pid in daemon.descendants() {
        assert_ne!(line(pid, "CapEff"), "0000000000000000");
    }
}

#[test]
fn a_token_is_mandatory_off_loopback_and_shows_nowhere() {
    let lab = Lab::cable();
    let store = Daemon::store(&lab).display().to_string();
    let open = ["serve", "--listen", "0.0.0.0:0", "--store", &store];
    Linerate::spawn(open).wait().exits(64).says(&["token"]);
    let token = "a-token-of-enough-octets";
    let file = lab.file("token", token.as_bytes()).display().to_string();
    let daemon = Daemon::start(&lab, &["--token-file", &file]);
    daemon.get("/api/v1/runs").is(401);
    daemon.ask("GET", "/api/v1/runs", "authorization: Bearer nonsense\r\n", b"").is(401);
    let known = format!("authorization: Bearer {token}\r\n");
    daemon.ask("GET", "/api/v1/runs", &known, b"").is(200);
    for pid in daemon.descendants().into_iter().chain([daemon.pid()]) {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&line).contains(token));
    }
    daemon.signal(libc::SIGTERM);
    let ended = daemon.wait().exits(0);
    assert!(!ended.stdout.contains(token) && !ended.stderr.contains(token), "{ended}");
}

#[test]
fn a_store_is_carried_to_another_daemon() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let set = json!({"name": "a", "spec": spec(&lab, &json!({"frames": 50}))});
    daemon.post("/api/v1/flows", &set).is(201);
    daemon.post("/api/v1/flows", &set).is(409);
    let run = start(&daemon, &lab, &json!({"frames": 50}));
    let document = result(&daemon, run);
    let archive = daemon.get("/api/v1/export").is(200);
    let other_lab = Lab::cable();
    let other = Daemon::start(&other_lab, &[]);
    other.post("/api/v1/import", &archive).is(204);
    assert_eq!(other.get("/api/v1/flows").is(200)[0]["name"], "a");
    let imported = other.get("/api/v1/runs").is(200)[0]["id"].as_u64().unwrap();
    assert_eq!(result(&other, imported), document);
    other.post("/api/v1/import", &archive).is(409);
    other.post("/api/v1/import", &json!({"schema": "x", "flow_sets": [], "runs": []})).is(422);
}

#[test]
fn a_capture_holds_every_frame_that_passed_the_port() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let east = lab.east.to_string();
    let body = json!({"port": east, "filter": "udp"});
    let id = daemon.post("/api/v1/captures", &body).is(201)["id"].as_u64().unwrap();
    let path = format!("/api/v1/captures/{id}");
    daemon.get(&format!("{path}/file")).is(409);
    let flow = one_way(&lab, 200);
    Linerate::run(&flow).exits(0);
    daemon.post(&format!("{path}/stop"), &json!({})).is(200);
    eventually("it is over", || daemon.get(&path).is(200)["active"] == false);
    let over = daemon.get(&path).is(200);
    assert_eq!(over["counts"]["written_frames"], 200, "{over}");
    let file = daemon.get(&format!("{path}/file"));
    assert_eq!(file.status, 200);
    let file = lab.file("capture.pcapng", &file.body);
    let frames = crate::testbed::command("tshark", &["-r", file.to_str().unwrap()]);
    assert_eq!(frames.lines().count(), 200, "tshark reads the same");
    assert_eq!(daemon.ask("DELETE", &path, "", b"").is(204), Value::Null);
    daemon.get(&path).is(404);
    let refused = daemon.post("/api/v1/captures", &json!({"port": east, "filter": "nonsense"}));
    assert_eq!(refused.is(422)["field"], "filter");
    assert_eq!(daemon.get("/api/v1/captures").is(200), json!([]));
    lab.assert_nothing_attached();
}

/// A flow that is sent and not received.
fn one_way(lab: &Lab, frames: u64) -> std::path::PathBuf {
    let text = crate::testbed::one_flow(&format!("rate = \"1kpps\"\nframes = {frames}"));
    lab.flow_file(&text.replace("rx = \"east\"", ""))
}
