//! `cargo xtask load` and `unload`: the analyser under aya instead of libbpf.
//!
//! It is loaded for no session: it watches, counts what enters the program and
//! passes every frame on.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use aya::{
    Ebpf, EbpfLoader,
    programs::{Program, Xdp, XdpMode, links::FdLink},
};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

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
    // One stream of the unknown kind, in both trial banks.
    for (map, entries) in [("ports", banks), ("records", 2 * banks), ("slabs", 3)] {
        loader.map_max_entries(map, entries);
    }
    loader
}

/// The object's own `struct analyser_config`, for so many banks. Where its fields are
/// is read from its BTF.
fn config(object: &[u8], banks: u32, generic: bool) -> Result<Vec<u8>> {
    let file = object::File::parse(object)?;
    let section = |name: &str| -> Result<&[u8]> {
        let section = file.section_by_name(name).with_context(|| format!("no section {name}"))?;
        Ok(section.data()?)
    };
    let btf = Btf::parse(section(".BTF")?)?;
    let symbol = file.symbol_by_name("config").context("the object has no config")?;
    let start = symbol.address() as usize;
    let end = start + btf.size_of("analyser_config")?;
    let mut octets = section(".rodata")?.get(start..end).context("config is cut off")?.to_vec();
    let fields = btf.fields("analyser_config")?;
    for (name, value) in [("banks", banks), ("bank_by_cpu", generic.into())] {
        let field = fields.iter().find(|field| field.name == name);
        let field = field.with_context(|| format!("analyser_config has no {name}"))?;
        field.write(&mut octets, value.into())?;
    }
    Ok(octets)
}

/// Lets the kernel verify an object under aya, and leaves nothing behind. aya cannot
/// load one that calls kernel functions; false then.
pub fn prove(object: &Path) -> Result<bool> {
    let data = fs::read(object)?;
    if calls_kernel(&data)? {
        return Ok(false);
    }
    let mut ebpf = EbpfLoader::new().load(&data).context("aya cannot load it")?;
    for (name, program) in ebpf.programs_mut() {
        match program {
            Program::BtfTracePoint(program) => {
                program.load(&tracepoint(&data)?, &aya::Btf::from_sys_fs()?)
            }
            program => <&mut Xdp>::try_from(program)?.load(),
        }
        .with_context(|| format!("the verifier refuses {name}"))?;
    }
    Ok(true)
}

/// The tracepoint that an object's section names, which aya does not keep.
fn tracepoint(object: &[u8]) -> Result<String> {
    let file = object::File::parse(object)?;
    file.sections()
        .find_map(|section| Some(section.name().ok()?.strip_prefix("tp_btf/")?.to_owned()))
        .context("no section tp_btf/...")
}

/// Whether anything is left for the kernel to resolve: a metadata kfunc.
fn calls_kernel(object: &[u8]) -> Result<bool> {
    let file = object::File::parse(object)?;
    Ok(file
        .symbols()
        .any(|symbol| symbol.is_undefined() && !symbol.name().unwrap_or("").is_empty()))
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
