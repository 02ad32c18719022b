//! The way to another daemon.

use super::{
    clock::ClockOffset,
    queue::FarCounters,
    way::{Way, refused},
    wire::{Reading, Reply, Request, SentPart, Status},
};
use crate::{session::SessionError, units::monotonic_ns};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

/// A lease of this age is over (see `host.rs`): it is renewed well before.
const RENEW: Duration = Duration::from_secs(1);
/// An answer may have to wait for carriers and next hops.
const PATIENCE: Duration = Duration::from_secs(40);
const CLOSE: Duration = Duration::from_secs(2);
/// Questions for the other clock; the one with the shortest way counts.
const EXCHANGES: usize = 32;

/// A lease of another daemon. What was taken there is given back when it is dropped, or, if
/// nobody is left to say so, when it is not renewed.
#[derive(Debug)]
pub(in crate::session) struct Link {
    way: Way,
    lease: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By stream id.
    counters: HashMap<u16, Arc<FarCounters>>,
    /// At the start of the trial, and at its end.
    clock: Option<ClockOffset>,
    later: Option<ClockOffset>,
    status: Status,
    /// Why it is lost, if it is.
    fault: Option<String>,
}

impl Link {
    /// Connects, with the token and the certificate that the environment names.
    pub(in crate::session) fn connect(daemon: &str) -> Result<Arc<Self>, SessionError> {
        let way = Way::to(daemon)?;
        let link = Arc::new(Self { way, lease: lease(), state: Mutex::default() });
        link.clock()?;
        let weak = Arc::downgrade(&link);
        thread::Builder::new().name("lease".into()).spawn(move || renew(&weak))?;
        Ok(link)
    }

    pub(in crate::session) fn daemon(&self) -> &str {
        self.way.daemon()
    }

    /// Asks for something, and gives the answer unless it is a refusal.
    pub(super) fn call(&self, request: &Request) -> Result<Reply, SessionError> {
        let answered = self.ask(request, PATIENCE);
        if let Err(error) = &answered
            && !matches!(error, SessionError::Remote { exit_code: 64 | 77, .. })
        {
            self.state().fault.get_or_insert_with(|| error.to_string());
        }
        answered
    }

    fn ask(&self, request: &Request, patience: Duration) -> Result<Reply, SessionError> {
        self.way.ask(&self.lease, request, patience)
    }

    /// Asks the other clock, again and again, for the surest answer.
    pub(super) fn clock(&self) -> Result<ClockOffset, SessionError> {
        let failed = |why: String| refused(self.daemon(), why, 2);
        let mut best: Option<ClockOffset> = None;
        for _ in 0..EXCHANGES {
            let asked_ns = monotonic_ns();
            let text = self.way.get("remote/clock", PATIENCE)?;
            let answered_ns = monotonic_ns();
            let there_ns = text.trim().parse().map_err(|_| failed(format!("no clock: {text}")))?;
            let measured = ClockOffset::of(asked_ns, there_ns, answered_ns);
            best = Some(best.map_or(measured, |best| best.surer(measured)));
        }
        best.ok_or_else(|| failed("no clock".to_owned()))
    }

    /// Compares the clocks before a trial. Gives how long that took.
    pub(in crate::session) fn prepare(&self) -> Result<Duration, SessionError> {
        let started = Instant::now();
        let clock = self.clock()?;
        let mut state = self.state();
        (state.clock, state.later) = (Some(clock), None);
        state.counters.values().for_each(|counters| counters.set(SentPart::default(), 0));
        Ok(started.elapsed())
    }

    /// Lets a trial begin that starts at `start_ns` of our clock.
    pub(in crate::session) fn begin(&self, trial: u8, start_ns: u64) -> Result<(), SessionError> {
        let clock_offset_ns = self.state().clock.map_or(0, |clock| clock.offset_ns);
        self.done(&Request::Begin { trial, start_ns, clock_offset_ns })
    }

    /// What went wrong between us.
    pub(in crate::session) fn failed(&self, why: &str) -> SessionError {
        refused(self.daemon(), why, 2)
    }

    /// Compares the clocks once more, at the end of a trial.
    pub(in crate::session) fn compare(&self) {
        if let Ok(clock) = self.clock() {
            self.state().later = Some(clock);
        }
    }

    /// What our clock was ahead of theirs in the trial, and how far that may be wrong.
    pub(in crate::session) fn clock_offset(&self) -> Option<ClockOffset> {
        let state = self.state();
        let clock = state.clock?;
        let error_ns = state.later.map_or(clock.error_ns, |later| clock.error_until(later));
        Some(ClockOffset { error_ns, ..clock })
    }

    /// What the clocks drifted apart in the trial.
    pub(in crate::session) fn drift_ns(&self) -> Option<i64> {
        let state = self.state();
        Some(state.later?.offset_ns - state.clock?.offset_ns)
    }

    pub(in crate::session) fn start(&self) -> Result<(), SessionError> {
        self.done(&Request::Start)
    }

    pub(in crate::session) fn stop(&self) -> Result<(), SessionError> {
        self.done(&Request::Stop)
    }

    pub(in crate::session) fn end(&self) -> Result<Vec<String>, SessionError> {
        match self.call(&Request::End)? {
            Reply::Ended(faults) => Ok(faults),
            other => Err(self.unfit(&other)),
        }
    }

    pub(super) fn status(&self) -> Result<Status, SessionError> {
        match self.call(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            other => Err(self.unfit(&other)),
        }
    }

    /// Whether the workers have ended that the session there has.
    pub(super) fn finished(&self) -> Result<bool, SessionError> {
        let status = self.status()?;
        if status.held {
            return Ok(status.finished);
        }
        // Whoever slept through its end finds a new one, under which nothing is held.
        let over = refused(self.daemon(), SessionError::LeaseOver.to_string(), 2);
        self.state().fault.get_or_insert_with(|| over.to_string());
        Err(over)
    }

    /// What has changed; the workers' part is taken here. Gives the ports'.
    pub(super) fn read(&self, streams: &[u16]) -> Result<Reading, SessionError> {
        let mut reading = match self.call(&Request::Read)? {
            Reply::Read(reading) => reading,
            other => return Err(self.unfit(&other)),
        };
        let offset_ns = self.state().clock.map_or(0, |clock| clock.offset_ns);
        for (stream, part) in streams.iter().zip(reading.sent.drain(..)) {
            self.counters(*stream).set(part, offset_ns);
        }
        Ok(*reading)
    }

    pub(super) fn counters(&self, stream: u16) -> Arc<FarCounters> {
        Arc::clone(self.state().counters.entry(stream).or_default())
    }

    pub(super) fn done(&self, request: &Request) -> Result<(), SessionError> {
        match self.call(request)? {
            Reply::Done => Ok(()),
            other => Err(self.unfit(&other)),
        }
    }

    pub(super) fn unfit(&self, reply: &Reply) -> SessionError {
        let shown: String = format!("{reply:?}").chars().take(60).collect();
        refused(self.daemon(), format!("its answer does not fit: {shown}"), 2)
    }

    /// What is wrong with its port number `port`, or with the way to it.
    pub(in crate::session) fn lost(&self, port: usize) -> Option<String> {
        let state = self.state();
        let link = state.status.links.get(port).cloned().flatten();
        state.fault.clone().or_else(|| link.map(|link| format!("{}: {link}", self.daemon())))
    }

    /// Whether the way to it is lost.
    pub(in crate::session) fn is_lost(&self) -> bool {
        self.state().fault.is_some()
    }

    /// How often the link of its port number `port` was lost.
    pub(in crate::session) fn losses(&self, port: usize) -> u32 {
        self.state().status.losses.get(port).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The lease ends by itself where this is not heard.
        let _ = self.ask(&Request::Close, CLOSE);
    }
}

/// Keeps the lease, and hears of lost links.
fn renew(link: &Weak<Link>) {
    loop {
        thread::sleep(RENEW / 4);
        let Some(link) = link.upgrade() else { return };
        if let Ok(status) = link.status() {
            link.state().status = status;
        }
    }
}

/// A number that nobody else has.
fn lease() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = |seed: u64| RandomState::new().hash_one(seed);
    format!("{:016x}{:016x}", random(monotonic_ns()), random(u64::from(std::process::id())))
}
