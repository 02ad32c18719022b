//! Programs that a run over AF_XDP does not load, those of live frames, `replay` and `capture`: whether
//! this kernel's verifier takes them, and whether live frames come. Over a veth pair, for not every driver takes live frames; it is the
//! kernel that counts them.

use std::{fs, process::Stdio};

use anyhow::{Context as _, Result, ensure};

use super::{
    checks::{Bench, array, count},
    guest::load_module,
    nic::Nic,
};
use crate::shell;

const FLOWS: &str = "/run/programs.toml";
const RESULT: &str = "/run/programs.json";
const PCAP: &str = "/run/programs.pcap";
const CAPTURED: &str = "/run/programs.pcapng";
/// Of each of two flows, at a rate that a VM can do.
const FRAMES: u64 = 500;

/// One of one size, as most are, and one of three sizes with four fields that vary: the program
/// has a way of its own for either.
fn flows() -> String {
    let flow = |name: &str, size: &str, ip: &str, udp: &str| {
        format!(
            "[[flow]]\nname = \"{name}\"\ntx = \"live0\"\nrx = \"live1\"\nsize = {size}\n\
             rate = \"250pps\"\nframes = {FRAMES}\n\
             layers = [{{ eth = {{ dst = \"02:00:00:00:00:07\" }} }}, {{ ipv4 = {{ {ip} }} }}, \
             {{ udp = {{ {udp} }} }}]\n\n"
        )
    };
    let range = |first: &str, last: &str| format!("{{ range = \"{first}-{last}\" }}");
    let hosts = range("198.19.0.1", "198.19.0.254");
    flow("one", "64", &format!("src = \"198.18.0.2\", dst = {hosts}"), "src = 49184, dst = 7")
        + &flow(
            "mixed",
            "[64, 512, 1518]",
            &format!("src = {}, dst = {hosts}", range("198.18.0.1", "198.18.0.9")),
            &format!("src = {}, dst = {}", range("49152", "49160"), range("9", "12")),
        )
}

pub fn load(bench: &Bench) -> Result<()> {
    load_module(&bench.modules, "veth")?;
    let veth = ["link", "add", "live0", "type", "veth", "peer", "name", "live1"];
    shell::read(&mut shell::command("ip", &veth))?;
    let ends = ["live0", "live1"].map(|name| Nic { name: name.to_owned() });
    for end in &ends {
        end.ip(&["up"])?;
    }
    ends.iter().try_for_each(Nic::await_carrier)?;
    fs::write(FLOWS, flows())?;
    let linerate = |arguments: &[&str]| -> Result<()> {
        let mut command = shell::command(&bench.linerate.to_string_lossy(), arguments);
        shell::read(command.stdin(Stdio::null()))
            .map(drop)
            .with_context(|| format!("linerate {}", arguments[0]))
    };

    let before = ends[1].frames()?;
    linerate(&["run", FLOWS, "--backend", "live_frames", "--quiet", "--json", RESULT])?;
    let came = ends[1].frames()?.since(before).rx;
    ensure!(came == 2 * FRAMES, "{came} frames came of {}", 2 * FRAMES);
    let result: serde_json::Value = serde_json::from_str(&fs::read_to_string(RESULT)?)?;
    for row in array(&result["flows"]) {
        let (tx, unique) = (count(row, "tx_frames")?, count(row, "rx_unique_frames")?);
        ensure!(tx == FRAMES && unique == FRAMES, "{}: {tx} sent, {unique} came", row["name"]);
    }

    linerate(&["show", FLOWS, "--count", "5", "--pcap", PCAP])?;
    linerate(&["replay", PCAP, "--tx", "live0", "--rx", "live1"])?;
    linerate(&["capture", "live1", "--write", CAPTURED, "--for", "1s"])
}
