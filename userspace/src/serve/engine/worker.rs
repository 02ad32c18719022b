//! The engine's second process: takes commands, owns the sessions.

use super::{
    away::Away,
    capture::Captures,
    ports,
    protocol::{Answer, Call, Command, EngineError, Event, Held, Holder, Line},
    run::Run,
    suite::{self, Kept},
};
use crate::{
    nic::{Netns, NicError, PortName, port_info},
    session::{Host, SessionError},
};
use std::{
    collections::HashMap,
    io::{self, BufRead, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, Sender, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// Lines waiting for a listener that does not read; snapshots beyond are put together.
const LINES_WAITING: usize = 256;
/// How long sessions may take to end once the listener has gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the command loop and the threads of runs share.
#[derive(Debug)]
pub(super) struct Shared {
    out: SyncSender<Line>,
    state: Mutex<State>,
    pub(super) away: Away,
}

#[derive(Debug, Default)]
struct State {
    runs: HashMap<u64, Run>,
    suites: HashMap<u64, Suite>,
    /// By namespace and interface.
    holders: HashMap<(u32, u32), Holder>,
}

/// How commands reach a suite.
#[derive(Debug)]
struct Suite {
    stop: Arc<AtomicBool>,
    kept: Sender<Kept>,
}

/// A port's place in the world, whatever it is called.
type Identity = (u32, u32);

pub(super) fn main(generation: u32) -> io::Result<()> {
    // If the keeper is killed, nobody would start another worker: then this one goes too.
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    let (out, lines) = sync_channel(LINES_WAITING);
    thread::Builder::new().name("lines".into()).spawn(move || write_lines(&lines))?;
    let shared = Arc::new(Shared { out, state: Mutex::default(), away: Away::default() });
    let captures = Arc::new(Captures::default());
    let host = Arc::new(Host::default());
    for line in io::stdin().lock().lines() {
        let Ok(call) = serde_json::from_str::<Call>(&line?) else { continue };
        if call.generation == generation {
            obey(&shared, &captures, &host, call);
        }
    }
    captures.stop_all();
    host.end();
    shared.stop_all();
    Ok(())
}

fn write_lines(lines: &Receiver<Line>) {
    let mut stdout = io::stdout().lock();
    while let Ok(line) = lines.recv() {
        let Ok(mut text) = serde_json::to_string(&line) else { continue };
        text.push('\n');
        if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

/// What may take its time is answered by a thread of its own.
fn obey(shared: &Arc<Shared>, captures: &Arc<Captures>, host: &Arc<Host>, call: Call) {
    let id = call.id;
    let run_of = |run| EngineError::Unknown { what: "run".into(), number: run };
    let change = |run: u64, change: &dyn Fn(&Run) -> Result<(), EngineError>| {
        let state = shared.state();
        state.runs.get(&run).ok_or_else(|| run_of(run)).and_then(change).map(|()| Answer::Done)
    };
    let answer = match call.command {
        Command::Stop { run } => change(run, &|run| {
            run.stop();
            Ok(())
        }),
        Command::Pause { run, flows } => change(run, &|run| run.pause(&flows)),
        Command::Resume { run, flows } => change(run, &|run| run.resume(&flows)),
        Command::SetRate { run, flow, rate } => change(run, &|run| run.set_rate(&flow, &rate)),
        Command::StopSuite { suite } => {
            shared.of_suite(suite, |suite| suite.stop.store(true, Relaxed))
        }
        Command::SuiteKept { suite, upto, fault } => {
            // One that has ended meanwhile does not wait for it.
            shared.of_suite(suite, |suite| drop(suite.kept.send((upto, fault))))
        }
        Command::StopCapture { capture } => captures.stop(capture),
        Command::ReadCapture { capture, offset, octets } => captures.read(capture, offset, octets),
        Command::DropCapture { capture } => captures.forget(capture),
        slow => {
            let (shared, captures) = (Arc::clone(shared), Arc::clone(captures));
            let host = Arc::clone(host);
            let started = thread::Builder::new().name("command".into()).spawn(move || {
                let answer = |answer| shared.say(Line::Answer { id, answer });
                match slow {
                    Command::Start(start) => super::run::main(&shared, start, &answer),
                    Command::StartSuite(start) => suite::main(&shared, &start, &answer),
                    Command::PlanSuite(start) => answer(suite::plan(&start).map(Answer::Suite)),
                    Command::StartCapture(start) => captures.main(&shared, &start, &answer),
                    Command::Ports { port } => answer(ports::tell(port.as_deref())),
                    Command::Count { ports } => answer(ports::count(&ports)),
                    Command::Remote { lease, request } => {
                        answer(Ok(Answer::Remote(host.serve(&lease, &request))));
                    }
                    Command::Link { port, up } => answer(ports::set_link(&port, up)),
                    // Answered above.
                    _ => (),
                }
            });
            match started {
                Ok(_) => return,
                Err(error) => Err(EngineError::Failed { message: error.to_string() }),
            }
        }
    };
    shared.say(Line::Answer { id, answer });
}

impl Shared {
    /// Waits for room: for what must not be lost.
    pub(super) fn say(&self, line: Line) {
        // Without a writer there is no listener, and soon no engine.
        let _ = self.out.send(line);
    }

    /// Gives the event back where there is no room.
    pub(super) fn try_say(&self, event: Event) -> Option<Event> {
        match self.out.try_send(Line::Event(event)) {
            Err(TrySendError::Full(Line::Event(event))) => Some(event),
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes ports for a holder, all or none of them.
    pub(super) fn take_ports(
        self: &Arc<Self>,
        ports: &[String],
        holder: Holder,
    ) -> Result<Taken, EngineError> {
        // Another daemon holds its own.
        let ports: Vec<_> = ports.iter().filter(|port| !port.starts_with('[')).collect();
        let identities = ports.iter().map(|port| identity(port)).collect::<Result<Vec<_>, _>>()?;
        let mut state = self.state();
        for (port, identity) in ports.into_iter().zip(&identities) {
            if let Some(&other) = state.holders.get(identity) {
                return Err(EngineError::Busy(Held { port: port.clone(), holder: other }));
            }
        }
        state.holders.extend(identities.iter().map(|identity| (*identity, holder)));
        Ok(Taken { shared: Arc::clone(self), identities })
    }

    pub(super) fn add_run(&self, number: u64, run: Run) {
        self.state().runs.insert(number, run);
    }

    pub(super) fn remove_run(&self, number: u64) {
        self.state().runs.remove(&number);
    }

    pub(super) fn add_suite(&self, number: u64, stop: Arc<AtomicBool>, kept: Sender<Kept>) {
        self.state().suites.insert(number, Suite { stop, kept });
    }

    pub(super) fn remove_suite(&self, number: u64) {
        self.state().suites.remove(&number);
    }

    fn of_suite(&self, number: u64, does: impl FnOnce(&Suite)) -> Result<Answer, EngineError> {
        let unknown = || EngineError::Unknown { what: "suite".into(), number };
        self.state().suites.get(&number).map(does).map(|()| Answer::Done).ok_or_else(unknown)
    }

    fn stop_all(&self) {
        self.state().runs.values().for_each(Run::stop);
        // With its sender goes what a suite may be waiting for.
        let suites = std::mem::take(&mut self.state().suites);
        for suite in suites.into_values() {
            suite.stop.store(true, Relaxed);
        }
        let until = Instant::now() + PATIENCE;
        while !self.state().holders.is_empty() && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Ports in somebody's hand, given back when dropped.
#[derive(Debug)]
pub(super) struct Taken {
    shared: Arc<Shared>,
    identities: Vec<Identity>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        for identity in &self.identities {
            state.holders.remove(identity);
        }
    }
}

fn identity(port: &str) -> Result<Identity, EngineError> {
    let found = port.parse::<PortName>().and_then(|name| {
        let netns = Netns::open(name.netns.as_deref())?;
        Ok((netns.inode(), port_info(&name)?.ifindex))
    });
    found.map_err(|error| refusal(&error.into()))
}

/// A session's error as the listener hears it.
pub(super) fn refusal(error: &SessionError) -> EngineError {
    let message = error.to_string();
    match error {
        SessionError::Nic(NicError::Held { port, pid }) => {
            EngineError::Busy(Held { port: port.to_string(), holder: Holder::Process(*pid) })
        }
        SessionError::Spec(error) => EngineError::Invalid {
            place: error.place().map_or_else(String::new, |at| at.key.clone()),
            message,
        },
        _ => match error.exit_code() {
            64 => EngineError::Invalid { place: String::new(), message },
            77 => EngineError::Unable { message },
            _ => EngineError::Failed { message },
        },
    }
}
