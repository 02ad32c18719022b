//! The client of the Open Traffic Generator API, which drives the tests of our server: in a
//! virtual environment beside what is built.

use crate::shell;
use anyhow::Result;
use std::path::PathBuf;

/// The version whose schema was read.
const VERSION: &str = "1.62.0";

/// Where the tests look for it.
fn venv() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/otg-client"))
}

/// Whether its Python finds it, and scapy beside it.
pub fn present() -> bool {
    let check =
        format!("import scapy, importlib.metadata as m; assert m.version('snappi') == '{VERSION}'");
    let python = venv().join("bin/python");
    python.exists()
        && shell::succeeds(&mut shell::command(&python.to_string_lossy(), &["-c", &check]))
}

/// Installs it. Scapy is the system's.
pub fn install() -> Result<()> {
    let venv = venv();
    println!("To install: snappi {VERSION} in {}", venv.display());
    let new = ["-m", "venv", "--clear", "--system-site-packages"];
    shell::run(shell::command("/usr/bin/python3", &new).arg(&venv))?;
    let pip = venv.join("bin/pip");
    let package = format!("snappi=={VERSION}");
    let install = ["install", "-q", "--disable-pip-version-check", &package];
    shell::run(&mut shell::command(&pip.to_string_lossy(), &install))
}
