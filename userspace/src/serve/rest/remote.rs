//! Ports of this daemon for sessions of others. What is said is theirs and ours alone, and
//! not part of the described interface: both are of one version.

use super::{App, extract::Path};
use crate::{serve::problem::Problem, units::monotonic_ns};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

/// Longest name of a lease.
const LEASE_MAX: usize = 64;

/// What the clock of all tags shows here.
pub(super) async fn clock() -> String {
    monotonic_ns().to_string()
}

pub(super) async fn serve(
    State(app): State<App>,
    Path(lease): Path<String>,
    request: String,
) -> Result<impl IntoResponse, Problem> {
    if lease.len() > LEASE_MAX || !lease.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no name of a lease"));
    }
    let of_engine = |error| Problem::of_engine(error, "port");
    let reply = app.runs.engine().map_err(of_engine)?.remote(lease, request).await;
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, reply.map_err(of_engine)?))
}
