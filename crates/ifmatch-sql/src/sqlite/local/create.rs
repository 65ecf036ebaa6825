//! A new database file, which appears whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ifmatch_core::Env;
use rusqlite::Connection;

use super::connection::{self, Role};
use super::options::{LocalOptions, OnClose};
use crate::sqlite::error::Failure;

/// Why a file was not created.
pub(super) enum NotCreated {
    File(io::Error),
    Sqlite(Failure),
}

impl From<io::Error> for NotCreated {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Failure> for NotCreated {
    fn from(failure: Failure) -> Self {
        Self::Sqlite(failure)
    }
}

/// Creates `path` with the content that `fill` gives it, readable by its owner
/// only, unless it is there already; says whether it did.
///
/// The file is made beside its name and linked to it, so that nobody ever opens
/// one that is half made, and no descriptor of ours is open (and then closed) on
/// a file that another connection may have locked.
pub(super) fn create(
    path: &Path,
    options: &LocalOptions,
    env: &Env,
    fill: impl FnOnce(&mut Connection) -> Result<(), Failure>,
) -> Result<bool, NotCreated> {
    if path.exists() {
        return Ok(false);
    }
    let beside = Beside(beside(path, env));
    new_file(&beside.0)?;
    let mut connection = connection::open(&beside.0, options)?;
    connection::settle(&connection, Role::Writer, options)?;
    fill(&mut connection)?;
    connection::close(connection, OnClose::Checkpoint)?;
    match fs::hard_link(&beside.0, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        // No links on this file system: a rename, which loses against nobody
        // but another creator at the same moment.
        Err(_) if !path.exists() => fs::rename(&beside.0, path)?,
        Err(_) => return Ok(false),
    }
    sync_parent(path)?;
    Ok(true)
}

fn beside(path: &Path, env: &Env) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.new", env.random_u64()));
    path.with_file_name(name)
}

fn new_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// Makes the new name durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The file beside, gone when this is dropped.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            let _ = fs::remove_file(name); // Mostly not there; else debris at worst.
        }
    }
}
