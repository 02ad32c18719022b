//! The pages as people use them: a browser, the daemon and real frames. What they do there is
//! in `web/e2e`; here is the lab. Run by `cargo xtask test --only pages`, which sees to Node,
//! its packages and the pages in the binary. `LINERATE_E2E` chooses specs by their name.
#![cfg(feature = "serve")]
#![allow(unsafe_code, reason = "prctl(2) has no safe face in std")]

use crate::testbed::{Lab, Limit, Linerate, die_with_the_test, much_of_the_machine};
use std::{
    env,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
/// Frames a second that the device lets through.
const LIMIT: Limit = Limit { pps: 10_000, depth: 90, drop_every: 0 };

#[test]
fn people_use_the_pages() {
    let runner = Path::new(WEB).join("node_modules/vitest/vitest.mjs");
    assert!(
        runner.exists(),
        "vitest is missing, so nothing was tested; run: cargo xtask test --only pages"
    );
    let _machine = much_of_the_machine();
    let (cable, device) = (Lab::cable(), Lab::with_limiter(LIMIT));
    let mut command = Command::new(env::var_os("LINERATE_NODE").unwrap_or_else(|| "node".into()));
    command.arg(runner).args(["run", "--config", "vitest.e2e.config.ts"]);
    command.args(env::var("LINERATE_E2E").iter().flat_map(|names| names.split_whitespace()));
    command.current_dir(WEB).stdin(Stdio::null());
    command.env("LINERATE_BIN", Linerate::BINARY);
    let chromium = env::var("LINERATE_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    command.env("LINERATE_CHROMIUM", chromium);
    for (name, port) in [
        ("LINERATE_WEST", &cable.west),
        ("LINERATE_EAST", &cable.east),
        ("LINERATE_DEVICE_WEST", &device.west),
        ("LINERATE_DEVICE_EAST", &device.east),
    ] {
        command.env(name, port.to_string());
    }
    // SAFETY: prctl is async-signal-safe, and nothing else happens between fork and exec.
    unsafe { command.pre_exec(die_with_the_test) };
    let status = command.status().expect("Node");
    assert!(status.success(), "the pages failed: {status}");
    cable.assert_nothing_attached();
}
