//! The flows that are a suite's load.

use crate::spec::{JsonText, Spec, SpecError};
use serde::Serialize;
use std::{fmt, fs, io, path::PathBuf};

/// Where the flows are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Flows {
    /// In a flow file.
    File(PathBuf),
    /// In the suite itself, in the shape of a flow file.
    Inline(JsonText),
}

impl Flows {
    /// The flows.
    ///
    /// # Errors
    /// As of any flow file.
    pub fn read(&self) -> Result<Spec, SpecError> {
        match self {
            Self::File(path) => Spec::from_path(path),
            Self::Inline(text) => Spec::from_json(text),
        }
    }

    /// As they were written.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn text(&self) -> io::Result<String> {
        match self {
            Self::File(path) => fs::read_to_string(path),
            Self::Inline(text) => Ok(format!("{:#}", text.to_value())),
        }
    }
}

impl fmt::Display for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Inline(_) => f.write_str("the suite itself"),
        }
    }
}
