//! What is compared of a `linerate.run/1` document.

use super::Side;
use serde::Deserialize;
use std::{fs, path::Path};

const SCHEMA: &str = "linerate.run/1";

/// Why a file cannot be compared.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CompareError {
    #[error("{path}: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path}: no result of linerate: {source}")]
    Malformed { path: String, source: serde_json::Error },
    #[error("{path}: its schema is {found}; compare knows {SCHEMA} (run --json PATH)")]
    Schema { path: String, found: String },
    #[error("{path}: two flows are named {name}; flows are matched by name")]
    Ambiguous { path: String, name: String },
}

/// A run's result as it was written to a file.
#[derive(Debug)]
pub struct Recorded {
    pub(super) path: String,
    pub(super) document: Document,
}

#[derive(Debug, Deserialize)]
pub(super) struct Document {
    started: String,
    pub(super) flows: Vec<Flow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Flow {
    pub(super) name: String,
    pub(super) verdict: String,
    tx_frames: u64,
    tx_bytes: u64,
    pub(super) tx_pps: Option<f64>,
    pub(super) rx_pps: Option<f64>,
    pub(super) loss_ratio: Option<f64>,
    pub(super) latency_ns: Option<Latency>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Latency {
    pub(super) p50: Option<f64>,
    pub(super) p90: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) p999: Option<f64>,
    pub(super) p9999: Option<f64>,
    pub(super) uncertainty: Option<f64>,
    definition: String,
    clock: String,
}

impl Recorded {
    /// Reads the result that `run --json PATH` wrote.
    ///
    /// # Errors
    /// [`CompareError`]: no such file, no JSON, another schema.
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|source| CompareError::Unreadable { path: shown(), source })?;
        Self::parse(shown(), &text)
    }

    pub(super) fn parse(path: String, text: &str) -> Result<Self, CompareError> {
        let malformed = |source| CompareError::Malformed { path: path.clone(), source };
        // First the schema alone: another one may have other keys.
        let any: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
        if any["schema"] != SCHEMA {
            let found = any["schema"].as_str().unwrap_or("absent").to_owned();
            return Err(CompareError::Schema { path, found });
        }
        let document: Document = serde_json::from_str(text).map_err(malformed)?;
        let mut names: Vec<&str> = document.flows.iter().map(|flow| flow.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = pair[0].to_owned();
            return Err(CompareError::Ambiguous { path, name });
        }
        Ok(Self { path, document })
    }

    pub(super) fn flow(&self, name: &str) -> Option<&Flow> {
        self.document.flows.iter().find(|flow| flow.name == name)
    }

    pub(super) fn side(&self) -> Side {
        Side { path: self.path.clone(), started: self.document.started.clone() }
    }
}

impl Flow {
    /// Mean size, rounded to an octet.
    pub(super) fn frame_bytes(&self) -> Option<u64> {
        self.tx_bytes.checked_add(self.tx_frames / 2)?.checked_div(self.tx_frames)
    }
}

impl Latency {
    /// What makes two latencies different things.
    pub(super) fn unlike(&self, other: &Self) -> Option<String> {
        if self.definition != other.definition {
            return Some(format!("definition {} and {}", self.definition, other.definition));
        }
        if self.clock != other.clock {
            return Some(format!("clock {} and {}", self.clock, other.clock));
        }
        let calibrated = (self.uncertainty.is_some(), other.uncertainty.is_some());
        (calibrated.0 != calibrated.1)
            .then(|| format!("only {} is calibrated", if calibrated.0 { "A" } else { "B" }))
    }
}
