//! The search of RFC 9971 beside the independent package MLRsearch 1.2.1 (PyPI): the same
//! trials are judged the same, the same devices have the same bounds, and unsteady devices
//! have as steady an answer, with about as many trials.
//!
//! `cargo xtask setup` installs the package; without it these tests fail and say so.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod device;
mod judging;
mod searching;

use serde_json::{Value, json};
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

const ORACLE: &str = include_str!("oracle.py");

/// What the package says of cases and devices; see `oracle.py`.
fn ask(classify: &[Value], search: &[Value]) -> Value {
    // Cargo makes target/tmp for this test; setup makes target/python beside it.
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = tmp.with_file_name("python").join("bin/python");
    assert!(
        python.exists(),
        "NOT RUN: {} is missing; `cargo xtask setup` installs MLRsearch 1.2.1 there",
        python.display()
    );
    let mut command = Command::new(&python);
    command.args(["-c", ORACLE]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let question = json!({"classify": classify, "search": search}).to_string();
    let mut stdin = child.stdin.take().unwrap();
    // The script reads all before it writes.
    stdin.write_all(question.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "NOT RUN: the package did not answer: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A small generator (Knuth's MMIX), the same in `oracle.py`, so that a failure comes again.
#[derive(Debug, Clone, Copy)]
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11
    }

    /// From 0 to below 1.
    fn uniform(&mut self) -> f64 {
        self.bits() as f64 / 2_f64.powi(53)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        (self.bits() >> 20) % sides
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize]
    }
}
