//! `linerate rfc2544`, `mlrsearch`, `y1564` and `report`.

mod args;
mod conduct;
mod forms;
mod journal;
mod progress;
mod report;

pub(super) use args::{MlrsearchArgs, ReportArgs, Rfc2544Args, Y1564Args};
pub(super) use report::main as report;

use super::Failure;
use crate::{
    spec::{SpecError, SuiteFile, SuiteFlags},
    suite::{AnySuite, SuiteError, SuiteKind},
};
use args::SuiteArgs;
use conduct::{Job, conduct};
use std::path::Path;

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        Self::usage(error.to_string())
    }
}

pub(super) fn rfc2544(args: &Rfc2544Args) -> Result<u8, Failure> {
    suite(SuiteKind::Rfc2544, args.file.as_deref(), &args.flags(), &args.suite)
}

pub(super) fn mlrsearch(args: &MlrsearchArgs) -> Result<u8, Failure> {
    suite(SuiteKind::Mlrsearch, args.file.as_deref(), &args.flags(), &args.suite)
}

pub(super) fn y1564(args: &Y1564Args) -> Result<u8, Failure> {
    suite(SuiteKind::Y1564, Some(&args.file), &args.flags(), &args.suite)
}

fn suite(
    kind: SuiteKind,
    path: Option<&Path>,
    flags: &SuiteFlags,
    args: &SuiteArgs,
) -> Result<u8, Failure> {
    let file = match path {
        Some(path) => SuiteFile::from_path(path, flags)?,
        None => SuiteFile::from_flags(flags)?,
    };
    let suite = AnySuite::read(kind, &file)?;
    conduct(&Job { args, file: &file, suite: &suite })
}
