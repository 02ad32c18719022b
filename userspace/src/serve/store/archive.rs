use super::{FlowSet, RunRow, Store, StoreError, flow_sets};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that is worth carrying to another store: flow sets, and runs that are over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// `linerate.store/1`.
    pub schema: String,
    /// Every flow set.
    pub flow_sets: Vec<FlowSet>,
    /// Every run that is over.
    pub runs: Vec<ArchivedRun>,
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
        let connection = self.connection();
        let mut question = connection
            .prepare("SELECT id, name, created, updated, spec FROM flow_sets ORDER BY id")?;
        let rows = question.query_map([], flow_sets::whole)?;
        Ok(Archive { schema: SCHEMA.to_owned(), flow_sets: rows.collect::<Result<_, _>>()?, runs })
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
        Ok(transaction.commit()?)
    }
}
