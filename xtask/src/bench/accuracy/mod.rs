//! `cargo xtask bench --accuracy`: is the rate the one that was asked for, how evenly do
//! frames come, and what does the tester itself add to a latency?

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Args, folder::Folder, machine::Machine, peers, record::Outcome};
use crate::{lab::OwnLab, privilege::Privilege, shell, stop};

mod report;
mod stamps;

use report::{Report, Row};
use stamps::Spacing;

/// Frames a second, and shares of what "max" reached.
const RATES: [u64; 4] = [1_000, 10_000, 50_000, 100_000];
const SHARES: [f64; 3] = [0.2, 0.5, 0.8];

pub fn main(args: &Args) -> Result<()> {
    let linerate = peers::binary(args, "the accuracy report", None)?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let bench = Bench {
        own: OwnLab::up("accuracy", 1, Privilege::Root)?,
        folder: Folder::create("accuracy")?,
        linerate,
    };
    let ceiling = bench.run("max", 2)?;
    let ceiling_fps = ceiling["flows"][0]["tx_pps"].as_f64().context("no ceiling")?;
    println!("ceiling: {ceiling_fps:.0} frames/s");
    let mut rates = RATES.to_vec();
    rates.extend(SHARES.map(|share| (share * ceiling_fps) as u64 / 1000 * 1000));
    rates.retain(|&rate| rate as f64 <= 0.8 * ceiling_fps);
    rates.sort_unstable();
    rates.dedup();
    let mut rows = Vec::new();
    for rate in rates {
        stop::check()?;
        let row = bench.measure(rate, args.seconds)?;
        println!("{rate} frames/s: {} sent", row.sent);
        rows.push(row);
    }
    println!("calibration of the veth pair");
    let calibrations = bench.calibrate()?;
    let machine = Machine::this();
    let report = Report { rows, ceiling_fps, calibrations, seconds: args.seconds, load, machine };
    let outcome = Outcome {
        name: "accuracy",
        table: report.table(),
        json: report.json(),
        svg: report.svg(),
        machine: report.machine.line(),
    };
    print!("\n{}\n\n{}", report.machine.line(), outcome.table);
    args.write(&outcome)
}

struct Bench {
    own: OwnLab,
    folder: Folder,
    linerate: PathBuf,
}

impl Bench {
    /// Transmit only: so the receiver is free for a witness.
    fn run(&self, rate: &str, seconds: u64) -> Result<Value> {
        let west = &self.own.lab.west;
        let flow = format!(
            "[[flow]]\nname = \"accuracy\"\ntx = \"{}\"\nsize = 64\nrate = \"{rate}\"\n\
             duration = \"{seconds}s\"\nlayers = [\n  {{eth = {{dst = \"02:00:00:00:57:02\"}}}},\n  \
             {{ipv4 = {{src = \"198.18.1.2\", dst = \"198.19.1.2\"}}}},\n  \
             {{udp = {{src = {{range = \"49152-65535\"}}, dst = 7}}}},\n]\n",
            west.port()
        );
        let file = self.folder.0.join("flow.toml");
        fs::write(&file, flow)?;
        let mut command = Command::new(&self.linerate);
        command.arg("run").arg(file).args(["--json", "-", "--quiet"]).stdin(Stdio::null());
        serde_json::from_str(&shell::read(&mut command)?).context("linerate's JSON")
    }

    fn measure(&self, rate: u64, seconds: u64) -> Result<Row> {
        let witness = Witness::start(&self.own.lab.east.netns, &self.folder.0)?;
        let before = self.received()?;
        let run = self.run(&format!("{rate}pps"), seconds)?;
        let received = self.received()? - before;
        let arrivals = witness.stop()?;
        let flow = &run["flows"][0];
        let count = |key: &str| flow[key].as_u64().with_context(|| format!("no {key}"));
        let sent = count("tx_frames")?;
        // A witness that missed frames would see gaps that were none.
        let whole = arrivals.len() as u64 == sent;
        let missed = sent.saturating_sub(arrivals.len() as u64);
        let even_ns = 1e9 / rate as f64;
        Ok(Row {
            rate,
            requested: count("requested_frames")?,
            sent,
            received,
            own_pps: flow["tx_pps"].as_f64(),
            own_gap: flow["tx_gap_ns"].clone(),
            witness_missed: missed,
            spacing: Spacing::of(&arrivals, even_ns).filter(|_| whole),
        })
    }

    /// Frames that the kernel counted at the receiver.
    fn received(&self) -> Result<u64> {
        let link = self.own.lab.link(&self.own.lab.east)?;
        link["stats64"]["rx"]["packets"].as_u64().context("no rx packets in ip's JSON")
    }

    fn calibrate(&self) -> Result<Value> {
        let lab = &self.own.lab;
        let mut command = Command::new(&self.linerate);
        command.args(["calibrate", &lab.west.port(), &lab.east.port(), "--json", "-"]);
        // Of this pair nothing is to be kept.
        command.env("XDG_STATE_HOME", &self.folder.0).stdin(Stdio::null());
        let output = shell::output(&mut command)?;
        let document: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok(document["calibrations"].clone())
    }
}

/// tcpdump at the receiver; ended when dropped.
struct Witness {
    child: Child,
    file: PathBuf,
}

impl Witness {
    fn start(netns: &str, folder: &Path) -> Result<Self> {
        let (file, log) = (folder.join("witness.pcap"), folder.join("witness.log"));
        let _ = fs::remove_file(&file);
        let path = file.to_string_lossy().into_owned();
        let child = shell::command("ip", &["netns", "exec", netns, "tcpdump"])
            .args(["-i", "east", "-n", "-s", "64", "-B", "262144", "--time-stamp-precision=nano"])
            .args(["-Z", "root", "-w", &path, "udp", "dst", "port", "7"])
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start tcpdump: cargo xtask setup --tier test")?;
        let witness = Self { child, file };
        let start = Instant::now();
        while !fs::read_to_string(&log)?.contains("listening on") {
            if start.elapsed() > Duration::from_secs(10) {
                bail!("tcpdump does not listen: {}", fs::read_to_string(&log)?);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(witness)
    }

    fn stop(mut self) -> Result<Vec<u64>> {
        // What is still in the socket's ring is read by then.
        thread::sleep(Duration::from_millis(1500));
        self.end(Signal::INT);
        self.child.wait()?;
        stamps::arrivals_ns(&fs::read(&self.file)?)
    }

    fn end(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}
