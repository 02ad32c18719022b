use super::{FlowSet, RunRow, Store, StoreError, SuiteRow, SuiteState, flow_sets, suites};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    pub spec: Value,
    /// `linerate.run/1`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
}

/// A suite that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivedSuite {
    /// What a list shows of it.
    pub suite: SuiteRow,
    /// The shape of a suite file.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// `linerate.rfc2544/1`, `linerate.mlrsearch/1` or `linerate.y1564/1`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// The lines of its trial log, from which it is resumed.
    pub trials: Vec<String>,
}

const SCHEMA: &str = "linerate.store/1";

impl Store {
    /// All that is kept but the samples.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn export(&self) -> Result<Archive, StoreError> {
        let mut runs = Vec::new();
        for run in self.runs(u64::MAX, u32::MAX)? {
            if run.ended.is_none() {
                continue;
            }
            // It may have been retired meanwhile.
            let Some((spec, result)) = self.run_documents(run.id)? else { continue };
            runs.push(ArchivedRun { run, spec, result });
        }
        let mut suites = Vec::new();
        for suite in self.suites(u64::MAX, u32::MAX)? {
            if matches!(suite.state, SuiteState::Starting | SuiteState::Running) {
                continue;
            }
            let Some((spec, result)) = self.suite_documents(suite.id)? else { continue };
            let result = result.map(|text| super::runs::json(1, &text)).transpose()?;
            let trials = self.trials(suite.id)?;
            suites.push(ArchivedSuite { suite, spec, result, trials });
        }
        let connection = self.connection();
        let mut question = connection
            .prepare("SELECT id, name, created, updated, spec FROM flow_sets ORDER BY id")?;
        let rows = question.query_map([], flow_sets::whole)?;
        let flow_sets = rows.collect::<Result<_, _>>()?;
        Ok(Archive { schema: SCHEMA.to_owned(), flow_sets, runs, suites })
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
            let result = archived.result.as_ref().map(ToString::to_string);
            let state = if result.is_some() { "done" } else { "failed" };
            transaction.execute(
                "INSERT INTO runs (name, state, spec, created, ended, verdict, reason, result)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    run.name,
                    state,
                    archived.spec.to_string(),
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
            let result = archived.result.as_ref().map(|result| format!("{result:#}\n"));
            suites::insert(&transaction, &row, &archived.spec, result.as_deref())?;
            let suite = transaction.last_insert_rowid();
            suites::add_lines(&transaction, suite, 0, &archived.trials)?;
        }
        Ok(transaction.commit()?)
    }
}
