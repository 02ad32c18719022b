use super::{Store, StoreError, document, json, now};
use crate::{
    serve::{engine::Backend, whole},
    spec::JsonText,
    suite::SuiteKind,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// Where a suite stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuiteState {
    /// Ports are being taken.
    Starting,
    /// Trials are being run.
    Running,
    /// It came to its end.
    Done,
    /// It was ended before; it can be resumed.
    Stopped,
    /// It broke off; it can be resumed.
    Failed,
}

impl SuiteState {
    /// The word of the store and of JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    fn of_word(word: &str) -> Self {
        [Self::Starting, Self::Running, Self::Done, Self::Stopped]
            .into_iter()
            .find(|state| state.word() == word)
            .unwrap_or(Self::Failed)
    }
}

/// A suite as the store has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuiteRow {
    /// Given by the store.
    #[serde(deserialize_with = "whole::number")]
    pub id: u64,
    /// As given.
    pub name: String,
    /// Which suite it is.
    pub kind: SuiteKind,
    /// Where it stands.
    pub state: SuiteState,
    /// The flow set that is its load.
    #[serde(default, deserialize_with = "whole::optional")]
    pub flow_set: Option<u64>,
    /// How frames are to leave.
    pub backend: Backend,
    /// When it was asked for; RFC 3339, UTC.
    pub created: String,
    /// When it ended.
    pub ended: Option<String>,
    /// That of the result; `invalid` without one.
    pub verdict: Option<String>,
    /// Why it broke off.
    pub reason: Option<String>,
}

/// A suite that is about to start.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSuite {
    /// What lists call it.
    pub name: String,
    /// Which suite it is.
    pub kind: SuiteKind,
    /// The shape of a suite file, with the flows within.
    pub spec: JsonText,
    /// The flow set that they are from.
    pub flow_set: Option<u64>,
    /// How frames are to leave.
    pub backend: Backend,
}

/// What a suite came to.
#[derive(Debug, Clone, Copy)]
pub struct SuiteOutcome<'a> {
    /// How it ended.
    pub state: SuiteState,
    /// That of the result; `invalid` without one.
    pub verdict: &'a str,
    /// Why it broke off.
    pub reason: Option<&'a str>,
    /// What its command writes as JSON.
    pub result: Option<&'a str>,
    /// The rows of its trials as JSON; `None`: they are not known, but to its log.
    pub trials: Option<&'a str>,
}

const COLUMNS: &str = "id, name, kind, state, flow_set, backend, created, ended, verdict, reason";

impl Store {
    /// Adds a suite that is about to start.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn add_suite(&self, suite: &NewSuite) -> Result<SuiteRow, StoreError> {
        let connection = self.connection();
        let row = SuiteRow {
            id: 0,
            name: suite.name.clone(),
            kind: suite.kind,
            state: SuiteState::Starting,
            flow_set: suite.flow_set,
            backend: suite.backend,
            created: now(),
            ended: None,
            verdict: None,
            reason: None,
        };
        insert(&connection, &row, &suite.spec, None)?;
        Ok(SuiteRow { id: connection.last_insert_rowid() as u64, ..row })
    }

    /// One that is over is about to go on (`starting`), or was not let to.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite_stands(&self, id: u64, state: SuiteState) -> Result<(), StoreError> {
        let change = "UPDATE suites SET state = ?2 WHERE id = ?1";
        self.connection().execute(change, params![id as i64, state.word()])?;
        Ok(())
    }

    /// Its trials begin, or go on; what it came to before is gone. One that is over already
    /// stays so.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite_started(&self, id: u64) -> Result<(), StoreError> {
        self.connection().execute(
            "UPDATE suites SET state = 'running', ended = NULL, verdict = NULL, reason = NULL,
             result = NULL, trial_rows = NULL WHERE id = ?1 AND state = 'starting'",
            [id as i64],
        )?;
        Ok(())
    }

    /// One that never started is no suite.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn forget_suite(&self, id: u64) -> Result<(), StoreError> {
        let change = "DELETE FROM suites WHERE id = ?1 AND state = 'starting'";
        self.connection().execute(change, [id as i64])?;
        Ok(())
    }

    /// It is over; the oldest ones go.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite_ended(&self, id: u64, outcome: &SuiteOutcome<'_>) -> Result<(), StoreError> {
        let SuiteOutcome { state, verdict, reason, result, trials } = outcome;
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "UPDATE suites SET state = ?2, ended = ?3, verdict = ?4, reason = ?5, result = ?6,
             trial_rows = ?7 WHERE id = ?1",
            params![id as i64, state.word(), now(), verdict, reason, result, trials],
        )?;
        transaction.execute(
            "DELETE FROM suites WHERE state IN ('done', 'stopped', 'failed') AND id <=
             (SELECT id FROM suites WHERE state IN ('done', 'stopped', 'failed')
              ORDER BY id DESC LIMIT 1 OFFSET ?1)",
            [self.retain_runs],
        )?;
        Ok(transaction.commit()?)
    }

    /// Keeps lines of a suite's trial log, all or none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keep_trials(&self, suite: u64, first: u64, lines: &[String]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        add_lines(&transaction, suite as i64, first as i64, lines)?;
        Ok(transaction.commit()?)
    }

    /// The lines of a suite's trial log.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn trials(&self, suite: u64) -> Result<Vec<String>, StoreError> {
        let connection = self.connection();
        let question = "SELECT line FROM trials WHERE suite = ?1 ORDER BY number";
        let mut question = connection.prepare(question)?;
        let lines = question.query_map([suite as i64], |row| row.get(0))?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// A suite; `None`: there is none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite(&self, id: u64) -> Result<Option<SuiteRow>, StoreError> {
        let question = format!("SELECT {COLUMNS} FROM suites WHERE id = ?1");
        Ok(self.connection().query_row(&question, [id as i64], row).optional()?)
    }

    /// Suites before one, the newest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suites(&self, before: u64, limit: u32) -> Result<Vec<SuiteRow>, StoreError> {
        let connection = self.connection();
        let question =
            format!("SELECT {COLUMNS} FROM suites WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        let mut question = connection.prepare(&question)?;
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let rows = question.query_map(params![before, limit], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a suite was asked, with the flows within; `None`: there is no such suite.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite_spec(&self, id: u64) -> Result<Option<String>, StoreError> {
        self.column("SELECT spec FROM suites WHERE id = ?1", id)
    }

    /// The same, to be read.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite_document(&self, id: u64) -> Result<Option<JsonText>, StoreError> {
        self.suite_spec(id)?.map(document).transpose()
    }

    /// The result of a suite; `None`: there is no such suite, or no result.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suite_result(&self, id: u64) -> Result<Option<String>, StoreError> {
        self.column("SELECT result FROM suites WHERE id = ?1", id)
    }

    /// The rows of the trials of a suite that is over, as JSON; `None`: they are not kept.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn trial_rows(&self, id: u64) -> Result<Option<String>, StoreError> {
        self.column("SELECT trial_rows FROM suites WHERE id = ?1", id)
    }

    /// Keeps what the log of a suite that is over was found to say.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keep_trial_rows(&self, id: u64, rows: &str) -> Result<(), StoreError> {
        self.connection().execute(
            "UPDATE suites SET trial_rows = ?2 WHERE id = ?1 AND trial_rows IS NULL
             AND state IN ('done', 'stopped', 'failed')",
            params![id as i64, rows],
        )?;
        Ok(())
    }

    /// Removes a suite that is over with all its trials; whether there was one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn remove_suite(&self, id: u64) -> Result<bool, StoreError> {
        let change = "DELETE FROM suites WHERE id = ?1 AND state IN ('done', 'stopped', 'failed')";
        Ok(self.connection().execute(change, [id as i64])? > 0)
    }

    /// Suites that were under way when the daemon ended can be resumed.
    pub(super) fn end_abandoned_suites(&self) -> Result<(), StoreError> {
        self.connection().execute(
            "UPDATE suites SET state = 'failed', verdict = 'invalid', ended = ?1,
             reason = 'the daemon ended before the suite did; resume it'
             WHERE state IN ('starting', 'running')",
            [now()],
        )?;
        Ok(())
    }
}

/// The row without its number, and what it holds.
pub(super) fn insert(
    connection: &Connection,
    row: &SuiteRow,
    spec: &JsonText,
    result: Option<&str>,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO suites (name, kind, state, flow_set, spec, backend, created, ended, verdict,
         reason, result) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            row.name,
            row.kind.name(),
            row.state.word(),
            row.flow_set.map(|id| id as i64),
            spec.as_str(),
            serde_json::to_string(&row.backend).unwrap_or_default(),
            row.created,
            row.ended,
            row.verdict,
            row.reason,
            result
        ],
    )?;
    Ok(())
}

pub(super) fn add_lines(
    connection: &Connection,
    suite: i64,
    first: i64,
    lines: &[String],
) -> rusqlite::Result<()> {
    let change = "INSERT OR REPLACE INTO trials (suite, number, line) VALUES (?1, ?2, ?3)";
    let mut change = connection.prepare(change)?;
    for (number, line) in (first..).zip(lines) {
        change.execute(params![suite, number, line])?;
    }
    Ok(())
}

fn row(row: &Row<'_>) -> rusqlite::Result<SuiteRow> {
    let (kind, state): (String, String) = (row.get(2)?, row.get(3)?);
    let backend: String = row.get(5)?;
    Ok(SuiteRow {
        id: row.get::<_, i64>(0)? as u64,
        name: row.get(1)?,
        kind: json(2, &format!("\"{kind}\""))?,
        state: SuiteState::of_word(&state),
        flow_set: row.get::<_, Option<i64>>(4)?.map(|id| id as u64),
        backend: json(5, &backend)?,
        created: row.get(6)?,
        ended: row.get(7)?,
        verdict: row.get(8)?,
        reason: row.get(9)?,
    })
}
