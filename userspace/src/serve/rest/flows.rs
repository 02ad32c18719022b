//! Flow sets: flow files in the store.

use super::{
    App,
    extract::{Body, Path, Query, created, number},
};
use crate::serve::{
    problem::Problem,
    runs::{Planned, RunRequest, blocking, with_aliases},
    store::{FlowSet, FlowSetHead},
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// A flow set as a client gives it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowSetBody {
    /// Its own, among all flow sets.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The shape of a flow file; checked when it is stored.
    #[schema(value_type = Object)]
    spec: Value,
}

/// Flows that are not to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpecBody {
    /// The shape of a flow file.
    #[schema(value_type = Object)]
    pub(super) spec: Value,
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Those with greater numbers than this.
    #[serde(default)]
    after: u64,
    /// How many at most.
    #[serde(default = "page")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

fn page() -> u32 {
    100
}

fn checked(name: &str) -> Result<(), Problem> {
    match name.chars().count() {
        1..=200 => Ok(()),
        _ => Err(Problem::bad("name", "a name has 1 to 200 characters")),
    }
}

/// What a spec comes to, or what is wrong with it.
async fn plan(app: &App, spec: Value) -> Result<(Value, Planned), Problem> {
    let aliases = app.config.aliases.clone();
    let planned = blocking(move || {
        // A large one is there only as often as it must be.
        let kept = (!aliases.is_empty()).then(|| spec.clone());
        let request = RunRequest { spec: with_aliases(spec, &aliases), ..RunRequest::default() };
        request.plan().map(|planned| (kept.unwrap_or(request.spec), planned))
    });
    planned.await?.map_err(|error| Problem::of_engine(error, "spec"))
}

/// All flow sets, without their flows.
#[utoipa::path(get, path = "/api/v1/flows", tag = "flows", params(Page), responses(
    (status = 200, body = Vec<FlowSetHead>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<FlowSetHead>>, Problem> {
    if !(1..=1000).contains(&page.limit) {
        return Err(Problem::bad("limit", "1 to 1000"));
    }
    let after = number("after", Some(page.after))?.unwrap_or_default();
    Ok(Json(blocking(move || app.store.flow_sets(after, page.limit)).await??))
}

/// Stores a flow set; flows that cannot be used are refused.
#[utoipa::path(post, path = "/api/v1/flows", tag = "flows", request_body = FlowSetBody, responses(
    (status = 201, body = FlowSet, headers(("location" = String, description = "The flow set")),
     links(
        ("get" = (operation_id = "flows_get", parameters(("id" = "$response.body#/id")))),
        ("replace" = (operation_id = "flows_replace", parameters(("id" = "$response.body#/id")))),
        ("remove" = (operation_id = "flows_remove", parameters(("id" = "$response.body#/id")))),
        ("preview" = (operation_id = "flows_preview_stored", parameters(("id" = "$response.body#/id")))))),
    (status = 400, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem)), operation_id = "flows_create")]
pub(super) async fn create(
    State(app): State<App>,
    Body(body): Body<FlowSetBody>,
) -> Result<Response, Problem> {
    checked(&body.name)?;
    let (spec, _) = plan(&app, body.spec).await?;
    let stored = blocking(move || app.store.add_flow_set(&body.name, &spec)).await??;
    Ok(created(&format!("/api/v1/flows/{}", stored.id), &stored))
}

/// A flow set.
#[utoipa::path(get, path = "/api/v1/flows/{id}", tag = "flows", operation_id = "flows_get",
    params(("id" = u64, Path, description = "The flow set")),
    responses((status = 200, body = FlowSet), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<FlowSet>, Problem> {
    let found = blocking(move || app.store.flow_set(id)).await??;
    found.map(Json).ok_or_else(|| Problem::not_found("flow set", id))
}

/// Replaces a flow set.
#[utoipa::path(put, path = "/api/v1/flows/{id}", tag = "flows", operation_id = "flows_replace",
    params(("id" = u64, Path, description = "The flow set")), request_body = FlowSetBody,
    responses((status = 200, body = FlowSet), (status = 400, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn replace(
    State(app): State<App>,
    Path(id): Path<u64>,
    Body(body): Body<FlowSetBody>,
) -> Result<Json<FlowSet>, Problem> {
    checked(&body.name)?;
    let (spec, _) = plan(&app, body.spec).await?;
    let changed = blocking(move || app.store.change_flow_set(id, &body.name, &spec)).await??;
    changed.map(Json).ok_or_else(|| Problem::not_found("flow set", id))
}

/// Removes a flow set; runs that were started from it stay.
#[utoipa::path(delete, path = "/api/v1/flows/{id}", tag = "flows", operation_id = "flows_remove",
    params(("id" = u64, Path, description = "The flow set")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Problem> {
    let was_there = blocking(move || app.store.remove_flow_set(id)).await??;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("flow set", id)) }
}

/// Checks flows without storing them.
#[utoipa::path(post, path = "/api/v1/flows/validate", tag = "flows", request_body = SpecBody,
    responses((status = 200, body = Planned), (status = 400, body = Problem),
    (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn validate(
    State(app): State<App>,
    Body(body): Body<SpecBody>,
) -> Result<Json<Planned>, Problem> {
    Ok(Json(plan(&app, body.spec).await?.1))
}
