//! A result of any suite, and every form it takes.

use super::{
    CsvFile, SuiteFacts, SuiteVerdict,
    csv::bench_csv,
    html::bench_html,
    junit::bench_junit,
    mlrsearch_result,
    model::{BenchResult, ServiceResult},
    rfc2544_result,
    services::{service_csv, service_html, service_junit, service_table},
    table::bench_table,
    y1564_result,
};
use crate::suite::Found;
use serde_json::Value;

/// A result of any suite.
#[derive(Debug, Clone, PartialEq)]
pub enum SuiteDocument {
    /// RFC 2544 or RFC 9971.
    Bench(Box<BenchResult>),
    /// ITU-T Y.1564.
    Services(Box<ServiceResult>),
}

/// Why a file is no result of a suite.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum DocumentError {
    #[error("it is no JSON: {0}")]
    Json(serde_json::Error),
    #[error(
        "its schema is {0}; a report is made of linerate.rfc2544/1, linerate.mlrsearch/1 and linerate.y1564/1"
    )]
    Schema(String),
    #[error("it does not keep to {schema}: {source}")]
    Shape { schema: String, source: serde_json::Error },
}

impl SuiteDocument {
    /// Of what a suite found.
    pub fn new(facts: &SuiteFacts<'_>, found: &Found<'_>) -> Self {
        match found {
            Found::Rfc2544(spec, outcome) => {
                Self::Bench(Box::new(rfc2544_result(facts, spec, outcome)))
            }
            Found::Mlrsearch(outcome) => Self::Bench(Box::new(mlrsearch_result(facts, outcome))),
            Found::Y1564(spec, outcome) => {
                Self::Services(Box::new(y1564_result(facts, spec, outcome)))
            }
        }
    }

    /// Reads a result that [`Self::json`] wrote.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let value: Value = serde_json::from_str(text).map_err(DocumentError::Json)?;
        let schema = value["schema"].as_str().unwrap_or("missing").to_owned();
        let shape = |source| DocumentError::Shape { schema: schema.clone(), source };
        match schema.as_str() {
            "linerate.rfc2544/1" | "linerate.mlrsearch/1" => {
                serde_json::from_value(value).map(Self::Bench).map_err(shape)
            }
            "linerate.y1564/1" => serde_json::from_value(value).map(Self::Services).map_err(shape),
            _ => Err(DocumentError::Schema(schema)),
        }
    }

    /// The source of truth, indented, with a line end.
    ///
    /// # Errors
    /// None that the values can cause; kept because writing JSON may fail in principle.
    pub fn json(&self) -> serde_json::Result<String> {
        let text = match self {
            Self::Bench(result) => serde_json::to_string_pretty(result),
            Self::Services(result) => serde_json::to_string_pretty(result),
        };
        text.map(|text| text + "\n")
    }

    /// For a terminal.
    pub fn table(&self) -> String {
        match self {
            Self::Bench(result) => bench_table(result),
            Self::Services(result) => service_table(result),
        }
    }

    /// One self-contained page.
    pub fn html(&self) -> String {
        match self {
            Self::Bench(result) => bench_html(result),
            Self::Services(result) => service_html(result),
        }
    }

    /// A file for each test and one of every trial.
    pub fn csv(&self) -> Vec<CsvFile> {
        match self {
            Self::Bench(result) => bench_csv(result),
            Self::Services(result) => service_csv(result),
        }
    }

    /// JUnit XML.
    pub fn junit(&self) -> String {
        match self {
            Self::Bench(result) => bench_junit(result),
            Self::Services(result) => service_junit(result),
        }
    }

    /// What became of it.
    pub fn verdict(&self) -> SuiteVerdict {
        match self {
            Self::Bench(result) => result.verdict,
            Self::Services(result) => result.verdict,
        }
    }
}
