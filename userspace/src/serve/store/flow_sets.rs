use super::{Store, StoreError, document, now};
use crate::{serve::whole, spec::JsonText};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// A flow set without its flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FlowSetHead {
    /// Given by the store.
    pub id: u64,
    /// Its own, among all flow sets.
    pub name: String,
    /// RFC 3339, UTC.
    pub created: String,
    /// RFC 3339, UTC.
    pub updated: String,
}

/// A flow file in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FlowSet {
    /// Given by the store.
    #[serde(deserialize_with = "whole::number")]
    pub id: u64,
    /// Its own, among all flow sets.
    pub name: String,
    /// The shape of a flow file.
    #[schema(value_type = Object)]
    pub spec: JsonText,
    /// RFC 3339, UTC.
    pub created: String,
    /// RFC 3339, UTC.
    pub updated: String,
}

impl Store {
    /// Adds a flow set.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for the name.
    pub fn add_flow_set(&self, name: &str, spec: &JsonText) -> Result<FlowSet, StoreError> {
        let now = now();
        let connection = self.connection();
        insert(&connection, name, spec, &now, &now)?;
        let id = connection.last_insert_rowid() as u64;
        let (name, spec) = (name.to_owned(), spec.clone());
        Ok(FlowSet { id, name, spec, created: now.clone(), updated: now })
    }

    /// Changes a flow set; `None`: there is none.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for the name.
    pub fn change_flow_set(
        &self,
        id: u64,
        name: &str,
        spec: &JsonText,
    ) -> Result<Option<FlowSet>, StoreError> {
        let updated = now();
        let changed = self.connection().query_row(
            "UPDATE flow_sets SET name = ?2, spec = ?3, updated = ?4 WHERE id = ?1
             RETURNING created",
            params![id as i64, name, spec.as_str(), updated],
            |row| row.get(0),
        );
        let created = changed.optional().map_err(|error| taken(error, name))?;
        let (name, spec) = (name.to_owned(), spec.clone());
        Ok(created.map(|created| FlowSet { id, name, spec, created, updated }))
    }

    /// A flow set; `None`: there is none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn flow_set(&self, id: u64) -> Result<Option<FlowSet>, StoreError> {
        let question = "SELECT name, created, updated, spec FROM flow_sets WHERE id = ?1";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let found = self.connection().query_row(question, [id as i64], row).optional()?;
        let Some((name, created, updated, spec)) = found else { return Ok(None) };
        Ok(Some(FlowSet { id, name, spec: document(spec)?, created, updated }))
    }

    /// Flow sets after one, by number.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn flow_sets(&self, after: u64, limit: u32) -> Result<Vec<FlowSetHead>, StoreError> {
        let connection = self.connection();
        let mut question = connection.prepare(
            "SELECT id, name, created, updated FROM flow_sets WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let rows = question.query_map(params![after as i64, limit], |row| {
            Ok(FlowSetHead {
                id: row.get::<_, i64>(0)? as u64,
                name: row.get(1)?,
                created: row.get(2)?,
                updated: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether there was one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn remove_flow_set(&self, id: u64) -> Result<bool, StoreError> {
        Ok(self.connection().execute("DELETE FROM flow_sets WHERE id = ?1", [id as i64])? > 0)
    }
}

pub(super) fn insert(
    connection: &Connection,
    name: &str,
    spec: &JsonText,
    created: &str,
    updated: &str,
) -> Result<(), StoreError> {
    let added = connection.execute(
        "INSERT INTO flow_sets (name, spec, created, updated) VALUES (?1, ?2, ?3, ?4)",
        params![name, spec.as_str(), created, updated],
    );
    added.map(drop).map_err(|error| taken(error, name))
}

fn taken(error: rusqlite::Error, name: &str) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Taken { name: name.to_owned() },
        _ => error.into(),
    }
}
