//! `cargo xtask bench`: micro benches, and linerate beside other generators on one
//! veth pair; the accuracy of its rates; its daemon under load. benches/README.md says how to read it.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    setup::{self, Tier},
    shell, stop, workspace,
};

mod accuracy;
mod folder;
mod frame;
mod generators;
mod machine;
mod peers;
mod record;
mod report;
mod rig;
mod serve;
mod svg;

use record::Outcome;

/// trafgen binds itself to the first CPU whatever taskset says, so all go there.
const CPU: &str = "0";

#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Rounds of the side-by-side, or of --serve; every generator once in each
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds that are counted, after a warm-up of two
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    window: u64,
    /// Write the numbers as JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Write the picture
    #[arg(long, value_name = "PATH")]
    svg: Option<PathBuf>,
    /// Show this run in benches/README.md from now on
    #[arg(long)]
    record: bool,
    /// Only the micro benches
    #[arg(long, conflicts_with = "peers_only")]
    micro_only: bool,
    /// Only the side-by-side
    #[arg(long)]
    peers_only: bool,
    /// Only generators whose name contains this, beside linerate
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// A linerate to use instead of building one
    #[arg(long, value_name = "PATH")]
    linerate: Option<PathBuf>,
    /// Only the accuracy report: rate error, spacing, calibration
    #[arg(long, conflicts_with_all = ["peers_only", "micro_only"])]
    accuracy: bool,
    /// Seconds that each rate of the accuracy report is sent
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Only the daemon under load: what it sends with and without
    #[arg(long, conflicts_with_all = ["peers_only", "micro_only", "accuracy"])]
    serve: bool,
}

impl Args {
    fn write(&self, outcome: &Outcome<'_>) -> Result<()> {
        if let Some(path) = &self.json {
            std::fs::write(path, serde_json::to_string_pretty(&outcome.json)? + "\n")?;
        }
        if let Some(path) = &self.svg {
            std::fs::write(path, &outcome.svg)?;
        }
        if self.record { outcome.record() } else { Ok(()) }
    }
}

pub fn main(args: &Args) -> Result<()> {
    stop::catch_signals()?;
    setup::ensure(Tier::Build)?;
    if args.accuracy {
        return accuracy::main(args);
    }
    if args.serve {
        return serve::main(args);
    }
    if !args.peers_only {
        shell::run(&mut workspace::cargo(&["bench", "--locked", "--package", "linerate-benches"]))?;
    }
    if !args.micro_only {
        peers::side_by_side(args)?;
    }
    Ok(())
}
