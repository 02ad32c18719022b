use super::{Store, StoreError, json, now};
use crate::{report::SampleRow, serve::whole, spec::JsonText};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

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

/// The same as it is stored: of many flows one is read.
#[derive(Debug, Deserialize)]
struct UnreadSamples<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    samples: &'a RawValue,
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
        spec: &JsonText,
    ) -> Result<RunRow, StoreError> {
        let connection = self.connection();
        let created = now();
        connection.execute(
            "INSERT INTO runs (name, state, flow_set, spec, created) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                name,
                RunState::Starting.word(),
                flow_set.map(|id| id as i64),
                spec.as_str(),
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
    pub fn run_ended(&self, id: u64, result: Result<&JsonText, &str>) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let (state, verdict, reason, result) = match result {
            Ok(result) => (RunState::Done, verdict_of(result), None, Some(result.as_str())),
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
            let flows: Vec<UnreadSamples<'_>> = json(0, &text)?;
            for mine in flows.iter().filter(|stored| stored.name == flow) {
                samples.extend(json::<Vec<SampleRow>>(0, mine.samples.get())?);
            }
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

    /// What a run was asked, in the shape of a flow file; `None`: there is no such run.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_spec(&self, id: u64) -> Result<Option<String>, StoreError> {
        self.column("SELECT spec FROM runs WHERE id = ?1", id)
    }

    /// The result of a run; `None`: there is no such run, or no result.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn run_result(&self, id: u64) -> Result<Option<String>, StoreError> {
        self.column("SELECT result FROM runs WHERE id = ?1", id)
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

/// The verdict of a result, of which nothing else is read.
fn verdict_of(result: &JsonText) -> String {
    #[derive(Deserialize)]
    struct Verdict<'a> {
        #[serde(borrow)]
        verdict: Cow<'a, str>,
    }

    let read = serde_json::from_str::<Verdict<'_>>(result.as_str());
    read.map_or_else(|_| "invalid".to_owned(), |read| read.verdict.into_owned())
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
