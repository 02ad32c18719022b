//! The files that a result is written to, created before anything is measured.

use super::args::FormArgs;
use crate::{
    cli::{Failure, live::Screen},
    report::SuiteDocument,
};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// Where a result goes.
pub(super) struct Forms<'a> {
    args: &'a FormArgs,
    json: Option<File>,
    html: Option<File>,
    junit: Option<File>,
    pub(super) screen: Screen,
}

impl<'a> Forms<'a> {
    /// A result that cannot be written is a suite for nothing: all files are created now.
    pub(super) fn open(args: &'a FormArgs) -> Result<Self, Failure> {
        let on_stdout = args.json.as_deref() == Some(Path::new("-"));
        let create = |flag: &str, path: &Option<PathBuf>| {
            let path = path.as_deref().filter(|path| *path != Path::new("-"));
            path.map(|path| File::create(path).map_err(|error| wrong(flag, path, &error)))
                .transpose()
        };
        if let Some(path) = &args.csv {
            fs::create_dir_all(path).map_err(|error| wrong("--csv", path, &error))?;
        }
        Ok(Self {
            json: create("--json", &args.json)?,
            html: create("--html", &args.html)?,
            junit: create("--junit", &args.junit)?,
            screen: if on_stdout { Screen::Stderr } else { Screen::Stdout },
            args,
        })
    }

    /// Shows and writes the result. A form that cannot be written keeps no other from it.
    pub(super) fn write(self, document: &SuiteDocument, quiet: bool) -> Result<(), Failure> {
        if !quiet {
            self.screen.print(&document.table());
        }
        let (mut failures, mut failed) = (Vec::new(), Vec::new());
        let mut put = |flag: &str, path: &Option<PathBuf>, file: Option<File>, text: &str| {
            let (Some(path), Some(mut file)) = (path, file) else { return };
            if let Err(error) = file.write_all(text.as_bytes()) {
                failures.push(format!("{flag} {}: {error}", path.display()));
            }
        };
        let json = document
            .json()
            .map_err(|error| Failure { code: 2, message: format!("--json: {error}") })?;
        put("--json", &self.args.json, self.json, &json);
        if self.args.html.is_some() {
            put("--html", &self.args.html, self.html, &document.html());
        }
        if self.args.junit.is_some() {
            put("--junit", &self.args.junit, self.junit, &document.junit());
        }
        for (name, text) in self.args.csv.iter().flat_map(|_| document.csv()) {
            let path = self.args.csv.as_ref().map(|path| path.join(name + ".csv"));
            let file = path.as_ref().map(File::create).transpose();
            match file {
                Ok(file) => put("--csv", &path, file, &text),
                Err(error) => failed.push(format!("--csv: {error}")),
            }
        }
        if self.screen == Screen::Stderr
            && let Err(error) = std::io::stdout().write_all(json.as_bytes())
        {
            failures.push(format!("--json -: {error}"));
        }
        failures.append(&mut failed);
        if failures.is_empty() {
            return Ok(());
        }
        Err(Failure { code: 2, message: failures.join("; ") })
    }
}

fn wrong(flag: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{flag} {}: {error}", path.display()))
}
