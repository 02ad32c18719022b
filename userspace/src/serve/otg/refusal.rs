//! Why a request is refused.

use super::model::ErrorKind;
use crate::serve::engine::EngineError;
use std::fmt::{self, Display};

/// Something that a client asked and that cannot be, by its place in the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{problem}", place = Place(.path))]
pub(super) struct Refusal {
    /// The path in the JSON: `flows[0].size.fixed`; empty: the whole.
    pub(super) path: String,
    /// What is wrong and what is allowed.
    pub(super) problem: String,
}

struct Place<'a>(&'a str);

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            path => write!(f, "$.{path}: "),
        }
    }
}

impl Refusal {
    /// Something wrong at a path.
    pub(super) fn at(path: &dyn Display, problem: impl Into<String>) -> Self {
        Self { path: path.to_string(), problem: problem.into() }
    }
}

/// A path that is being walked down; it costs nothing until it is printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// A key of the whole request.
    pub(super) fn root(key: &'a str) -> Self {
        Self { above: None, step: Step::Key(key) }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { above: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }

    /// The refusal of what stands here.
    pub(super) fn refuse(&self, problem: impl Into<String>) -> Refusal {
        Refusal::at(self, problem)
    }
}

impl Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        match (self.above, self.step) {
            (None, Step::Key(key)) => f.write_str(key),
            (Some(_), Step::Key(key)) => write!(f, ".{key}"),
            (_, Step::Index(index)) => write!(f, "[{index}]"),
        }
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// Of HTTP.
    pub(super) status: u16,
    /// Whose fault it was.
    pub(super) kind: ErrorKind,
    /// What went wrong and what to do.
    pub(super) problem: String,
}

impl Failure {
    /// Something went wrong here.
    pub(super) fn internal(problem: String) -> Self {
        Self { status: 500, kind: ErrorKind::Internal, problem }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { status: 400, kind: ErrorKind::Validation, problem: refusal.to_string() }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let problem = error.to_string();
        let (status, kind) = match error {
            EngineError::Invalid { .. } | EngineError::Control { .. } => {
                (400, ErrorKind::Validation)
            }
            EngineError::Busy(_) => (409, ErrorKind::Validation),
            _ => return Self::internal(problem),
        };
        Self { status, kind, problem }
    }
}
