//! Where things are.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell;

/// The top of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The cargo that runs us.
pub fn cargo<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = shell::command(&program, arguments);
    command.current_dir(root());
    command
}

/// Lets cargo build, and says where the executable of this target is.
pub fn built(arguments: &[&str], target: &str) -> Result<PathBuf> {
    let mut build = cargo(arguments);
    eprintln!("$ {}", shell::shown(&build));
    build.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let said = shell::read(&mut build)?;
    let executable = said.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == target;
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    executable.with_context(|| format!("cargo built no {target}"))
}

/// `cargo metadata`, with the dependencies that Linux needs.
pub fn metadata() -> Result<Value> {
    let platform = format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH);
    let arguments = ["metadata", "--format-version=1", "--locked", &*platform];
    let text = shell::read(&mut cargo(&arguments))?;
    serde_json::from_str(&text).context("cargo metadata is not JSON")
}

/// The names of the integration tests of all packages.
pub fn test_programs() -> Result<Vec<String>> {
    let arguments = ["metadata", "--format-version=1", "--locked", "--no-deps"];
    let metadata: Value = serde_json::from_str(&shell::read(&mut cargo(&arguments))?)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let targets = list(&metadata["packages"]).into_iter().flat_map(|one| list(&one["targets"]));
    let tests = targets.filter(|target| target["kind"][0] == "test");
    Ok(tests.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect())
}

/// The target folder, also when CARGO_TARGET_DIR moves it.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The release binary of linerate, built if need be.
pub fn release_binary() -> Result<PathBuf> {
    shell::run(&mut cargo(&["build", "--locked", "--release", "--package", "linerate"]))?;
    Ok(target().join("release/linerate"))
}

/// The compiler that cargo uses.
pub fn rustc(arguments: &[&str]) -> Command {
    shell::command(&std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()), arguments)
}
