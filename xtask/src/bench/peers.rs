//! linerate beside other generators, in rounds.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};

use super::{
    Args,
    generators::{self, Generator, State},
    machine::Machine,
    record::Outcome,
    report::{Report, Row},
    rig::Rig,
};
use crate::{privilege, stop, workspace};

/// Measures, prints, and writes what was asked for.
pub fn side_by_side(args: &Args) -> Result<()> {
    let linerate =
        binary(args, "the side-by-side", Some("--peers-only").filter(|_| !args.peers_only))?;
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
            if row.failure.is_some() && row.samples().next().is_none() {
                continue;
            }
            row.rounds.push(match rig.measure(command, window) {
                Ok(sample) => {
                    println!("{:24}{:>12.0} frames/s", generator.name, sample.fps);
                    Some(sample)
                }
                Err(error) => {
                    stop::check()?;
                    println!("{:24}failed: {error:#}", generator.name);
                    row.failure.get_or_insert(format!("{error:#}"));
                    None
                }
            });
        }
    }
    let report = Report { rows, window, rounds: args.rounds, machine: Machine::this() };
    let outcome = Outcome {
        name: "peers",
        table: report.table(),
        json: report.json(),
        svg: report.svg(),
        machine: report.machine.line(),
    };
    print!("\n{}\n{}", report.machine.line(), outcome.table);
    args.write(&outcome)?;
    if let Some(row) = report.rows.iter().find(|row| row.failure.is_some()) {
        bail!("{} did not run: {}", row.name, row.failure.as_deref().unwrap_or_default());
    }
    Ok(())
}

/// The linerate to measure, as root: where that starts xtask again, the flag `only` keeps
/// it from starting from the beginning.
pub fn binary(args: &Args, what: &str, only: Option<&str>) -> Result<PathBuf> {
    let linerate = match &args.linerate {
        Some(path) => path.canonicalize().with_context(|| format!("no {}", path.display()))?,
        None => workspace::release_binary()?,
    };
    // Under sudo there may be no cargo: what it builds is handed over.
    let mut more: Vec<_> = only.map(Into::into).into_iter().collect();
    if args.linerate.is_none() {
        more.extend(["--linerate".into(), linerate.clone().into()]);
    }
    privilege::become_root_with(what, &more)?;
    Ok(linerate)
}
