//! What linerate has to show on a driver. The judges are the kernel's counters of both
//! NICs, AF_PACKET, and for the modes what it says of sockets and links.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{
    Kernel,
    boot::{ASK, MODES},
    guest::say,
    nic::{Frames, Nic},
    obtained::{self, Obtained},
    programs,
};
use crate::{shell, stop};

pub struct Bench {
    pub linerate: PathBuf,
    pub west: Nic,
    pub east: Nic,
    pub module: String,
    /// The folder that holds lib/modules.
    pub modules: PathBuf,
    /// The tests of xdp-ebpf.
    pub program_tests: PathBuf,
    pub kernel: Kernel,
    pub tx_mode: String,
    pub rx_mode: String,
}

type Check = fn(&Bench) -> Result<()>;

pub const ALL: &[(&str, Check)] = &[
    (
        "every frame of both directions is counted in the mode that the kernel confirms, and settings are restored",
        both_directions,
    ),
    ("a run right after another obtains the same mode, and AF_PACKET sees its frames", restart),
    ("at rate \"max\" every frame that arrived is counted", flat_out),
    (GENERIC, generic),
    ("a link that goes down ends the run with exit code 2", carrier_loss),
    (PROGRAMS, programs::load),
];

const PROGRAMS: &str =
    "over a veth all live frames come, `respond` answers, and every other program loads";
const GENERIC: &str = "where the driver refuses native XDP, generic mode counts every frame";

const RESULT: &str = "/run/result.json";
const FLOWS: &str = "/run/flows.toml";
const CAPTURE: &str = "/run/capture.pcap";
const FRAMES: u64 = 3000;
/// ARP before and while a run; nothing else is on the wire.
const FOREIGN_MAX: u64 = 64;
const LONGEST: Duration = Duration::from_mins(1);

impl Bench {
    /// igb's native XDP refuses an MTU that its receive buffers cannot hold; no other of
    /// these drivers can be brought from native to generic mode. The verifier is asked once a
    /// kernel, where the other checks are quickest.
    pub fn wanted(&self, check: &str) -> bool {
        match check {
            GENERIC => self.module == "igb",
            PROGRAMS => self.module == "virtio_net",
            _ => true,
        }
    }

    fn nics(&self) -> [&Nic; 2] {
        [&self.west, &self.east]
    }

    fn start(&self, flow: &str) -> Result<Child> {
        let ports = format!(
            "[ports]\nwest = {{ if = \"{}\" }}\neast = {{ if = \"{}\" }}\n",
            self.west.name, self.east.name
        );
        fs::write(
            FLOWS,
            format!("{ports}\n[[flow]]\nname = \"f\"\ntx = \"west\"\nsize = 128\n{flow}\n"),
        )?;
        let _ = fs::remove_file(RESULT);
        let arguments = ["run", FLOWS, "--backend", "af_xdp", "--quiet", "--json", RESULT];
        let mut command = Command::new(&self.linerate);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().context("cannot start linerate")
    }

    fn run(&self, flow: &str) -> Result<Ran> {
        let before = [self.west.frames()?, self.east.frames()?];
        let mut run = self.start(flow)?;
        let obtained = self.while_it_runs(&mut run, before[0])?;
        let result = finish(run, 0)?;
        let gained = [self.west.frames()?.since(before[0]), self.east.frames()?.since(before[1])];
        Ok(Ran { result, gained, obtained })
    }

    /// What the kernel says of both NICs once the first frames left.
    fn while_it_runs(&self, run: &mut Child, before: Frames) -> Result<Obtained> {
        let outcome = until("frames are on their way", || {
            ensure!(run.try_wait()?.is_none(), "linerate ended before its frames came");
            Ok(self.west.frames()?.tx > before.tx + FOREIGN_MAX)
        })
        .and_then(|()| {
            let sockets = obtained::sockets(run)?;
            Ok(Obtained { sockets, xdp: [self.west.xdp_mode()?, self.east.xdp_mode()?] })
        });
        if outcome.is_err() {
            stop::end(run);
        }
        outcome
    }
}

/// A run that ended with exit code 0.
struct Ran {
    result: Value,
    /// By the counters of west and east.
    gained: [Frames; 2],
    obtained: Obtained,
}

/// The result of a run that ended with this exit code.
fn finish(child: Child, code: i32) -> Result<Value> {
    let output = ended(child)?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.code() == Some(code), "{}, not {code}: {said}", output.status);
    let text = fs::read_to_string(RESULT).with_context(|| format!("no result: {said}"))?;
    Ok(serde_json::from_str(&text)?)
}

fn both_directions(bench: &Bench) -> Result<()> {
    let before = bench.nics().map(Nic::settings);
    let ran = both_ways(bench)?;
    say(&format!("{MODES}{}", ran.obtained));
    exact(&ran, &bench.tx_mode, &bench.rx_mode)?;
    for (nic, before) in bench.nics().into_iter().zip(before) {
        let (before, after) = (before?, nic.settings()?);
        let differing: Vec<_> =
            before.lines().zip(after.lines()).filter(|(before, after)| before != after).collect();
        ensure!(before == after, "{}: not restored: {differing:?}", nic.name);
    }
    Ok(())
}

fn generic(bench: &Bench) -> Result<()> {
    for nic in bench.nics() {
        nic.ip(&["mtu", "9000"])?;
    }
    bench.nics().into_iter().try_for_each(Nic::await_carrier)?;
    let result = both_ways(bench).and_then(|ran| exact(&ran, "copy", "generic"));
    for nic in bench.nics() {
        nic.ip(&["mtu", "1500"])?;
    }
    bench.nics().into_iter().try_for_each(Nic::await_carrier)?;
    result
}

/// At a rate that a VM can do.
fn both_ways(bench: &Bench) -> Result<Ran> {
    bench.run(&format!(
        "rx = \"east\"\nbidir = true\nrate = \"1000pps\"\nframes = {FRAMES}\n{}",
        layers("auto")
    ))
}

/// Nothing is lost, and the NICs' own counters agree with each other and with linerate.
fn exact(ran: &Ran, tx_mode: &str, rx_mode: &str) -> Result<()> {
    let Ran { result, gained: [west, east], obtained } = ran;
    obtained.agrees(result, tx_mode, rx_mode)?;
    let rows = array(&result["flows"]);
    ensure!(rows.len() == 2, "{} rows for two directions", rows.len());
    for row in rows {
        books(row)?;
        let (tx, lost) = (count(row, "tx_frames")?, count(row, "lost_frames")?);
        ensure!(
            tx == FRAMES && lost == 0,
            "{}: {tx} sent, {lost} lost: {}",
            row["name"],
            row["ledger"]
        );
        ensure!(count(&row["ledger"], "matched")? == FRAMES, "the ledger: {}", row["ledger"]);
    }
    for (name, tx, rx) in [("fwd", west.tx, east.rx), ("rev", east.tx, west.rx)] {
        ensure!(tx == rx, "{name}: by the NICs, {tx} sent and {rx} received");
        let foreign = tx.checked_sub(FRAMES).context("the NIC sent less than linerate says")?;
        ensure!(foreign <= FOREIGN_MAX, "{name}: {foreign} frames beside the {FRAMES} of the test");
    }
    Ok(())
}

fn restart(bench: &Bench) -> Result<()> {
    let filter = "udp dst port 7 and dst host 198.19.0.2";
    let capture = ["-i", &bench.east.name, "-B", "16384", "-U", "-w", CAPTURE, filter];
    // It says on stderr when it listens.
    let mut tcpdump = shell::command("tcpdump", &capture).stderr(Stdio::null()).spawn()?;
    let outcome = (|| {
        until("tcpdump listens", || Ok(fs::metadata(CAPTURE).is_ok_and(|file| file.len() >= 24)))?;
        // Long enough to be looked at: nothing is waited for after the last frame.
        let flow = format!("rate = \"200pps\"\nframes = 1000\n{}", layers("02:00:00:00:00:07"));
        let ran = bench.run(&flow)?;
        ran.obtained.agrees(&ran.result, &bench.tx_mode, &bench.rx_mode)?;
        thread::sleep(Duration::from_secs(1));
        Ok(())
    })();
    stop::end(&mut tcpdump);
    outcome.and_then(|()| {
        let listing = shell::read(&mut shell::command("tcpdump", &["-nn", "-r", CAPTURE]))?;
        let seen = listing.lines().count();
        ensure!(seen == 1000, "AF_PACKET saw {seen} of 1000 frames");
        Ok(())
    })
}

fn flat_out(bench: &Bench) -> Result<()> {
    let flow = format!("rx = \"east\"\nrate = \"max\"\nduration = \"2s\"\n{}", layers("auto"));
    let Ran { result, gained: [west, east], obtained } = bench.run(&flow)?;
    obtained.agrees(&result, &bench.tx_mode, &bench.rx_mode)?;
    let row = array(&result["flows"]).first().context("no row")?;
    books(row)?;
    let (sent, received) = (count(row, "tx_frames")?, count(row, "rx_frames")?);
    for (what, linerate, nic) in [("sent", sent, west.tx), ("received", received, east.rx)] {
        let foreign = nic.checked_sub(linerate).unwrap_or(u64::MAX);
        ensure!(foreign <= FOREIGN_MAX, "{what}: {nic} by the NIC, {linerate} by linerate");
    }
    say(&format!(
        "        {} sent {} frames a second, {} of {sent} lost",
        bench.tx_mode,
        row["tx_pps"].as_f64().map_or_else(|| "?".to_owned(), |pps| format!("{pps:.0}")),
        row["lost_frames"]
    ));
    Ok(())
}

fn carrier_loss(bench: &Bench) -> Result<()> {
    let before = bench.west.frames()?;
    let flow = format!("rx = \"east\"\nrate = \"500pps\"\nduration = \"40s\"\n{}", layers("auto"));
    let mut run = bench.start(&flow)?;
    let obtained = bench.while_it_runs(&mut run, before)?;
    say(&format!("{ASK}set_link nic1 off"));
    let result = finish(run, 2);
    say(&format!("{ASK}set_link nic1 on"));
    bench.nics().into_iter().try_for_each(Nic::await_carrier)?;
    let result = result?;
    obtained.agrees(&result, &bench.tx_mode, &bench.rx_mode)?;
    ensure!(result["verdict"] == "invalid", "the verdict is {}", result["verdict"]);
    let named = |reason: &Value| {
        reason.as_str().is_some_and(|r| r.contains(&bench.east.name) && r.contains("carrier"))
    };
    ensure!(array(&result["reasons"]).iter().any(named), "the reasons are {}", result["reasons"]);
    Ok(())
}

fn layers(mac: &str) -> String {
    format!(
        "layers = [{{ eth = {{ dst = \"{mac}\" }} }}, {{ ipv4 = {{ src = \"198.18.0.2\", dst = \"198.19.0.2\" }} }}, {{ udp = {{ src = 49184, dst = 7 }} }}]"
    )
}

/// The sums that hold of every row.
fn books(row: &Value) -> Result<()> {
    let of = |name| count(row, name);
    let (tx, lost, unique) = (of("tx_frames")?, of("lost_frames")?, of("rx_unique_frames")?);
    ensure!(tx == unique + lost, "{tx} sent, {unique} received and {lost} lost");
    let (rx, duplicate) = (of("rx_frames")?, of("duplicate_frames")?);
    ensure!(rx == unique + duplicate, "{rx} received, {unique} unique and {duplicate} duplicate");
    ensure!(duplicate + of("corrupt_frames")? + of("reordered_frames")? == 0, "damage: {row}");
    Ok(())
}

pub fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn count(row: &Value, name: &str) -> Result<u64> {
    row[name].as_u64().with_context(|| format!("{name} is {}", row[name]))
}

fn ended(mut child: Child) -> Result<std::process::Output> {
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > LONGEST {
            stop::end(&mut child);
            bail!("linerate did not end within {} s", LONGEST.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(child.wait_with_output()?)
}

pub fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        ensure!(begun.elapsed() < LONGEST, "waited {} s until {what}", LONGEST.as_secs());
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
