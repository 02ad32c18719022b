//! A suite of any kind, from what is asked to what was found: for those who run them all.

use super::{
    Direction, Progress, Stop, Trial, config_hash, mlrsearch, real, rfc2544, under_test::Wants,
    y1564,
};
use crate::spec::{Flows, MlrsearchSpec, Rfc2544Spec, SpecError, SuiteFile, SuiteSpec, Y1564Spec};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Which suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SuiteKind {
    /// RFC 2544.
    Rfc2544,
    /// RFC 9971.
    Mlrsearch,
    /// ITU-T Y.1564.
    Y1564,
}

impl SuiteKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Rfc2544, Self::Mlrsearch, Self::Y1564];

    /// Name of its command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfc2544 => "rfc2544",
            Self::Mlrsearch => "mlrsearch",
            Self::Y1564 => "y1564",
        }
    }
}

impl fmt::Display for SuiteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a suite is asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "as of SuiteKind")]
pub enum AnySuite {
    Rfc2544(Box<Rfc2544Spec>),
    Mlrsearch(MlrsearchSpec),
    Y1564(Y1564Spec),
}

/// What was found.
#[derive(Debug)]
#[allow(missing_docs, reason = "as of SuiteKind")]
pub enum Found<'a> {
    Rfc2544(&'a Rfc2544Spec, rfc2544::Outcome),
    Mlrsearch(mlrsearch::Outcome),
    Y1564(&'a Y1564Spec, y1564::Outcome),
}

/// Why a suite cannot be run as it is. Exit code 64 in every case.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SuiteError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("{flows}: {why}")]
    Flows { flows: String, why: String },
    #[error("flows: {0}")]
    Read(#[from] std::io::Error),
    #[error(transparent)]
    Goal(#[from] mlrsearch::GoalError),
    #[error(transparent)]
    Services(#[from] y1564::Y1564Error),
}

impl AnySuite {
    /// Reads a file as this kind of suite.
    ///
    /// # Errors
    /// [`SuiteError`].
    pub fn read(kind: SuiteKind, file: &SuiteFile) -> Result<Self, SuiteError> {
        let mut suite = match kind {
            SuiteKind::Rfc2544 => Self::Rfc2544(Box::new(file.rfc2544()?)),
            SuiteKind::Mlrsearch => {
                let spec = file.mlrsearch()?;
                mlrsearch::check(&spec.goals)?;
                Self::Mlrsearch(spec)
            }
            SuiteKind::Y1564 => return Ok(Self::Y1564(file.y1564()?)),
        };
        fill_frames(suite.suite_mut())?;
        Ok(suite)
    }

    /// Which it is.
    pub fn kind(&self) -> SuiteKind {
        match self {
            Self::Rfc2544(_) => SuiteKind::Rfc2544,
            Self::Mlrsearch(_) => SuiteKind::Mlrsearch,
            Self::Y1564(_) => SuiteKind::Y1564,
        }
    }

    /// What all suites share.
    pub fn suite(&self) -> &SuiteSpec {
        match self {
            Self::Rfc2544(spec) => &spec.suite,
            Self::Mlrsearch(spec) => &spec.suite,
            Self::Y1564(spec) => &spec.suite,
        }
    }

    fn suite_mut(&mut self) -> &mut SuiteSpec {
        match self {
            Self::Rfc2544(spec) => &mut spec.suite,
            Self::Mlrsearch(spec) => &mut spec.suite,
            Self::Y1564(spec) => &mut spec.suite,
        }
    }

    /// What it needs of its device.
    pub fn wants(&self) -> Wants<'_> {
        match self {
            Self::Rfc2544(spec) => Wants {
                stages: if spec.recovery.is_some() { 2 } else { 1 },
                services: &[],
                definition: spec.latency.as_ref().map(|latency| latency.definition),
            },
            Self::Mlrsearch(_) => Wants { stages: 1, services: &[], definition: None },
            Self::Y1564(spec) => Wants { stages: 1, services: &spec.services, definition: None },
        }
    }

    /// About how long all trials take together, waits included.
    pub fn expected(&self, directions: &[Direction]) -> Duration {
        match self {
            Self::Rfc2544(spec) => rfc2544::estimate(spec, directions).time,
            Self::Mlrsearch(spec) => mlrsearch::estimate(spec),
            Self::Y1564(spec) => y1564::estimate(spec),
        }
    }

    /// The flows as they were written, if they are given.
    ///
    /// # Errors
    /// If their file cannot be read.
    pub fn flow_text(&self) -> Result<Option<String>, SuiteError> {
        Ok(self.suite().flows.as_ref().map(Flows::text).transpose()?)
    }

    /// [`config_hash`] of it and of the text of its flows.
    ///
    /// # Errors
    /// As of [`config_hash`].
    pub fn config(&self, flow_text: Option<&str>) -> serde_json::Result<String> {
        config_hash(self, flow_text.map(str::as_bytes).as_slice())
    }

    /// Runs it. What ends it early is in what was found, with all that is known by then.
    ///
    /// # Errors
    /// [`SuiteError`]: nothing was tried.
    pub fn run(
        &self,
        trial: &mut dyn Trial,
        observe: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Found<'_>, SuiteError> {
        Ok(match self {
            Self::Rfc2544(spec) => Found::Rfc2544(spec, rfc2544::run(spec, trial, observe)),
            Self::Mlrsearch(spec) => Found::Mlrsearch(mlrsearch::run(spec, trial, observe)?),
            Self::Y1564(spec) => Found::Y1564(spec, y1564::run(spec, trial, observe)?),
        })
    }
}

impl Found<'_> {
    /// Why it ended before its time; `None`: it did not.
    pub fn stopped(&self) -> Option<&Stop> {
        match self {
            Self::Rfc2544(_, outcome) => outcome.stopped.as_ref(),
            Self::Mlrsearch(outcome) => outcome.stopped.as_ref(),
            Self::Y1564(_, outcome) => outcome.stopped.as_ref(),
        }
    }
}

/// Rows of the flows' own sizes, where the suite names none.
fn fill_frames(suite: &mut SuiteSpec) -> Result<(), SuiteError> {
    if let (true, Some(flows)) = (suite.frames.is_empty(), &suite.flows) {
        let frame = real::file_frame(&flows.read()?);
        let wrong = |why| SuiteError::Flows { flows: flows.to_string(), why };
        suite.frames.push(frame.map_err(wrong)?);
    }
    Ok(())
}
