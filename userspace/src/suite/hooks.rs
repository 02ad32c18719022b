//! The user's own commands around trials.

use super::{Direction, Trial, TrialError, TrialPlan, TrialResult};
use crate::{spec::Frame, units::Ratio};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::{
    fs::File,
    io::{self, Read, Seek},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

/// Why a command of the user's did not do what it was for.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum HookError {
    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: io::Error },
    #[error("`{command}` ended with {status}{said}")]
    Failed { command: String, status: std::process::ExitStatus, said: String },
    #[error("interrupted")]
    Interrupted,
}

impl From<HookError> for TrialError {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Interrupted => Self::Interrupted,
            other => Self::Failed { message: other.to_string(), exit_code: 2 },
        }
    }
}

/// Names and values that a command finds in its environment.
pub type Environment = Vec<(&'static str, String)>;

/// What a command is told of a trial: `LINERATE_TEST`, and of its first load
/// `LINERATE_FRAME`, `LINERATE_FPS` and `LINERATE_FRAMES`.
pub fn environment(plan: &TrialPlan) -> Environment {
    let mut names = vec![("LINERATE_TEST", plan.test.to_string())];
    if let Some((load, stage)) =
        plan.loads.first().and_then(|load| Some((load, load.stages.first()?)))
    {
        names.push(("LINERATE_FRAME", load.frame.name.clone()));
        names.push(("LINERATE_FPS", stage.fps.to_f64().to_string()));
        names.push(("LINERATE_FRAMES", stage.frames.to_string()));
    }
    names
}

/// A command that runs. What it prints goes to memory: a pipe would be held open by what it
/// leaves running.
#[derive(Debug)]
pub(super) struct Running {
    command: String,
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Starts it with `sh -c`. What it prints does not mix with what linerate prints.
    pub(super) fn start(command: &str, names: &Environment) -> Result<Self, HookError> {
        let start = || {
            let [stdout, stderr] = [memory()?, memory()?];
            let child = Command::new("sh")
                .args(["-c", command])
                .envs(names.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .stdout(stdout.try_clone()?)
                .stderr(stderr.try_clone()?)
                .spawn()?;
            Ok(Self { command: command.to_owned(), child, stdout, stderr })
        };
        start().map_err(|source| HookError::Start { command: command.to_owned(), source })
    }

    /// Waits for its end, or ends it when `stop` is set. Returns what it printed.
    pub(super) fn wait(mut self, stop: &AtomicBool) -> Result<String, HookError> {
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if stop.load(Relaxed) => {
                    // Both fail only when it has ended, which is what is wanted.
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    return Err(HookError::Interrupted);
                }
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Err(source) => return Err(HookError::Start { command: self.command, source }),
            }
        };
        if status.success() {
            return Ok(printed(self.stdout));
        }
        // What interrupts us interrupts it too.
        if stop.load(Relaxed) {
            return Err(HookError::Interrupted);
        }
        let text = printed(self.stderr);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        let said = last.map(|line| format!(": {}", line.trim())).unwrap_or_default();
        Err(HookError::Failed { command: self.command, status, said })
    }
}

fn memory() -> io::Result<File> {
    Ok(File::from(memfd_create("hook", MFdFlags::MFD_CLOEXEC)?))
}

fn printed(mut file: File) -> String {
    let mut octets = Vec::new();
    // Memory is always there to be read.
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut octets));
    String::from_utf8_lossy(&octets).into_owned()
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// [`HookError`]: it could not be started, failed, or `stop` was set.
pub fn shell(command: &str, names: &Environment, stop: &AtomicBool) -> Result<String, HookError> {
    Running::start(command, names)?.wait(stop)
}

/// Trials with a command before and after each.
pub struct Hooked<'a> {
    trial: &'a mut dyn Trial,
    before: Option<&'a str>,
    after: Option<&'a str>,
    stop: &'a AtomicBool,
    number: u64,
}

impl std::fmt::Debug for Hooked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (before, after) = (&self.before, &self.after);
        f.debug_struct("Hooked")
            .field("before", before)
            .field("after", after)
            .finish_non_exhaustive()
    }
}

impl<'a> Hooked<'a> {
    /// Runs these commands around the trials of `trial`.
    pub fn new(
        trial: &'a mut dyn Trial,
        before: Option<&'a str>,
        after: Option<&'a str>,
        stop: &'a AtomicBool,
    ) -> Self {
        Self { trial, before, after, stop, number: 0 }
    }
}

impl Trial for Hooked<'_> {
    fn directions(&self) -> &[Direction] {
        self.trial.directions()
    }

    fn ceiling_fps(&mut self, frame: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.trial.ceiling_fps(frame)
    }

    /// The command after a trial is told of its end too: `LINERATE_TX_FRAMES`,
    /// `LINERATE_RX_FRAMES` (each once), `LINERATE_LOST_FRAMES` and `LINERATE_VALID`.
    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        self.number += 1;
        let mut names = environment(plan);
        names.push(("LINERATE_TRIAL", self.number.to_string()));
        if let Some(command) = self.before {
            shell(command, &names, self.stop)?;
        }
        let result = self.trial.run(plan)?;
        if let Some(command) = self.after {
            names.push(("LINERATE_TX_FRAMES", result.sum(|way| way.tx_frames).to_string()));
            names.push(("LINERATE_RX_FRAMES", result.sum(|way| way.rx_unique_frames).to_string()));
            names.push(("LINERATE_LOST_FRAMES", result.sum(|way| way.lost_frames).to_string()));
            names.push(("LINERATE_VALID", result.invalid.is_none().to_string()));
            shell(command, &names, self.stop)?;
        }
        Ok(result)
    }

    fn replayed(&mut self, plan: &TrialPlan, result: &TrialResult) {
        self.number += 1;
        self.trial.replayed(plan, result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GO: AtomicBool = AtomicBool::new(false);

    #[test]
    fn a_command_is_told_and_heard() {
        let names = vec![("LINERATE_FRAME", "64".to_owned())];
        assert_eq!(shell("echo $LINERATE_FRAME; echo no >&2", &names, &GO).unwrap(), "64\n");
    }

    #[test]
    fn what_a_command_leaves_running_is_not_waited_for() {
        let started = std::time::Instant::now();
        assert_eq!(shell("sleep 20 & echo done", &Vec::new(), &GO).unwrap(), "done\n");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failure_is_one_line_that_says_what_the_command_said_last() {
        let error = shell("echo first >&2; echo 'no such rack' >&2; exit 3", &Vec::new(), &GO);
        let line = error.unwrap_err().to_string();
        let start = "`echo first >&2; echo 'no such rack' >&2; exit 3` ended with ";
        assert!(line.starts_with(start) && line.ends_with("3: no such rack"), "{line}");
    }

    #[test]
    fn a_stop_ends_a_command_that_hangs() {
        let stop = AtomicBool::new(true);
        let ended = shell("sleep 60", &Vec::new(), &stop);
        assert!(matches!(ended, Err(HookError::Interrupted)), "{ended:?}");
    }
}
