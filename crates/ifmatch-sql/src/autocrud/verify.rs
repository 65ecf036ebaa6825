//! A file of others, verified, and opened so that nothing in it runs and nothing
//! is changed.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Error as CoreError, Operation, Reason};
use ifmatch_meta::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::sqlite::{Failure, file};

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a writer of the file is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to a database of autocrud that is intact, and whether its table
/// has the column `indexed_data`.
pub(super) fn open(path: &Path, subject: &Arc<str>, most: u64) -> Result<(Connection, bool)> {
    check_header(path, subject, most)?;
    let opened = connect(path).and_then(|connection| {
        let has_indexed = check_table(&connection, subject)?;
        Ok((connection, has_indexed))
    });
    opened.map_err(|failure| match failure {
        Failure::Sqlite(error) if is_unfinished(&error) => cut_off(subject, &error),
        failure => failure.named(Operation::Open, subject),
    })
}

/// Whether a journal lies beside the file that only a writer may roll back.
fn is_unfinished(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

fn cut_off(subject: &Arc<str>, error: &rusqlite::Error) -> Error {
    let what = format!("a write was cut off: open it once with autocrud, then import it ({error})");
    CoreError::Unavailable {
        operation: Operation::Open,
        subject: subject.clone(),
        retry_after: None,
        source: Reason::source(what),
    }
    .into()
}

/// Whether a database of this size is read at all.
pub(super) fn check_size(subject: &str, size: u64, most: u64) -> Result<()> {
    if size > most {
        let subject = subject.into();
        return Err(CoreError::TooLarge { subject, size, limit: most }.into());
    }
    if size < MAGIC.len() as u64 {
        return Err(Error::corrupt(subject, format!("no SQLite database: {size} bytes")));
    }
    Ok(())
}

fn check_header(path: &Path, subject: &Arc<str>, most: u64) -> Result<()> {
    let failed = |error| file(error, Operation::Open, subject);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Error::invalid(format!("{subject} is not a file")));
    }
    check_size(subject, metadata.len(), most)?;
    let mut header = [0; 16];
    let mut opened = std::fs::File::open(path).map_err(failed)?;
    opened.read_exact(&mut header).map_err(failed)?;
    if header != *MAGIC {
        return Err(Error::corrupt(subject.clone(), "is not a SQLite database; check the path"));
    }
    Ok(())
}

/// Read-only, no attached code, no schema that is trusted, no statement that
/// writes.
fn connect(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // The check of the table runs no expression of its schema.
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Sees to it that the table is an ordinary one and intact; whether it has the
/// column `indexed_data`.
fn check_table(connection: &Connection, subject: &Arc<str>) -> Result<bool, Failure> {
    let not_ours = |what: &str| {
        Failure::from(Error::invalid(format!("{subject} is no database of autocrud: {what}")))
    };
    let sql = "SELECT type, wr FROM pragma_table_list \
               WHERE schema = 'main' AND name = 'resource_meta' COLLATE NOCASE";
    let kind = connection
        .query_row(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))
        .optional()?;
    match kind {
        Some((kind, false)) if kind == "table" => {}
        Some(_) => return Err(not_ours("resource_meta is no ordinary table")),
        None => return Err(not_ours("it has no table resource_meta")),
    }
    let sql = "SELECT lower(name), hidden FROM pragma_table_xinfo('resource_meta')";
    let mut statement = connection.prepare(sql)?;
    let columns = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let has = |name: &str| columns.iter().any(|(column, _)| column == name);
    for needed in ["resource_id", "data"] {
        if !has(needed) {
            return Err(not_ours(&format!("resource_meta has no column {needed}")));
        }
    }
    if has("rowid") || columns.iter().any(|(_, hidden)| *hidden != 0) {
        return Err(not_ours("resource_meta has computed columns"));
    }
    let mut check =
        connection.prepare("SELECT quick_check FROM pragma_quick_check('resource_meta')")?;
    let found: String = check.query_row([], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::corrupt(subject.clone(), found).into());
    }
    Ok(has("indexed_data"))
}
