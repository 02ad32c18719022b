//! The binary as a black box: CONTRACT's command line in, exit code and JSON out.
#![allow(unsafe_code, reason = "kill(2) and prctl(2) have no safe face in std")]

use super::{Lab, Port, turn::take_part};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than any run of these tests; one that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running linerate; killed when dropped.
#[derive(Debug)]
pub(crate) struct Linerate {
    child: Child,
    command: String,
    started: Instant,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Linerate {
    pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_linerate");

    /// `linerate run FILE --json -`, to its end.
    #[track_caller]
    pub(crate) fn run(file: &Path) -> Outcome {
        Self::start(file).wait()
    }

    /// `linerate run FILE --json -`, in the background.
    #[track_caller]
    pub(crate) fn start(file: &Path) -> Self {
        Self::spawn([OsStr::new("run"), file.as_os_str(), OsStr::new("--json"), OsStr::new("-")])
    }

    /// `linerate run FILE --json - --backend NAME`, in the background.
    #[track_caller]
    pub(crate) fn start_with_backend(file: &Path, name: &str) -> Self {
        let file = file.as_os_str();
        let [run, json, backend] = ["run", "--json", "--backend"].map(OsStr::new);
        Self::spawn([run, file, json, OsStr::new("-"), backend, OsStr::new(name)])
    }

    /// Any command line, in the background.
    #[track_caller]
    pub(crate) fn spawn(arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        let mut command = Command::new(Self::BINARY);
        command.args(arguments);
        Self::from(command)
    }

    /// A command line of another program that starts linerate, such as `env`.
    #[track_caller]
    pub(crate) fn spawn_as(
        program: &str,
        arguments: impl IntoIterator<Item: AsRef<OsStr>>,
    ) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        Self::from(command)
    }

    /// Any command line inside a port's namespace, behind a `wrapper` such as `setpriv`.
    #[track_caller]
    pub(crate) fn spawn_inside(port: &Port, wrapper: &[&str], arguments: &[&str]) -> Self {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &port.netns])
            .args(wrapper)
            .arg(Self::BINARY)
            .args(arguments);
        Self::from(command)
    }

    /// Any command line as another user with these capabilities and no others, inside a
    /// port's namespace. The binary is copied to where that user can read it.
    #[track_caller]
    pub(crate) fn spawn_as_nobody(lab: &Lab, capabilities: &str, arguments: &[&str]) -> Self {
        lab.let_everybody_read();
        let copy = lab.file("linerate", &std::fs::read(Self::BINARY).expect("the binary"));
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&copy, mode).expect("make the copy executable");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &lab.west.netns, "setpriv", "--clear-groups"]);
        command.args(["--reuid=65534", "--regid=65534"]);
        command.arg(format!("--inh-caps={capabilities}"));
        command.arg(format!("--ambient-caps={capabilities}"));
        command.arg(copy).args(arguments);
        Self::from(command)
    }

    #[track_caller]
    fn from(mut command: Command) -> Self {
        take_part();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: prctl is async-signal-safe, and nothing else happens between fork and exec.
        unsafe { command.pre_exec(die_with_the_test) };
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().map(read_to_end);
        let stderr = child.stderr.take().map(read_to_end);
        let command = format!("{command:?}");
        Self { child, command, started: Instant::now(), stdout, stderr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `libc::SIGINT`.
    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: the child has not been waited for, so its number is still its own.
        let result = unsafe { libc::kill(self.child.id() as i32, signal) };
        assert_eq!(result, 0, "kill: {}", std::io::Error::last_os_error());
    }

    /// Fails if the process has ended by itself.
    #[track_caller]
    pub(crate) fn assert_running(&mut self) {
        let status = self.child.try_wait().expect("the child's state");
        assert!(status.is_none(), "it should still run: {}", self.collect(status));
    }

    /// Waits for the end; fails (and kills) after a minute.
    #[track_caller]
    pub(crate) fn wait(self) -> Outcome {
        self.wait_for(PATIENCE)
    }

    /// The same for what takes longer.
    #[track_caller]
    pub(crate) fn wait_for(mut self, patience: Duration) -> Outcome {
        let deadline = Instant::now() + patience;
        loop {
            let status = self.child.try_wait().expect("the child's state");
            if status.is_some() {
                return self.collect(status);
            }
            if Instant::now() > deadline {
                self.child.kill().expect("kill the child");
                let status = self.child.wait().ok();
                panic!("killed after {patience:?}: {}", self.collect(status));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn collect(&mut self, status: Option<ExitStatus>) -> Outcome {
        let text = |reader: &mut Option<JoinHandle<Vec<u8>>>| {
            let octets = reader.take().map(|reader| reader.join().expect("a reader"));
            String::from_utf8_lossy(&octets.unwrap_or_default()).into_owned()
        };
        Outcome {
            command: self.command.clone(),
            code: status.and_then(|status| status.code()),
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
            took: self.started.elapsed(),
        }
    }
}

impl Drop for Linerate {
    fn drop(&mut self) {
        // Both fail only when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A test that is killed cannot kill its linerate; the kernel does.
pub(crate) fn die_with_the_test() -> std::io::Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes one signal number.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn read_to_end(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = pipe.read_to_end(&mut octets);
        octets
    })
}

/// How a linerate ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    command: String,
    /// `None`: killed by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome { command, code, stdout, stderr, took } = self;
        write!(
            f,
            "{command}\nexit {code:?} after {took:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

impl Outcome {
    /// Fails unless the exit code is this one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "wrong exit code: {self}");
        self
    }

    /// Fails unless stderr has each of `words` and is short: one line for the person.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let stderr = self.stderr.to_lowercase();
        for word in words {
            assert!(stderr.contains(&word.to_lowercase()), "stderr lacks `{word}`: {self}");
        }
        assert!(!stderr.contains("panicked"), "it panicked: {self}");
        self
    }

    /// The one JSON document on stdout, with CONTRACT's sums checked in every row.
    #[track_caller]
    pub(crate) fn result(&self) -> RunResult {
        let document: Value = match serde_json::from_str(&self.stdout) {
            Ok(document) => document,
            Err(error) => panic!("stdout is not exactly one JSON document ({error}): {self}"),
        };
        assert_eq!(document["schema"], "linerate.run/1", "{self}");
        let result = RunResult { document };
        for flow in result.flows() {
            flow.assert_sums();
        }
        result
    }
}

/// A `linerate.run/1` document.
#[derive(Debug)]
pub(crate) struct RunResult {
    pub(crate) document: Value,
}

impl RunResult {
    pub(crate) fn flows(&self) -> Vec<Flow<'_>> {
        let rows = self.document["flows"].as_array().expect("`flows` is a list");
        rows.iter().map(Flow).collect()
    }

    #[track_caller]
    pub(crate) fn flow(&self, name: &str) -> Flow<'_> {
        let found = self.flows().into_iter().find(|flow| flow.0["name"] == name);
        found.unwrap_or_else(|| panic!("no flow {name}: {:#}", self.document["flows"]))
    }
}

/// One row of a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow<'a>(pub(crate) &'a Value);

impl<'a> Flow<'a> {
    /// A count by name, `latency_ns.min` style for nested ones; fails when null or absent.
    #[track_caller]
    pub(crate) fn count(self, path: &str) -> u64 {
        let value = self.value(path);
        value.as_u64().unwrap_or_else(|| panic!("`{path}` is {value}, no count: {:#}", self.0))
    }

    #[track_caller]
    pub(crate) fn number(self, path: &str) -> f64 {
        let value = self.value(path);
        value.as_f64().unwrap_or_else(|| panic!("`{path}` is {value}, no number: {:#}", self.0))
    }

    #[track_caller]
    pub(crate) fn value(self, path: &str) -> &'a Value {
        path.split('.').fold(self.0, |value, key| {
            value.get(key).unwrap_or_else(|| panic!("`{path}` is absent: {:#}", self.0))
        })
    }

    /// Compares counts, and shows the whole row when one differs.
    #[track_caller]
    pub(crate) fn assert_counts(self, expected: &[(&str, u64)]) {
        for (name, count) in expected {
            assert_eq!(self.count(name), *count, "{name}: {:#}", self.0);
        }
    }

    /// All was sent and all arrived, once and in order.
    #[track_caller]
    pub(crate) fn assert_clean(self, frames: u64) {
        self.assert_counts(&[
            ("requested_frames", frames),
            ("unsent_frames", 0),
            ("tx_frames", frames),
            ("rx_frames", frames),
            ("rx_unique_frames", frames),
            ("lost_frames", 0),
            ("duplicate_frames", 0),
            ("reordered_frames", 0),
            ("late_frames", 0),
            ("corrupt_frames", 0),
            ("misdirected_frames", 0),
            ("stale_frames", 0),
        ]);
    }

    fn assert_sums(self) {
        if self.value("rx_port").is_null() || self.value("rx_frames").is_null() {
            return;
        }
        let count = |name| self.count(name);
        // Of a flow without a tag nobody knows which frames are duplicates.
        if self.value("rx_unique_frames").is_null() {
            let lost = count("tx_frames").saturating_sub(count("rx_frames"));
            assert!(self.value("duplicate_frames").is_null(), "{:#}", self.0);
            assert_eq!(count("lost_frames"), lost, "lost = tx - rx: {:#}", self.0);
        } else {
            assert_eq!(
                count("tx_frames"),
                count("rx_unique_frames") + count("lost_frames"),
                "tx = unique + lost: {:#}",
                self.0
            );
            assert_eq!(
                count("rx_frames"),
                count("rx_unique_frames") + count("duplicate_frames"),
                "rx = unique + duplicate: {:#}",
                self.0
            );
        }
        if let Some(requested) = self.value("requested_frames").as_u64() {
            assert_eq!(
                requested,
                count("tx_frames") + count("unsent_frames"),
                "requested = tx + unsent: {:#}",
                self.0
            );
        }
    }
}
