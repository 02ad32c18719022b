//! `cargo xtask demo`: the main job, from nothing to a verdict.
//!
//! Set up, build, make a lab, find the rate that its port can reach, send millions
//! of tagged frames at half of it, and hold the books against each other and
//! against the kernel's own counters.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{
    lab::OwnLab,
    privilege::{self, Privilege},
    setup::{self, Tier},
    stop, web, workspace,
};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tagged frames of the main job
    #[arg(long, default_value_t = FRAMES)]
    frames: u64,
}

const FRAMES: u64 = 5_000_000;

impl Default for Args {
    fn default() -> Self {
        Self { frames: FRAMES }
    }
}

pub fn main(args: &Args) -> Result<()> {
    stop::catch_signals()?;
    setup::ensure(Tier::Build)?;
    web::build_where_node_is()?;
    run(args)
}

/// The demo on a machine that is set up.
pub fn run(args: &Args) -> Result<()> {
    let privilege = privilege::wanted("the demo sends raw frames between namespaces, which")?;
    let linerate = workspace::release_binary()?;
    let own = OwnLab::up("demo", 1, privilege)?;
    let job = Job { own: &own, linerate: &linerate, privilege, folder: Folder::new()? };

    println!("\nHow fast is this port? A short run at rate \"max\":");
    let ceiling = job.run("ceiling", "rate = \"max\"\nduration = \"3s\"", &["--quiet"])?;
    let fps = ceiling_fps(&ceiling)?;
    println!("{fps} frames per second.");

    let rate = (fps / 2).max(1);
    println!("\nThe main job: {} frames at half of that, {rate} pps:\n", args.frames);
    let before = job.kernel_counters()?;
    let amount = format!("rate = \"{rate}pps\"\nframes = {}", args.frames);
    let result = job.run("main", &amount, &[])?;
    let kernel = job.kernel_counters()?.since(&before);

    let books = books(&result)?;
    println!();
    for line in accounts(&books, &kernel, args.frames)? {
        println!("{line}");
    }
    let lost: u64 = books.iter().map(|flow| flow.lost).sum();
    println!(
        "\nEvery one of {} frames is accounted for: {lost} lost, verdict {}.",
        args.frames,
        result["verdict"].as_str().unwrap_or("?"),
    );
    ensure!(lost == 0, "{lost} frames were lost on an idle lab at half its rate");
    Ok(())
}

struct Job<'a> {
    own: &'a OwnLab,
    linerate: &'a Path,
    privilege: Privilege,
    folder: Folder,
}

impl Job<'_> {
    /// One run of linerate on the lab; the result it wrote.
    fn run(&self, name: &str, amount: &str, flags: &[&str]) -> Result<Value> {
        let file = self.folder.0.join(format!("{name}.toml"));
        let json = self.folder.0.join(format!("{name}.json"));
        let lab = &self.own.lab;
        fs::write(&file, flow_file(&lab.west.port(), &lab.east.port(), amount))?;
        let program = self.linerate.to_string_lossy();
        let mut command = self.privilege.command(&program, &["run"]);
        // Half of what AF_XDP carries is far below what a shared machine can bear.
        command.arg(&file).args(["--backend", "af_xdp", "--json"]).arg(&json).args(flags);
        let status = stop::run_within(&mut command, Duration::from_mins(5))?;
        ensure!(status.success(), "linerate ended with {status}");
        let text = fs::read_to_string(&json).context("linerate wrote no JSON")?;
        serde_json::from_str(&text).context("linerate's JSON")
    }

    fn kernel_counters(&self) -> Result<Kernel> {
        let packets = |end, way: &str| -> Result<u64> {
            let link = self.own.lab.link(end)?;
            link["stats64"][way]["packets"].as_u64().context("no counter in ip's JSON")
        };
        let lab = &self.own.lab;
        Ok(Kernel { sent: packets(&lab.west, "tx")?, received: packets(&lab.east, "rx")? })
    }
}

/// The tag and two changing fields in every frame, the smallest size that holds them.
pub fn flow_file(tx: &str, rx: &str, amount: &str) -> String {
    format!(
        r#"[[flow]]
name = "main"
tx = "{tx}"
rx = "{rx}"
size = 64
{amount}
layers = [
  {{eth = {{dst = "auto"}}}},
  {{ipv4 = {{src = {{range = "198.18.1.2-198.18.1.254"}}, dst = "198.19.1.2"}}}},
  {{udp = {{src = {{range = "49152-65535"}}, dst = 7}}}},
]
"#
    )
}

/// What came through at rate "max": sending faster than receiving is no rate reached.
fn ceiling_fps(result: &Value) -> Result<u64> {
    let flow = &result["flows"][0];
    let rate = |key: &str| flow[key].as_f64().with_context(|| format!("no {key} in the result"));
    let fps = rate("tx_pps")?.min(rate("rx_pps")?);
    ensure!(fps > 0.0, "nothing came through");
    Ok(fps as u64)
}

/// The kernel's frame counters of the two ports.
#[derive(Debug)]
struct Kernel {
    sent: u64,
    received: u64,
}

impl Kernel {
    fn since(&self, before: &Self) -> Self {
        Self { sent: self.sent - before.sent, received: self.received - before.received }
    }
}

/// The counts of one flow that must agree.
#[derive(Debug, Default, Clone)]
struct Flow {
    name: String,
    requested: u64,
    unsent: u64,
    tx: u64,
    rx: u64,
    unique: u64,
    lost: u64,
    duplicate: u64,
    elsewhere: u64,
}

fn books(result: &Value) -> Result<Vec<Flow>> {
    let flows = result["flows"].as_array().context("no flows in the result")?;
    flows.iter().map(book).collect()
}

fn book(flow: &Value) -> Result<Flow> {
    let name = flow["name"].as_str().unwrap_or("?").to_owned();
    let count = |key: &str| {
        flow[key].as_u64().with_context(|| format!("flow {name}: {key} was not measured"))
    };
    let apart = ["corrupt", "late", "misdirected", "stale"];
    let elsewhere =
        apart.iter().map(|kind| count(&format!("{kind}_frames"))).sum::<Result<u64>>()?;
    Ok(Flow {
        requested: count("requested_frames")?,
        unsent: count("unsent_frames")?,
        tx: count("tx_frames")?,
        rx: count("rx_frames")?,
        unique: count("rx_unique_frames")?,
        lost: count("lost_frames")?,
        duplicate: count("duplicate_frames")?,
        elsewhere,
        name: name.clone(),
    })
}

/// Holds every account against its counterpart; an error names the one that is off.
fn accounts(flows: &[Flow], kernel: &Kernel, frames: u64) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut equal = |what: String, left: u64, right: u64| {
        ensure!(left == right, "{what}: {left} is not {right}");
        lines.push(format!("{what}: {left}"));
        Ok(())
    };
    for flow in flows {
        let name = &flow.name;
        equal(format!("{name}: requested = asked for"), flow.requested, frames)?;
        equal(format!("{name}: requested = tx + unsent"), flow.requested, flow.tx + flow.unsent)?;
        equal(format!("{name}: tx = rx unique + lost"), flow.tx, flow.unique + flow.lost)?;
        equal(
            format!("{name}: rx = rx unique + duplicate"),
            flow.rx,
            flow.unique + flow.duplicate,
        )?;
        equal(format!("{name}: corrupt, late, misdirected, stale"), flow.elsewhere, 0)?;
    }
    if flows.is_empty() {
        bail!("the result has no flow");
    }
    // The kernel also counts what is not ours: ARP, neighbour and router discovery.
    let ours: u64 = flows.iter().map(|flow| flow.tx).sum();
    let arrived: u64 = flows.iter().map(|flow| flow.rx + flow.elsewhere).sum();
    for (what, kernel, ours) in
        [("sent", kernel.sent, ours), ("received", kernel.received, arrived)]
    {
        let foreign = kernel.checked_sub(ours);
        let foreign = foreign.filter(|foreign| *foreign < 1000);
        let foreign = foreign.with_context(|| {
            format!("the kernel counted {kernel} frames {what}, linerate {ours}")
        })?;
        lines.push(format!(
            "kernel's own counter, {what}: {kernel}, of which {foreign} are not test frames"
        ));
    }
    Ok(lines)
}

/// A folder of our own that goes away with us.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("linerate-demo-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What root wrote in it, root owns; the folder is ours and so are its entries.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow {
            name: "main".into(),
            requested: 100,
            unsent: 1,
            tx: 99,
            rx: 98,
            unique: 97,
            lost: 2,
            duplicate: 1,
            elsewhere: 0,
        }
    }

    const KERNEL: Kernel = Kernel { sent: 101, received: 104 };

    #[test]
    fn books_that_agree_pass() {
        let lines = accounts(&[flow()], &KERNEL, 100).unwrap();
        assert!(lines.last().unwrap().ends_with("received: 104, of which 6 are not test frames"));
    }

    #[test]
    fn each_account_that_is_off_is_named() {
        let off = |change: fn(&mut Flow), kernel: &Kernel| {
            let mut flow = flow();
            change(&mut flow);
            accounts(&[flow], kernel, 100).unwrap_err().to_string()
        };
        assert!(off(|f| f.requested = 101, &KERNEL).contains("asked for"));
        assert!(off(|f| f.unsent = 0, &KERNEL).contains("tx + unsent"));
        assert!(off(|f| f.lost = 3, &KERNEL).contains("unique + lost"));
        assert!(off(|f| f.duplicate = 0, &KERNEL).contains("unique + duplicate"));
        assert!(off(|f| f.elsewhere = 1, &KERNEL).contains("corrupt"));
        let few = Kernel { sent: 98, received: 104 };
        assert!(off(|_| (), &few).contains("the kernel counted 98 frames sent, linerate 99"));
        let many = Kernel { sent: 99, received: 5000 };
        assert!(off(|_| (), &many).contains("the kernel counted 5000 frames received"));
    }

    #[test]
    fn a_count_that_was_not_measured_is_an_error_and_not_zero() {
        let result = serde_json::json!({"flows": [{"name": "a", "tx_frames": null}]});
        assert!(books(&result).unwrap_err().to_string().contains("flow a"));
    }

    #[test]
    fn the_ceiling_is_what_came_through() {
        let result = serde_json::json!({"flows": [{"tx_pps": 1000.5, "rx_pps": 900.9}]});
        assert_eq!(ceiling_fps(&result).unwrap(), 900);
    }
}
