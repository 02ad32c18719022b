//! Inside the VM: loads the driver, brings the NICs up and runs the checks.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    Kernel,
    boot::{DONE, FAILED, PASSED, SHARED},
    checks::{self, Bench},
    nic::{MACS, Nic},
};
use crate::{setup::bpffs, shell};

/// The verb that `vm-test` starts in its VMs.
#[derive(clap::Args)]
pub struct Args {
    #[arg(long)]
    module: String,
    /// The folder that holds lib/modules
    #[arg(long)]
    modules: PathBuf,
    /// The tests of xdp-ebpf
    #[arg(long)]
    program_tests: PathBuf,
    #[arg(long)]
    kernel: Kernel,
    #[arg(long)]
    tx_mode: String,
    #[arg(long)]
    rx_mode: String,
}

pub fn main(args: &Args) {
    let bench = match prepare(args) {
        Ok(bench) => bench,
        Err(error) => {
            say(&format!("{FAILED}the NICs come up: {error:#}"));
            return say(DONE);
        }
    };
    for (name, check) in checks::ALL {
        if !bench.wanted(name) {
            continue;
        }
        match check(&bench) {
            Ok(()) => say(&format!("{PASSED}{name}")),
            Err(error) => say(&format!("{FAILED}{name}: {error:#}").replace('\n', " | ")),
        }
    }
    say(DONE);
}

/// `modules` is the folder that holds lib/modules.
pub fn load_module(modules: &Path, name: &str) -> Result<()> {
    let modprobe = shell::find_program("modprobe").context("modprobe is not installed")?;
    let mut load = shell::command(&modprobe.to_string_lossy(), &["-d"]);
    shell::read(load.arg(modules).arg(name)).map(drop)
}

/// A line to the machine outside, at once.
pub fn say(line: &str) {
    println!("{line}");
    // Nobody is left to be told of an error here.
    let _ = std::io::stdout().flush();
}

fn prepare(args: &Args) -> Result<Bench> {
    // The only frames are to be ours and ARP's.
    for scope in ["all", "default"] {
        let file = format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6");
        std::fs::write(&file, "1").with_context(|| file.clone())?;
    }
    bpffs::ensure_mounted()?;
    load_module(&args.modules, &args.module)?;
    let [west, east] = MACS.map(Nic::find);
    let bench = Bench {
        linerate: Path::new(SHARED).join("debug/linerate"),
        west: west?,
        east: east?,
        module: args.module.clone(),
        modules: args.modules.clone(),
        program_tests: args.program_tests.clone(),
        kernel: args.kernel,
        tx_mode: args.tx_mode.clone(),
        rx_mode: args.rx_mode.clone(),
    };
    for nic in [&bench.west, &bench.east] {
        // A busy machine lets the VM stand still for longer than 256 frames take to come.
        if args.module != "virtio_net" {
            nic.set_rx_ring(1024)?;
        }
        nic.ip(&["up"])?;
    }
    for nic in [&bench.west, &bench.east] {
        nic.await_carrier()?;
    }
    Ok(bench)
}
