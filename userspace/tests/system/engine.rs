//! The data plane's process behind its pipes: what it counts, how it pauses, how it ends.
#![allow(unsafe_code, reason = "kill(2) has no safe face in std")]

use crate::testbed::{Lab, Linerate, die_with_the_test, eventually, much_of_the_machine};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// `linerate engine`, spoken to as the daemon does.
struct Engine {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<Value>>>,
    generation: u64,
    backend: &'static str,
}

const BACKENDS: [&str; 2] = ["af_xdp", "live_frames"];

impl Engine {
    fn start() -> Self {
        Self::sending_by("af_xdp")
    }

    fn sending_by(backend: &'static str) -> Self {
        let mut command = Command::new(Linerate::BINARY);
        command.arg("engine").stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: prctl is async-signal-safe, and nothing else happens between fork and exec.
        unsafe { command.pre_exec(die_with_the_test) };
        let mut child = command.spawn().expect("the engine");
        let lines = Arc::<Mutex<Vec<Value>>>::default();
        let (stdout, heard) = (child.stdout.take().unwrap(), Arc::clone(&lines));
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                heard.lock().unwrap().extend(serde_json::from_str(&line));
            }
        });
        Self { stdin: child.stdin.take(), child, lines, generation: 0, backend }
    }

    fn say(&mut self, id: u64, command: &Value) {
        let line = json!({"id": id, "generation": self.generation, "command": command});
        writeln!(self.stdin.as_mut().unwrap(), "{line}").expect("the engine listens");
    }

    /// The first line that `pick` takes, once it is there.
    #[track_caller]
    fn hear(&self, what: &str, pick: impl Fn(&Value) -> Option<Value>) -> Value {
        eventually(what, || self.lines.lock().unwrap().iter().any(|line| pick(line).is_some()));
        self.lines.lock().unwrap().iter().find_map(pick).unwrap()
    }

    #[track_caller]
    fn answer(&self, id: u64) -> Value {
        self.hear(&format!("answer {id}"), |line| {
            (line["answer"]["id"] == id).then(|| line["answer"]["answer"].clone())
        })
    }

    #[track_caller]
    fn result(&self, run: u64) -> Value {
        self.hear(&format!("the result of run {run}"), |line| {
            let done = &line["event"]["done"];
            (done["run"] == run).then(|| done["result"].clone())
        })
    }

    /// Starts a run of one flow; `more` are further keys of it.
    fn run(&mut self, lab: &Lab, run: u64, more: &Value, held: &[&str]) {
        let mut flow = json!({
            "name": "f", "tx": "west", "rx": "east", "rate": "10kpps", "size": 128,
            "layers": [
                {"eth": {"dst": "02:00:00:00:00:02"}},
                {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
                {"udp": {"src": 49184, "dst": 7}},
            ],
        });
        flow.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let ports =
            json!({"west": {"if": lab.west.to_string()}, "east": {"if": lab.east.to_string()}});
        let start = json!({
            "run": run, "spec": {"ports": ports, "flow": [flow]}, "held": held, "backend": self.backend,
            "interval_ns": 100_000_000, "samples": 0, "duration": null, "scale": null,
        });
        self.say(run, &json!({"start": start}));
    }
}

/// All frames that were asked for were sent and arrived. A worker that sits in the kernel keeps
/// its core by waiting there, so others that want it make it late: what is not sent by the end
/// is unsent then.
#[track_caller]
fn assert_sent(backend: &str, result: &Value, frames: u64) {
    let flow = &result["flows"][0];
    let count = |name: &str| flow[name].as_u64().unwrap();
    assert_eq!(count("rx_unique_frames") + count("unsent_frames"), frames, "{backend}: {flow:#}");
    if backend == "live_frames" {
        assert!(count("unsent_frames") < frames / 10, "{flow:#}");
    } else {
        assert_eq!(count("unsent_frames"), 0);
        assert_eq!(result["verdict"], "ok", "{:#}", result["reasons"]);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn a_run_counts_what_the_kernel_counts_and_its_snapshots_add_up() {
    let lab = Lab::cable();
    let mut engine = Engine::start();
    engine.run(&lab, 1, &json!({"frames": 6000}), &[]);
    assert!(engine.answer(1)["Ok"]["started"]["planned_ns"].as_u64() >= Some(500_000_000));
    let result = engine.result(1);
    assert_eq!(result["schema"], "linerate.run/1");
    assert_eq!(result["verdict"], "ok", "{result:#}");
    assert_eq!(result["flows"][0]["rx_unique_frames"], 6000);
    assert_eq!(lab.east.counters().rx_packets, 6000);
    let lines = engine.lines.lock().unwrap().clone();
    let snapshots: Vec<_> = lines.iter().filter_map(|line| line["event"].get("snapshot")).collect();
    assert!(snapshots.len() >= 5, "one each 100 ms: {snapshots:?}");
    let last = snapshots.last().unwrap();
    assert_eq!(last["phase"], "done");
    assert_eq!(last["flows"][0]["totals"]["rx_unique_frames"], 6000);
    let finished =
        snapshots.iter().flat_map(|shot| shot["flows"][0]["finished"].as_array().unwrap());
    let sum: u64 = finished.map(|row| row["tx_frames"].as_u64().unwrap()).sum();
    assert_eq!(sum, 6000, "every interval becomes final once");
    lab.assert_nothing_attached();
}

#[test]
fn a_paused_flow_sends_nothing_and_still_all_its_frames() {
    let _alone = much_of_the_machine();
    let ends = [json!({"duration": "1s"}), json!({"frames": 10_000})];
    for (backend, more) in
        BACKENDS.iter().flat_map(|backend| ends.iter().map(move |more| (backend, more)))
    {
        let lab = Lab::cable();
        let mut engine = Engine::sending_by(backend);
        engine.run(&lab, 1, more, &[]);
        let sent = || lab.west.counters().tx_packets;
        eventually("it sends", || sent() > 1000);
        engine.say(2, &json!({"pause": {"run": 1, "flows": []}}));
        assert_eq!(engine.answer(2)["Ok"], "done");
        thread::sleep(Duration::from_millis(150));
        let paused = sent();
        thread::sleep(Duration::from_millis(1200));
        assert_eq!(sent(), paused, "frames left while the flow was paused");
        engine.say(3, &json!({"resume": {"run": 1, "flows": ["f"]}}));
        let result = engine.result(1);
        assert_sent(backend, &result, 10_000);
        let unique = &result["flows"][0]["rx_unique_frames"];
        assert_eq!(unique, lab.east.counters().rx_packets);
    }
}

#[test]
fn a_flow_at_max_pauses_too() {
    let _alone = much_of_the_machine();
    for (backend, frames) in BACKENDS.into_iter().zip([400_000, 6_000_000]) {
        let lab = Lab::cable();
        let mut engine = Engine::sending_by(backend);
        engine.run(&lab, 1, &json!({"rate": "max", "frames": frames}), &[]);
        // A ring that is full drops what comes at "max" faster than it is taken.
        let sent = || lab.west.counters().tx_packets + lab.west.counters().tx_dropped;
        eventually("it sends", || sent() > 1000);
        engine.say(2, &json!({"pause": {"run": 1, "flows": ["f"]}}));
        thread::sleep(Duration::from_millis(150));
        let paused = sent();
        assert!(paused < frames, "it was paused too late to be of any use");
        thread::sleep(Duration::from_millis(300));
        assert_eq!(sent(), paused);
        engine.say(3, &json!({"resume": {"run": 1, "flows": []}}));
        assert_eq!(engine.result(1)["flows"][0]["tx_frames"], frames);
        assert_eq!(sent(), frames);
    }
}

#[test]
fn a_held_flow_begins_when_it_is_resumed_and_lasts_its_time() {
    let _alone = much_of_the_machine();
    for backend in BACKENDS {
        let lab = Lab::cable();
        let mut engine = Engine::sending_by(backend);
        engine.run(&lab, 1, &json!({"duration": "500ms"}), &["f"]);
        assert!(engine.answer(1)["Ok"]["started"].is_object());
        thread::sleep(Duration::from_millis(800));
        assert_eq!(lab.west.counters().tx_packets, 0, "it is held");
        engine.say(2, &json!({"resume": {"run": 1, "flows": ["f"]}}));
        let result = engine.result(1);
        assert_sent(backend, &result, 5000);
    }
}

#[test]
fn a_paused_flow_goes_on_at_the_rate_it_was_given_meanwhile() {
    let _alone = much_of_the_machine();
    for backend in BACKENDS {
        let lab = Lab::cable();
        let mut engine = Engine::sending_by(backend);
        engine.run(&lab, 1, &json!({"duration": "1s"}), &["f"]);
        engine.answer(1);
        engine.say(2, &json!({"set_rate": {"run": 1, "flow": "f", "rate": "2kpps"}}));
        assert_eq!(engine.answer(2)["Ok"], "done");
        engine.say(3, &json!({"resume": {"run": 1, "flows": []}}));
        let result = engine.result(1);
        assert_sent(backend, &result, 2000);
    }
}

#[test]
fn a_port_in_use_names_its_holder_and_a_bad_flow_its_place() {
    let lab = Lab::cable();
    let mut engine = Engine::start();
    engine.run(&lab, 1, &json!({}), &[]);
    assert!(engine.answer(1)["Ok"].is_object());
    engine.run(&lab, 2, &json!({}), &[]);
    assert_eq!(engine.answer(2)["Err"]["busy"]["holder"], json!({"run": 1}));
    engine.run(&lab, 3, &json!({"size": 20}), &[]);
    assert_eq!(engine.answer(3)["Err"]["invalid"]["place"], "flow[0].size");
    engine.say(4, &json!({"stop": {"run": 1}}));
    assert_eq!(engine.result(1)["verdict"], "ok");
    engine.run(&lab, 5, &json!({"frames": 10}), &[]);
    assert!(engine.answer(5)["Ok"].is_object(), "the ports are free again");
}

#[test]
fn a_closed_pipe_leaves_nothing_attached() {
    let lab = Lab::cable();
    let mut engine = Engine::start();
    engine.run(&lab, 1, &json!({}), &[]);
    eventually("it sends", || lab.west.counters().tx_packets > 1000);
    drop(engine.stdin.take());
    let status = engine.child.wait().unwrap();
    assert!(status.success(), "{status}");
    lab.assert_nothing_attached();
}

#[test]
fn a_worker_that_is_killed_is_told_of_and_replaced() {
    let lab = Lab::cable();
    let mut engine = Engine::start();
    engine.run(&lab, 1, &json!({}), &[]);
    engine.answer(1);
    let children = format!("/proc/{0}/task/{0}/children", engine.child.id());
    let worker = std::fs::read_to_string(children).unwrap();
    let worker: i32 = worker.trim().parse().expect("one worker");
    // SAFETY: the worker is a child of a child that runs.
    assert_eq!(unsafe { libc::kill(worker, libc::SIGKILL) }, 0);
    let restarted = engine.hear("the end", |line| line.get("restarted").cloned());
    assert!(restarted["reason"].as_str().unwrap().contains("signal 9"), "{restarted}");
    eventually("the ports are free", || lab.west.xdp().is_none() && lab.east.xdp().is_none());
    // What was meant for the dead one is not done by the next.
    engine.run(&lab, 2, &json!({"frames": 100}), &[]);
    engine.generation = restarted["generation"].as_u64().unwrap();
    engine.run(&lab, 3, &json!({"frames": 100}), &[]);
    assert_eq!(engine.result(3)["flows"][0]["rx_unique_frames"], 100);
    lab.assert_nothing_attached();
    assert!(engine.lines.lock().unwrap().iter().all(|line| line["answer"]["id"] != 2));
}
