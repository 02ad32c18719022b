//! Errors as RFC 9457 problem details that name the field.

use super::engine::EngineError;
use super::store::StoreError;
use super::suites::SuiteRefusal;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The media type of a problem.
pub(super) const KIND: &str = "application/problem+json";

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `about:blank`: the status says what kind it is (RFC 9457, 4.2.1).
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The name of the status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, and what is allowed.
    pub detail: String,
    /// The place in what was sent: `spec.flow[0].size`, `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Who has the port that was asked for: `run 7`, `process 4711`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

impl Problem {
    /// With a status and a sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            holder: None,
        }
    }

    /// Something that is not there.
    pub fn not_found(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what} {name}"))
    }

    /// A request that does not fit its description.
    pub fn bad(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: named(field.into()), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// A request that fits its description and still cannot be done.
    pub fn unfit(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: named(field.into()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// Of the engine; places are below `prefix`.
    pub fn of_engine(error: EngineError, prefix: &str) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::Busy(held) => Self {
                holder: Some(held.holder.to_string()),
                ..Self::new(StatusCode::CONFLICT, detail)
            },
            EngineError::Invalid { place, .. } => Self::unfit(below(prefix, &place), detail),
            EngineError::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, detail),
            EngineError::Control { .. } | EngineError::Failed { .. } => {
                Self::new(StatusCode::CONFLICT, detail)
            }
            EngineError::Unable { .. } | EngineError::Gone { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            }
        }
    }
}

fn named(field: String) -> Option<String> {
    Some(field).filter(|field| !field.is_empty() && field != ".")
}

/// A place below a field: `spec` and `flow[0].size` are `spec.flow[0].size`.
pub(super) fn below(prefix: &str, place: &str) -> String {
    match (prefix, place) {
        ("", place) => place.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, place) => format!("{prefix}.{place}"),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { .. } => Self {
                field: Some("name".into()),
                ..Self::new(StatusCode::CONFLICT, error.to_string())
            },
            StoreError::Unfit { .. } => Self::unfit("", error.to_string()),
            StoreError::Sql(_)
            | StoreError::Open { .. }
            | StoreError::Newer { .. }
            | StoreError::Write(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}

impl From<SuiteRefusal> for Problem {
    fn from(error: SuiteRefusal) -> Self {
        let detail = error.to_string();
        match error {
            SuiteRefusal::Engine(error) => Self::of_engine(error, "suite"),
            SuiteRefusal::Store(error) => error.into(),
            SuiteRefusal::Unknown(_) => Self::new(StatusCode::NOT_FOUND, detail),
            SuiteRefusal::GoesOn(_)
            | SuiteRefusal::IsOver(_)
            | SuiteRefusal::Whole(_)
            | SuiteRefusal::TooMany => Self::new(StatusCode::CONFLICT, detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static(KIND);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::engine::{Held, Holder};

    #[test]
    fn a_busy_port_is_a_conflict_that_names_its_holder() {
        let held = Held { port: "a".into(), holder: Holder::Run(7) };
        let problem = Problem::of_engine(EngineError::Busy(held), "spec");
        assert_eq!((problem.status, problem.holder.as_deref()), (409, Some("run 7")));
    }

    #[test]
    fn a_place_in_a_flow_file_is_below_the_field_that_holds_it() {
        let invalid =
            |place: &str| EngineError::Invalid { place: place.into(), message: "m".into() };
        let field = |place| Problem::of_engine(invalid(place), "spec").field.unwrap();
        assert_eq!(field("flow[0].size"), "spec.flow[0].size");
        assert_eq!(field(""), "spec");
        assert_eq!(Problem::unfit("", "x").field, None);
    }
}
