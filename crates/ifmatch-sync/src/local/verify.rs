//! Whether an image is what it is said to be, before anybody relies on it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::snapshot::VOLATILE;
use super::{distrust, read_mark};
use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result};

/// Bytes of a database's header.
const HEADER: usize = 100;

/// Checks that `image` is a whole database, written as a snapshot is, that
/// carries this mark; `name` is what an error calls it.
///
/// Its schema may use functions, collations and modules that are unknown here;
/// what cannot be checked for that reason is left to those who know them.
///
/// # Errors
/// `corrupt`.
pub(crate) fn verify(image: &Path, name: &str, mark: (JournalId, CommitId)) -> Result<()> {
    let corrupt = |detail: &str| Error::corrupt(name, detail);
    if !has_own_header(image).map_err(Error::io("reading", image))? {
        return Err(corrupt("its header is not that of a snapshot"));
    }
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            corrupt(&format!("SQLite cannot use it: {error}"))
        }
        _ => Error::sqlite(image)(error),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(image, flags).map_err(failed)?;
    distrust(&connection).map_err(failed)?;
    if read_mark(&connection).map_err(failed)? != Some(mark) {
        return Err(corrupt("its mark is not that of its commit"));
    }
    let checked = connection.execute_batch("PRAGMA ignore_check_constraints = ON").and_then(|()| {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    });
    match checked {
        // Other complaints are about values, which are not ours to judge.
        Ok(found) if found.starts_with("*** in database") => {
            Err(corrupt(&format!("its pages are damaged: {}", found.replace('\n', " "))))
        }
        Ok(_) | Err(rusqlite::Error::SqlInputError { .. }) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Whether the header says what the file's length says, and has the fixed
/// values of a snapshot.
fn has_own_header(image: &Path) -> std::io::Result<bool> {
    let mut file = File::open(image)?;
    let size = file.metadata()?.len();
    let mut header = [0; HEADER];
    if size < HEADER as u64 {
        return Ok(false);
    }
    file.read_exact(&mut header)?;
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        page => u64::from(page),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    let fixed = VOLATILE.iter().all(|(offset, bytes)| {
        usize::try_from(*offset).is_ok_and(|offset| header[offset..].starts_with(bytes))
    });
    Ok(fixed && page.checked_mul(u64::from(pages)) == Some(size))
}
