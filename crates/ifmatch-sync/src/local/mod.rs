//! The working copy on this machine: the database, its sidecar, its lock.

mod lock;
mod mark;
mod replace;
mod sidecar;
mod snapshot;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use lock::CopyLock;
pub(crate) use mark::{read_mark, write_mark};
pub(crate) use replace::{Guard, Replaced, replace};
pub(crate) use sidecar::{Base, Sidecar};
pub(crate) use snapshot::{LocalSnapshot, take_snapshot};
pub(crate) use verify::verify;

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};

/// Runs `work` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::invalid(format!("the work was interrupted: {error}"))),
    }
}

/// `path` with `suffix` behind its file name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// The one path of a database, so that two names of it share a lock and a
/// sidecar. What does not exist yet keeps its own file name.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match path.file_name() {
        Some(name) => folder_of(path)
            .canonicalize()
            .map_or_else(|_| path.to_owned(), |folder| folder.join(name)),
        None => path.to_owned(),
    })
}

/// The folder that `path` lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Syncs a folder, so that a name in it survives a power failure.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    let failed = || Error::io("syncing", folder);
    std::fs::File::open(folder).map_err(failed())?.sync_all().map_err(failed())
}

/// Opens an existing database. It may come from anywhere, so nothing in its
/// schema is trusted and none of its triggers runs for us.
pub(crate) fn connect(path: &Path, wait: std::time::Duration) -> Result<Connection> {
    if !path.try_exists().map_err(Error::io("looking for", path))? {
        return Err(Error::not_found(format!("there is no database {}", path.display())));
    }
    let failed = Error::sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(wait).map_err(&failed)?;
    distrust(&connection).map_err(&failed)?;
    Ok(connection)
}

/// Runs no code that a database brings along.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(option, on)?;
    }
    Ok(())
}

/// Puts a database into WAL mode, which it remembers: readers and writers then
/// do not wait for each other.
pub(crate) fn use_wal(path: &Path, wait: std::time::Duration) -> Result<()> {
    connect(path, wait)?
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .map_err(Error::sqlite(path))
}
