//! `linerate compare`.

use super::{Failure, args::CompareArgs, live::Screen};
use crate::{
    report::{Comparison, Recorded, comparison_table},
    units::{Ratio, parse_percentage},
};
use std::{fs, io::Write, path::Path};

pub(super) fn main(args: &CompareArgs) -> Result<u8, Failure> {
    let tolerance = tolerance(&args.tolerance)?;
    let read = |path| Recorded::read(path).map_err(|error| Failure::usage(error.to_string()));
    let comparison = Comparison::new(&read(&args.a)?, &read(&args.b)?, tolerance);
    let on_stdout = args.json.as_deref() == Some(Path::new("-"));
    let screen = if on_stdout { Screen::Stderr } else { Screen::Stdout };
    screen.print(&comparison_table(&comparison));
    if let Some(path) = &args.json {
        let failed = |error: &dyn std::fmt::Display| Failure {
            code: 2,
            message: format!("--json {}: {error}", path.display()),
        };
        let json =
            serde_json::to_string_pretty(&comparison).map_err(|error| failed(&error))? + "\n";
        let written = if on_stdout {
            std::io::stdout().write_all(json.as_bytes())
        } else {
            fs::write(path, json)
        };
        written.map_err(|error| failed(&error))?;
    }
    Ok(comparison.verdict.exit_code())
}

fn tolerance(text: &str) -> Result<Ratio, Failure> {
    // A percentage is above 0 everywhere else; here 0 % is a wish like any other.
    match text.trim_end_matches(['%', ' ']) {
        "0" => Some(Ratio::new(0, 1)),
        _ => parse_percentage(text),
    }
    .ok_or_else(|| {
        Failure::usage(format!("--tolerance: \"{text}\" is no percentage; such as 2% or 0.5%"))
    })
}
