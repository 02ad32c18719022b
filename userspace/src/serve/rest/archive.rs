//! The store as one document.

use super::{App, answer, extract::Body};
use crate::serve::{problem::Problem, runs::blocking, store::Archive};
use axum::{extract::State, http::StatusCode, response::Response};
use std::sync::Arc;

/// Every flow set, and every run and suite that is over; not the samples.
#[utoipa::path(get, path = "/api/v1/export", tag = "store",
    responses((status = 200, body = Archive)))]
pub(super) async fn export(State(app): State<App>) -> Response {
    let store = Arc::clone(&app.store);
    answer::written(&app, answer::JSON, move |out| store.export(out)).await
}

/// Adds all of an export, or nothing; numbers are given anew.
#[utoipa::path(post, path = "/api/v1/import", tag = "store", request_body = Archive,
    responses((status = 204), (status = 400, body = Problem), (status = 409, body = Problem),
    (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn import(
    State(app): State<App>,
    Body(archive): Body<Archive>,
) -> Result<StatusCode, Problem> {
    blocking(move || app.store.import(&archive)).await??;
    Ok(StatusCode::NO_CONTENT)
}
