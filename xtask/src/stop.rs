//! Ctrl-C and SIGTERM: what was set up is torn down before xtask ends.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::shell;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on a signal sets a flag instead of ending the process, so that
/// destructors run. Children share our terminal and stop by themselves.
pub fn catch_signals() -> Result<()> {
    let flag = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("cannot catch signals")?;
    }
    Ok(())
}

/// Whether a signal came in.
pub fn asked() -> bool {
    ASKED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// An error when a signal came in: call between steps.
pub fn check() -> Result<()> {
    if asked() {
        bail!("interrupted");
    }
    Ok(())
}

/// Runs a command to its end; a signal to us, or `limit`, ends it too.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<ExitStatus> {
    let child = start(command)?;
    wait_within(child, command, limit)
}

/// The same; every line of stdout that `heed` wants shown is.
pub fn run_heeding(
    command: &mut Command,
    limit: Duration,
    mut heed: impl FnMut(&str) -> bool + Send,
) -> Result<ExitStatus> {
    let mut child = start(command.stdout(Stdio::piped()))?;
    let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
    thread::scope(|scope| {
        scope.spawn(move || {
            for line in lines.into_iter().flatten().map_while(Result::ok) {
                if heed(&line) {
                    println!("{line}");
                }
            }
        });
        wait_within(child, command, limit)
    })
}

fn start(command: &mut Command) -> Result<Child> {
    eprintln!("$ {}", shell::shown(command));
    command.spawn().with_context(|| format!("cannot start {}", shell::shown(command)))
}

fn wait_within(mut child: Child, command: &Command, limit: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            check()?;
            return Ok(status);
        }
        if asked() || start.elapsed() > limit {
            end(&mut child);
            check()?;
            bail!("{} did not end within {} s", shell::shown(command), limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a child: SIGINT, five seconds to tidy up, then SIGKILL.
pub fn end(child: &mut Child) {
    let Some(pid) = Pid::from_raw(child.id() as i32) else { return };
    for (signal, patience) in [(Signal::INT, 5000), (Signal::TERM, 1000), (Signal::KILL, 1000)] {
        // An error means it has just ended; a sudo in between passes signals on.
        let _ = kill_process(pid, signal);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(patience) {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_heeded_and_the_status_told() {
        let mut lines = Vec::new();
        let mut command = shell::command("sh", &["-c", "echo one; echo two; exit 3"]);
        let heed = |line: &str| {
            lines.push(line.to_owned());
            true
        };
        let status = run_heeding(&mut command, Duration::from_mins(1), heed).unwrap();
        assert_eq!((status.code(), lines), (Some(3), vec!["one".to_owned(), "two".to_owned()]));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let error = run_within(&mut shell::command("sleep", &["60"]), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("sleep 60 did not end"), "{error}");
    }
}
