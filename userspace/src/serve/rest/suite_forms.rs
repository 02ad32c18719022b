//! What suites found, in every form.

use super::{
    App,
    extract::{Path, Query},
    suites::head,
};
use crate::{
    report::{SuiteDocument, TrialRow},
    serve::{
        problem::Problem,
        runs::blocking,
        store::{StoreError, SuiteState},
        suites::replay,
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A form of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// One self-contained page.
    #[default]
    Html,
    /// A table of one test, or of every trial.
    Csv,
    /// JUnit XML.
    Junit,
}

/// Which form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The form.
    #[serde(default)]
    #[param(inline)]
    form: Form,
    /// Of CSV: `throughput`, `latency`, `frame-loss`, `back-to-back`, ..., or `trials`.
    #[serde(default = "trials_table")]
    #[param(default = "trials")]
    test: String,
}

fn trials_table() -> String {
    "trials".to_owned()
}

/// The text of the result; 409 where there is none.
async fn text(app: &App, id: u64) -> Result<String, Problem> {
    let head = head(app, id).await?;
    let store = Arc::clone(&app.store);
    let documents = blocking(move || store.suite_documents(id)).await??;
    documents.and_then(|(_, result)| result).ok_or_else(|| {
        let why = match (head.row.state, &head.row.reason) {
            (SuiteState::Failed, Some(reason)) => format!("suite {id} has no result: {reason}"),
            _ => format!("suite {id} goes on; its result comes when it is over"),
        };
        Problem::new(StatusCode::CONFLICT, why)
    })
}

/// The result of a suite that is over or was stopped: what its command writes as JSON. 409
/// while it goes on, and when it broke off without one.
#[utoipa::path(get, path = "/api/v1/suites/{id}/result", tag = "suites",
    operation_id = "suites_result", params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = Object,
        description = "linerate.rfc2544/1, linerate.mlrsearch/1 or linerate.y1564/1"),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn result(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    Ok(kind("application/json", text(&app, id).await?))
}

/// The same as a page, as CSV or as JUnit XML.
#[utoipa::path(get, path = "/api/v1/suites/{id}/report", tag = "suites",
    operation_id = "suites_report",
    params(("id" = u64, Path, description = "The suite"), Wanted),
    responses((status = 200, description = "In the form that was asked for", content(
        (String = "text/html"), (String = "text/csv"), (String = "application/xml"))),
    (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn report(
    State(app): State<App>,
    Path(id): Path<u64>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let text = text(&app, id).await?;
    blocking(move || {
        let document = SuiteDocument::read(&text)
            .map_err(|error| StoreError::Unfit { what: format!("the result: {error}") })?;
        Ok(match wanted.form {
            Form::Html => kind("text/html; charset=utf-8", document.html()),
            Form::Junit => kind("application/xml", document.junit()),
            Form::Csv => kind("text/csv; charset=utf-8", table(&document, &wanted.test)?),
        })
    })
    .await?
}

fn table(document: &SuiteDocument, test: &str) -> Result<String, Problem> {
    let tables = document.csv();
    let names: Vec<_> = tables.iter().map(|(name, _)| name.clone()).collect();
    let found = tables.into_iter().find(|(name, _)| name == test).map(|(_, text)| text);
    found.ok_or_else(|| {
        let why = format!("there is no table \"{test}\"; allowed: {}", names.join(", "));
        Problem::unfit("test", why)
    })
}

fn kind(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// Every trial so far, in the order they were run; also of a suite that broke off.
#[utoipa::path(get, path = "/api/v1/suites/{id}/trials", tag = "suites",
    operation_id = "suites_trials", params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = Vec<TrialRow>), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn trials(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<Vec<TrialRow>>, Problem> {
    if let Some(trials) = app.suites.trials(id) {
        return Ok(Json(trials));
    }
    let head = head(&app, id).await?;
    let (store, suite) = (Arc::clone(&app.store), head.row.kind);
    let rows = blocking(move || {
        let Some((document, _)) = store.suite_documents(id)? else {
            return Err(Problem::not_found("suite", id));
        };
        let lines = store.trials(id)?;
        replay(suite, &document, &lines).map_err(|error| Problem::of_engine(error, ""))
    });
    Ok(Json(rows.await??))
}
