//! A consistent image of a database that others may be writing to.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tempfile::NamedTempFile;

use super::folder_of;
use crate::error::{Error, Result};

/// Bytes of the first page that say how the file was written, not what is in
/// it; they are set to fixed values so that equal content has an equal hash.
/// Journal format (18, 19), change counter (24), schema cookie (40),
/// version-valid-for (92) and library version (96).
pub(super) const VOLATILE: [(u64, &[u8]); 4] =
    [(18, &[1, 1]), (24, &[0; 4]), (40, &[0; 4]), (92, &[0; 8])];

/// An image of a database at one moment.
#[derive(Debug)]
pub(crate) struct LocalSnapshot {
    pub(crate) file: NamedTempFile,
    /// BLAKE3 of the image.
    pub(crate) content: String,
}

/// Copies the committed content of `source` at one moment, while others read
/// and write it.
pub(crate) fn take_snapshot(source: &Connection, path: &Path) -> Result<LocalSnapshot> {
    let failed = Error::sqlite(path);
    let folder = folder_of(path);
    let mut file = tempfile::Builder::new()
        .prefix(".ifmatch-")
        .tempfile_in(folder)
        .map_err(Error::io("creating a file in", folder))?;
    {
        let mut target = Connection::open(file.path()).map_err(&failed)?;
        // If we die in between, the file is debris: no journal is needed.
        target.pragma_update(None, "journal_mode", "OFF").map_err(&failed)?;
        target.pragma_update(None, "synchronous", "OFF").map_err(&failed)?;
        copy(source, &mut target).map_err(&failed)?;
    }
    let content = normalise(&mut file).map_err(Error::io("writing", file.path()))?;
    Ok(LocalSnapshot { file, content })
}

/// Copies every page in one step, which holds one read transaction. A lock in
/// the way is waited for as long as the connection waits for any.
pub(super) fn copy(source: &Connection, target: &mut Connection) -> rusqlite::Result<()> {
    if Backup::new(source, target)?.step(-1)? == StepResult::Done {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
        Some("the database stayed locked".to_owned()),
    ))
}

fn normalise(file: &mut NamedTempFile) -> std::io::Result<String> {
    if file.as_file().metadata()?.len() >= 100 {
        for (offset, bytes) in VOLATILE {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)?;
        }
    }
    file.rewind()?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => {
                hasher.update(&buffer[..read]);
            }
        }
    }
    file.rewind()?;
    Ok(hasher.finalize().to_string())
}
