//! Debian and Ubuntu's package manager.

use anyhow::Result;

use crate::{privilege::Privilege, shell};

pub fn present() -> bool {
    shell::find_program("apt-get").is_some()
}

/// Installs without questions; `options` are apt's own. Lists that are missing are fetched first; lists
/// that turn out to be old (a package is gone) are fetched and tried again.
pub fn install(privilege: Privilege, packages: &[&str], options: &[String]) -> Result<()> {
    let fresh = fetch_missing_lists(privilege)?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(options.iter().map(String::as_str));
    arguments.extend(packages);
    let first = shell::run(&mut apt_get(privilege, &arguments));
    if first.is_ok() || !fresh {
        return first;
    }
    eprintln!("Trying once more with fresh package lists.");
    shell::run(&mut apt_get(privilege, &["update"]))?;
    shell::run(&mut apt_get(privilege, &arguments))
}

/// Whether there were lists already.
pub fn fetch_missing_lists(privilege: Privilege) -> Result<bool> {
    let fresh = !lists_missing();
    if !fresh && privilege != Privilege::None {
        shell::run(&mut apt_get(privilege, &["update"]))?;
    }
    Ok(fresh)
}

/// Whether a package can be had here; without lists nobody knows, and it counts as offered.
pub fn offers(package: &str) -> bool {
    lists_missing() || {
        let said = shell::read(&mut shell::command("apt-cache", &["policy", package]));
        said.is_ok_and(|said| said.contains("Candidate:") && !said.contains("Candidate: (none)"))
    }
}

fn apt_get(privilege: Privilege, arguments: &[&str]) -> std::process::Command {
    let quiet =
        ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"];
    privilege.command("env", &[&quiet[..], arguments].concat())
}

fn lists_missing() -> bool {
    let lists = std::fs::read_dir("/var/lib/apt/lists");
    !lists.into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        ["Packages", "Packages.lz4", "Packages.gz", "Packages.xz"]
            .iter()
            .any(|end| name.ends_with(end))
    })
}
