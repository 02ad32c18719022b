use super::{
    FlowSet, RunRow, Store, StoreError, SuiteRow, SuiteState, document, flow_sets, suites,
};
use crate::spec::JsonText;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// Everything that is worth carrying to another store: flow sets, and runs and suites
/// that are over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// `linerate.store/1`.
    pub schema: String,
    /// Every flow set.
    pub flow_sets: Vec<FlowSet>,
    /// Every run that is over.
    pub runs: Vec<ArchivedRun>,
    /// Every suite that is over; archives of earlier versions have none.
    #[serde(default)]
    pub suites: Vec<ArchivedSuite>,
}

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivedRun {
    /// What a list shows of it.
    pub run: RunRow,
    /// The shape of a flow file.
    #[schema(value_type = Object)]
    pub spec: JsonText,
    /// `linerate.run/1`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<JsonText>,
}

/// A suite that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivedSuite {
    /// What a list shows of it.
    pub suite: SuiteRow,
    /// The shape of a suite file.
    #[schema(value_type = Object)]
    pub spec: JsonText,
    /// `linerate.rfc2544/1`, `linerate.mlrsearch/1` or `linerate.y1564/1`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<JsonText>,
    /// The lines of its trial log, from which it is resumed.
    pub trials: Vec<String>,
}

const SCHEMA: &str = "linerate.store/1";

impl Store {
    /// Writes all that is kept but the samples as an [`Archive`], one thing after the other.
    ///
    /// # Errors
    /// What SQLite and the writer say.
    pub fn export(&self, out: &mut dyn Write) -> Result<(), StoreError> {
        write!(out, "{{\"schema\":\"{SCHEMA}\"")?;
        let question = "SELECT id FROM flow_sets ORDER BY id";
        self.list(out, "flow_sets", question, |id| self.flow_set(id))?;
        let question = "SELECT id FROM runs WHERE ended IS NOT NULL ORDER BY id DESC";
        self.list(out, "runs", question, |id| self.archived_run(id))?;
        let question = "SELECT id FROM suites WHERE state IN ('done', 'stopped', 'failed')
                        ORDER BY id DESC";
        self.list(out, "suites", question, |id| self.archived_suite(id))?;
        Ok(out.write_all(b"}")?)
    }

    /// What `question` numbers and is still there.
    fn list<T: Serialize>(
        &self,
        out: &mut dyn Write,
        name: &str,
        question: &str,
        read: impl Fn(u64) -> Result<Option<T>, StoreError>,
    ) -> Result<(), StoreError> {
        let ids = self.ids(question)?;
        write!(out, ",\"{name}\":[")?;
        let mut comma = "";
        for id in ids {
            // It may have been removed meanwhile.
            let Some(row) = read(id as u64)? else { continue };
            out.write_all(comma.as_bytes())?;
            serde_json::to_writer(&mut *out, &row).map_err(io::Error::from)?;
            comma = ",";
        }
        Ok(out.write_all(b"]")?)
    }

    fn ids(&self, question: &str) -> Result<Vec<i64>, StoreError> {
        let connection = self.connection();
        let mut question = connection.prepare(question)?;
        let ids = question.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn archived_run(&self, id: u64) -> Result<Option<ArchivedRun>, StoreError> {
        let (run, spec) = (self.run(id)?, self.run_spec(id)?);
        let Some((run, spec)) = run.zip(spec) else { return Ok(None) };
        let result = self.run_result(id)?.map(document).transpose()?;
        Ok(Some(ArchivedRun { run, spec: document(spec)?, result }))
    }

    fn archived_suite(&self, id: u64) -> Result<Option<ArchivedSuite>, StoreError> {
        let (suite, spec) = (self.suite(id)?, self.suite_spec(id)?);
        let Some((suite, spec)) = suite.zip(spec) else { return Ok(None) };
        let result = self.suite_result(id)?.map(document).transpose()?;
        let trials = self.trials(id)?;
        Ok(Some(ArchivedSuite { suite, spec: document(spec)?, result, trials }))
    }

    /// Adds all of an archive, or nothing. Numbers are given anew.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if a flow set's name is, [`StoreError::Unfit`] for an archive of
    /// another kind.
    pub fn import(&self, archive: &Archive) -> Result<(), StoreError> {
        if archive.schema != SCHEMA {
            let what = format!("\"{}\" is not \"{SCHEMA}\"", archive.schema);
            return Err(StoreError::Unfit { what });
        }
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for set in &archive.flow_sets {
            flow_sets::insert(&transaction, &set.name, &set.spec, &set.created, &set.updated)?;
        }
        for archived in archive.runs.iter().rev() {
            let run = &archived.run;
            let result = archived.result.as_ref().map(JsonText::as_str);
            let state = if result.is_some() { "done" } else { "failed" };
            transaction.execute(
                "INSERT INTO runs (name, state, spec, created, ended, verdict, reason, result)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    run.name,
                    state,
                    archived.spec.as_str(),
                    run.created,
                    run.ended.as_ref().unwrap_or(&run.created),
                    run.verdict,
                    run.reason,
                    result
                ],
            )?;
        }
        for archived in archive.suites.iter().rev() {
            let (state, ended) = (archived.suite.state, archived.suite.ended.as_ref());
            let row = SuiteRow {
                // Its number was that of another store.
                flow_set: None,
                state: match state {
                    SuiteState::Starting | SuiteState::Running => SuiteState::Failed,
                    over => over,
                },
                ended: Some(ended.unwrap_or(&archived.suite.created).clone()),
                ..archived.suite.clone()
            };
            let result = archived.result.as_ref().map(|result| format!("{}\n", result.as_str()));
            suites::insert(&transaction, &row, &archived.spec, result.as_deref())?;
            let suite = transaction.last_insert_rowid();
            suites::add_lines(&transaction, suite, 0, &archived.trials)?;
        }
        Ok(transaction.commit()?)
    }
}
