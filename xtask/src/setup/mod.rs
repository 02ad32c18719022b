//! `cargo xtask setup`: what this machine lacks, why it is needed, and how it
//! gets here. Never waits for input without a terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Result, bail};

use crate::{
    privilege::{Privilege, privilege},
    shell, vm,
};

mod apt;
pub mod bpffs;
mod needs;
mod venv;

pub use needs::Tier;
use needs::{NEEDS, Need};
pub use venv::node as node_of_pypi;

#[derive(clap::Args)]
pub struct Args {
    /// Install without asking
    #[arg(long, short)]
    yes: bool,
    /// Only check; exit code 1 when something is missing
    #[arg(long, conflicts_with = "yes")]
    check: bool,
    /// What to set up for; all but build include the tests
    #[arg(long, value_enum, default_value_t = Tier::Test)]
    tier: Tier,
}

pub fn main(args: &Args) -> Result<()> {
    let missing = report(args.tier);
    if args.check {
        if !missing.is_empty() {
            bail!("{} of the needed things are missing", missing.len());
        }
        return Ok(());
    }
    install(&missing, args.yes)
}

/// What every other verb does first: quiet when all is there.
pub fn ensure(tier: Tier) -> Result<()> {
    if missing(tier).is_empty() {
        return Ok(());
    }
    install(&report(tier), false)
}

fn missing(tier: Tier) -> Vec<&'static Need> {
    let missing = |need: &&Need| tier.includes(need.tier) && need.wanted() && !need.present();
    NEEDS.iter().filter(missing).collect()
}

/// Prints every need of the tier with its state.
fn report(tier: Tier) -> Vec<&'static Need> {
    let missing = missing(tier);
    for need in NEEDS.iter().filter(|need| tier.includes(need.tier)) {
        let state = if missing.iter().any(|m| m.what == need.what) { "MISSING" } else { "ok" };
        println!("{state:8}{:24}{}", need.what, need.why);
    }
    missing
}

fn install(missing: &[&Need], yes: bool) -> Result<()> {
    if missing.is_empty() {
        println!("Nothing is missing.");
        return Ok(());
    }
    let (pypi, debian): (Vec<&Need>, Vec<&Need>) =
        missing.iter().copied().partition(|need| need.is_on_pypi());
    if !debian.is_empty() {
        install_packages(&debian, yes)?;
    }
    for environment in [&venv::PYTHON, &venv::NODE] {
        if pypi.iter().any(|need| need.environment() == Some(environment)) {
            environment.install()?;
        }
    }
    let still = missing.iter().filter(|need| need.wanted() && !need.present());
    let still: Vec<_> = still.map(|need| need.what).collect();
    if !still.is_empty() {
        bail!("installed, but still not found: {}", still.join(", "));
    }
    println!("All set up.");
    Ok(())
}

/// What apt brings.
fn install_packages(missing: &[&Need], yes: bool) -> Result<()> {
    if !apt::present() {
        let names: Vec<_> = missing.iter().map(|need| need.what).collect();
        return Err(shell::no_privilege(format!(
            "this machine has no apt-get; please install with its own package manager: {}",
            names.join(", ")
        )));
    }
    if missing.iter().any(|need| need.where_offered) {
        apt::fetch_missing_lists(privilege())?;
    }
    let offered: Vec<&Need> = missing.iter().copied().filter(|need| need.wanted()).collect();
    let missing = &offered[..];
    let wanted = packages(missing);
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y {}", wanted.join(" "));
    let privilege = privilege();
    if privilege == Privilege::None {
        return Err(shell::no_privilege(format!("installing needs root; run: {by_hand}")));
    }
    println!("To install: {}", wanted.join(" "));
    if !yes && !permitted()? {
        return Err(shell::no_privilege(format!("not installed; when it suits, run: {by_hand}")));
    }
    let (tools, others): (Vec<&Need>, Vec<&Need>) =
        missing.iter().copied().partition(|need| need.tier == Tier::Vm);
    if !others.is_empty() {
        apt::install(privilege, &packages(&others), &[])?;
    }
    if !tools.is_empty() {
        apt::install(privilege, &packages(&tools), &vm::packages::for_tools()?)?;
    }
    Ok(())
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    let mut packages: Vec<_> = missing.iter().map(|need| need.apt).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// On a terminal we ask; without one, running as root is the permission.
fn permitted() -> Result<bool> {
    let input = std::io::stdin();
    if !input.is_terminal() || std::env::var_os("CI").is_some() {
        return Ok(true);
    }
    print!("Install them now? [Y/n] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    if input.lock().read_line(&mut answer)? == 0 {
        return Ok(false);
    }
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_brings_two_things_is_installed_once() {
        let twice: Vec<_> = NEEDS.iter().filter(|n| n.apt == "libc6-dev").collect();
        assert!(!twice.is_empty());
        let doubled = [twice[0], twice[0]];
        assert_eq!(packages(&doubled), ["libc6-dev"]);
    }

    #[test]
    fn every_need_says_why_and_no_two_have_one_name() {
        let mut names: Vec<_> = NEEDS.iter().map(|need| need.what).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NEEDS.len());
        assert!(
            NEEDS
                .iter()
                .all(|need| !need.why.is_empty() && need.apt.is_empty() == need.is_on_pypi())
        );
    }
}
