//! What suites found, in every form.

use super::{
    App, answer,
    extract::{Path, Query},
    suites::head,
};
use crate::{
    report::{SuiteDocument, TrialRow},
    serve::{
        problem::Problem,
        store::{Store, StoreError, SuiteState},
        suites::replay,
    },
};
use axum::{extract::State, http::StatusCode, response::Response};
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

/// The result in some form; 409 where there is none.
async fn form(
    app: &App,
    id: u64,
    kind: &'static str,
    form: impl FnOnce(String) -> Result<String, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let head = head(app, id).await?;
    let store = Arc::clone(&app.store);
    let missing = move || {
        let why = match (head.row.state, &head.row.reason) {
            (SuiteState::Failed, Some(reason)) => format!("suite {id} has no result: {reason}"),
            _ => format!("suite {id} goes on; its result comes when it is over"),
        };
        Problem::new(StatusCode::CONFLICT, why)
    };
    let make = move || {
        let text = store.suite_result(id)?.ok_or_else(missing)?;
        form(text).map(String::into_bytes)
    };
    answer::whole(app, kind, make).await
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
    form(&app, id, answer::JSON, Ok).await
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
    let kind = match wanted.form {
        Form::Html => "text/html; charset=utf-8",
        Form::Junit => "application/xml",
        Form::Csv => "text/csv; charset=utf-8",
    };
    let write = move |text: String| {
        let document = SuiteDocument::read(&text)
            .map_err(|error| StoreError::Unfit { what: format!("the result: {error}") })?;
        Ok(match wanted.form {
            Form::Html => document.html(),
            Form::Junit => document.junit(),
            Form::Csv => table(&document, &wanted.test)?,
        })
    };
    form(&app, id, kind, write).await
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

/// Every trial so far, in the order they were run; also of a suite that broke off.
#[utoipa::path(get, path = "/api/v1/suites/{id}/trials", tag = "suites",
    operation_id = "suites_trials", params(("id" = u64, Path, description = "The suite")),
    responses((status = 200, body = Vec<TrialRow>), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn trials(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let active = app.suites.trials(id);
    let store = Arc::clone(&app.store);
    let make = move || match active {
        Some(trials) => answer::json(0, &trials),
        None => kept_trials(&store, id),
    };
    answer::whole(&app, answer::JSON, make).await
}

/// Those of a suite that is over. One that broke off has only its log, which is searched once.
fn kept_trials(store: &Store, id: u64) -> Result<Vec<u8>, Problem> {
    if let Some(rows) = store.trial_rows(id)? {
        return Ok(rows.into_bytes());
    }
    let (row, document) = (store.suite(id)?, store.suite_document(id)?);
    let found = row.zip(document).ok_or_else(|| Problem::not_found("suite", id));
    let (row, document) = found?;
    let lines = store.trials(id)?;
    let rows = replay(row.kind, &document, &lines)
        .map_err(|error| Problem::of_engine(error, ""))
        .and_then(|rows| answer::json(0, &rows))?;
    store.keep_trial_rows(id, &String::from_utf8_lossy(&rows))?;
    Ok(rows)
}
