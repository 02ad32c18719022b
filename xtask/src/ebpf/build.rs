//! `cargo xtask build-ebpf`: the objects by clang alone, and what is in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};

use super::load;
use crate::{
    privilege,
    setup::{self, Tier},
    shell, workspace,
};

#[derive(clap::Args)]
pub struct Args {
    /// Where the objects go; default: target/bpf
    #[arg(long)]
    out: Option<PathBuf>,
    /// Let the kernel verify each under aya, too; needs root
    #[arg(long)]
    prove: bool,
}

pub fn main(args: &Args) -> Result<()> {
    setup::ensure(Tier::Build)?;
    let out = args.out.clone().unwrap_or_else(default_out);
    let objects = build_into(&out)?;
    objects.iter().try_for_each(|object| describe(object))?;
    if args.prove {
        privilege::become_root("loading BPF programs")?;
        objects.iter().try_for_each(|object| prove(object))?;
    }
    Ok(())
}

fn prove(object: &Path) -> Result<()> {
    let name = object.display();
    if load::prove(object).with_context(|| name.to_string())? {
        println!("{name}: verified under aya");
    } else {
        println!("{name}: calls kernel functions, which aya cannot load");
    }
    Ok(())
}

/// Builds every program into target/bpf.
pub fn all() -> Result<Vec<PathBuf>> {
    build_into(&default_out())
}

fn default_out() -> PathBuf {
    workspace::target().join("bpf")
}

fn build_into(out: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let folder = workspace::root().join("xdp-ebpf/src/bpf");
    let mut sources: Vec<_> = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".bpf.c"))
        .collect();
    sources.sort();
    if sources.is_empty() {
        bail!("no *.bpf.c in {}", folder.display());
    }
    sources.iter().map(|source| compile(source, out)).collect()
}

/// Compiles one program.
pub fn compile(source: &Path, out: &Path) -> Result<PathBuf> {
    let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let object = out.join(format!("{name}.o"));
    let mut clang = shell::command("clang", &["-O2", "-g", "-target", "bpf", "-mcpu=v3"]);
    clang.args(["-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]);
    // Multiarch systems keep <asm/types.h> where clang for BPF does not look.
    clang.arg(format!("-idirafter/usr/include/{}-linux-gnu", std::env::consts::ARCH));
    clang.arg("-c").arg(source).arg("-o").arg(&object);
    shell::read(&mut clang)?;
    Ok(object)
}

fn describe(path: &Path) -> Result<()> {
    let data = fs::read(path)?;
    let file = object::File::parse(&*data)
        .with_context(|| format!("{} is not an object file", path.display()))?;
    println!("{}: {} bytes", path.display(), data.len());
    for section in file.sections() {
        let name = section.name().unwrap_or("?");
        let shown = section.kind() == SectionKind::Text
            || [".maps", ".rodata", ".bss", ".BTF", "license", ".ksyms"].contains(&name);
        if shown && section.size() > 0 {
            println!("    {name:12}{:>8} bytes", section.size());
        }
    }
    for symbol in file.symbols().filter(|s| s.kind() == SymbolKind::Text && s.is_global()) {
        let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
        let section = section.as_ref().and_then(|s| s.name().ok()).unwrap_or("?");
        // An instruction has 8 bytes.
        let kind = if section == ".text" { "function" } else { "program" };
        println!(
            "    {kind} {} ({section}), {} instructions",
            symbol.name().unwrap_or("?"),
            symbol.size() / 8
        );
    }
    Ok(())
}
