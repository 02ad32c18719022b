//! `cargo xtask load` and `unload`: the analyser under aya instead of libbpf.
//!
//! It is loaded for no session: it watches, counts what enters the program and
//! passes every frame on.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use aya::{
    Ebpf, EbpfLoader,
    programs::{Xdp, XdpMode, links::FdLink},
};
use object::{Object as _, ObjectSection as _};

use super::{btf::Btf, build, kernel, port::Port};
use crate::{
    privilege,
    setup::{self, Tier, bpffs},
};

#[derive(clap::Args)]
pub struct Args {
    /// IFACE or IFACE@netns
    port: Port,
    /// On skbs instead of in the driver
    #[arg(long)]
    generic: bool,
}

#[derive(clap::Args)]
pub struct UnloadArgs {
    /// IFACE or IFACE@netns
    port: Port,
}

pub fn load(args: &Args) -> Result<()> {
    setup::ensure(Tier::Build)?;
    privilege::wanted("loading BPF programs")?;
    let objects = build::all()?;
    let analyser = objects.iter().find(|path| path.ends_with("analyser.bpf.o"));
    let data = fs::read(analyser.context("no analyser.bpf.c in xdp-ebpf/src/bpf")?)?;
    privilege::become_root("loading BPF programs")?;
    bpffs::ensure_mounted()?;

    let pins = args.port.pins();
    if pins.exists() {
        bail!("{} is there already; cargo xtask unload removes it", pins.display());
    }
    let link = args.port.link()?;
    let banks = if args.generic {
        std::thread::available_parallelism()?.get() as u32
    } else {
        link["num_rx_queues"].as_u64().unwrap_or(1) as u32
    };
    let config = config(&data, banks, args.generic)?;
    let mut ebpf = loader(&config, banks).load(&data).context("aya cannot load the analyser")?;
    let mode = if args.generic { XdpMode::Skb } else { XdpMode::Driver };
    kernel::in_netns(args.port.netns.as_deref(), || {
        attach_and_pin(&mut ebpf, &args.port.interface, mode, &pins)
            .inspect_err(|_| remove(&pins).unwrap_or(()))
    })?;
    println!("Attached to {} and pinned in {}", args.port.interface, pins.display());
    Ok(())
}

fn loader(config: &[u8], banks: u32) -> EbpfLoader<'_> {
    let mut loader = EbpfLoader::new();
    loader.override_global("config", config, true);
    loader.map_max_entries("ports", banks);
    // One stream of the unknown kind, in both trial banks.
    for (map, entries) in [("streams", 1), ("records", 2 * banks), ("windows", 2), ("slabs", 2)] {
        loader.map_max_entries(map, entries);
    }
    loader
}

/// `struct analyser_config` as the object's own BTF lays it out.
fn config(object: &[u8], banks: u32, generic: bool) -> Result<Vec<u8>> {
    let file = object::File::parse(object)?;
    let section = file.section_by_name(".BTF").context("the object has no BTF; build with -g")?;
    let btf = Btf::parse(section.data()?)?;
    let mut octets = vec![0; btf.size_of("analyser_config")?];
    let fields = btf.fields("analyser_config")?;
    for (name, value) in [
        ("interval_ns", 1_000_000),
        ("streams", 1),
        ("banks", banks.into()),
        ("windows", 1),
        ("slabs", 1),
        ("bank_by_cpu", generic.into()),
    ] {
        let field = fields.iter().find(|field| field.name == name);
        field
            .with_context(|| format!("analyser_config has no {name}"))?
            .write(&mut octets, value)?;
    }
    Ok(octets)
}

fn attach_and_pin(ebpf: &mut Ebpf, interface: &str, mode: XdpMode, pins: &Path) -> Result<()> {
    let program: &mut Xdp =
        ebpf.program_mut("analyser").context("the object has no program analyser")?.try_into()?;
    program.load().context("the verifier refuses the analyser")?;
    let id =
        program.attach(interface, mode).with_context(|| format!("cannot attach to {interface}"))?;
    let link: FdLink = program.take_link(id)?.try_into().context("the kernel gives no BPF link")?;
    fs::create_dir_all(pins).with_context(|| format!("cannot create {}", pins.display()))?;
    link.pin(pins.join("link"))?;
    program.pin(pins.join("program"))?;
    for (name, map) in ebpf.maps() {
        map.pin(pins.join(format!("map_{}", name.trim_start_matches('.'))))?;
    }
    Ok(())
}

pub fn unload(args: &UnloadArgs) -> Result<()> {
    privilege::become_root("unloading BPF programs")?;
    let pins = args.port.pins();
    if !pins.exists() {
        bail!("nothing is pinned in {}", pins.display());
    }
    remove(&pins)?;
    println!("Detached from {}", args.port.interface);
    Ok(())
}

/// The link first: with its last pin the program is off the port.
fn remove(pins: &Path) -> Result<()> {
    let link = pins.join("link");
    if link.exists() {
        fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    for entry in fs::read_dir(pins)? {
        fs::remove_file(entry?.path())?;
    }
    fs::remove_dir(pins).with_context(|| format!("cannot remove {}", pins.display()))?;
    // Fails while other ports have pins there.
    let _ = pins.parent().map(fs::remove_dir);
    Ok(())
}
