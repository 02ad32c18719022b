//! `kill -9` at random moments, of the listener, its data plane, or all of the daemon: in the
//! middle of runs, of writes, of its start.
#![allow(unsafe_code, reason = "kill(2) has no safe face in std")]

use crate::testbed::{
    BpfObjects, Daemon, Lab, command, eventually, foreign_namespaces, lives, pins,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

#[test]
fn whatever_is_killed_nothing_finished_is_missing_and_nothing_is_left() {
    kill_in_a_loop(5);
}

/// Of a tier of its own, for it takes minutes.
#[test]
fn killed_a_hundred_times_nothing_finished_is_missing_and_nothing_is_left() {
    kill_in_a_loop(100);
}

fn kill_in_a_loop(rounds: u64) {
    let lab = Lab::cable();
    let mut random = Random::of_now();
    let mut books = Books::default();
    let before = (pins(), foreign_namespaces());
    let mut with_programs = 0;
    for round in 0..rounds {
        kill_at_start(&lab, random.below(60));
        let daemon = Daemon::start(&lab, &["--interval", "100ms"]);
        books.assert_new_kept(&daemon);
        // Each in its turn, so that a few rounds have all.
        let victim = [Victim::Listener, Victim::Worker, Victim::All, Victim::Keeper];
        let victim = victim[(round % 4) as usize];
        let moment = Duration::from_millis(random.below(1200));
        println!("round {round}: {victim:?} after {moment:?}");
        with_programs += u64::from(kill_at_work(&lab, daemon, victim, moment, &mut books));
        assert_eq!((pins(), foreign_namespaces()), before);
    }
    books.assert_kept(&Daemon::start(&lab, &[]));
    let (sets, results) = (books.sets.len(), books.results.len());
    println!("{sets} flow sets and {results} results kept; {with_programs} kills within a run");
    assert!(sets > 0 && results > 0 && with_programs > 0, "nothing was proved");
}

/// Which processes are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The one that listens, writes the store, and has started the others.
    Listener,
    /// The one that keeps the data plane's.
    Keeper,
    /// The data plane.
    Worker,
    /// All three, one after the other without waiting.
    All,
}

/// While it opens its store and starts its data plane.
fn kill_at_start(lab: &Lab, after_ms: u64) {
    for file in ["otg.crt", "otg.key"] {
        // It makes its certificate anew; what is not there need not be removed.
        let _ = std::fs::remove_file(lab.directory().join(file));
    }
    let daemon = Daemon::spawn(lab, &[]);
    thread::sleep(Duration::from_millis(after_ms));
    let family = daemon.family();
    daemon.signal(libc::SIGKILL);
    daemon.wait();
    eventually("it is gone", || !family.iter().any(|pid| lives(*pid)));
}

/// Whether it held BPF programs then: whether a run went on.
fn kill_at_work(
    lab: &Lab,
    daemon: Daemon,
    victim: Victim,
    moment: Duration,
    books: &mut Books,
) -> bool {
    let stop = AtomicBool::new(false);
    let mut family = daemon.family();
    assert_eq!(family.len(), 3, "a listener, a keeper and a worker");
    let held = thread::scope(|scope| {
        let sets = scope.spawn(|| write_sets(&daemon, &stop));
        let results = scope.spawn(|| make_runs(&daemon, lab, &stop));
        thread::sleep(moment);
        if victim == Victim::Worker {
            eventually("a run goes on", || lab.east.xdp().is_some());
        }
        let held = BpfObjects::of(&family);
        let victims = match victim {
            Victim::Listener => &family[..1],
            Victim::Keeper => &family[1..2],
            Victim::Worker => &family[2..],
            Victim::All => &family[..],
        };
        for pid in victims {
            // SAFETY: processes of this test's daemon, alive until now.
            assert_eq!(unsafe { libc::kill(*pid as i32, libc::SIGKILL) }, 0);
        }
        stop.store(true, Relaxed);
        books.sets.extend(sets.join().expect("the writer of flow sets"));
        books.results.extend(results.join().expect("the starter of runs"));
        held
    });
    match victim {
        Victim::Listener | Victim::All => drop(daemon.wait()),
        Victim::Worker => {
            // The listener lives, and has a new data plane.
            eventually("a run after the kill", || run(&daemon, lab, 50, books));
            family = daemon.family();
            daemon.signal(libc::SIGKILL);
            daemon.wait();
        }
        Victim::Keeper => {
            eventually("it says that it cannot send", || daemon.get("/api/v1/ready").status == 503);
            assert_eq!(daemon.get("/api/v1/runs").status, 200, "what is kept can be read");
            daemon.signal(libc::SIGTERM);
            daemon.wait().exits(0);
        }
    }
    eventually("its processes are gone", || !family.iter().any(|pid| lives(*pid)));
    // The kernel frees maps and sockets a little after their last holder.
    let mut left = Vec::new();
    eventually(&format!("the kernel let go of all ({held:?})"), || {
        left = [held.left(), lab.left_on_ports()].concat();
        left.is_empty()
    });
    assert_store_is_whole(lab);
    held.has_programs()
}

/// Stores and changes flow sets until told to stop, or nobody answers. All that a set may be.
fn write_sets(daemon: &Daemon, stop: &AtomicBool) -> BTreeMap<u64, Vec<Value>> {
    let mut sets = BTreeMap::new();
    let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    for number in 0.. {
        if stop.load(Relaxed) {
            break;
        }
        let first = json!({"name": format!("{unique}-{number}"), "spec": flows_of_a_set(40)});
        let Some(answer) = daemon.try_post("/api/v1/flows", &first) else { break };
        let id = answer.is(201)["id"].as_u64().unwrap();
        let second = json!({"name": first["name"], "spec": flows_of_a_set(60)});
        let path = format!("/api/v1/flows/{id}");
        let head = "content-type: application/json\r\n";
        let changed = daemon.try_ask("PUT", &path, head, second.to_string().as_bytes());
        // Without an answer it may be either.
        let first = changed.is_none().then_some(first);
        sets.insert(id, first.into_iter().chain([second]).collect());
    }
    sets
}

fn flows_of_a_set(flows: u32) -> Value {
    let flow = |number| {
        json!({"name": format!("f{number}"), "tx": "west", "rx": "east", "rate": "1kpps",
            "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
                {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
                {"udp": {"src": 49184, "dst": number}}]})
    };
    let ports = json!({"west": {"if": "w0"}, "east": {"if": "e0"}});
    json!({"ports": ports, "flow": (1..=flows).map(flow).collect::<Vec<_>>()})
}

/// Starts one run after the other until told to stop, or nobody answers. Results that were seen.
fn make_runs(daemon: &Daemon, lab: &Lab, stop: &AtomicBool) -> BTreeMap<u64, Value> {
    let mut books = Books::default();
    for frames in [100, 2000, 15_000].into_iter().cycle() {
        if stop.load(Relaxed) || !run(daemon, lab, frames, &mut books) {
            break;
        }
    }
    books.results
}

/// One run to its end; whether it came to a result that was seen.
fn run(daemon: &Daemon, lab: &Lab, frames: u64, books: &mut Books) -> bool {
    let spec = json!({
        "ports": {"west": {"if": lab.west.to_string()}, "east": {"if": lab.east.to_string()}},
        "flow": [{"name": "f", "tx": "west", "rx": "east", "rate": "10kpps", "size": 128,
            "frames": frames, "layers": [{"eth": {"dst": "02:00:00:00:00:02"}},
            {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
            {"udp": {"src": 49184, "dst": 7}}]}],
    });
    let body = json!({"spec": spec, "backend": "af_xdp"});
    let started = daemon.try_post("/api/v1/runs", &body).filter(|answer| answer.status == 201);
    let Some(id) = started.map(|answer| answer.json()["id"].as_u64().unwrap()) else {
        return false;
    };
    loop {
        let Some(run) = daemon.try_get(&format!("/api/v1/runs/{id}")) else { return false };
        match run.is(200)["state"].as_str().unwrap() {
            "failed" => return false,
            "done" => break,
            _ => thread::sleep(Duration::from_millis(5)),
        }
    }
    let Some(result) = daemon.try_get(&format!("/api/v1/runs/{id}/result")) else { return false };
    let result = result.is(200);
    assert_eq!(result["flows"][0]["rx_unique_frames"], frames, "{:#}", result["reasons"]);
    books.results.insert(id, result);
    true
}

/// What clients were told is kept.
#[derive(Debug, Default)]
struct Books {
    /// What a flow set may be, by its number.
    sets: BTreeMap<u64, Vec<Value>>,
    results: BTreeMap<u64, Value>,
    /// Flow sets up to this number were asked for after a kill.
    checked: u64,
}

impl Books {
    #[track_caller]
    fn assert_kept(&mut self, daemon: &Daemon) {
        for id in self.sets.keys().copied().collect::<Vec<_>>() {
            self.assert_set_kept(id, daemon);
        }
        self.assert_runs_kept(daemon);
    }

    /// Flow sets that no daemon was asked for yet, and all results.
    #[track_caller]
    fn assert_new_kept(&mut self, daemon: &Daemon) {
        let checked = self.checked;
        for id in self.sets.keys().copied().filter(|id| *id > checked).collect::<Vec<_>>() {
            self.assert_set_kept(id, daemon);
            self.checked = id;
        }
        self.assert_runs_kept(daemon);
    }

    #[track_caller]
    fn assert_set_kept(&mut self, id: u64, daemon: &Daemon) {
        if let Some(allowed) = self.sets.get_mut(&id) {
            let kept = daemon.get(&format!("/api/v1/flows/{id}")).is(200);
            let kept = json!({"name": kept["name"], "spec": kept["spec"]});
            assert!(allowed.contains(&kept), "flow set {id} is {kept}");
            *allowed = vec![kept];
        }
    }

    #[track_caller]
    fn assert_runs_kept(&self, daemon: &Daemon) {
        for (id, result) in &self.results {
            assert_eq!(daemon.get(&format!("/api/v1/runs/{id}/result")).is(200), *result);
        }
        // What was cut off is over too, and says that it has no result.
        let runs = daemon.get("/api/v1/runs?limit=1000").is(200);
        for run in runs.as_array().unwrap() {
            let done = self.results.contains_key(&run["id"].as_u64().unwrap());
            assert!(run["state"] == "done" || !done && run["state"] == "failed", "{run}");
        }
    }
}

/// By another SQLite than the daemon's, on a copy: to open it is to recover it.
fn assert_store_is_whole(lab: &Lab) {
    const CHECK: &str = "import sqlite3, sys\n\
        store = sqlite3.connect(sys.argv[1])\n\
        print(store.execute('pragma integrity_check').fetchall())\n\
        print(store.execute('pragma foreign_key_check').fetchall())\n";
    let copy = lab.directory().join("copy.db");
    for end in ["", "-wal"] {
        let part = |path: &std::path::Path| format!("{}{end}", path.display());
        let octets = std::fs::read(part(&Daemon::store(lab))).unwrap_or_default();
        std::fs::write(part(&copy), octets).unwrap();
    }
    let said = command("/usr/bin/python3", &["-c", CHECK, copy.to_str().unwrap()]);
    assert_eq!(said, "[('ok',)]\n[]\n");
    for end in ["", "-wal", "-shm"] {
        // What is not there is removed already.
        let _ = std::fs::remove_file(format!("{}{end}", copy.display()));
    }
}

/// Moments that differ from run to run; the seed is told.
struct Random(u64);

impl Random {
    fn of_now() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        println!("seed {seed}");
        Self(seed)
    }

    /// A linear congruential generator (Knuth, MMIX): good enough for moments.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
