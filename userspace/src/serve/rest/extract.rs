//! What handlers take and give alike: paths, queries and bodies, whose errors are problem
//! details too, and the answer of what was made.

use super::{App, body};
use crate::serve::{problem::Problem, runs::blocking, store::FlowSet};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// A body in JSON.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// The parameters of a path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// The parameters of a query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// A number of the store: SQLite's have 63 bits.
pub(super) fn number(field: &str, number: Option<u64>) -> Result<Option<u64>, Problem> {
    match number {
        Some(number) if i64::try_from(number).is_err() => {
            Err(Problem::bad(field, format!("at most {}", i64::MAX)))
        }
        number => Ok(number),
    }
}

/// What lists call something that is started.
pub(super) fn checked_name(name: Option<&str>) -> Result<(), Problem> {
    if name.is_some_and(|name| name.chars().count() > 200) {
        return Err(Problem::bad("name", "a name has at most 200 characters"));
    }
    Ok(())
}

/// The flow set that a body names.
pub(super) async fn named_flow_set(app: &App, id: u64) -> Result<FlowSet, Problem> {
    let store = Arc::clone(&app.store);
    let set = blocking(move || store.flow_set(id)).await??;
    set.ok_or_else(|| Problem::unfit("flow_set", format!("there is no flow set {id}")))
}

/// 201, with what was made and its place.
pub(super) fn created(place: &str, made: &impl Serialize) -> Response {
    at(place, Json(made).into_response())
}

/// The same of what is an answer already.
pub(super) fn at(place: &str, mut response: Response) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

impl<T: DeserializeOwned + Send + 'static> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let detail = format!("the body is \"{kind}\", and has to be application/json");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let octets = body::read(request).await?;
        if !body::takes_long(&octets) {
            return parse(&octets).map(Self);
        }
        let parsed = tokio::task::spawn_blocking(move || parse(&octets)).await;
        let failed =
            |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the body could not be parsed");
        parsed.map_err(failed)?.map(Self)
    }
}

fn parse<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(octets);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Problem::bad(error.path().to_string(), error.inner().to_string()))?;
    json.end().map_err(|error| Problem::bad("", error.to_string()))?;
    Ok(value)
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, app).await;
        // A number that cannot be one names nothing.
        path.map(|axum::extract::Path(path)| Self(path))
            .map_err(|rejection| Problem::new(StatusCode::NOT_FOUND, rejection.body_text()))
    }
}

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let query = axum::extract::Query::from_request_parts(parts, app).await;
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| Problem::bad("query", rejection.body_text()))
    }
}
