//! Answers that may be large: made beside the requests, sent in pieces, and few at once, for
//! whoever reads slowly has them kept in memory.

use super::App;
use crate::serve::{problem::Problem, runs::blocking, store::StoreError};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use std::{
    io::{self, Write},
    mem,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

/// Octets that are given to a connection at a time; what has no more is no large answer.
const PIECE: usize = 256 << 10;
/// How long a client may take for one.
const PAUSE: Duration = Duration::from_secs(10);

pub(super) const JSON: &str = "application/json";

/// The octets that `make` gives.
///
/// # Errors
/// Those of `make`.
pub(super) async fn whole(
    app: &App,
    kind: &'static str,
    make: impl FnOnce() -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let turn = turn(app).await;
    let octets = Bytes::from(blocking(make).await??);
    let length = octets.len();
    let body = if length <= PIECE {
        Body::from(octets)
    } else {
        let (pieces, body) = in_pieces(turn);
        tokio::spawn(async move {
            for at in (0..length).step_by(PIECE) {
                let piece = octets.slice(at..length.min(at + PIECE));
                if pieces.send(Some(piece)).await.is_err() {
                    return;
                }
            }
            // Without an end the connection breaks off: a client never takes a part for all.
            let _ = pieces.send(None).await;
        });
        body
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
    ];
    Ok((headers, body).into_response())
}

/// What `write` writes while it is sent; its length is not known before.
pub(super) async fn written(
    app: &App,
    kind: &'static str,
    write: impl FnOnce(&mut dyn Write) -> Result<(), StoreError> + Send + 'static,
) -> Response {
    let (pieces, body) = in_pieces(turn(app).await);
    tokio::task::spawn_blocking(move || {
        let mut out = Out { pieces, piece: Vec::with_capacity(PIECE) };
        let done = write(&mut out).and_then(|()| Ok(out.flush()?));
        if done.is_ok() {
            // As above.
            let _ = out.pieces.blocking_send(None);
        }
    });
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

/// The JSON of something that takes about so many octets.
///
/// # Errors
/// If it has none, which is a defect.
pub(super) fn json(about: usize, value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut octets = Vec::with_capacity(about + 1024);
    serde_json::to_writer(&mut octets, value)
        .map_err(|error| Problem::from(StoreError::from(io::Error::from(error))))?;
    Ok(octets)
}

/// A client waits until there is room for its answer.
async fn turn(app: &App) -> Option<OwnedSemaphorePermit> {
    // It is never closed.
    Arc::clone(&app.answers).acquire_owned().await.ok()
}

/// Where pieces go; `None` is the end.
type Pieces = mpsc::Sender<Option<Bytes>>;

/// A body of what is sent, for as long as the client reads.
fn in_pieces(turn: Option<OwnedSemaphorePermit>) -> (Pieces, Body) {
    let (pieces, mut coming) = mpsc::channel(1);
    let (out, going) = mpsc::channel::<Option<Bytes>>(1);
    tokio::spawn(async move {
        let _turn = turn;
        while let Some(piece) = coming.recv().await {
            if !matches!(timeout(PAUSE, out.send(piece)).await, Ok(Ok(()))) {
                return;
            }
        }
    });
    let body = stream::unfold(Some(going), |going| async {
        let mut going = going?;
        match going.recv().await {
            Some(Some(piece)) => Some((Ok(piece), Some(going))),
            Some(None) => None,
            None => Some((Err(io::Error::other("the answer broke off")), None)),
        }
    });
    (pieces, Body::from_stream(body))
}

/// Gathers octets to pieces.
struct Out {
    pieces: Pieces,
    piece: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let taken = octets.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&octets[..taken]);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let left = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client has left");
        self.pieces.blocking_send(Some(piece.into())).map_err(left)
    }
}
