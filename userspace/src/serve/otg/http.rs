//! The interface's paths.

use super::{
    model::{ErrorBody, ErrorKind, Version, Warning},
    refusal::Failure,
    server::{Otg, Outcome},
    write::write,
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use std::sync::Arc;

/// Clients of these versions of the schema can be served: the objects that are known here
/// are the same in all of them.
const VERSIONS: &str = "^1.40.0";
/// The version of the schema that was read.
const SCHEMA: &str = "1.62.0";
/// Octets of the largest configuration.
const BODY_OCTETS: usize = 50 << 20;

type Server = State<Arc<Otg>>;

impl Otg {
    /// The paths of the schema.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/config", get(config).post(set_config).patch(update_config))
            .route("/control/state", post(set_state))
            .route("/monitor/metrics", post(metrics))
            .route("/monitor/capture", post(capture))
            .route("/capabilities/version", get(version))
            .fallback(unknown)
            .method_not_allowed_fallback(unknown)
            .layer(DefaultBodyLimit::max(BODY_OCTETS))
            .with_state(self)
    }
}

async fn config(State(otg): Server) -> Response {
    json(StatusCode::OK, &otg.config())
}

async fn set_config(State(otg): Server, body: Bytes) -> Response {
    answer(otg.set_config(&body).await)
}

async fn update_config(State(otg): Server, body: Bytes) -> Response {
    answer(otg.update_config(&body).await)
}

async fn set_state(State(otg): Server, body: Bytes) -> Response {
    answer(otg.set_state(&body).await)
}

async fn metrics(State(otg): Server, body: Bytes) -> Response {
    answer(otg.metrics(&body).await)
}

async fn capture(State(otg): Server, body: Bytes) -> Response {
    match otg.capture(&body).await {
        Ok(file) => ([(CONTENT_TYPE, "application/octet-stream")], file).into_response(),
        Err(failure) => answer::<Warning>(Err(failure)),
    }
}

async fn version() -> Response {
    let app_version = env!("CARGO_PKG_VERSION");
    json(StatusCode::OK, &Version { api_spec_version: VERSIONS, sdk_version: SCHEMA, app_version })
}

async fn unknown() -> Response {
    let problem = "this part of the schema is not supported; /config, /control/state, /monitor/metrics, /monitor/capture and /capabilities/version are";
    answer::<Warning>(Err(Failure {
        status: 404,
        kind: ErrorKind::Validation,
        problem: problem.into(),
    }))
}

fn answer<T: Serialize>(outcome: Outcome<T>) -> Response {
    match outcome {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(Failure { status, kind, problem }) => {
            let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json(code, &ErrorBody { code: status.into(), kind, errors: vec![problem] })
        }
    }
}

fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    match write(answer) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
