//! Replacing the content of a database that nobody else has open.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::snapshot::{LocalSnapshot, copy, take_snapshot};
use super::{connect, folder_of, sync_folder};
use crate::error::{Error, Result};

/// What becomes of local changes when the database is replaced. Looked at under
/// the exclusive lock: nothing slips in between the look and the act.
#[derive(Debug)]
pub(crate) enum Guard {
    /// Nothing is done unless the content still hashes to this.
    Clean(String),
    /// The content is kept in the file `name` unless it hashes to one of these.
    Keep { known: Vec<String>, name: PathBuf },
}

/// What [`replace`] did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// There are local changes; nothing was done.
    Not,
    /// It was replaced; the file that local changes were kept in.
    Done { saved: Option<PathBuf> },
}

/// Gives the database at `path` the content of `image`, in one transaction of
/// SQLite's: a crash leaves the old content or the new one.
///
/// It must be open nowhere else: then nobody reads a mix.
pub(crate) fn replace(path: &Path, image: &Path, guard: Guard, wait: Duration) -> Result<Replaced> {
    let mut target = connect(path, wait)?;
    hold_alone(&target, path)?;
    let replaced = replace_held(&mut target, path, image, guard);
    // What was done stays done. Without WAL mode, readers and writers wait for
    // each other until the next time.
    if let Err(error) = release(&target) {
        tracing::debug!(%error, path = %path.display(), "not in WAL mode for now");
    }
    replaced
}

fn replace_held(
    target: &mut Connection,
    path: &Path,
    image: &Path,
    guard: Guard,
) -> Result<Replaced> {
    let local = take_snapshot(target, path)?;
    let saved = match guard {
        Guard::Clean(expected) if local.content != expected => return Ok(Replaced::Not),
        Guard::Keep { known, name } if !known.contains(&local.content) => {
            keep(local, &name)?;
            Some(name)
        }
        Guard::Clean(_) | Guard::Keep { .. } => None,
    };
    let source = connect(image, Duration::ZERO)?;
    copy(&source, target).map_err(Error::sqlite(path))?;
    Ok(Replaced::Done { saved })
}

/// Moves a snapshot to its name, durably.
fn keep(local: LocalSnapshot, name: &Path) -> Result<()> {
    let (file, temporary) = local.file.into_parts();
    file.sync_all().map_err(Error::io("writing", name))?;
    // No descriptor of ours stays on what somebody may open as a database.
    drop(file);
    temporary.persist_noclobber(name).map_err(|error| Error::io("creating", name)(error.error))?;
    sync_folder(folder_of(name))
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
