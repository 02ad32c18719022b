use super::{Store, StoreError, now};
use crate::{report::SampleRow, serve::whole};
use rusqlite::{OptionalExtension, Row, params, types::Type};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a run stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Ports are being taken.
    Starting,
    /// Frames are being sent, or waited for.
    Running,
    /// It has a result.
    Done,
    /// It broke off without one.
    Failed,
}

impl RunState {
    /// The word of the store and of JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn of_word(word: &str) -> Self {
        [Self::Starting, Self::Running, Self::Done]
            .into_iter()
            .find(|state| state.word() == word)
            .unwrap_or(Self::Failed)
    }
}

/// A run as the store has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunRow {
    /// Given by the store.
    #[serde(deserialize_with = "whole::number")]
    pub id: u64,
    /// Of the flow set, or as given.
    pub name: String,
    /// Where it stands.
    pub state: RunState,
    /// The flow set that it was started from.
    #[serde(default, deserialize_with = "whole::optional")]
    pub flow_set: Option<u64>,
    /// When it was asked for; RFC 3339, UTC.
    pub created: String,
    /// When it ended.
    pub ended: Option<String>,
    /// That of the result; `invalid` without one.
    pub verdict: Option<String>,
    /// Why it has no result.
    pub reason: Option<String>,
}

/// Rows of one flow that became final together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredSamples {
    /// Name of the row.
    pub name: String,
    /// Oldest first.
    pub samples: Vec<SampleRow>,
}

const COLUMNS: &str = "id, name, state, flow_set, created, ended, verdict, reason";

impl Store {
    /// Adds a run that is about to start.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn add_run(
        &self,
        name: &str,
        flow_set: Option<u64>,
        spec: &Value,
    ) -> Result<RunRow, StoreError> {
        let connection = self.connection();
        let created = now();
        connection.execute(
            "INSERT INTO runs (name, state, flow_set, spec, created) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                name,
                RunState::Starting.word(),
                flow_set.map(|id| id as i64),
                spec.to_string(),
                created
            ],
        )?;
        Ok(RunRow {
            id: connection.last_insert_rowid() as u64,
            name: name.to_owned(),
            state: RunState::Starting,
            flow_set,
            created,
            ended: None,
            verdict: None,
            reason: None,
        })
    }

    /// It sends.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_started(&self, id: u64) -> Result<(), StoreError> {
        let change = "UPDATE runs SET state = 'running' WHERE id = ?1 AND state = 'starting'";
        self.connection().execute(change, [id as i64])?;
        Ok(())
    }

    /// One that never started is no run.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn forget_run(&self, id: u64) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM runs WHERE id = ?1", [id as i64])?;
        Ok(())
    }

    /// It is over, with a result or with the reason for none; the oldest ones go.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_ended(&self, id: u64, result: Result<&Value, &str>) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let (state, verdict, reason, result) = match result {
            Ok(result) => {
                let verdict = result["verdict"].as_str().unwrap_or("invalid").to_owned();
                (RunState::Done, verdict, None, Some(result.to_string()))
            }
            Err(reason) => (RunState::Failed, "invalid".to_owned(), Some(reason), None),
        };
        transaction.execute(
            "UPDATE runs SET state = ?2, ended = ?3, verdict = ?4, reason = ?5, result = ?6
             WHERE id = ?1",
            params![id as i64, state.word(), now(), verdict, reason, result],
        )?;
        transaction.execute(
            "DELETE FROM runs WHERE state IN ('done', 'failed') AND id <=
             (SELECT id FROM runs WHERE state IN ('done', 'failed')
              ORDER BY id DESC LIMIT 1 OFFSET ?1)",
            [self.retain_runs],
        )?;
        Ok(transaction.commit()?)
    }

    /// Keeps what became final at one time, and forgets what is `keep` older.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn add_samples(
        &self,
        run: u64,
        number: u64,
        flows: &[StoredSamples],
        keep: u64,
    ) -> Result<(), StoreError> {
        let flows = serde_json::to_string(flows).map_err(|error| StoreError::Unfit {
            what: format!("samples cannot be written: {error}"),
        })?;
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction
            .prepare("INSERT OR REPLACE INTO samples (run, number, flows) VALUES (?1, ?2, ?3)")?
            .execute(params![run as i64, number as i64, flows])?;
        transaction
            .prepare("DELETE FROM samples WHERE run = ?1 AND number <= ?2")?
            .execute(params![run as i64, number as i64 - keep as i64])?;
        Ok(transaction.commit()?)
    }

    /// The kept samples of one flow of a run, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn samples(&self, run: u64, flow: &str) -> Result<Vec<SampleRow>, StoreError> {
        let connection = self.connection();
        let mut question =
            connection.prepare("SELECT flows FROM samples WHERE run = ?1 ORDER BY number")?;
        let mut rows = question.query([run as i64])?;
        let mut samples = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            let flows: Vec<StoredSamples> = json(0, &text)?;
            let mine = flows.into_iter().filter(|stored| stored.name == flow);
            samples.extend(mine.flat_map(|stored| stored.samples));
        }
        Ok(samples)
    }

    /// A run; `None`: there is none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run(&self, id: u64) -> Result<Option<RunRow>, StoreError> {
        let question = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        Ok(self.connection().query_row(&question, [id as i64], row).optional()?)
    }

    /// Runs before one, the newest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn runs(&self, before: u64, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let connection = self.connection();
        let question =
            format!("SELECT {COLUMNS} FROM runs WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        let mut question = connection.prepare(&question)?;
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let rows = question.query_map(params![before, limit], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The flows and the result of a run; `None`: there is no such run.
    ///
    /// # Errors
    /// What SQLite says.
    #[allow(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    pub fn run_documents(&self, id: u64) -> Result<Option<(Value, Option<Value>)>, StoreError> {
        let question = "SELECT spec, result FROM runs WHERE id = ?1";
        let documents = self.connection().query_row(question, [id as i64], |row| {
            let (spec, result): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            let result = result.map(|result| json(1, &result)).transpose()?;
            Ok((json(0, &spec)?, result))
        });
        Ok(documents.optional()?)
    }

    /// Runs that were under way when the daemon ended have no result.
    pub(super) fn end_abandoned_runs(&self) -> Result<(), StoreError> {
        self.connection().execute(
            "UPDATE runs SET state = 'failed', verdict = 'invalid', ended = ?1,
             reason = 'the daemon ended before the run did'
             WHERE state IN ('starting', 'running')",
            [now()],
        )?;
        Ok(())
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let state: String = row.get(2)?;
    Ok(RunRow {
        id: row.get::<_, i64>(0)? as u64,
        name: row.get(1)?,
        state: RunState::of_word(&state),
        flow_set: row.get::<_, Option<i64>>(3)?.map(|id| id as u64),
        created: row.get(4)?,
        ended: row.get(5)?,
        verdict: row.get(6)?,
        reason: row.get(7)?,
    })
}

/// A column that holds JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    column: usize,
    text: &str,
) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
