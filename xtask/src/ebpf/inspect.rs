//! `cargo xtask inspect`: analysers in the kernel, whoever loaded them.

use std::os::fd::{AsFd as _, AsRawFd as _};

use anyhow::{Context as _, Result, bail};
use aya::{
    maps::MapInfo,
    programs::{ProgramInfo, loaded_links, loaded_programs},
};

use super::{
    btf::{Btf, Field},
    kernel,
    port::Port,
};
use crate::privilege;

#[derive(clap::Args)]
pub struct Args {
    /// IFACE or IFACE@netns; without it, every analyser
    port: Option<Port>,
}

pub fn main(args: &Args) -> Result<()> {
    privilege::become_root("looking at BPF programs")?;
    let wanted = match &args.port {
        Some(port) => {
            let id = port.link()?["xdp"]["prog"]["id"].as_u64();
            Some(id.with_context(|| format!("no XDP program on {}", port.interface))? as u32)
        }
        None => None,
    };
    let mut shown = 0;
    for program in loaded_programs() {
        let program = program.context("cannot list BPF programs")?;
        let ours = program.name_as_str().is_some_and(|name| name.starts_with("analyser"));
        if wanted.map_or(ours, |id| id == program.id()) {
            show(&program)?;
            shown += 1;
        }
    }
    if shown == 0 {
        bail!("no analyser is loaded");
    }
    Ok(())
}

fn show(program: &ProgramInfo) -> Result<()> {
    println!(
        "program {} {} tag {:016x}: {} bytes translated, {} bytes jitted, {} bytes locked",
        program.id(),
        program.name_as_str().unwrap_or("?"),
        program.tag(),
        program.size_translated().unwrap_or(0),
        program.size_jitted(),
        program.memory_locked()?,
    );
    for link in loaded_links() {
        let link = link.context("cannot list BPF links")?;
        if link.program_id() == program.id() {
            println!(
                "  link {} on interface index {}",
                link.id(),
                kernel::link_ifindex(link.id())?
            );
        }
    }
    let btf = program.btf_id().map(|id| Btf::parse(&kernel::btf(id)?)).transpose()?;
    let mut total = 0;
    let mut counted = None;
    for id in program.map_ids()?.unwrap_or_default() {
        let map = MapInfo::from_id(id)?;
        let bytes = memory(&map)?;
        total += bytes;
        println!(
            "  map {id} {:16} {:>8} x {:>6} bytes, {bytes} in the kernel",
            map.name_as_str().unwrap_or("?"),
            map.max_entries(),
            map.value_size(),
        );
        if map.name_as_str() == Some("ports") {
            counted = Some(map);
        }
    }
    println!("  all maps: {total} bytes");
    if let (Some(map), Some(btf)) = (counted, btf) {
        counters(&map, &btf.fields("port_record")?)?;
    }
    Ok(())
}

/// One line for each bank that saw a frame.
fn counters(map: &MapInfo, fields: &[Field]) -> Result<()> {
    let fd = map.fd()?;
    let shown = fields.iter().filter(|field| field.is_integer);
    let shown: Vec<&Field> = shown.collect();
    for bank in 0..map.max_entries() {
        let value = kernel::lookup(fd.as_fd(), bank, map.value_size())?;
        let pairs = shown.iter().map(|field| Ok(format!("{} {}", field.name, field.read(&value)?)));
        println!("  bank {bank}: {}", pairs.collect::<Result<Vec<_>>>()?.join(", "));
    }
    Ok(())
}

/// What the kernel charges for a map.
fn memory(map: &MapInfo) -> Result<u64> {
    let fd = map.fd()?;
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_fd().as_raw_fd()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("memlock:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).context("no memlock in fdinfo")
}
