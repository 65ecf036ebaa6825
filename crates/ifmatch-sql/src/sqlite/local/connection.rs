//! One connection: opened, made safe, closed.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::options::{Durability, LocalOptions, OnClose};
use crate::sqlite::error::Failure;

/// Pages that a connection keeps, in KiB. A batch reads what it is to change and
/// then changes it: with SQLite's own 2 MiB a thousand documents and the indexes
/// over them do not stay from the one to the other.
const CACHE_KIB: i32 = 8 * 1024;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Writer,
    Reader,
}

/// Opens an existing file and changes nothing in it. The path is absolute, so
/// that no name is taken for a URI, and passed as a name, never as SQL.
pub(super) fn open(path: &Path, options: &LocalOptions) -> Result<Connection, Failure> {
    // Readers write too: their marks in the -shm.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, options)?;
    Ok(connection)
}

/// Makes a connection ready for its role, once the file is known to be right.
pub(super) fn settle(
    connection: &Connection,
    role: Role,
    options: &LocalOptions,
) -> Result<(), Failure> {
    log_ahead(connection)?;
    match role {
        Role::Writer => {
            connection.pragma_update(None, "wal_autocheckpoint", options.checkpoint_pages)?;
        }
        Role::Reader => connection.pragma_update(None, "query_only", true)?,
    }
    Ok(())
}

/// Opens a database that lives as long as the connection.
pub(super) fn open_in_memory(options: &LocalOptions) -> Result<Connection, Failure> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection, options)?;
    Ok(connection)
}

/// Settings of the connection alone: nothing in a file may run code or change
/// what the SQL of ours means.
fn prepare(connection: &Connection, options: &LocalOptions) -> Result<(), Failure> {
    connection.set_prepared_statement_cache_capacity(128);
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.busy_timeout(options.busy_timeout)?;
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Process => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Sees to it that the file is in WAL mode; it stays so.
fn log_ahead(connection: &Connection) -> Result<(), Failure> {
    let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let mut tries = 0;
    loop {
        if connection.pragma_query_value(None, "journal_mode", mode)? == "wal" {
            return Ok(());
        }
        match connection.pragma_update_and_check(None, "journal_mode", "wal", mode) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(ifmatch_meta::Error::unsupported(format!(
                    "a database in journal mode {mode}: several connections cannot share it"
                ))
                .into());
            }
            // Somebody else switches it or writes. For this one statement SQLite
            // does not wait; for the lock it does.
            Err(error) if is_busy(&error) && tries < 100 => {
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Closes the writer, after the readers.
pub(super) fn close(connection: Connection, on_close: OnClose) -> Result<(), Failure> {
    if on_close == OnClose::Checkpoint {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    }
    connection.close().map_err(|(_, error)| error.into())
}
