//! `cargo xtask bench --serve`: does a daemon that is asked much send less?

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Args, folder::Folder, machine::Machine, peers, record::Outcome};
use crate::{lab::OwnLab, privilege::Privilege, stop};

mod daemon;
mod http;
mod load;
mod report;

use daemon::Daemon;
use http::Client;
use load::{Counts, Load};
use report::{Case, Report, Round};

/// Flows of the run.
const FLOWS: usize = 10_000;
/// Before each window: a load begins to weigh, or has ceased to.
const SETTLE: Duration = Duration::from_secs(2);

pub fn main(args: &Args) -> Result<()> {
    let linerate = peers::binary(args, "the daemon under load", None)?;
    let machine = Machine::this();
    let busy = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let bench = Bench::up(&linerate)?;
    let before = bench.daemon.memory()?;
    let counts = Counts::default();
    let mut cases = Vec::new();
    let fastest = bench.case("as fast as it goes", "max", args, &counts)?;
    let half = fastest.median(|round| round.quiet_fps) / 2.0 / FLOWS as f64;
    cases.push(fastest);
    let rate = format!("{}pps", half.floor());
    cases.push(bench.case("paced, at half of that", &rate, args, &counts)?);
    thread::sleep(SETTLE);
    let after = bench.daemon.memory()?;
    let report = Report {
        cases,
        counts,
        before,
        after,
        busy: busy.split(' ').next().unwrap_or_default().to_owned(),
        window: args.window,
        machine,
    };
    let outcome = Outcome {
        name: "serve",
        table: report.table(),
        json: report.json(),
        svg: report.svg(),
        machine: report.machine.line(),
    };
    print!("\n{}\n\n{}", report.machine.line(), outcome.table);
    args.write(&outcome)
}

struct Bench {
    daemon: Daemon,
    own: OwnLab,
    _folder: Folder,
    upload: String,
}

impl Bench {
    fn up(linerate: &std::path::Path) -> Result<Self> {
        let folder = Folder::create("serve")?;
        Ok(Self {
            own: OwnLab::up("serve", 1, Privilege::Root)?,
            daemon: Daemon::start(linerate, &folder.0)?,
            _folder: folder,
            upload: load::large_set(load::UPLOAD_MIB << 20),
        })
    }

    /// One endless run, in which windows with and without load take turns.
    fn case(&self, name: &'static str, rate: &str, args: &Args, counts: &Counts) -> Result<Case> {
        println!("{name}: {FLOWS} flows, rate = {rate:?} each");
        let mut client = Client::connect(self.daemon.address)?;
        let run = self.start(&mut client, rate)?;
        thread::sleep(SETTLE);
        let senders = self.daemon.senders_cpus()?;
        let all = 0..thread::available_parallelism()?.get();
        let mut load = Load {
            address: self.daemon.address,
            cpus: all.filter(|cpu| !senders.contains(cpu)).collect(),
        };
        if senders.is_empty() {
            load.cpus.clear();
        }
        let window = Duration::from_secs(args.window);
        let mut rounds = Vec::new();
        for round in 0..args.rounds {
            stop::check()?;
            let quiet = || self.sent_fps(window);
            let loaded = || load.during(counts, &self.upload, || self.sent_fps(window));
            // In turn, so that a machine that slows down wrongs neither.
            let (quiet_fps, loaded_fps) = if round % 2 == 0 {
                let quiet = quiet()?;
                (quiet, loaded()?)
            } else {
                let loaded = loaded()?;
                (quiet()?, loaded)
            };
            println!("  {quiet_fps:>10.0} frames/s, under load {loaded_fps:>10.0}");
            rounds.push(Round { quiet_fps, loaded_fps });
        }
        // The connection may have been idle for too long.
        let mut client = Client::connect(self.daemon.address)?;
        client.ask("POST", &format!("/api/v1/runs/{run}/stop"), b"")?.is(200)?;
        let result = Self::result(&mut client, run)?;
        Ok(Case { name, rate: rate.to_owned(), rounds, senders, result })
    }

    fn start(&self, client: &mut Client, rate: &str) -> Result<u64> {
        let (west, east) = (self.own.lab.west.port(), self.own.lab.east.port());
        let body = json!({"backend": "af_xdp", "spec": {
            "ports": {"west": {"if": west}, "east": {"if": east}},
            "flow": [{"name": "f{i}", "repeat": FLOWS, "tx": "west", "rx": "east", "rate": rate,
                "size": 64, "layers": [{"eth": {"dst": "02:00:00:00:57:02"}},
                    {"ipv4": {"src": "198.18.1.2", "dst": "198.19.1.2"}},
                    {"udp": {"src": 49184, "dst": 7}}]}]}});
        let run = client.ask("POST", "/api/v1/runs", body.to_string().as_bytes())?.is(201)?;
        run.json()?["id"].as_u64().context("a run has no number")
    }

    /// Frames a second that arrived at the far end, by the kernel's counter.
    fn sent_fps(&self, window: Duration) -> Result<f64> {
        thread::sleep(SETTLE);
        let (before, started) = (self.received()?, Instant::now());
        thread::sleep(window);
        let (after, elapsed) = (self.received()?, started.elapsed());
        Ok((after - before) as f64 / elapsed.as_secs_f64())
    }

    fn received(&self) -> Result<u64> {
        let link = self.own.lab.link(&self.own.lab.east)?;
        link["stats64"]["rx"]["packets"].as_u64().context("no rx packets in ip's JSON")
    }

    fn result(client: &mut Client, run: u64) -> Result<Value> {
        let path = format!("/api/v1/runs/{run}/result");
        for _ in 0..600 {
            stop::check()?;
            let answer = client.get(&path)?;
            if answer.status == 200 {
                return answer.json();
            }
            thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("the run has no result within a minute")
    }
}
