//! The tiers of real frames between network namespaces.

use std::process::Command;

use super::{LONGEST, Outcome, accidents::Heard, browser::PAGES, outcome, run, with_root};
use crate::{
    stop,
    workspace::{self, cargo},
};

/// Tests of a tier of their own, for they take minutes.
const CLIENTS: [&str; 4] =
    ["otg::", "schemathesis::", "killed_a_hundred_times", "two_hundred_readers"];

/// As part of the workspace, or cargo would build everything once more with fewer features.
pub(super) const SYSTEM: [&str; 3] = ["--workspace", "--test", SYSTEM_TESTS];
const SYSTEM_TESTS: &str = "system";

/// The system tests wait for frames that are due later: they all start, and take turns by
/// themselves (`testbed/turn.rs`), those that need the machine's speed one after the other.
pub(super) fn system() -> Outcome {
    let others = match workspace::test_programs() {
        Ok(programs) => programs.into_iter().filter(|program| program != SYSTEM_TESTS),
        Err(error) => return Err(error).into(),
    };
    let mut scope = vec!["--workspace".to_owned(), "--no-fail-fast".to_owned()];
    scope.extend(others.flat_map(|program| ["--test".to_owned(), program]));
    let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
    // All are built at once, for a processor would have nothing to do while the last is.
    match run(&mut cargo(&["test", "--locked", "--workspace", "--test", "*", "--no-run"])) {
        Outcome::Passed => {}
        failed => return failed,
    }
    let others = between_namespaces(&scope, |command| {
        command.arg("--test-threads=3");
    });
    let system = between_namespaces(&SYSTEM, |command| {
        command.arg("--test-threads=64");
        for client in CLIENTS.into_iter().chain([PAGES]) {
            command.args(["--skip", client]);
        }
    });
    others.and(system)
}

/// The daemon before real clients, and killed again and again.
pub(super) fn clients() -> Outcome {
    between_namespaces(&SYSTEM, |command| {
        command.arg("--test-threads=1").args(CLIENTS);
    })
}

/// Runs tests of real frames. A few that failed are tried once more by themselves, for the
/// machine may be shared with others: what passes only then is named in the end.
pub(super) fn between_namespaces(scope: &[&str], choose: impl Fn(&mut Command)) -> Outcome {
    let command = || {
        let mut command = cargo(&[&["test", "--locked"], scope].concat());
        with_root(&mut command, "traffic between network namespaces").map(|()| {
            command.arg("--");
            command
        })
    };
    let (mut first, mut again) = match (command(), command()) {
        (Ok(first), Ok(again)) => (first, again),
        (Err(error), _) | (_, Err(error)) => return Err(error).into(),
    };
    choose(&mut first);
    let mut heard = Heard::default();
    let outcome =
        outcome(&mut first, |command| stop::run_heeding(command, LONGEST, |line| heard.heed(line)));
    if !heard.are_accidents() || stop::asked() {
        return outcome;
    }
    again.args(["--test-threads=1", "--exact"]).args(&heard.failed);
    match run(&mut again) {
        Outcome::Passed => Outcome::PassedLater(heard.failed),
        other => other,
    }
}
