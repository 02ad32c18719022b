//! The OpenAPI description that is served, held up to the daemon by schemathesis (PyPI):
//! examples, every border of every schema, chance, and sequences of calls along its links.
#![cfg(feature = "serve")]
#![allow(unsafe_code, reason = "prctl(2) has no safe face in std")]

use crate::testbed::{Lab, Linerate, die_with_the_test};
use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

/// What `cargo xtask setup` installs.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/schemathesis");
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/schemathesis.toml");
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/schemathesis_hooks.py");
const ADDRESS: &str = "127.0.0.1:8080";

/// Runs it in the daemon's own namespace, where no port is anybody's but the test's. What it
/// printed, and whether it was content.
fn schemathesis(lab: &Lab, arguments: &[&str]) -> (String, bool) {
    assert!(
        Path::new(PROGRAM).exists(),
        "schemathesis is missing, so nothing was tested; run: cargo xtask setup"
    );
    let url = format!("http://{ADDRESS}/api/v1/openapi.json");
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &lab.west.netns, PROGRAM, "--config-file", CONFIG]);
    command.args(["run", &url, "--wait-for-schema", "20"]).args(arguments);
    // It keeps what it found in the current folder.
    command.current_dir(lab.directory()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("SCHEMATHESIS_HOOKS", HOOKS);
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    // SAFETY: prctl is async-signal-safe, and nothing else happens between fork and exec.
    unsafe { command.pre_exec(die_with_the_test) };
    let output = command.output().expect("schemathesis");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

#[test]
fn the_daemon_keeps_to_its_description() {
    let lab = Lab::one_namespace();
    let store = lab.directory().join("serve.db");
    let store = store.to_str().expect("a plain path");
    let serve = ["serve", "--listen", ADDRESS, "--otg-plain", "--store", store];
    let daemon = Linerate::spawn_inside(&lab.west, &[], &serve);
    // The live stream has no end.
    let all = ["--checks", "all", "--max-examples", "20", "--exclude-path", "/api/v1/live"];
    let (printed, content) = schemathesis(&lab, &all);
    // To be looked at, like the reports of suites.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis.txt");
    std::fs::write(kept, &printed).expect("keep what it said");
    assert!(content, "{printed}");
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(printed.contains(phase), "no phase {phase}: {printed}");
    }
    // As a summary counts them: `2340 generated, 2340 passed`.
    let tested = printed.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    let cases = tested.split_whitespace().find_map(|word| word.parse::<u64>().ok()).unwrap_or(0);
    assert!(cases > 1_000, "{cases} cases: {printed}");
    // It did not only knock at the door.
    let count = |what: &str| {
        let code =
            "import json, sys, urllib.request as r; print(len(json.load(r.urlopen(sys.argv[1]))))";
        let url = format!("http://{ADDRESS}/api/v1/{what}?limit=1000");
        let printed = lab.west.command("/usr/bin/python3", &["-c", code, &url]);
        printed.trim().parse::<u32>().expect("a number")
    };
    let (runs, suites) = (count("runs"), count("suites"));
    assert!(runs >= 10 && suites >= 10, "{runs} runs and {suites} suites: {printed}");
    daemon.signal(libc::SIGTERM);
    daemon.wait().exits(0);
    lab.assert_nothing_attached();
}
