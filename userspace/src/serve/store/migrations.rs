use rusqlite::{Connection, Result};

/// Each brings the store one version on; what was released is never changed.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE flow_sets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        spec TEXT NOT NULL,
        created TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        flow_set INTEGER,
        spec TEXT NOT NULL,
        created TEXT NOT NULL,
        ended TEXT,
        verdict TEXT,
        reason TEXT,
        result TEXT
    ) STRICT;
    CREATE TABLE samples (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        flows TEXT NOT NULL,
        PRIMARY KEY (run, number)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE suites (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        flow_set INTEGER,
        spec TEXT NOT NULL,
        backend TEXT NOT NULL,
        created TEXT NOT NULL,
        ended TEXT,
        verdict TEXT,
        reason TEXT,
        result TEXT
    ) STRICT;
    CREATE TABLE trials (
        suite INTEGER NOT NULL REFERENCES suites (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (suite, number)
    ) STRICT, WITHOUT ROWID;
",
    // The rows of all trials of a suite that is over, which its log only answers by a search.
    "
    ALTER TABLE suites ADD COLUMN trial_rows TEXT;
",
];

/// Returns the version of a store that is newer than this program.
pub(super) fn apply(connection: &mut Connection) -> Result<Option<u32>> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(missing) = MIGRATIONS.get(version as usize..) else { return Ok(Some(version)) };
    for (migration, to) in missing.iter().zip(version + 1..) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", to)?;
        transaction.commit()?;
    }
    Ok(None)
}
