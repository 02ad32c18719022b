//! Captures: what passes a port, as pcapng.

use super::{
    App,
    extract::{Body, Path, created},
};
use crate::{
    serve::{
        engine::{CaptureStart, Command, EngineError},
        problem::Problem,
        runs::CaptureHead,
        whole,
    },
    units::parse_duration,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Captures kept at once, and octets of each: they are in memory.
const CAPTURES: usize = 16;
const OCTETS: u64 = 32 << 20;
/// Octets asked of the engine at a time.
const PART: u32 = 1 << 20;
/// Octets kept of a frame at most.
const SNAP: u64 = 262_144;

/// A capture that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureBody {
    /// A PORT, or an alias.
    port: String,
    /// Which frames, in tcpdump's words.
    filter: Option<String>,
    /// Octets kept of each frame; absent: all.
    #[serde(default, deserialize_with = "whole::optional")]
    #[schema(minimum = 14, maximum = 262_144)]
    snap: Option<u64>,
    /// Ends after so many frames.
    #[serde(default, deserialize_with = "whole::optional")]
    #[schema(minimum = 1)]
    count: Option<u64>,
    /// Ends after this time: `10s`.
    #[serde(rename = "for")]
    duration: Option<String>,
}

/// Places in a capture's request are its fields.
fn refused(error: EngineError) -> Problem {
    Problem::of_engine(error, "")
}

/// Captures of this daemon.
#[utoipa::path(get, path = "/api/v1/captures", tag = "captures", operation_id = "captures_list",
    responses((status = 200, body = Vec<CaptureHead>)))]
pub(super) async fn list(State(app): State<App>) -> Json<Vec<CaptureHead>> {
    Json(app.runs.captures().all())
}

/// Starts a capture. It ends by itself, when stopped, or when it has 32 MiB; 16 are kept at
/// once, none beyond the daemon's end.
#[utoipa::path(post, path = "/api/v1/captures", tag = "captures", operation_id = "captures_start",
    request_body = CaptureBody, responses(
    (status = 201, body = CaptureHead, headers(("location" = String, description = "The capture")),
     links(
        ("get" = (operation_id = "captures_get", parameters(("id" = "$response.body#/id")))),
        ("stop" = (operation_id = "captures_stop", parameters(("id" = "$response.body#/id")))),
        ("file" = (operation_id = "captures_file", parameters(("id" = "$response.body#/id")))),
        ("remove" = (operation_id = "captures_remove", parameters(("id" = "$response.body#/id")))))),
    (status = 400, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn start(
    State(app): State<App>,
    Body(body): Body<CaptureBody>,
) -> Result<Response, Problem> {
    let snap = body.snap.unwrap_or(SNAP);
    if !(14..=SNAP).contains(&snap) {
        return Err(Problem::bad("snap", format!("14 to {SNAP}")));
    }
    if body.count == Some(0) {
        return Err(Problem::bad("count", "at least 1"));
    }
    let time = body.duration.as_ref().map(|text| {
        parse_duration(text)
            .ok_or_else(|| Problem::unfit("for", format!("\"{text}\" is no time, such as 10s")))
    });
    let duration_ns = time.transpose()?.map(|time| time.as_nanos() as u64);
    let port = app.config.aliases.get(&body.port).cloned().unwrap_or(body.port);
    let captures = app.runs.captures();
    let engine = app.runs.engine().map_err(refused)?;
    let id = captures.add(&port, body.filter.as_deref(), CAPTURES).ok_or_else(|| {
        let why = format!("{CAPTURES} captures are kept; remove one");
        Problem::new(StatusCode::CONFLICT, why)
    })?;
    let start = CaptureStart {
        capture: id,
        port,
        snap: snap as u32,
        filter: body.filter,
        count: body.count,
        duration_ns,
        octets: OCTETS,
        beside: false,
    };
    if let Err(error) = engine.start_capture(start).await {
        captures.remove(id);
        return Err(refused(error));
    }
    let head = get_head(&app, id)?;
    Ok(created(&format!("/api/v1/captures/{id}"), &head))
}

fn get_head(app: &App, id: u64) -> Result<CaptureHead, Problem> {
    app.runs.captures().get(id).ok_or_else(|| Problem::not_found("capture", id))
}

/// A capture.
#[utoipa::path(get, path = "/api/v1/captures/{id}", tag = "captures", operation_id = "captures_get",
    params(("id" = u64, Path, description = "The capture")),
    responses((status = 200, body = CaptureHead), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<CaptureHead>, Problem> {
    get_head(&app, id).map(Json)
}

/// Ends a capture.
#[utoipa::path(post, path = "/api/v1/captures/{id}/stop", tag = "captures",
    operation_id = "captures_stop", params(("id" = u64, Path, description = "The capture")),
    responses((status = 200, body = CaptureHead), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
pub(super) async fn stop(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<CaptureHead>, Problem> {
    let head = get_head(&app, id)?;
    if head.active {
        let engine = app.runs.engine().map_err(refused)?;
        engine.order(Command::StopCapture { capture: id }).await.map_err(refused)?;
    }
    Ok(Json(head))
}

/// The frames of a capture that is over, as pcapng; 409 while it goes on.
#[utoipa::path(get, path = "/api/v1/captures/{id}/file", tag = "captures",
    operation_id = "captures_file", params(("id" = u64, Path, description = "The capture")),
    responses((status = 200, content_type = "application/x-pcapng", body = Vec<u8>),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn file(State(app): State<App>, Path(id): Path<u64>) -> Result<Response, Problem> {
    if get_head(&app, id)?.active {
        let why = format!("capture {id} goes on; stop it first");
        return Err(Problem::new(StatusCode::CONFLICT, why));
    }
    let engine = app.runs.engine().map_err(refused)?;
    let mut octets = Vec::new();
    loop {
        let part = engine.read_capture(id, octets.len() as u64, PART).await.map_err(refused)?;
        if part.is_empty() {
            break;
        }
        octets.extend(part);
    }
    let kind = HeaderValue::from_static("application/x-pcapng");
    Ok(([(header::CONTENT_TYPE, kind)], octets).into_response())
}

/// Removes a capture, and ends it if it goes on.
#[utoipa::path(delete, path = "/api/v1/captures/{id}", tag = "captures",
    operation_id = "captures_remove", params(("id" = u64, Path, description = "The capture")),
    responses((status = 204), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Problem> {
    if !app.runs.captures().remove(id) {
        return Err(Problem::not_found("capture", id));
    }
    match app.runs.engine().map_err(refused)?.order(Command::DropCapture { capture: id }).await {
        // Its engine died: it is gone already.
        Ok(()) | Err(EngineError::Unknown { .. }) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(refused(error)),
    }
}
