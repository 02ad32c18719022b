//! What outlives the daemon: flow sets, runs with their samples, suites with their trials, and
//! the results of both, in SQLite.
//!
//! Write-ahead log, each change one transaction, synchronised to the disk: a process that is
//! killed at any moment loses at most what it was writing. Captures are not kept.

mod archive;
mod flow_sets;
mod migrations;
mod runs;
mod suites;
#[cfg(test)]
mod tests;

pub use archive::{Archive, ArchivedRun, ArchivedSuite};
pub use flow_sets::{FlowSet, FlowSetHead};
pub use runs::{RunRow, RunState, StoredSamples};
pub(super) use suites::SuiteOutcome;
pub use suites::{NewSuite, SuiteRow, SuiteState};

use crate::spec::JsonText;
use rusqlite::{Connection, OptionalExtension, types::Type};
use serde::Deserialize;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Why something was not stored or read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error(
        "cannot open the store {path}: {source}; name a file in a directory that can be written",
        path = .path.display()
    )]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("the store {path} is of a newer linerate (version {version})", path = .path.display())]
    Newer { path: PathBuf, version: u32 },
    #[error("the store: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("a flow set is named \"{name}\" already")]
    Taken { name: String },
    #[error("{what}")]
    Unfit { what: String },
    #[error("the archive cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// The store. Calls wait for the disk.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// Runs kept, and as many suites.
    retain_runs: u32,
}

/// How long a call waits for another process, such as `sqlite3`, to let go.
const PATIENCE: Duration = Duration::from_secs(5);

impl Store {
    /// Opens or makes it, brings it to this version, and ends the runs and suites that were under
    /// way when the daemon was killed.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a later version.
    pub fn open(path: &Path, retain_runs: u32) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
        if let Some(version) = migrations::apply(&mut connection).map_err(failed)? {
            return Err(StoreError::Newer { path: path.to_owned(), version });
        }
        let store = Self { connection: Mutex::new(connection), retain_runs };
        store.end_abandoned_runs()?;
        store.end_abandoned_suites()?;
        Ok(store)
    }

    /// Whether it can be written now.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn check(&self) -> Result<(), StoreError> {
        Ok(self.connection().execute_batch("BEGIN IMMEDIATE; ROLLBACK")?)
    }

    /// A column of one row, as it is; `None`: there is no such row, or nothing in it.
    fn column(&self, question: &str, id: u64) -> Result<Option<String>, StoreError> {
        let found = self.connection().query_row(question, [id as i64], |row| row.get(0));
        Ok(found.optional()?.flatten())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A column that holds JSON.
fn json<'a, T: Deserialize<'a>>(column: usize, text: &'a str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// A text that is JSON.
fn document(text: String) -> Result<JsonText, StoreError> {
    let no_json = |error| StoreError::Unfit { what: format!("the store holds no JSON: {error}") };
    JsonText::try_from(text).map_err(no_json)
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}
