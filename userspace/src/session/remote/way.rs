//! HTTP to another daemon: the token, the certificate, and what its answers mean.

use super::wire::{Reply, Request};
use crate::{
    nic::{LinkCounters, PortName},
    session::SessionError,
};
use std::{env, fs, net::Ipv6Addr, sync::Arc, time::Duration};
use ureq::{
    Agent, Body,
    http::{Response, StatusCode},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

/// Says of what version who asks is: both are to be of one.
pub const VERSION_HEADER: &str = "linerate-version";
/// The version of this side.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

const CONNECT: Duration = Duration::from_secs(5);
/// An answer about a port waits for nothing.
const LOOK: Duration = Duration::from_secs(10);
/// Octets of an answer.
const ANSWER_MAX: u64 = 256 << 20;

/// The way to a daemon.
#[derive(Debug)]
pub(super) struct Way {
    /// `[host]:port`.
    daemon: String,
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

impl Way {
    /// With the token and the certificate that the environment names; nothing is asked yet.
    pub(super) fn to(daemon: &str) -> Result<Self, SessionError> {
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
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls)
            .build();
        let host = match daemon.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
            Some((host, _)) if host.parse::<Ipv6Addr>().is_ok() => daemon.to_owned(),
            Some((host, port)) => format!("{host}:{port}"),
            None => daemon.to_owned(),
        };
        Ok(Self {
            daemon: daemon.to_owned(),
            agent: agent.into(),
            url: format!("{scheme}://{host}/api/v1"),
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    pub(super) fn daemon(&self) -> &str {
        &self.daemon
    }

    pub(super) fn get(&self, path: &str, patience: Duration) -> Result<String, SessionError> {
        let mut get = self.agent.get(format!("{}/{path}", self.url));
        if let Some(authorization) = &self.authorization {
            get = get.header("authorization", authorization);
        }
        let get = get.header(VERSION_HEADER, VERSION);
        self.text(get.config().timeout_global(Some(patience)).build().call())
    }

    /// Asks for something under a lease.
    pub(super) fn ask(
        &self,
        lease: &str,
        request: &Request,
        patience: Duration,
    ) -> Result<Reply, SessionError> {
        let failed = |why: String| refused(&self.daemon, why, 2);
        let body = serde_json::to_string(request).map_err(|error| failed(error.to_string()))?;
        let mut post = self.agent.post(format!("{}/remote/{lease}", self.url));
        if let Some(authorization) = &self.authorization {
            post = post.header("authorization", authorization);
        }
        let post = post.header(VERSION_HEADER, VERSION).header("content-type", "application/json");
        let post = post.config().timeout_global(Some(patience)).build();
        match serde_json::from_str(&self.text(post.send(body))?) {
            Ok(Reply::Refused { message, exit_code }) => {
                Err(refused(&self.daemon, message, exit_code))
            }
            Ok(reply) => Ok(reply),
            Err(error) => Err(failed(format!(
                "its answer is not understood ({error}); is it of the same version?"
            ))),
        }
    }

    /// What was answered, unless that is a refusal.
    fn text(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<String, SessionError> {
        let failed = |why: String| refused(&self.daemon, why, 2);
        let mut answer = answer.map_err(|error| failed(self.broken(&error)))?;
        let status = answer.status();
        let text = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string();
        let text = text.map_err(|error| failed(self.broken(&error)))?;
        if !status.is_success() {
            let why = detail(&text).unwrap_or_else(|| format!("it answers {status}"));
            // What is not there is asked for by a wrong name.
            let exit_code = if status == StatusCode::NOT_FOUND { 64 } else { 2 };
            return Err(refused(&self.daemon, why, exit_code));
        }
        Ok(text)
    }

    fn broken(&self, error: &ureq::Error) -> String {
        let advice = match error {
            ureq::Error::Protocol(_) if self.url.starts_with("http:") => {
                "; if it is served over HTTPS, name its certificate by LINERATE_REMOTE_CA"
            }
            ureq::Error::Io(io) => match io.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(rustls::Error::InvalidCertificate(why)) => {
                    if why.to_string().contains("CaUsedAsEndEntity") {
                        "; it is that of an authority, which vouches for others: make one with basicConstraints=CA:FALSE"
                    } else {
                        "; LINERATE_REMOTE_CA has to name who vouches for it, and it the host"
                    }
                }
                _ => "",
            },
            _ => "",
        };
        format!("{error}{advice}")
    }
}

/// What the daemon of a port tells of it: its answer to `GET /api/v1/ports/PORT`.
///
/// # Errors
/// [`SessionError::Remote`].
pub fn far_port_report(port: &PortName) -> Result<String, SessionError> {
    let (way, local) = way_to(port)?;
    way.get(&format!("ports/{local}"), LOOK)
}

/// Whether a port of another daemon has a carrier, and what its kernel has counted.
///
/// # Errors
/// [`SessionError::Remote`].
pub fn far_counters(port: &PortName) -> Result<(bool, LinkCounters), SessionError> {
    let (way, local) = way_to(port)?;
    match way.ask("count", &Request::Count { port: local }, LOOK)? {
        Reply::Counted { link, counters } => Ok((link, counters)),
        _ => Err(refused(&way.daemon, "its answer does not fit a count", 2)),
    }
}

fn way_to(port: &PortName) -> Result<(Way, String), SessionError> {
    let daemon = port.daemon.as_deref().unwrap_or_default();
    Ok((Way::to(daemon)?, PortName { daemon: None, ..port.clone() }.to_string()))
}

pub(super) fn refused(daemon: &str, message: impl Into<String>, exit_code: u8) -> SessionError {
    SessionError::Remote { daemon: daemon.to_owned(), message: message.into(), exit_code }
}

/// What a problem document says (RFC 9457).
fn detail(text: &str) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(text).ok()?;
    problem["detail"].as_str().or_else(|| problem["title"].as_str()).map(str::to_owned)
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
