//! The mark inside a database: which commit its content belongs to.

use rusqlite::{Connection, OptionalExtension};

use crate::commit_id::{CommitId, JournalId};

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
    let row: Option<(String, String)> = connection
        .query_row("SELECT journal, commit_id FROM _ifmatch WHERE one = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    // What does not parse is no mark of ours.
    Ok(row.and_then(|(journal, commit)| Some((journal.parse().ok()?, commit.parse().ok()?))))
}

/// Writes the mark, durably.
pub(crate) fn write_mark(
    connection: &mut Connection,
    journal: JournalId,
    commit: CommitId,
) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute(
        "CREATE TABLE IF NOT EXISTS _ifmatch (
             one INTEGER PRIMARY KEY CHECK (one = 1),
             journal TEXT NOT NULL,
             commit_id TEXT NOT NULL
         )",
        [],
    )?;
    transaction.execute(
        "INSERT INTO _ifmatch (one, journal, commit_id) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET journal = ?1, commit_id = ?2",
        [journal.to_string(), commit.to_string()],
    )?;
    transaction.commit()
}
