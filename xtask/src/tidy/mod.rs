//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Each rule is a pure function from a file to its faults, so that its tests can
//! show that it catches what it should and lets pass what it should.

use std::{fmt, fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

mod border;
mod layers;
mod rules;
mod source;

use source::{Language, Source};

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub path: String,
    /// Counted from 1; 0: the file as a whole.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

pub fn main() -> Result<()> {
    let sources = read_sources(workspace::root())?;
    let faults = faults(&sources);
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} faults in {} files read", faults.len(), sources.len());
    }
    println!("tidy: {} files, no fault", sources.len());
    Ok(())
}

fn faults(sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let border = border::names(sources);
    for source in sources {
        rules::check(source, &mut faults);
        layers::check(source, &mut faults);
        border::check(source, &border, &mut faults);
    }
    faults.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    faults
}

/// Every text file that belongs to the project.
fn read_sources(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "node_modules") {
                    folders.push(entry.path());
                }
            } else if let Some(language) = language(&entry.path()) {
                let path = relative(root, &entry.path());
                let text = fs::read_to_string(entry.path())
                    .with_context(|| format!("{path} is not UTF-8 text"))?;
                sources.push(Source::new(path, language, text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn language(path: &Path) -> Option<Language> {
    let name = path.file_name()?.to_str()?;
    match path.extension().and_then(|e| e.to_str()) {
        Some("rs") => Some(Language::Rust),
        Some("c" | "h") => Some(Language::C),
        Some("toml" | "md" | "sh" | "yml" | "yaml") => Some(Language::Other),
        _ if name == "run" => Some(Language::Other),
        _ => None,
    }
}
