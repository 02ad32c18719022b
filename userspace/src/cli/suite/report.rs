//! `linerate report`: a result in other forms, long after the suite.

use super::{args::ReportArgs, forms::Forms};
use crate::{
    cli::Failure,
    report::{SCHEMAS, SuiteDocument, schema},
};
use std::{fs, io::Write};

pub(in crate::cli) fn main(args: &ReportArgs) -> Result<u8, Failure> {
    if let Some(suite) = &args.schema {
        return print_schema(suite);
    }
    // clap asks for one of both.
    let Some(path) = &args.file else { return Err(Failure::usage("name a result")) };
    let wrong =
        |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let document = SuiteDocument::read(&text).map_err(|error| wrong(&error))?;
    Forms::open(&args.forms)?.write(&document, args.quiet)?;
    Ok(document.verdict().exit_code())
}

fn print_schema(suite: &str) -> Result<u8, Failure> {
    let schema = schema(suite).ok_or_else(|| {
        Failure::usage(format!("--schema {suite}: there is none; allowed: {}", SCHEMAS.join(", ")))
    })?;
    let failed = |error: &dyn std::fmt::Display| Failure { code: 2, message: error.to_string() };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| failed(&error))? + "\n";
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| failed(&error))?;
    Ok(0)
}
