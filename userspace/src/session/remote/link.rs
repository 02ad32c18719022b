//! The way to another daemon.

use super::{
    clock::ClockOffset,
    queue::FarCounters,
    wire::{Reading, Reply, Request, SentPart, Status},
};
use crate::{session::SessionError, units::monotonic_ns};
use std::{
    collections::HashMap,
    env, fs,
    net::Ipv6Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
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
    /// `[host]:port`.
    daemon: String,
    agent: Agent,
    url: String,
    lease: String,
    authorization: Option<String>,
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
        let failed = |why: String| refused(daemon, why, 64);
        let token = token().map_err(failed)?;
        let trusted = trusted().map_err(failed)?;
        let scheme = if trusted.is_some() { "https" } else { "http" };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::from(trusted.unwrap_or_default()))
            .build();
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .timeout_connect(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls)
            .build();
        let host = match daemon.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
            Some((host, _)) if host.parse::<Ipv6Addr>().is_ok() => daemon.to_owned(),
            Some((host, port)) => format!("{host}:{port}"),
            None => daemon.to_owned(),
        };
        let link = Arc::new(Self {
            daemon: daemon.to_owned(),
            agent: agent.into(),
            url: format!("{scheme}://{host}/api/v1/remote"),
            lease: lease(),
            authorization: token.map(|token| format!("Bearer {token}")),
            state: Mutex::default(),
        });
        link.clock()?;
        let weak = Arc::downgrade(&link);
        thread::Builder::new().name("lease".into()).spawn(move || renew(&weak))?;
        Ok(link)
    }

    pub(in crate::session) fn daemon(&self) -> &str {
        &self.daemon
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
        let failed = |why: String| refused(&self.daemon, why, 2);
        let body = serde_json::to_string(request).map_err(|error| failed(error.to_string()))?;
        let mut post = self.agent.post(format!("{}/{}", self.url, self.lease));
        if let Some(authorization) = &self.authorization {
            post = post.header("authorization", authorization);
        }
        let post = post.config().timeout_global(Some(patience)).build();
        let answer = post.header("content-type", "application/json").send(body);
        let mut answer = answer.map_err(|error| failed(error.to_string()))?;
        let status = answer.status();
        let limit = 256 << 20;
        let text = answer.body_mut().with_config().limit(limit).read_to_string();
        let text = text.map_err(|error| failed(error.to_string()))?;
        if !status.is_success() {
            return Err(failed(detail(&text).unwrap_or_else(|| format!("it answers {status}"))));
        }
        match serde_json::from_str(&text) {
            Ok(Reply::Refused { message, exit_code }) => {
                Err(refused(&self.daemon, message, exit_code))
            }
            Ok(reply) => Ok(reply),
            Err(error) => Err(failed(format!(
                "its answer is not understood ({error}); is it of the same version?"
            ))),
        }
    }

    /// Asks the other clock, again and again, for the surest answer.
    pub(super) fn clock(&self) -> Result<ClockOffset, SessionError> {
        let failed = |why: String| refused(&self.daemon, why, 2);
        let mut best: Option<ClockOffset> = None;
        for _ in 0..EXCHANGES {
            let mut get = self.agent.get(format!("{}/clock", self.url));
            if let Some(authorization) = &self.authorization {
                get = get.header("authorization", authorization);
            }
            let asked_ns = monotonic_ns();
            let mut answer = get.call().map_err(|error| failed(error.to_string()))?;
            let answered_ns = monotonic_ns();
            let status = answer.status();
            let text = answer.body_mut().read_to_string();
            let text = text.map_err(|error| failed(error.to_string()))?;
            if !status.is_success() {
                return Err(failed(
                    detail(&text).unwrap_or_else(|| format!("it answers {status}")),
                ));
            }
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
        refused(&self.daemon, why, 2)
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
        refused(&self.daemon, format!("its answer does not fit: {shown}"), 2)
    }

    /// What is wrong with its port number `port`, or with the way to it.
    pub(in crate::session) fn lost(&self, port: usize) -> Option<String> {
        let state = self.state();
        let link = state.status.links.get(port).cloned().flatten();
        state.fault.clone().or_else(|| link.map(|link| format!("{}: {link}", self.daemon)))
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

fn refused(daemon: &str, message: impl Into<String>, exit_code: u8) -> SessionError {
    SessionError::Remote { daemon: daemon.to_owned(), message: message.into(), exit_code }
}

/// What a problem document says (RFC 9457).
fn detail(text: &str) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(text).ok()?;
    problem["detail"].as_str().or_else(|| problem["title"].as_str()).map(str::to_owned)
}

/// A number that nobody else has.
fn lease() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = |seed: u64| RandomState::new().hash_one(seed);
    format!("{:016x}{:016x}", random(monotonic_ns()), random(u64::from(std::process::id())))
}

/// `LINERATE_REMOTE_TOKEN`, or what is in the file `LINERATE_REMOTE_TOKEN_FILE`.
fn token() -> Result<Option<String>, String> {
    if let Ok(path) = env::var("LINERATE_REMOTE_TOKEN_FILE") {
        let token = fs::read_to_string(&path)
            .map_err(|error| format!("LINERATE_REMOTE_TOKEN_FILE {path}: {error}"))?;
        return Ok(Some(token.trim().to_owned()));
    }
    Ok(env::var("LINERATE_REMOTE_TOKEN").ok().map(|token| token.trim().to_owned()))
}

/// The certificate in the file `LINERATE_REMOTE_CA`: then it is HTTPS.
fn trusted() -> Result<Option<Vec<Certificate<'static>>>, String> {
    let Ok(path) = env::var("LINERATE_REMOTE_CA") else { return Ok(None) };
    let pem = fs::read(&path).map_err(|error| format!("LINERATE_REMOTE_CA {path}: {error}"))?;
    let certificate = Certificate::from_pem(&pem)
        .map_err(|error| format!("LINERATE_REMOTE_CA {path}: {error}"))?;
    Ok(Some(vec![certificate.to_owned()]))
}
