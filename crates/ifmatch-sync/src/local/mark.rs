//! The mark inside a database: which commit its content belongs to.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension};

use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result};

/// Reads the mark; `None` where there is none.
pub(crate) fn read_mark(
    connection: &Connection,
) -> rusqlite::Result<Option<(JournalId, CommitId)>> {
    let marked: bool = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_ifmatch'",
        [],
        |row| row.get(0),
    )?;
    if !marked {
        return Ok(None);
    }
    let query = "SELECT journal, commit_id FROM _ifmatch WHERE one = 1";
    let row = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).optional();
    // What does not parse is no mark of ours.
    let (journal, commit) = match row {
        Ok(Some((Value::Text(journal), Value::Text(commit)))) => (journal, commit),
        // Another shape of table, or none of these columns.
        Ok(_) | Err(rusqlite::Error::SqlInputError { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(journal.parse().ok().zip(commit.parse().ok()))
}

/// How long one attempt to get the write lock waits. SQLite's own pauses grow
/// to 100 ms: against a writer that never rests that is for ever.
const ATTEMPT: Duration = Duration::from_millis(2);

/// Writes the mark, durably, if the one that is there passes `check`. Waits up
/// to `wait` for other writers.
pub(crate) fn write_mark(
    connection: &Connection,
    path: &Path,
    mark: (JournalId, CommitId),
    wait: Duration,
    check: impl FnOnce(Option<(JournalId, CommitId)>) -> Result<()>,
) -> Result<()> {
    let failed = Error::sqlite(path);
    connection.busy_timeout(ATTEMPT).map_err(&failed)?;
    let mut attempts = wait.as_millis() / ATTEMPT.as_millis();
    while let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        if attempts == 0 || error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) {
            return Err(failed(error));
        }
        attempts -= 1;
    }
    connection.busy_timeout(wait).map_err(&failed)?;
    let written = read_mark(connection)
        .map_err(&failed)
        .and_then(check)
        .and_then(|()| put(connection, mark).map_err(&failed));
    let end = if written.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.execute_batch(end).map_err(&failed)?;
    written
}

fn put(connection: &Connection, (journal, commit): (JournalId, CommitId)) -> rusqlite::Result<()> {
    connection.execute(
        "CREATE TABLE IF NOT EXISTS _ifmatch (
             one INTEGER PRIMARY KEY CHECK (one = 1),
             journal TEXT NOT NULL,
             commit_id TEXT NOT NULL
         )",
        [],
    )?;
    connection.execute(
        "INSERT INTO _ifmatch (one, journal, commit_id) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET journal = ?1, commit_id = ?2",
        [journal.to_string(), commit.to_string()],
    )?;
    Ok(())
}
