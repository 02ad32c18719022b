//! The Open Traffic Generator API, driven by the real snappi client. The scripts, the frames
//! that they expect (scapy) and their judgement are in `otg/`.
#![cfg(feature = "serve")]
#![allow(unsafe_code, reason = "kill(2) and prctl(2) have no safe face in std")]

use crate::testbed::{Lab, Limit, Linerate, die_with_the_test, much_of_the_machine};
use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// What `cargo xtask setup` installs.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/otg");

/// `linerate serve` at an address of its own.
pub(crate) struct Daemon {
    child: Child,
    url: String,
}

impl Daemon {
    /// `before` the binary stands how it is started.
    pub(crate) fn start(lab: &Lab, before: &[&str], arguments: &[&str]) -> Self {
        let words = [before, &[Linerate::BINARY]].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["serve", "--listen", "127.0.0.1:0", "--otg", "127.0.0.1:0"])
            .args(arguments);
        command.arg("--store").arg(lab.file("state", b"").with_file_name("serve.db"));
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        // SAFETY: prctl is async-signal-safe, and nothing else happens between fork and exec.
        unsafe { command.pre_exec(die_with_the_test) };
        let mut child = command.spawn().expect("the daemon");
        let mut lines = BufReader::new(child.stdout.take().expect("its words"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("its address");
        let url = first.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http"), "{first}");
        // What it says later belongs to the test's own output.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::stderr()));
        Self { child, url }
    }

    /// SIGTERM, and it ends well.
    pub(crate) fn stop(mut self) {
        // SAFETY: the child has not been waited for, so its number is still its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) }, 0);
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a script's cases (none named: all) between two ports, by their locations; how many
/// went well.
#[track_caller]
pub(crate) fn snappi(
    daemon: &Daemon,
    before: &[&str],
    script: &str,
    ports: [&str; 2],
    cases: &[&str],
) -> usize {
    assert!(
        Path::new(PYTHON).exists(),
        "snappi is missing, so nothing was tested; run: cargo xtask setup"
    );
    let words = [before, &[PYTHON]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(script).current_dir(SCRIPTS).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(&daemon.url).args(ports).args(cases);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: as above.
    unsafe { command.pre_exec(die_with_the_test) };
    let mut script = command.spawn().expect("python");
    let mut words = script.stderr.take().expect("its words");
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let _ = words.read_to_string(&mut text);
        let _ = say.send(text);
    });
    let output = script.wait_with_output().expect("its end");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = said.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
    assert!(output.status.success(), "{printed}{said}");
    printed.lines().filter(|line| line.starts_with("ok ")).count()
}

fn serve(arguments: &[&str], script: &str, cases: &[&str]) -> usize {
    let _quiet = much_of_the_machine();
    let lab = Lab::cable_with_queues(1, 1);
    let alias = format!("localhost:5555={}", lab.west);
    let daemon = Daemon::start(&lab, &[], &[arguments, &["--alias", &alias]].concat());
    let ports = ["localhost:5555", &lab.east.to_string()];
    let well = snappi(&daemon, &[], script, ports, cases);
    daemon.stop();
    lab.assert_nothing_attached();
    well
}

#[test]
fn real_snappi_is_served_over_tls() {
    assert_eq!(serve(&[], "contract.py", &[]), 13);
}

#[test]
fn real_snappi_is_served_over_plain_http() {
    let cases = ["version_and_example", "both_directions", "udp_patterns", "control"];
    assert_eq!(serve(&["--otg-plain"], "contract.py", &cases), 4);
}

#[test]
fn every_form_of_every_field_that_the_client_knows_is_sent_as_it_says_or_refused_by_its_path() {
    assert_eq!(serve(&[], "patterns.py", &[]), 2);
}

#[test]
fn frames_too_short_for_a_tag_are_counted_and_a_warning_says_what_is_not_measured() {
    assert_eq!(serve(&[], "short.py", &[]), 3);
}

#[test]
fn captures_have_the_frames_that_their_filters_keep_and_no_others() {
    assert_eq!(serve(&[], "captures.py", &[]), 3);
}

#[test]
fn every_stack_of_headers_has_right_lengths_and_checksums_in_every_form_of_size() {
    assert_eq!(serve(&[], "stacks.py", &[]), 1);
}

/// Between two ports by their own names.
fn metrics(lab: &Lab, cases: &[&str]) -> usize {
    let daemon = Daemon::start(lab, &[], &[]);
    let ports = [&*lab.west.to_string(), &*lab.east.to_string()];
    let well = snappi(&daemon, &[], "metrics.py", ports, cases);
    daemon.stop();
    lab.assert_nothing_attached();
    well
}

#[test]
fn metrics_are_what_the_kernel_counted_and_hold_what_was_asked_for() {
    let _quiet = much_of_the_machine();
    let cases = ["columns", "names", "counts", "rates", "states", "numbers"];
    assert_eq!(metrics(&Lab::cable(), &cases), cases.len());
}

#[test]
fn loss_is_what_the_device_lost() {
    let _quiet = much_of_the_machine();
    let lab = Lab::with_limiter(Limit { drop_every: 10, ..Limit::default() });
    assert_eq!(metrics(&lab, &["loss"]), 1);
}
