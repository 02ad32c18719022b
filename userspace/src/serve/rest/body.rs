//! The octets of a body: within its limit, within its time, and read to its end, for who is
//! cut off while sending never reads the answer.

use crate::serve::problem::Problem;
use axum::{
    body::{BodyDataStream, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Octets that a route takes, in its requests' extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) usize);

/// Octets from which on few bodies are at work at once.
const LARGE: usize = 1 << 20;
/// How long a client may send nothing, and how long it may take for all.
const PAUSE: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_mins(5);
/// Octets beyond the limit that are read and thrown away.
const DISCARDED: usize = 256 << 20;

/// Whether a request may have a large body: it says so, or does not say how large it is.
pub(super) fn is_large(headers: &HeaderMap) -> bool {
    match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length.to_str().ok().and_then(|it| it.parse().ok()) > Some(LARGE),
        None => headers.contains_key(header::TRANSFER_ENCODING),
    }
}

/// Reads all of it.
///
/// # Errors
/// 413 over the limit, 408 if it does not come in time, 400 if it breaks off.
pub(super) async fn read(request: Request) -> Result<Vec<u8>, Problem> {
    let limit = request.extensions().get().map_or(LARGE, |limit: &Limit| limit.0);
    let mut parts =
        Parts { stream: request.into_body().into_data_stream(), until: Instant::now() + WHOLE };
    let mut octets = Vec::new();
    while let Some(part) = parts.next().await? {
        if octets.len() + part.len() > limit {
            drop(octets);
            parts.discard().await;
            let why = format!("the body is larger than {limit} octets");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why));
        }
        octets.extend_from_slice(&part);
    }
    Ok(octets)
}

/// Whether it is worth a thread of its own to parse so much.
pub(super) fn takes_long(octets: &[u8]) -> bool {
    octets.len() > LARGE
}

struct Parts {
    stream: BodyDataStream,
    until: Instant,
}

impl Parts {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let late = |_| {
            let why = "the body did not come in time";
            Problem::new(StatusCode::REQUEST_TIMEOUT, why)
        };
        let next = timeout_at(self.until, timeout(PAUSE, self.stream.next()));
        let part = next.await.map_err(late)?.map_err(late)?;
        part.transpose().map_err(|error| Problem::bad("", format!("the body broke off: {error}")))
    }

    /// Most clients look for an answer only when they have sent all.
    async fn discard(mut self) {
        let mut discarded = 0;
        while let Ok(Some(part)) = self.next().await {
            discarded += part.len();
            if discarded > DISCARDED {
                return;
            }
        }
    }
}
