//! The engine's first process: it keeps a worker running, and does nothing else.

use super::{protocol::Line, worker};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::{
    io::{self, Write},
    process::{Command, ExitCode, ExitStatus},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

/// The verb of the command line that starts it; it is of no use to people.
pub(super) const VERB: &str = "engine";
/// A worker that dies sooner than this is not started again at once.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// The keeper (`generation` absent) or the worker of one generation.
///
/// Both leave when the listener closes the pipe, and not for a signal that is meant for the
/// listener and reaches them too.
pub fn main(generation: Option<u32>) -> ExitCode {
    for signal in [SIGINT, SIGTERM] {
        let heard = Arc::new(AtomicBool::new(false));
        if let Err(error) = signal_hook::flag::register(signal, heard) {
            eprintln!("engine: cannot set signals aside: {error}");
            return ExitCode::from(2);
        }
    }
    let done = match generation {
        Some(generation) => worker::main(generation),
        None => keep(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("engine: {error}");
            ExitCode::from(2)
        }
    }
}

/// Starts workers until one ends well, which is when the listener has closed the pipe.
fn keep() -> io::Result<()> {
    for generation in 0.. {
        let started = Instant::now();
        let mut worker = Command::new("/proc/self/exe");
        let status = worker.args([VERB, "--generation", &generation.to_string()]).status()?;
        if status.success() {
            break;
        }
        if started.elapsed() < SHORT_LIFE {
            thread::sleep(SHORT_LIFE);
        }
        let line = Line::Restarted { generation: generation + 1, reason: ending(status) };
        // The worker may have died within a line of its own.
        let text = format!("\n{}\n", serde_json::to_string(&line)?);
        if io::stdout().write_all(text.as_bytes()).is_err() {
            break;
        }
    }
    Ok(())
}

fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => format!("its process was ended by signal {signal}"),
        None => format!("its process ended with exit code {}", status.code().unwrap_or(-1)),
    }
}
