//! Where a flow or suite file is wrong, what is wrong and what is allowed.

use std::{fmt, io, path::PathBuf, sync::Arc};

/// A place in a flow file or on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, if there is one.
    pub file: Option<Arc<str>>,
    /// Line and column, counted from 1, in characters.
    pub position: Option<(u32, u32)>,
    /// The path of keys: `flow[2].layers[1].ipv4.dst`; for a flag its name: `--ipv4`.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.position) {
            (Some(file), Some((line, column))) => write!(f, "{file}:{line}:{column}")?,
            (Some(file), None) => f.write_str(file)?,
            (None, Some((line, column))) => write!(f, "line {line}, column {column}")?,
            (None, None) if self.key.is_empty() => f.write_str("flow file")?,
            (None, None) => return f.write_str(&self.key),
        }
        if self.key.is_empty() { Ok(()) } else { write!(f, ": {}", self.key) }
    }
}

/// Why a flow file, or the flags that stand for one, cannot be used: one line that names
/// the place, what is wrong there and what is allowed. Exit code 64 in every case.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file cannot be read.
    #[error("{path}: {source}; name a readable flow file (.toml, .yaml or .yml)", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The suite file cannot be read.
    #[error("{path}: {source}; name a readable suite file (.toml, .yaml or .yml)", path = path.display())]
    ReadSuite {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no TOML, or no YAML.
    #[error("{place}: {problem}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser said.
        problem: String,
    },
    /// It says what cannot be.
    #[error("{place}: {problem}; allowed: {allowed}")]
    Invalid {
        /// Where.
        place: Place,
        /// What is wrong.
        problem: String,
        /// What may stand there instead.
        allowed: String,
    },
}

impl SpecError {
    /// Something at `place` that cannot be.
    pub fn invalid(place: &Place, problem: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self::Invalid { place: place.clone(), problem: problem.into(), allowed: allowed.into() }
    }

    /// Where, if it is in the file.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Read { .. } | Self::ReadSuite { .. } => None,
            Self::Syntax { place, .. } | Self::Invalid { place, .. } => Some(place),
        }
    }
}
