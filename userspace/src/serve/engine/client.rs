//! The listener's side of the pipes.

use super::SuitePlan;
use super::away::Away;
use super::protocol::{
    Answer, Call, CaptureStart, Command, EngineError, Event, Line, PortCount, RunStart, Started,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};
use tokio::sync::oneshot;

/// Hears what happens in the engine, on its reader's thread: it must not wait.
pub trait Sink: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: Event);

    /// The engine died: nothing that it did goes on. It has been started again unless
    /// `is_final`.
    fn died(&self, reason: &str, is_final: bool);
}

/// The engine's process. Dropped, it ends what it does, and itself.
#[derive(Debug)]
pub struct Engine {
    calls: Option<Sender<String>>,
    state: Arc<Mutex<State>>,
    child: Child,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    generation: u32,
    waiting: HashMap<u64, oneshot::Sender<Result<Answer, EngineError>>>,
    /// Why it is gone for good.
    gone: Option<String>,
    /// This process's threads must not be where the engine's send.
    away: Arc<Away>,
}

impl Engine {
    /// Starts the engine's process with the privileges that this one has now.
    ///
    /// # Errors
    /// If a process or a pipe cannot be made.
    pub fn spawn() -> io::Result<Child> {
        std::process::Command::new("/proc/self/exe")
            .arg(super::child::VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C at a terminal is for the listener alone.
            .process_group(0)
            .spawn()
    }

    /// Speaks with a process of [`Self::spawn`], on threads that begin now.
    ///
    /// # Errors
    /// If a thread cannot be made.
    pub fn attach(mut child: Child, sink: Arc<dyn Sink>) -> io::Result<Self> {
        let missing = || io::Error::other("the engine has no pipes");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let state = Arc::<Mutex<State>>::default();
        let (calls, lines) = channel();
        thread::Builder::new().name("engine-in".into()).spawn(move || write(stdin, &lines))?;
        let of_reader = Arc::clone(&state);
        thread::Builder::new()
            .name("engine-out".into())
            .spawn(move || read(stdout, &of_reader, &*sink))?;
        Ok(Self { calls: Some(calls), state, child })
    }

    /// The process that keeps the data plane's.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Why it does nothing any more; `None`: it works.
    pub fn gone(&self) -> Option<String> {
        lock(&self.state).gone.clone()
    }

    /// Has a command carried out.
    ///
    /// # Errors
    /// Those of the engine, and [`EngineError::Gone`].
    pub async fn call(&self, command: Command) -> Result<Answer, EngineError> {
        let gone = |reason: &str| EngineError::Gone { reason: reason.to_owned() };
        let (answer, answered) = oneshot::channel();
        let call = {
            let mut state = lock(&self.state);
            if let Some(reason) = &state.gone {
                return Err(gone(reason));
            }
            state.next += 1;
            let id = state.next;
            state.waiting.insert(id, answer);
            Call { id, generation: state.generation, command }
        };
        let line = serde_json::to_string(&call).map_err(|error| gone(&error.to_string()))?;
        if let Some(calls) = &self.calls {
            // Its reader hears of an end, and then nothing waits any more.
            let _ = calls.send(line);
        }
        answered.await.unwrap_or_else(|_| Err(gone("it gave no answer")))
    }

    /// Says something that needs no answer.
    pub fn tell(&self, command: Command) {
        let call = {
            let mut state = lock(&self.state);
            state.next += 1;
            Call { id: state.next, generation: state.generation, command }
        };
        if let (Some(calls), Ok(line)) = (&self.calls, serde_json::to_string(&call)) {
            // Its reader hears of an end, and then nobody waits for it.
            let _ = calls.send(line);
        }
    }

    /// Takes the ports of a suite and lets it begin, or says what it comes to.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn suite(&self, command: Command) -> Result<SuitePlan, EngineError> {
        match self.call(command).await? {
            Answer::Suite(plan) => Ok(plan),
            other => Err(unfit(&other)),
        }
    }

    /// Takes the ports of a run and lets it send.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn start_run(&self, start: RunStart) -> Result<Started, EngineError> {
        match self.call(Command::Start(start)).await? {
            Answer::Started(started) => Ok(started),
            other => Err(unfit(&other)),
        }
    }

    /// Has a command carried out that is answered by being done.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn order(&self, command: Command) -> Result<(), EngineError> {
        match self.call(command).await? {
            Answer::Done => Ok(()),
            other => Err(unfit(&other)),
        }
    }

    /// `linerate.ports/1` of one port, or of all.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn ports(&self, port: Option<String>) -> Result<Value, EngineError> {
        match self.call(Command::Ports { port }).await? {
            Answer::Ports(report) => Ok(report),
            other => Err(unfit(&other)),
        }
    }

    /// Does what another daemon asks, JSON for JSON.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn remote(&self, lease: String, request: String) -> Result<String, EngineError> {
        match self.call(Command::Remote { lease, request }).await? {
            Answer::Remote(reply) => Ok(reply),
            other => Err(unfit(&other)),
        }
    }

    /// What the kernel has counted on ports.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn count(&self, ports: Vec<String>) -> Result<Vec<PortCount>, EngineError> {
        match self.call(Command::Count { ports }).await? {
            Answer::Counts(counts) => Ok(counts),
            other => Err(unfit(&other)),
        }
    }

    /// Starts a capture.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn start_capture(&self, start: CaptureStart) -> Result<(), EngineError> {
        self.order(Command::StartCapture(start)).await
    }

    /// A part of a capture's file.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub async fn read_capture(
        &self,
        capture: u64,
        offset: u64,
        octets: u32,
    ) -> Result<Vec<u8>, EngineError> {
        match self.call(Command::ReadCapture { capture, offset, octets }).await? {
            Answer::Octets(digits) => unhex(&digits).ok_or_else(|| unfit(&Answer::Octets(digits))),
            other => Err(unfit(&other)),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Closes the pipe, and then waits until everything is given back.
        self.calls = None;
        let _ = self.child.wait();
    }
}

fn unfit(answer: &Answer) -> EngineError {
    EngineError::Failed { message: format!("the engine's answer does not fit: {answer:?}") }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let octet = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(octet).collect()
}

fn write(mut stdin: ChildStdin, lines: &Receiver<String>) {
    while let Ok(mut line) = lines.recv() {
        line.push('\n');
        if stdin.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(stdout: ChildStdout, state: &Mutex<State>, sink: &dyn Sink) {
    let away = Arc::clone(&lock(state).away);
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else { break };
        // A worker that dies may leave half a line.
        match serde_json::from_str(&line) {
            Ok(Line::Answer { id, answer }) => {
                if let Ok(Answer::Started(started)) = &answer {
                    away.begin(started.run, &started.senders_cpus);
                }
                let waiting = lock(state).waiting.remove(&id);
                // Whoever asked may have left.
                let _ = waiting.map(|waiting| waiting.send(answer));
            }
            Ok(Line::Event(event)) => {
                if let Event::Done { run, .. } | Event::Failed { run, .. } = &event {
                    away.end(*run);
                }
                sink.event(event);
            }
            Ok(Line::Restarted { generation, reason }) => {
                lock(state).generation = generation;
                end(state, &reason);
                sink.died(&reason, false);
            }
            Err(_) => (),
        }
    }
    let reason = "its process is gone; restart the daemon";
    lock(state).gone = Some(reason.to_owned());
    end(state, reason);
    sink.died(reason, true);
}

fn end(state: &Mutex<State>, reason: &str) {
    let (waiting, away) = {
        let mut state = lock(state);
        (std::mem::take(&mut state.waiting), Arc::clone(&state.away))
    };
    away.end_all();
    for (_, waiting) in waiting {
        let _ = waiting.send(Err(EngineError::Gone { reason: reason.to_owned() }));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
