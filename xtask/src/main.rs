//! Repo verbs: `cargo xtask demo`, `cargo xtask test` and what they are made of.
//!
//! Pure Rust: this crate must build on a machine that has only cargo and a
//! linker, because its first task is to say what else is missing.

#![allow(unreachable_pub, reason = "in a binary, pub means: for the other rooms of this crate")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod demo;
mod deny;
mod dist;
mod ebpf;
mod lab;
mod privilege;
mod setup;
mod shell;
mod stop;
mod test;
mod tidy;
mod vm;
mod web;
mod workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Repo verbs of linerate", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check for compilers, libraries and tools; install what is missing, with permission
    Setup(setup::Args),
    /// Two network namespaces joined by a multi-queue veth pair
    Lab(lab::Args),
    /// Compile the BPF programs with clang alone, and show what came out
    BuildEbpf(ebpf::build::Args),
    /// Load the analyser with aya, attach it to a port and pin it
    Load(ebpf::load::Args),
    /// Programs, links, maps and live counters of loaded analysers
    Inspect(ebpf::inspect::Args),
    /// Detach and unpin what `load` left on a port
    Unload(ebpf::load::UnloadArgs),
    /// Build the pages that the daemon serves, with Node
    Web(web::Args),
    /// The archive that people download: the binary with its pages, the unit, licences, README
    Dist,
    /// Set up, build, and run the main job on a lab of its own
    Demo(demo::Args),
    /// Set up and run every test tier
    Test(test::Args),
    /// Run linerate on igb, virtio-net and e1000e, under kernels of Debian in QEMU
    VmTest(vm::Args),
    /// What vm-test runs inside its VMs
    #[command(hide = true)]
    VmGuest(vm::guest::Args),
    /// Check the rules of the house that no compiler checks
    Tidy,
    /// Micro benches, and linerate beside other generators
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().verb {
        Verb::Setup(args) => setup::main(&args),
        Verb::Lab(args) => lab::main(&args),
        Verb::BuildEbpf(args) => ebpf::build::main(&args),
        Verb::Load(args) => ebpf::load::load(&args),
        Verb::Inspect(args) => ebpf::inspect::main(&args),
        Verb::Unload(args) => ebpf::load::unload(&args),
        Verb::Web(args) => web::main(&args),
        Verb::Dist => dist::main(),
        Verb::Demo(args) => demo::main(&args),
        Verb::Test(args) => test::main(&args),
        Verb::VmTest(args) => vm::main(&args),
        Verb::VmGuest(args) => {
            vm::guest::main(&args);
            Ok(())
        }
        Verb::Tidy => tidy::main(),
        Verb::Bench(args) => bench::main(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            let code = error.downcast_ref::<shell::Exit>().map_or(1, |exit| exit.code);
            ExitCode::from(code)
        }
    }
}
