//! Whether the daemon works, and what it is.

use super::App;
use crate::{
    report::{Host, Tool},
    serve::{problem::Problem, runs::blocking},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// In a word.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// Who answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Build {
    /// The software.
    #[schema(value_type = Object)]
    tool: Tool,
    /// The machine.
    #[schema(value_type = Object)]
    host: Host,
}

/// The daemon answers.
#[utoipa::path(get, path = "/api/v1/health", tag = "daemon",
    responses((status = 200, body = Health)))]
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The data plane is there and the store can be written.
#[utoipa::path(get, path = "/api/v1/ready", tag = "daemon",
    responses((status = 200, body = Health), (status = 503, body = Problem)))]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let unready = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let engine = app.runs.engine().map_err(|error| unready(error.to_string()))?;
    if let Some(reason) = engine.gone() {
        return Err(unready(reason));
    }
    let store = Arc::clone(&app.store);
    let checked = blocking(move || store.check()).await.and_then(|checked| checked);
    checked.map_err(|error| unready(error.to_string()))?;
    Ok(Json(Health { status: "ok" }))
}

/// Version and machine.
#[utoipa::path(get, path = "/api/v1/build", tag = "daemon",
    responses((status = 200, body = Build)))]
pub(super) async fn build() -> Json<Build> {
    Json(Build { tool: Tool::this(), host: Host::this() })
}
