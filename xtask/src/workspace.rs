//! Where things are.

use std::{
    path::{Path, PathBuf},
    process::Command,
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

/// `cargo metadata`, with the dependencies that Linux needs.
pub fn metadata() -> Result<Value> {
    let platform = format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH);
    let arguments = ["metadata", "--format-version=1", "--locked", &*platform];
    let text = shell::read(&mut cargo(&arguments))?;
    serde_json::from_str(&text).context("cargo metadata is not JSON")
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
