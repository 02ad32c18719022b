//! Packages that only PyPI has, in one virtual environment beside what cargo builds.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{shell, workspace};

/// Pinned with their hashes. The tests that need them look for `python` in the target folder.
const REQUIREMENTS: &str = "userspace/tests/python/requirements.txt";

fn folder() -> PathBuf {
    workspace::target().join("python")
}

/// Written when all is installed: what that was.
fn installed() -> PathBuf {
    folder().join("requirements.txt")
}

/// Whether exactly what is wanted now was installed, and this module of it is found.
pub fn present(module: &str) -> bool {
    let wanted = fs::read(workspace::root().join(REQUIREMENTS)).ok();
    let python = folder().join("bin/python").to_string_lossy().into_owned();
    let find = format!("import importlib.util as u; assert u.find_spec('{module}')");
    wanted.is_some()
        && wanted == fs::read(installed()).ok()
        && shell::succeeds(&mut shell::command(&python, &["-c", &find]))
}

/// Needs no privilege, but the network. Scapy is the system's.
pub fn install() -> Result<()> {
    let folder = folder().to_string_lossy().into_owned();
    println!("To install: the packages of {REQUIREMENTS} in {folder}");
    let requirements = workspace::root().join(REQUIREMENTS);
    let new = ["-m", "venv", "--clear", "--system-site-packages", &folder];
    shell::run(&mut shell::command("/usr/bin/python3", &new))?;
    let pip = format!("{folder}/bin/pip");
    let mut install = shell::command(
        &pip,
        &["install", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"],
    );
    shell::run(install.arg(&requirements))?;
    fs::copy(&requirements, installed()).context("cannot note what was installed")?;
    Ok(())
}
