//! Who measured: this build on this machine.

use super::{Host, Tool};
use std::{fs, thread};

impl Tool {
    /// This build.
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git: option_env!("LINERATE_GIT").map(str::to_owned),
        }
    }
}

impl Host {
    /// This machine, as far as it tells.
    pub fn this() -> Self {
        let uname = nix::sys::utsname::uname().ok();
        let field = |pick: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
            uname
                .as_ref()
                .map(|uname| pick(uname).to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        Self {
            name: field(nix::sys::utsname::UtsName::nodename),
            kernel: field(nix::sys::utsname::UtsName::release),
            machine: field(nix::sys::utsname::UtsName::machine),
            cpu: cpu_model(),
            cpus: thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32),
        }
    }
}

/// `model name` of the first processor in proc(5) cpuinfo; other machines call it otherwise.
fn cpu_model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
