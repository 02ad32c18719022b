//! `cargo xtask bench`: micro benches, and linerate beside other generators on one
//! veth pair. benches/README.md says how to read it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    privilege,
    setup::{self, Tier},
    shell, stop, workspace,
};

mod frame;
mod generators;
mod report;
mod rig;

use generators::{Generator, State};
use report::{Report, Row};
use rig::Rig;

/// trafgen binds itself to the first CPU whatever taskset says, so all go there.
const CPU: &str = "0";

#[derive(clap::Args)]
pub struct Args {
    /// Rounds of the side-by-side; every generator once in each
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds that are counted, after a warm-up of two
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    window: u64,
    /// Write the side-by-side as JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
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
}

pub fn main(args: &Args) -> Result<()> {
    stop::catch_signals()?;
    setup::ensure(Tier::Build)?;
    if !args.peers_only {
        shell::run(&mut workspace::cargo(&["bench", "--locked", "--package", "linerate-benches"]))?;
    }
    if !args.micro_only {
        side_by_side(args)?;
    }
    Ok(())
}

fn side_by_side(args: &Args) -> Result<()> {
    let linerate = match &args.linerate {
        Some(path) => path.canonicalize().with_context(|| format!("no {}", path.display()))?,
        None => workspace::release_binary()?,
    };
    // Under sudo there may be no cargo: what it builds is handed over.
    let mut more = Vec::new();
    if !args.peers_only {
        more.push("--peers-only".into());
    }
    if args.linerate.is_none() {
        more.extend(["--linerate".into(), linerate.clone().into()]);
    }
    privilege::become_root_with("the side-by-side", &more)?;
    let rig = Rig::up()?;
    let wanted = |generator: &Generator| {
        let name = args.only.as_deref().unwrap_or_default();
        generator.name.contains(name) || generator.name.starts_with("linerate")
    };
    let mut generators = generators::all(&rig, &linerate)?;
    generators.retain(wanted);

    let window = Duration::from_secs(args.window);
    let mut rows: Vec<Row> = generators.iter().map(Row::new).collect();
    for round in 1..=args.rounds {
        println!("\nround {round} of {}", args.rounds);
        for (generator, row) in generators.iter().zip(&mut rows) {
            stop::check()?;
            let State::Ready(command) = &generator.state else { continue };
            if row.failure.is_some() && row.samples.is_empty() {
                continue;
            }
            match rig.measure(command, window) {
                Ok(sample) => {
                    println!("{:24}{:>12.0} frames/s", generator.name, sample.fps);
                    row.samples.push(sample);
                }
                Err(error) => {
                    stop::check()?;
                    println!("{:24}failed: {error:#}", generator.name);
                    row.failure.get_or_insert(format!("{error:#}"));
                }
            }
        }
    }
    let report = Report { rows, window, rounds: args.rounds };
    print!("\n{}", report.table());
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&report.json())?)?;
    }
    if let Some(row) = report.rows.iter().find(|row| row.failure.is_some()) {
        bail!("{} did not run: {}", row.name, row.failure.as_deref().unwrap_or_default());
    }
    Ok(())
}
