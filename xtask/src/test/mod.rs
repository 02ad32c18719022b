//! `cargo xtask test`: every tier, a summary, and no green where a tier did not run.

use std::{
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    demo, deny,
    privilege::{self, Privilege},
    setup::{self, Tier},
    shell, stop, tidy, vm, web,
    workspace::{self, cargo},
};

mod accidents;
mod browser;
mod system;

use browser::{pages, pages_rfc2544};
use system::{clients, system};

#[derive(clap::Args)]
pub struct Args {
    /// Also the tiers that take long or need other generators
    #[arg(long)]
    all: bool,
    /// Only the tiers whose name contains this; the end says that others were left out
    #[arg(long)]
    only: Option<String>,
}

/// How a tier ended.
#[derive(Debug)]
enum Outcome {
    Passed,
    /// These only at a second try.
    PassedLater(Vec<String>),
    Failed(String),
    NotRun {
        why: String,
        code: u8,
    },
}

impl Outcome {
    /// Of two parts of a tier.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Failed(one), Self::Failed(other)) => Self::Failed(format!("{one}; {other}")),
            (failed @ Self::Failed(_), _) | (_, failed @ Self::Failed(_)) => failed,
            (not_run @ Self::NotRun { .. }, _) | (_, not_run @ Self::NotRun { .. }) => not_run,
            (Self::PassedLater(one), Self::PassedLater(other)) => {
                Self::PassedLater([one, other].concat())
            }
            (Self::Passed, other) | (other, Self::Passed) => other,
        }
    }
}

impl From<Result<()>> for Outcome {
    fn from(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(error) => match error.downcast_ref::<shell::Exit>() {
                Some(exit) => Self::NotRun { why: exit.message.clone(), code: exit.code },
                None => Self::Failed(format!("{error:#}")),
            },
        }
    }
}

struct TierOf {
    name: &'static str,
    what: &'static str,
    run: fn() -> Outcome,
    all_only: bool,
}

const fn tier(name: &'static str, what: &'static str, run: fn() -> Outcome) -> TierOf {
    TierOf { name, what, run, all_only: false }
}

const fn long(name: &'static str, what: &'static str, run: fn() -> Outcome) -> TierOf {
    TierOf { name, what, run, all_only: true }
}

const TIERS: &[TierOf] = &[
    tier("setup", "what the build and the tests need", || setup::ensure(Tier::Test).into()),
    tier("format", "rustfmt", format_check),
    tier("tidy", "the rules of the house", || tidy::main().into()),
    tier("deny", "licences, bans, sources", || deny::main().into()),
    tier("bpf", "the objects, by clang alone and under aya", bpf),
    tier("web", "types, unit tests and build of the pages", || web::check().into()),
    tier("lint", "clippy, warnings are errors", lint),
    tier("unit", "unit and property tests", unit),
    tier("system", "real frames between namespaces", system),
    tier("pages", "the pages in a browser, with real frames", pages),
    tier("docs", "examples, and rustdoc without a warning", docs),
    tier("package", "lock file, licences, what a crate would hold", package),
    tier("vm", "zero-copy on a real driver, in a VM", || vm::zero_copy().into()),
    long("pages-rfc2544", "benchmarks from the page to their reports", pages_rfc2544),
    long("clients", "both APIs driven by others' programs, a hundred kills", clients),
    long("demo", "the main job, in release, on a lab of its own", demo_tier),
    long("peers", "linerate beside other generators, briefly", peers),
];

pub fn main(args: &Args) -> Result<()> {
    stop::catch_signals()?;
    let start = Instant::now();
    let wanted = |tier: &&TierOf| {
        (args.all || !tier.all_only)
            && args.only.as_ref().is_none_or(|part| tier.name.contains(part.as_str()))
    };
    let mut rows = Vec::new();
    for tier in TIERS.iter().filter(wanted) {
        stop::check()?;
        println!("\n==== {}: {}", tier.name, tier.what);
        let begun = Instant::now();
        let outcome = (tier.run)();
        if let Outcome::Failed(why) = &outcome {
            println!("FAILED: {why}");
        }
        rows.push(Row { name: tier.name, outcome, took: begun.elapsed() });
        // Without compilers and witnesses every later tier would only fail unclearly.
        if tier.name == "setup" && !matches!(rows[0].outcome, Outcome::Passed) {
            break;
        }
    }
    let left_out = TIERS.iter().filter(|tier| !wanted(tier)).map(|tier| tier.name);
    summary(&rows, &left_out.collect::<Vec<_>>(), start.elapsed())
}

struct Row {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

fn summary(rows: &[Row], left_out: &[&str], took: Duration) -> Result<()> {
    println!("\n==== summary");
    let (mut passed, mut failed, mut codes) = (0, 0, Vec::new());
    for Row { name, outcome, took } in rows {
        let state = match outcome {
            Outcome::Passed => {
                passed += 1;
                "passed".to_owned()
            }
            Outcome::PassedLater(names) => {
                passed += 1;
                format!("passed; only at a second try: {}", names.join(", "))
            }
            Outcome::Failed(why) => {
                failed += 1;
                format!("FAILED: {}", why.lines().next().unwrap_or_default())
            }
            Outcome::NotRun { why, code } => {
                codes.push(*code);
                format!("NOT RUN: {why}")
            }
        };
        println!("{name:10}{:>7.1} s  {state}", took.as_secs_f64());
    }
    if !left_out.is_empty() {
        println!("left out: {}", left_out.join(", "));
    }
    let not_run = codes.len();
    println!("{:10}{:>7.1} s", "all", took.as_secs_f64());
    println!("{passed} tiers passed, {failed} failed, {not_run} not run");
    match (failed, codes.iter().max()) {
        (0, None) => Ok(()),
        (0, Some(&code)) => {
            Err(shell::Exit { code, message: "not all tiers ran".to_owned() }.into())
        }
        _ => Err(anyhow::anyhow!("{failed} tiers failed")),
    }
}

/// No tier may take longer.
const LONGEST: Duration = Duration::from_mins(30);

fn run(command: &mut Command) -> Outcome {
    outcome(command, |command| stop::run_within(command, LONGEST))
}

fn outcome(command: &mut Command, run: impl FnOnce(&mut Command) -> Result<ExitStatus>) -> Outcome {
    match run(command) {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("{} ended with {status}", shell::shown(command))),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}

/// A part of the Rust tool chain that minimal installations leave out.
fn component(name: &str, otherwise: impl FnOnce() -> Outcome) -> Outcome {
    if shell::succeeds(&mut cargo(&[name, "--version"])) {
        return otherwise();
    }
    let package = if name == "fmt" { "rustfmt" } else { name };
    let why = format!("cargo {name} is not installed; run: rustup component add {package}");
    Outcome::NotRun { why, code: 1 }
}

fn format_check() -> Outcome {
    component("fmt", || run(&mut cargo(&["fmt", "--all", "--check"])))
}

fn lint() -> Outcome {
    component("clippy", || {
        let scope = ["clippy", "--locked", "--workspace", "--all-targets"];
        run(&mut cargo(&[&scope[..], &["--", "-D", "warnings"]].concat()))
    })
}

fn bpf() -> Outcome {
    let this = std::env::current_exe().unwrap_or_default();
    let verify = privilege::wanted("verifying BPF programs")
        .map(|privilege| privilege.command(&this.to_string_lossy(), &["build-ebpf", "--prove"]));
    match verify {
        Ok(mut command) => run(&mut command),
        Err(error) => Err(error).into(),
    }
}

/// Unit tests that ask the kernel for more than it gives to everybody.
const NEED_ROOT: &[&str] = &["nic::", "rx::tests::kernel"];

/// Without root, those that need none are run all the same, but the tier is not green.
fn unit() -> Outcome {
    let mut command =
        cargo(&["test", "--locked", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    let Err(error) = with_root(&mut command, "a part of the unit tests") else {
        return run(&mut command);
    };
    command.arg("--");
    for name in NEED_ROOT {
        command.args(["--skip", name]);
    }
    match run(&mut command) {
        Outcome::Passed => Err(error).into(),
        other => other,
    }
}

/// Makes cargo run what it built as root, where sudo lets us.
fn with_root(command: &mut Command, why: &str) -> Result<()> {
    if privilege::wanted(why)? == Privilege::Sudo {
        let host = shell::read(&mut workspace::rustc(&["--print=host-tuple"]))?;
        let triple = host.trim().to_uppercase().replace('-', "_");
        command.env(format!("CARGO_TARGET_{triple}_RUNNER"), "sudo -n -E");
    }
    Ok(())
}

fn docs() -> Outcome {
    match run(&mut cargo(&["test", "--locked", "--workspace", "--doc"])) {
        Outcome::Passed => {
            let mut doc = cargo(&["doc", "--locked", "--workspace", "--no-deps"]);
            run(doc.env("RUSTDOCFLAGS", "-D warnings"))
        }
        other => other,
    }
}

fn package() -> Outcome {
    package_check().into()
}

/// What a tarball or a crate must hold, without building it again.
fn package_check() -> Result<()> {
    let root = workspace::root();
    for (file, mark) in [
        ("LICENSE-MIT", "Permission is hereby granted"),
        ("LICENSE-APACHE", "Version 2.0, January 2004"),
        ("README.md", "cargo xtask demo"),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        anyhow::ensure!(text.contains(mark), "{file} is missing, or does not say: {mark}");
    }
    for (package, needed) in [
        ("xdp-ebpf", "src/bpf/abi.h"),
        ("xdp-ebpf", "src/bpf/analyser.bpf.c"),
        ("linerate", "src/main.rs"),
    ] {
        let arguments = ["package", "--locked", "--list", "--allow-dirty", "--package", package];
        let files = shell::read(&mut cargo(&arguments))?;
        anyhow::ensure!(files.lines().any(|file| file == needed), "{package} would lack {needed}");
        // They are ignored by git, and a part of the crate all the same.
        let pages =
            !web::index().exists() || files.lines().any(|file| file.ends_with("dist/index.html"));
        anyhow::ensure!(pages || package != "linerate", "{package} would lack the pages");
    }
    Ok(())
}

fn demo_tier() -> Outcome {
    demo::run(&demo::Args::default()).into()
}

fn peers() -> Outcome {
    match setup::ensure(Tier::Bench) {
        Ok(()) => run(&mut cargo(&["xtask", "bench", "--peers-only", "--rounds=1", "--window=1"])),
        Err(error) => Err(error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: Outcome) -> Row {
        Row { name: "x", outcome, took: Duration::ZERO }
    }

    #[test]
    fn only_a_full_run_is_green() {
        let code = |rows: &[Row]| match summary(rows, &[], Duration::ZERO) {
            Ok(()) => 0,
            Err(error) => error.downcast_ref::<shell::Exit>().map_or(1, |exit| exit.code),
        };
        let not_run = |code| Outcome::NotRun { why: "no root".into(), code };
        assert_eq!(code(&[row(Outcome::Passed)]), 0);
        assert_eq!(code(&[row(Outcome::PassedLater(vec!["x".into()]))]), 0);
        assert_eq!(code(&[row(Outcome::Passed), row(Outcome::Failed("x".into()))]), 1);
        assert_eq!(code(&[row(Outcome::Passed), row(not_run(77))]), 77);
        assert_eq!(code(&[row(not_run(77)), row(Outcome::Failed("x".into()))]), 1);
    }

    #[test]
    fn a_tier_is_as_bad_as_its_worse_part() {
        let later = |name: &str| Outcome::PassedLater(vec![name.into()]);
        let not_run = || Outcome::NotRun { why: "no root".into(), code: 77 };
        let failed = |why: &str| Outcome::Failed(why.into());
        assert!(matches!(Outcome::Passed.and(Outcome::Passed), Outcome::Passed));
        assert!(matches!(Outcome::Passed.and(failed("x")), Outcome::Failed(_)));
        assert!(matches!(not_run().and(Outcome::Passed), Outcome::NotRun { .. }));
        assert!(matches!(later("a").and(not_run()), Outcome::NotRun { .. }));
        assert!(matches!(not_run().and(failed("x")), Outcome::Failed(_)));
        let both = later("a").and(later("b"));
        assert!(matches!(&both, Outcome::PassedLater(names) if names == &["a", "b"]), "{both:?}");
        let both = failed("a").and(failed("b"));
        assert!(matches!(&both, Outcome::Failed(why) if why == "a; b"), "{both:?}");
    }

    #[test]
    fn a_missing_privilege_is_not_a_failure_but_never_a_pass() {
        let outcome = Outcome::from(Err(shell::no_privilege("needs root")));
        assert!(matches!(outcome, Outcome::NotRun { code: 77, .. }), "{outcome:?}");
    }
}
