//! Ports of this daemon for sessions of others. What is said is theirs and ours alone, and
//! not part of the described interface: both are of one version.

use super::{App, extract::Path};
use crate::{
    serve::problem::Problem,
    session::{VERSION, VERSION_HEADER},
    units::monotonic_ns,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};

/// Longest name of a lease.
const LEASE_MAX: usize = 64;

/// What the clock of all tags shows here.
pub(super) async fn clock(headers: HeaderMap) -> Result<String, Problem> {
    let now_ns = monotonic_ns();
    of_our_version(&headers).map(|()| now_ns.to_string())
}

/// What is said between two daemons has no versions of its own.
fn of_our_version(headers: &HeaderMap) -> Result<(), Problem> {
    let theirs = headers.get(VERSION_HEADER).and_then(|version| version.to_str().ok());
    if theirs == Some(VERSION) {
        return Ok(());
    }
    let theirs = theirs.unwrap_or("of an unknown version");
    let why = format!(
        "this daemon is linerate {VERSION}, and who asks for its ports is {theirs}; install one version on both hosts"
    );
    Err(Problem::new(StatusCode::CONFLICT, why))
}

pub(super) async fn serve(
    State(app): State<App>,
    Path(lease): Path<String>,
    headers: HeaderMap,
    request: String,
) -> Result<impl IntoResponse, Problem> {
    if lease.len() > LEASE_MAX || !lease.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no name of a lease"));
    }
    of_our_version(&headers)?;
    let of_engine = |error| Problem::of_engine(error, "port");
    let reply = app.runs.engine().map_err(of_engine)?.remote(lease, request).await;
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, reply.map_err(of_engine)?))
}
