//! Suites in the daemon: what the commands find is found over REST too.
#![cfg(feature = "serve")]

use crate::{
    suites::{assert_schema, directory, document},
    testbed::{
        Daemon, Lab, Limit, Linerate, Outcome, eventually, much_of_the_machine, with_priority,
    },
};
use serde_json::{Value, json};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// A device that loses a frame now and then, so that a search takes many trials.
const DEVICE: &str = "sim:link=100M,capacity=100kpps,buffer=100,loss=1e-5,seed=3";

pub(crate) fn simulated() -> Value {
    json!({"sizes": [64, 512], "tests": ["throughput", "loss"],
        "throughput": {"max_loss": "0.01%"},
        "topology": {"dut": DEVICE, "direction": "forward"}})
}

/// From west to east, with trials of a second and nothing around them.
pub(crate) fn real(lab: &Lab, more: &Value) -> Value {
    let mut suite = json!({
        "sizes": [128], "tests": ["throughput", "latency"],
        "ports": {"west": {"if": lab.west.to_string()}, "east": {"if": lab.east.to_string()}},
        "topology": {"pairs": [["west", "east"]], "direction": "forward"},
        "learning": {"frames": 0}, "waits": {"before": "0s", "residual": "500ms", "after": "0s"},
        "throughput": {"trial": "1s", "max_rate": "4kpps", "resolution": "100fps"},
        "latency": {"trial": "1s", "from": "0s", "repeats": 3, "at": ["50%", "throughput"]},
    });
    suite.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    suite
}

#[track_caller]
pub(crate) fn start(daemon: &Daemon, suite: &Value) -> u64 {
    let body = json!({"kind": "rfc2544", "suite": suite, "backend": "af_xdp"});
    daemon.post("/api/v1/suites", &body).is(201)["id"].as_u64().unwrap()
}

#[track_caller]
pub(crate) fn view(daemon: &Daemon, suite: u64) -> Value {
    daemon.get(&format!("/api/v1/suites/{suite}")).is(200)
}

/// The suite once it is over.
#[track_caller]
pub(crate) fn ended(daemon: &Daemon, suite: u64) -> Value {
    // A suite takes longer than most things that are waited for.
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let view = view(daemon, suite);
        if !view["ended"].is_null() {
            return view;
        }
        assert!(Instant::now() < deadline, "it is not over: {view}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
pub(crate) fn part(daemon: &Daemon, suite: u64, part: &str) -> Value {
    daemon.get(&format!("/api/v1/suites/{suite}/{part}")).is(200)
}

pub(crate) fn order(daemon: &Daemon, suite: u64, order: &str) -> crate::testbed::Answer {
    daemon.post(&format!("/api/v1/suites/{suite}/{order}"), &json!({}))
}

/// What the command finds with the same suite.
pub(crate) fn by_command(lab: &Lab, suite: &Value) -> Value {
    document(&command(lab, "rfc2544", suite).exits(0))
}

fn command(lab: &Lab, kind: &str, suite: &Value) -> Outcome {
    let file = lab.file("suite.yaml", suite.to_string().as_bytes());
    let arguments = [kind, file.to_str().unwrap(), "--json", "-", "--quiet"];
    Linerate::spawn(arguments).wait()
}

#[test]
fn a_suite_over_rest_ends_in_the_result_of_the_command_in_every_form() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let mut live = daemon.live("", "");
    let body = json!({"kind": "rfc2544", "suite": simulated(), "name": "a suite"});
    let planned = daemon.post("/api/v1/suites/validate", &body).is(200);
    assert_eq!((&planned["rows"], &planned["virtual_time"]), (&json!(["64", "512"]), &json!(true)));
    assert!(planned["expected_ns"].as_u64().unwrap() > 60_000_000_000, "{planned}");
    assert_eq!(daemon.get("/api/v1/suites").is(200), json!([]), "nothing was started");

    let head = daemon.post("/api/v1/suites", &body).is(201);
    assert_eq!((&head["name"], &head["expected_ns"]), (&json!("a suite"), &planned["expected_ns"]));
    let id = head["id"].as_u64().unwrap();
    let over = ended(&daemon, id);
    assert_eq!((&over["state"], &over["verdict"]), (&json!("done"), &json!("done")), "{over}");
    assert_eq!(over["progress"], Value::Null);

    let place = directory("rest");
    let result = part(&daemon, id, "result");
    let whole = by_command(&lab, &simulated());
    for key in ["schema", "rows", "trials", "verdict", "duration_ns", "reasons"] {
        assert_eq!(result[key], whole[key], "{key}");
    }
    fs::write(place.join("result.json"), result.to_string()).unwrap();
    assert_schema("rfc2544", &place.join("result.json"));
    assert_eq!(part(&daemon, id, "trials"), whole["trials"]);

    let form = |query: &str, kind: &str| {
        let answer = daemon.get(&format!("/api/v1/suites/{id}/report{query}"));
        assert_eq!(answer.status, 200, "{query}");
        assert!(answer.head.contains(kind), "{}", answer.head);
        String::from_utf8(answer.body).unwrap()
    };
    assert!(form("", "text/html").starts_with("<!DOCTYPE html>"));
    assert!(form("?form=junit", "application/xml").contains("<testsuites"));
    let trials = whole["trials"].as_array().unwrap().len();
    assert_eq!(form("?form=csv", "text/csv").lines().count(), trials + 1);
    assert_eq!(form("?form=csv&test=throughput", "text/csv").lines().count(), 3);
    let refused = daemon.get(&format!("/api/v1/suites/{id}/report?form=csv&test=jitter")).is(422);
    assert!(refused["detail"].as_str().unwrap().contains("throughput"), "{refused}");

    let mut seen = 0;
    let last = live.by_ref().find(|event| {
        seen += event.data["finished"].as_array().map_or(0, Vec::len);
        event.kind == "suite" && event.data["state"] == "done"
    });
    assert_eq!((seen, &last.unwrap().data["id"]), (trials, &json!(id)), "each trial is told once");
    order(&daemon, id, "stop").is(409);
    order(&daemon, id, "resume").is(409);
    let path = format!("/api/v1/suites/{id}");
    assert_eq!(daemon.ask("DELETE", &path, "", b"").is(204), Value::Null);
    daemon.get(&path).is(404);
}

#[test]
fn every_kind_of_suite_finds_over_rest_what_its_command_finds() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let goals = json!({"sizes": [64], "topology": {"dut": DEVICE, "direction": "forward"},
        "mlrsearch": {"goals": ["NDR", "PDR"]}});
    let services = json!({"topology": {"dut": "sim:link=1G,capacity=100Mbps,buffer=64",
            "direction": "forward"},
        "y1564": {"performance": "20s"},
        "service": [{"name": "voice", "size": 512, "cir": "90Mbps", "flr": "0.1%"}]});
    for (kind, suite) in [("mlrsearch", goals), ("y1564", services)] {
        let body = json!({"kind": kind, "suite": suite});
        let id = daemon.post("/api/v1/suites", &body).is(201)["id"].as_u64().unwrap();
        let over = ended(&daemon, id);
        let result = part(&daemon, id, "result");
        let whole = document(&command(&lab, kind, &suite));
        for key in ["schema", "rows", "trials", "verdict", "duration_ns"] {
            assert_eq!(result[key], whole[key], "{kind}: {key}");
        }
        assert_eq!((&over["state"], &over["verdict"]), (&json!("done"), &whole["verdict"]));
        let file = directory(&format!("rest-{kind}")).join("result.json");
        fs::write(&file, result.to_string()).unwrap();
        assert_schema(kind, &file);
        assert_eq!(part(&daemon, id, "trials"), whole["trials"]);
    }
}

#[test]
fn what_a_client_may_not_ask_is_refused_by_its_field() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let mark = lab.file("mark", b"").with_file_name("a client was here");
    let hook = json!({"before_suite": format!("touch '{}'", mark.display())});
    let refused = |more: Value, field: &str| {
        let mut suite = simulated();
        suite.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for path in ["/api/v1/suites", "/api/v1/suites/validate"] {
            let body = json!({"kind": "rfc2544", "suite": suite});
            let refused = daemon.post(path, &body).is(422);
            assert_eq!(refused["field"], field, "{refused}");
        }
    };
    refused(json!({"hooks": hook}), "suite.hooks");
    refused(json!({"flows": "/etc/passwd"}), "suite.flows");
    refused(json!({"flows": {"flow": [{"name": "f"}]}}), "suite.flows.flow[0]");
    refused(json!({"topology": {"dut": "sim:speed=1"}}), "suite.topology.dut");
    refused(json!({"sizes": [63]}), "suite.sizes[0]");
    refused(json!({"throughputs": 1}), "suite.throughputs");
    let body = json!({"kind": "rfc2544", "suite": simulated(), "flow_set": 7});
    assert_eq!(daemon.post("/api/v1/suites", &body).is(422)["field"], "flow_set");
    let body = json!({"kind": "rfc9999", "suite": simulated()});
    assert_eq!(daemon.post("/api/v1/suites", &body).is(400)["field"], "kind");
    for (method, path) in [("GET", ""), ("GET", "/trials"), ("POST", "/stop"), ("POST", "/resume")]
    {
        daemon.ask(method, &format!("/api/v1/suites/7{path}"), "", b"").is(404);
    }
    // A spec that comes by another way is no way around it.
    let mut suite = simulated();
    suite["hooks"] = hook;
    let row = json!({"id": 1, "name": "x", "kind": "rfc2544", "state": "stopped",
        "backend": "auto", "created": "2026-01-01T00:00:00Z"});
    let archive = json!({"schema": "linerate.store/1", "flow_sets": [], "runs": [],
        "suites": [{"suite": row, "spec": suite, "trials": []}]});
    daemon.post("/api/v1/import", &archive).is(204);
    assert_eq!(order(&daemon, 1, "resume").is(422)["field"], "suite.hooks");
    assert!(!mark.exists(), "a command was run");
}

#[test]
fn a_suite_and_a_run_do_not_share_a_port() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let suite = start(&daemon, &real(&lab, &json!({})));
    let flow = json!({"name": "f", "tx": "west", "rx": "east", "rate": "1kpps", "size": 128,
        "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}}, {"udp": {"src": 1, "dst": 7}}]});
    let run = json!({"spec": {"ports": real(&lab, &json!({}))["ports"], "flow": [flow]}});
    let refused = daemon.post("/api/v1/runs", &run).is(409);
    assert_eq!(refused["holder"], format!("suite {suite}"), "{refused}");
    // A simulated device is in nobody's way.
    let beside = start(&daemon, &simulated());
    assert_eq!(ended(&daemon, beside)["state"], "done");
    order(&daemon, suite, "stop").is(200);
    assert_eq!(ended(&daemon, suite)["state"], "stopped");
    let run = daemon.post("/api/v1/runs", &run).is(201)["id"].as_u64().unwrap();
    let body = json!({"kind": "rfc2544", "suite": real(&lab, &json!({}))});
    let refused = daemon.post("/api/v1/suites", &body).is(409);
    assert_eq!(refused["holder"], format!("run {run}"), "{refused}");
    assert_eq!(order(&daemon, suite, "resume").is(409)["holder"], format!("run {run}"));
    assert_eq!(view(&daemon, suite)["state"], "stopped", "it can still be resumed");
    daemon.post(&format!("/api/v1/runs/{run}/stop"), &json!({})).is(200);
}

#[test]
fn a_limiter_has_the_same_rate_over_rest_as_by_the_command() {
    const LIMIT: u32 = 10_000;
    let _machine = much_of_the_machine();
    let lab = Lab::with_limiter(Limit { pps: LIMIT, depth: 600, drop_every: 0 });
    // The machine is shared with the device: who sends must not wait for it. What it waits
    // all the same, the depth of the bucket hides.
    with_priority();
    let set = json!({"name": "load", "spec": {
        "ports": real(&lab, &json!({}))["ports"],
        "flow": [{"name": "f", "tx": "west", "rx": "east", "size": 64, "layers": [
            {"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}}, {"udp": {"src": 1, "dst": 7}}]}]}});
    let suite = real(
        &lab,
        &json!({"sizes": [64], "tests": ["throughput"],
        "throughput": {"trial": "1s", "max_rate": "12kpps", "resolution": "80fps"}}),
    );
    let daemon = Daemon::start(&lab, &[]);
    let found = |id: u64| {
        assert_eq!(ended(&daemon, id)["state"], "done");
        let result = part(&daemon, id, "result");
        let file = directory("rest-real").join("result.json");
        fs::write(&file, result.to_string()).unwrap();
        assert_schema("rfc2544", &file);
        result["rows"][0]["throughput"].clone()
    };
    let fps = |throughput: &Value| throughput["fps"].as_f64().unwrap();
    let over_rest = found(start(&daemon, &suite));
    let by_command = by_command(&lab, &suite)["rows"][0]["throughput"].clone();
    assert!((fps(&over_rest) - fps(&by_command)).abs() <= 80.0, "{over_rest} and {by_command}");
    assert_eq!(
        (&over_rest["bound"], &over_rest["limited_by"]),
        (&json!("exact"), &json!("device"))
    );
    // A stored flow set is the load of a suite.
    let id = daemon.post("/api/v1/flows", &set).is(201)["id"].as_u64().unwrap();
    let mut suite = suite;
    suite["topology"] = json!({"direction": "forward"});
    suite.as_object_mut().unwrap().remove("ports");
    let body = json!({"kind": "rfc2544", "suite": suite, "flow_set": id, "backend": "af_xdp"});
    let of_set = daemon.post("/api/v1/suites", &body).is(201)["id"].as_u64().unwrap();
    let of_set = found(of_set);
    assert!((fps(&of_set) - fps(&by_command)).abs() <= 160.0, "{of_set} and {by_command}");
    lab.assert_nothing_attached();
}

#[test]
fn suites_are_listed_in_pages_and_the_live_stream_tells_of_one_alone() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let ids: Vec<_> = (0..3).map(|_| start(&daemon, &simulated())).collect();
    for id in &ids {
        assert_eq!(ended(&daemon, *id)["state"], "done");
    }
    let page = |query: &str| -> Vec<u64> {
        let page = daemon.get(&format!("/api/v1/suites{query}")).is(200);
        page.as_array().unwrap().iter().map(|suite| suite["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(page(""), [ids[2], ids[1], ids[0]]);
    assert_eq!(page("?limit=2"), [ids[2], ids[1]]);
    assert_eq!(page(&format!("?limit=2&before={}", ids[1])), [ids[0]]);
    assert_eq!(page(&format!("?before={}", ids[0])), [0; 0]);
    for query in ["limit=0", "limit=1001", "before=9223372036854775808", "before=x"] {
        daemon.get(&format!("/api/v1/suites?{query}")).is(400);
    }

    let wanted = ids[2] + 2;
    let mut live = daemon.live(&format!("?suite={wanted}"), "");
    assert_eq!([start(&daemon, &simulated()), start(&daemon, &simulated())], [wanted - 1, wanted]);
    let mut kinds = Vec::new();
    for event in live.by_ref().filter(|event| event.kind != "missed") {
        let about = [&event.data["id"], &event.data["suite"]];
        assert!(about.contains(&&json!(wanted)), "{}: {}", event.kind, event.data);
        kinds.push(event.kind);
        if event.data["state"] == "done" {
            break;
        }
    }
    assert!(kinds.len() > 2 && kinds.contains(&"progress".to_owned()), "{kinds:?}");
}

#[test]
fn a_port_that_another_process_holds_is_refused_by_its_number() {
    let lab = Lab::cable();
    let daemon = Daemon::start(&lab, &[]);
    let flow = json!({"name": "f", "tx": "west", "rx": "east", "rate": "1kpps", "size": 128,
        "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}}, {"udp": {"src": 1, "dst": 7}}]});
    let run = json!({"ports": real(&lab, &json!({}))["ports"], "flow": [flow]});
    let file = lab.file("held.yaml", run.to_string().as_bytes());
    let holder = Linerate::spawn(["run", file.to_str().unwrap(), "--quiet"]);
    eventually("the holder sends", || lab.west.counters().tx_packets > 100);
    let process = format!("process {}", holder.pid());
    let suite = json!({"kind": "rfc2544", "suite": real(&lab, &json!({}))});
    for (path, body) in [("/api/v1/suites", suite), ("/api/v1/runs", json!({"spec": run}))] {
        let refused = daemon.post(path, &body).is(409);
        assert_eq!(refused["holder"], process, "{path}: {refused}");
    }
    assert_eq!(daemon.get("/api/v1/suites").is(200), json!([]), "what was refused is no suite");
    holder.signal(libc::SIGINT);
    holder.wait().exits(0);
}
