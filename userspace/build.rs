//! Which commit this build is of, for results (`LINERATE_GIT`, unset outside of a repository),
//! and the pages of the daemon, compressed.

use std::process::Command;

#[cfg(feature = "serve")]
#[path = "build/pages.rs"]
mod pages;

fn main() {
    for path in ["src", "build.rs", "build", "../xdp-ebpf/src", "../.git/HEAD", "../.git/logs/HEAD"]
    {
        println!("cargo::rerun-if-changed={path}");
    }
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"])
        .output();
    let text = described.ok().filter(|output| output.status.success());
    if let Some(commit) = text.and_then(|output| String::from_utf8(output.stdout).ok()) {
        println!("cargo::rustc-env=LINERATE_GIT={}", commit.trim());
    }
    #[cfg(feature = "serve")]
    pages::build_in().expect("the pages of web/dist cannot be read or compressed");
}
