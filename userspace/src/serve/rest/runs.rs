//! Runs: started, changed, ended, looked at.

use super::{
    App, answer,
    extract::{Body, Path, Query, checked_name, created, named_flow_set, number},
};
use crate::serve::{
    engine::{Backend, EngineError, RunSnapshot},
    problem::Problem,
    runs::{RunHead, RunRequest, StartError, blocking, with_aliases},
    whole,
};
use crate::spec::JsonText;
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A run that is asked for: of a flow set, or of flows that come with it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunBody {
    /// What lists call it; absent: as the flow set, or `run`.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// The flow set.
    #[serde(default, deserialize_with = "whole::optional")]
    flow_set: Option<u64>,
    /// Instead: the shape of a flow file.
    #[schema(value_type = Option<Object>)]
    spec: Option<JsonText>,
    /// How long every flow lasts, instead of its own end: `10s`.
    #[serde(rename = "for")]
    duration: Option<String>,
    /// Of every rate: `50%`.
    scale: Option<String>,
    /// Flows that begin paused, by the names of their rows.
    #[serde(default)]
    held: Vec<String>,
    /// How frames are to leave.
    #[serde(default)]
    backend: Backend,
    /// Whether the result holds the samples.
    #[serde(default)]
    samples: bool,
}

/// Flows of a run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowsBody {
    /// Names of rows; none: all.
    #[serde(default)]
    flows: Vec<String>,
}

/// A rate for a flow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RateBody {
    /// Name of the row.
    flow: String,
    /// As in a flow file: `100kpps`, `800Mbps`, `40%`.
    rate: String,
}

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Those with smaller numbers than this.
    pub(super) before: Option<u64>,
    /// How many at most.
    #[serde(default = "page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

fn page() -> u32 {
    100
}

impl Page {
    /// How many at most.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        match self.limit {
            1..=1000 => Ok(self.limit),
            _ => Err(Problem::bad("limit", "1 to 1000")),
        }
    }
}

/// A run with its newest numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunView {
    /// What a list shows of it.
    #[serde(flatten)]
    head: RunHead,
    /// The newest snapshot; `null`: none yet, or over long ago.
    latest: Option<RunSnapshot>,
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Engine(error) => of_start(error),
            StartError::Store(error) => error.into(),
        }
    }
}

/// Places of the flow file are below `spec`, those of flags are named as the body's fields.
fn of_start(error: EngineError) -> Problem {
    let field = match &error {
        EngineError::Invalid { place, .. } if place == "--for" => Some("for"),
        EngineError::Invalid { place, .. } if place == "--scale" => Some("scale"),
        EngineError::Invalid { place, .. } if place == "held" => Some("held"),
        _ => None,
    };
    let mut problem = Problem::of_engine(error, "spec");
    if let Some(field) = field {
        problem.field = Some(field.to_owned());
    }
    problem
}

/// Runs, the newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", operation_id = "runs_list", params(Page),
    responses((status = 200, body = Vec<RunHead>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<RunHead>>, Problem> {
    let limit = page.limit()?;
    let store = Arc::clone(&app.store);
    let before = number("before", page.before)?.unwrap_or(u64::MAX);
    let rows = blocking(move || store.runs(before, limit)).await??;
    let heads = rows.into_iter().map(|row| app.runs.head(row.id).unwrap_or_else(|| row.into()));
    Ok(Json(heads.collect()))
}

/// Starts a run; answered once it holds its ports and sends. 409 names who has a port.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", operation_id = "runs_start",
    request_body = RunBody, responses(
    (status = 201, body = RunHead, headers(("location" = String, description = "The run")),
     links(
        ("get" = (operation_id = "runs_get", parameters(("id" = "$response.body#/id")))),
        ("spec" = (operation_id = "runs_spec", parameters(("id" = "$response.body#/id")))),
        ("pause" = (operation_id = "runs_pause", parameters(("id" = "$response.body#/id")))),
        ("resume" = (operation_id = "runs_resume", parameters(("id" = "$response.body#/id")))),
        ("rate" = (operation_id = "runs_rate", parameters(("id" = "$response.body#/id")))),
        ("stop" = (operation_id = "runs_stop", parameters(("id" = "$response.body#/id")))),
        ("result" = (operation_id = "runs_result", parameters(("id" = "$response.body#/id")))))),
    (status = 400, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn start(
    State(app): State<App>,
    Body(body): Body<RunBody>,
) -> Result<Response, Problem> {
    let (spec, name) = match (body.spec, body.flow_set) {
        (Some(spec), None) => (spec, None),
        (None, Some(id)) => {
            let set = named_flow_set(&app, id).await?;
            (set.spec, Some(set.name))
        }
        _ => return Err(Problem::unfit("spec", "give either `spec` or `flow_set`")),
    };
    checked_name(body.name.as_deref())?;
    let config = Arc::clone(&app.config);
    let spec = blocking(move || with_aliases(spec, &config.aliases)).await?;
    let request = RunRequest {
        name: body.name.or(name).unwrap_or_else(|| "run".to_owned()),
        spec,
        flow_set: body.flow_set,
        duration: body.duration,
        scale: body.scale,
        held: body.held,
        backend: body.backend,
        samples: body.samples,
    };
    let head = app.runs.start(request).await?;
    Ok(created(&format!("/api/v1/runs/{}", head.row.id), &head))
}

/// What is known of a run, in memory or in the store.
pub(super) async fn head(app: &App, id: u64) -> Result<RunHead, Problem> {
    if let Some(head) = app.runs.head(id) {
        return Ok(head);
    }
    let store = Arc::clone(&app.store);
    let row = blocking(move || store.run(id)).await??;
    row.map(RunHead::from).ok_or_else(|| Problem::not_found("run", id))
}

/// A run and its newest numbers.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", operation_id = "runs_get",
    params(("id" = u64, Path, description = "The run")),
    responses((status = 200, body = RunView), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<RunView>, Problem> {
    let head = head(&app, id).await?;
    let latest = app.runs.latest(id).map(|snapshot| (*snapshot).clone());
    Ok(Json(RunView { head, latest }))
}

/// The result of a run that is over: `linerate.run/1`. 409 while it goes on, and when it
/// broke off without one.
#[utoipa::path(get, path = "/api/v1/runs/{id}/result", tag = "runs", operation_id = "runs_result",
    params(("id" = u64, Path, description = "The run")),
    responses((status = 200, body = Object, description = "linerate.run/1"),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn result(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let head = head(&app, id).await?;
    let store = Arc::clone(&app.store);
    let missing = move || {
        let why = match &head.row.reason {
            Some(reason) => format!("run {id} has no result: {reason}"),
            None => format!("run {id} goes on; its result comes when it is over"),
        };
        Problem::new(StatusCode::CONFLICT, why)
    };
    let make = move || store.run_result(id)?.map(String::into_bytes).ok_or_else(missing);
    answer::whole(&app, answer::JSON, make).await
}

/// The flows of a run, in the shape of a flow file.
#[utoipa::path(get, path = "/api/v1/runs/{id}/spec", tag = "runs", operation_id = "runs_spec",
    params(("id" = u64, Path, description = "The run")),
    responses((status = 200, body = Object, description = "The shape of a flow file"),
    (status = 404, body = Problem)))]
pub(super) async fn flows(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let store = Arc::clone(&app.store);
    let missing = move || Problem::not_found("run", id);
    let make = move || store.run_spec(id)?.map(String::into_bytes).ok_or_else(missing);
    answer::whole(&app, answer::JSON, make).await
}

/// 404 for a run that never was, 409 for one that is over.
async fn done(app: &App, id: u64, done: Result<(), EngineError>) -> Result<Json<RunHead>, Problem> {
    let head = head(app, id).await?;
    match done {
        Ok(()) => Ok(Json(head)),
        Err(EngineError::Unknown { .. }) => {
            Err(Problem::new(StatusCode::CONFLICT, format!("run {id} is over")))
        }
        Err(error) => Err(Problem::of_engine(error, "")),
    }
}

/// Ends a run; its result comes after the drain.
#[utoipa::path(post, path = "/api/v1/runs/{id}/stop", tag = "runs", operation_id = "runs_stop",
    params(("id" = u64, Path, description = "The run")),
    responses((status = 200, body = RunHead), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn stop(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<RunHead>, Problem> {
    let stopped = app.runs.stop(id).await;
    done(&app, id, stopped).await
}

/// Pauses flows of a run; their clocks stand.
#[utoipa::path(post, path = "/api/v1/runs/{id}/pause", tag = "runs", operation_id = "runs_pause",
    params(("id" = u64, Path, description = "The run")), request_body = FlowsBody,
    responses((status = 200, body = RunHead), (status = 400, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn pause(
    State(app): State<App>,
    Path(id): Path<u64>,
    Body(body): Body<FlowsBody>,
) -> Result<Json<RunHead>, Problem> {
    let paused = app.runs.pause(id, body.flows).await;
    done(&app, id, paused).await
}

/// Lets paused flows of a run go on.
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", tag = "runs", operation_id = "runs_resume",
    params(("id" = u64, Path, description = "The run")), request_body = FlowsBody,
    responses((status = 200, body = RunHead), (status = 400, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn resume(
    State(app): State<App>,
    Path(id): Path<u64>,
    Body(body): Body<FlowsBody>,
) -> Result<Json<RunHead>, Problem> {
    let resumed = app.runs.resume(id, body.flows).await;
    done(&app, id, resumed).await
}

/// Changes the rate of a flow while it is sent.
#[utoipa::path(post, path = "/api/v1/runs/{id}/rate", tag = "runs", operation_id = "runs_rate",
    params(("id" = u64, Path, description = "The run")), request_body = RateBody,
    responses((status = 200, body = RunHead), (status = 400, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn set_rate(
    State(app): State<App>,
    Path(id): Path<u64>,
    Body(body): Body<RateBody>,
) -> Result<Json<RunHead>, Problem> {
    let changed = app.runs.set_rate(id, body.flow, body.rate).await;
    done(&app, id, changed).await
}
