//! `linerate rfc2544`, `mlrsearch`, `y1564` and `report`.

mod args;
mod conduct;
mod device;
mod expected;
mod forms;
mod journal;
mod progress;
mod report;
mod warnings;

pub(super) use args::{MlrsearchArgs, ReportArgs, Rfc2544Args, Y1564Args};
pub(super) use report::main as report;

use super::Failure;
use crate::{
    report::{SuiteDocument, mlrsearch_result, rfc2544_result, y1564_result},
    spec::{SpecError, SuiteFile, SuiteFlags},
    suite::{mlrsearch, rfc2544, y1564},
};
use conduct::{Ended, Job, conduct};
use device::Wants;
use std::path::Path;

fn read(path: Option<&Path>, flags: &SuiteFlags) -> Result<SuiteFile, Failure> {
    let file = match path {
        Some(path) => SuiteFile::from_path(path, flags),
        None => SuiteFile::from_flags(flags),
    };
    file.map_err(Failure::from)
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self::usage(error.to_string())
    }
}

pub(super) fn rfc2544(args: &Rfc2544Args) -> Result<u8, Failure> {
    let file = read(args.file.as_deref(), &args.flags())?;
    let mut spec = file.rfc2544()?;
    warnings::fill_frames(&mut spec.suite)?;
    let job = Job {
        name: "rfc2544",
        args: &args.suite,
        file: &file,
        spec: &spec,
        suite: &spec.suite,
        wants: Wants {
            stages: if spec.recovery.is_some() { 2 } else { 1 },
            services: &[],
            definition: spec.latency.as_ref().map(|latency| latency.definition),
        },
        expected: &|directions| rfc2544::estimate(&spec, directions).time,
    };
    conduct(
        &job,
        |trial, observe| Ok(rfc2544::run(&spec, trial, observe)),
        |facts, outcome| {
            let result = rfc2544_result(facts, &spec, outcome);
            Ended::new(SuiteDocument::Bench(Box::new(result)), outcome.stopped.as_ref())
        },
    )
}

pub(super) fn mlrsearch(args: &MlrsearchArgs) -> Result<u8, Failure> {
    let file = read(args.file.as_deref(), &args.flags())?;
    let mut spec = file.mlrsearch()?;
    warnings::fill_frames(&mut spec.suite)?;
    let job = Job {
        name: "mlrsearch",
        args: &args.suite,
        file: &file,
        spec: &spec,
        suite: &spec.suite,
        wants: Wants { stages: 1, services: &[], definition: None },
        expected: &|_| expected::mlrsearch(&spec),
    };
    conduct(
        &job,
        |trial, observe| {
            mlrsearch::run(&spec, trial, observe).map_err(|error| Failure::usage(error.to_string()))
        },
        |facts, outcome| {
            let result = mlrsearch_result(facts, outcome);
            Ended::new(SuiteDocument::Bench(Box::new(result)), outcome.stopped.as_ref())
        },
    )
}

pub(super) fn y1564(args: &Y1564Args) -> Result<u8, Failure> {
    let file = read(Some(&args.file), &args.flags())?;
    let spec = file.y1564()?;
    let job = Job {
        name: "y1564",
        args: &args.suite,
        file: &file,
        spec: &spec,
        suite: &spec.suite,
        wants: Wants { stages: 1, services: &spec.services, definition: None },
        expected: &|_| y1564::estimate(&spec),
    };
    conduct(
        &job,
        |trial, observe| {
            y1564::run(&spec, trial, observe).map_err(|error| Failure::usage(error.to_string()))
        },
        |facts, outcome| {
            let result = y1564_result(facts, &spec, outcome);
            Ended::new(SuiteDocument::Services(Box::new(result)), outcome.stopped.as_ref())
        },
    )
}
