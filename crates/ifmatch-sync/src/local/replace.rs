//! Replacing the content of a database that nobody else has open.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::connect;
use super::snapshot::{copy, take_snapshot};
use crate::error::{Error, Result};

/// Gives the database at `path` the content of `image`, in one transaction of
/// SQLite's: a crash leaves the old content or the new one.
///
/// It must be open nowhere else: then nobody reads a mix, and no local change
/// slips in between the look and the act. With `expected`, the content must
/// still hash to it, else nothing is done and the answer is `false`.
pub(crate) fn replace(
    path: &Path,
    image: &Path,
    expected: Option<&str>,
    wait: Duration,
) -> Result<bool> {
    let failed = Error::sqlite(path);
    let mut target = connect(path, wait)?;
    hold_alone(&target, path)?;
    let replaced = (|| {
        if let Some(expected) = expected
            && take_snapshot(&target, path)?.content != expected
        {
            return Ok(false);
        }
        let source = connect(image, wait)?;
        copy(&source, &mut target).map_err(&failed)?;
        Ok(true)
    })();
    release(&target).map_err(&failed)?;
    replaced
}

/// Leaves WAL mode, which fails while any other connection is open, and keeps
/// the exclusive lock.
fn hold_alone(connection: &Connection, path: &Path) -> Result<()> {
    let failed = Error::sqlite(path);
    let mode: String = connection
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        .map_err(&failed)?;
    if !mode.eq_ignore_ascii_case("delete") {
        let why = "another connection has it open; close it and try again";
        return Err(Error::InUse { path: path.into(), why });
    }
    connection
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        .map_err(&failed)
}

/// Gives the exclusive lock back and returns to WAL mode.
fn release(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA locking_mode = NORMAL")?;
    // The lock is given up by the next access.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
}
