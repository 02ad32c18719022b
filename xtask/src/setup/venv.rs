//! Packages that only PyPI has, in a virtual environment beside what cargo builds.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{shell, workspace};

/// Pinned with their hashes. The test that needs them looks for `python` in the target folder.
const REQUIREMENTS: &str = "userspace/tests/mlrsearch_oracle/requirements.txt";

fn folder() -> PathBuf {
    workspace::target().join("python")
}

/// Written when all is installed: what that was.
fn installed() -> PathBuf {
    folder().join("requirements.txt")
}

/// Whether exactly what is wanted now was installed, and is found.
pub fn present() -> bool {
    let wanted = fs::read(workspace::root().join(REQUIREMENTS)).ok();
    let python = folder().join("bin/python").to_string_lossy().into_owned();
    wanted.is_some()
        && wanted == fs::read(installed()).ok()
        && shell::succeeds(&mut shell::command(&python, &["-c", "import MLRsearch"]))
}

/// Needs no privilege, but the network.
pub fn install() -> Result<()> {
    let folder = folder().to_string_lossy().into_owned();
    let requirements = workspace::root().join(REQUIREMENTS);
    shell::run(&mut shell::command("/usr/bin/python3", &["-m", "venv", "--clear", &folder]))?;
    let pip = format!("{folder}/bin/pip");
    let mut install = shell::command(
        &pip,
        &["install", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"],
    );
    shell::run(install.arg(&requirements))?;
    fs::copy(&requirements, installed()).context("cannot note what was installed")?;
    Ok(())
}
