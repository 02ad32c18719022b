//! Suites: started, watched, ended, resumed.

use super::{
    App, answer,
    extract::{Body, Path, Query, checked_name, created, named_flow_set, number},
    runs::Page,
};
use crate::{
    serve::{
        engine::{Backend, SuitePlan},
        problem::Problem,
        runs::{blocking, invalid, with_aliases},
        suites::{SuiteCourse, SuiteHead, SuiteRequest},
        whole,
    },
    spec::JsonText,
    suite::SuiteKind,
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// A suite that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuiteBody {
    /// What lists call it; absent: its kind.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// Which suite it is.
    kind: SuiteKind,
    /// The shape of a suite file. `flows` holds the flows themselves, in the shape of a flow
    /// file; `hooks` are refused, for no command is run for a client.
    #[schema(value_type = Object)]
    suite: JsonText,
    /// A flow set that is the load, instead of `flows` in the suite.
    #[serde(default, deserialize_with = "whole::optional")]
    flow_set: Option<u64>,
    /// How frames are to leave.
    #[serde(default)]
    backend: Backend,
}

/// A suite and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuiteView {
    /// What a list shows of it.
    #[serde(flatten)]
    head: SuiteHead,
    /// How far it is; `null`: it is over.
    progress: Option<SuiteCourse>,
}

/// The flow set put into the suite, and real names for aliases.
async fn request(app: &App, body: SuiteBody) -> Result<SuiteRequest, Problem> {
    checked_name(body.name.as_deref())?;
    let set = match body.flow_set {
        Some(id) => Some(named_flow_set(app, id).await?.spec),
        None => None,
    };
    let (config, suite) = (Arc::clone(&app.config), body.suite);
    let spec = blocking(move || with_flows(suite, set, &config.aliases)).await??;
    Ok(SuiteRequest {
        name: body.name.unwrap_or_else(|| body.kind.name().to_owned()),
        kind: body.kind,
        spec,
        flow_set: body.flow_set,
        backend: body.backend,
    })
}

fn with_flows(
    suite: JsonText,
    set: Option<JsonText>,
    aliases: &BTreeMap<String, String>,
) -> Result<JsonText, Problem> {
    if set.is_none() && aliases.is_empty() {
        return Ok(suite);
    }
    let both = || Problem::unfit("flow_set", "give either `flow_set` or `suite.flows`");
    let members = suite.members().map_err(|error| Problem::of_engine(invalid(&error), "suite"))?;
    let Some(mut members) = members else {
        // What is no suite is refused when it is read.
        return if set.is_some() { Err(both()) } else { Ok(suite) };
    };
    let own = members.get("flows").map(JsonText::from);
    let flows = match (own, set) {
        (Some(_), Some(_)) => return Err(both()),
        (own, set) => own.or(set).map(|flows| with_aliases(flows, aliases)),
    };
    if let Some(flows) = &flows {
        members.set("flows", Cow::Borrowed(flows.as_raw()));
    }
    Ok(with_aliases(members.to_text(), aliases))
}

/// Suites, the newest first.
#[utoipa::path(get, path = "/api/v1/suites", tag = "suites", operation_id = "suites_list",
    params(Page), responses((status = 200, body = Vec<SuiteHead>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<SuiteHead>>, Problem> {
    let limit = page.limit()?;
    let store = Arc::clone(&app.store);
    let before = number("before", page.before)?.unwrap_or(u64::MAX);
    let rows = blocking(move || store.suites(before, limit)).await??;
    let heads = rows.into_iter().map(|row| app.suites.head(row.id).unwrap_or_else(|| row.into()));
    Ok(Json(heads.collect()))
}

/// Starts a suite; answered once it holds its ports and its first trial can begin. 409 names
/// who has a port. At most 16 go on at once.
#[utoipa::path(post, path = "/api/v1/suites", tag = "suites", operation_id = "suites_start",
    request_body = SuiteBody, responses(
    (status = 201, body = SuiteHead, headers(("location" = String, description = "The suite")),
     links(
        ("get" = (operation_id = "suites_get", parameters(("id" = "$response.body#/id")))),
        ("spec" = (operation_id = "suites_spec", parameters(("id" = "$response.body#/id")))),
        ("stop" = (operation_id = "suites_stop", parameters(("id" = "$response.body#/id")))),
        ("resume" = (operation_id = "suites_resume", parameters(("id" = "$response.body#/id")))),
        ("trials" = (operation_id = "suites_trials", parameters(("id" = "$response.body#/id")))),
        ("result" = (operation_id = "suites_result", parameters(("id" = "$response.body#/id")))),
        ("report" = (operation_id = "suites_report", parameters(("id" = "$response.body#/id")))),
        ("remove" = (operation_id = "suites_remove", parameters(("id" = "$response.body#/id")))))),
    (status = 400, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn start(
    State(app): State<App>,
    Body(body): Body<SuiteBody>,
) -> Result<Response, Problem> {
    let head = app.suites.start(request(&app, body).await?).await?;
    Ok(created(&format!("/api/v1/suites/{}", head.row.id), &head))
}

/// Checks a suite and says how long it takes, without starting it or taking a port.
#[utoipa::path(post, path = "/api/v1/suites/validate", tag = "suites",
    operation_id = "suites_validate", request_body = SuiteBody,
    responses((status = 200, body = SuitePlan), (status = 400, body = Problem),
    (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn validate(
    State(app): State<App>,
    Body(body): Body<SuiteBody>,
) -> Result<Json<SuitePlan>, Problem> {
    Ok(Json(app.suites.plan(request(&app, body).await?).await?))
}

/// What is known of a suite, in memory or in the store.
pub(super) async fn head(app: &App, id: u64) -> Result<SuiteHead, Problem> {
    if let Some(head) = app.suites.head(id) {
        return Ok(head);
    }
    let store = Arc::clone(&app.store);
    let row = blocking(move || store.suite(id)).await??;
    row.map(SuiteHead::from).ok_or_else(|| Problem::not_found("suite", id))
}

/// A suite, and while it goes on, how far it is.
#[utoipa::path(get, path = "/api/v1/suites/{id}", tag = "suites", operation_id = "suites_get",
    params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = SuiteView), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<SuiteView>, Problem> {
    let progress = app.suites.course(id);
    Ok(Json(SuiteView { head: head(&app, id).await?, progress }))
}

/// What a suite was asked, in the shape of a suite file with the flows within.
#[utoipa::path(get, path = "/api/v1/suites/{id}/spec", tag = "suites", operation_id = "suites_spec",
    params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = Object, description = "The shape of a suite file"),
    (status = 404, body = Problem)))]
pub(super) async fn document(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let store = Arc::clone(&app.store);
    let missing = move || Problem::not_found("suite", id);
    let make = move || store.suite_spec(id)?.map(String::into_bytes).ok_or_else(missing);
    answer::whole(&app, answer::JSON, make).await
}

/// Ends a suite with what it has; the trial that goes on is lost, the others are kept.
#[utoipa::path(post, path = "/api/v1/suites/{id}/stop", tag = "suites", operation_id = "suites_stop",
    params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = SuiteHead), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn stop(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<SuiteHead>, Problem> {
    Ok(Json(app.suites.stop(id).await?))
}

/// Goes on with a suite that was stopped or broke off; trials that are kept are not run again.
#[utoipa::path(post, path = "/api/v1/suites/{id}/resume", tag = "suites",
    operation_id = "suites_resume", params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = SuiteHead), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn resume(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<SuiteHead>, Problem> {
    Ok(Json(app.suites.resume(id).await?))
}

/// Removes a suite that is over, with its trials and its result.
#[utoipa::path(delete, path = "/api/v1/suites/{id}", tag = "suites", operation_id = "suites_remove",
    params(("id" = u64, Path, description = "The suite")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Problem> {
    app.suites.remove(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
