//! Flow sets: flow files in the store.

use super::{
    App, answer,
    extract::{Body, Path, Query, at, number},
};
use crate::{
    serve::{
        problem::Problem,
        runs::{Planned, PlannedFlow, blocking, invalid, with_aliases},
        store::{FlowSet, FlowSetHead},
    },
    spec::{JsonText, PortSpec, Row, Spec},
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use std::sync::Arc;
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
    spec: JsonText,
}

/// Flows that are not to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpecBody {
    /// The shape of a flow file.
    #[schema(value_type = Object)]
    pub(super) spec: JsonText,
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

/// What is wrong with a spec, if anything is; `each` sees its rows.
pub(super) async fn check<T: Default + Send + 'static>(
    app: &App,
    spec: JsonText,
    each: impl Fn(&mut T, &Row<'_>) + Send + 'static,
) -> Result<(Vec<PortSpec>, T), Problem> {
    let config = Arc::clone(&app.config);
    let checked = blocking(move || {
        let mut seen = T::default();
        let spec = with_aliases(spec, &config.aliases);
        Spec::check_json(&spec, &mut |row| each(&mut seen, row)).map(|ports| (ports, seen))
    });
    checked.await?.map_err(|error| Problem::of_engine(invalid(&error), "spec"))
}

/// A flow set as an answer.
async fn shown(app: &App, set: FlowSet) -> Result<Response, Problem> {
    answer::whole(app, answer::JSON, move || answer::json(set.spec.as_str().len(), &set)).await
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
    check(&app, body.spec.clone(), |(), _| ()).await?;
    let store = Arc::clone(&app.store);
    let stored = blocking(move || store.add_flow_set(&body.name, &body.spec)).await??;
    let place = format!("/api/v1/flows/{}", stored.id);
    Ok(at(&place, shown(&app, stored).await?))
}

/// A flow set.
#[utoipa::path(get, path = "/api/v1/flows/{id}", tag = "flows", operation_id = "flows_get",
    params(("id" = u64, Path, description = "The flow set")),
    responses((status = 200, body = FlowSet), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, Path(id): Path<u64>) -> Result<Response, Problem> {
    let store = Arc::clone(&app.store);
    let make = move || {
        let set = store.flow_set(id)?.ok_or_else(|| Problem::not_found("flow set", id))?;
        answer::json(set.spec.as_str().len(), &set)
    };
    answer::whole(&app, answer::JSON, make).await
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
) -> Result<Response, Problem> {
    checked(&body.name)?;
    check(&app, body.spec.clone(), |(), _| ()).await?;
    let store = Arc::clone(&app.store);
    let changed = blocking(move || store.change_flow_set(id, &body.name, &body.spec)).await??;
    shown(&app, changed.ok_or_else(|| Problem::not_found("flow set", id))?).await
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
) -> Result<Response, Problem> {
    // A [`Planned`], written row by row: those of a large set are large too.
    let write = |octets: &mut Vec<u8>, row: &Row<'_>| {
        octets.extend_from_slice(if octets.is_empty() { b"{\"flows\":[" } else { b"," });
        let flow = PlannedFlow::new(row.flow, |port| row.port(port).interface.clone());
        // Writing to a Vec cannot fail.
        let _ = serde_json::to_writer(octets, &flow);
    };
    let (ports, mut octets) = check(&app, body.spec, write).await?;
    let make = move || {
        let ports: Vec<_> = ports.into_iter().map(|port| port.interface).collect();
        octets.extend_from_slice(b"],\"ports\":");
        octets.append(&mut answer::json(0, &ports)?);
        octets.push(b'}');
        Ok(octets)
    };
    answer::whole(&app, answer::JSON, make).await
}
