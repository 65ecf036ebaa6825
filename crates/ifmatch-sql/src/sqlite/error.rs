//! What SQLite says, in words of ours: which file, what was applied, what to do.

use std::sync::Arc;

use ifmatch_core::{Error as CoreError, Operation, Reason, Source};
use ifmatch_meta::Error;
use rusqlite::ErrorCode;

/// Why a piece of work on a connection failed, before the file is named.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// The work itself did: a conflict, say.
    Error(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<CoreError> for Failure {
    fn from(error: CoreError) -> Self {
        Self::Error(error.into())
    }
}

impl Failure {
    /// The error as callers see it. Nothing was applied.
    pub fn named(self, operation: Operation, subject: &Arc<str>) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Sqlite(error) => named(error, operation, subject),
        }
    }
}

/// The error of a COMMIT. When the disk fails in the middle of it the commit may
/// lie in the log complete: not visible now, but found by a recovery.
pub(crate) fn at_commit(error: rusqlite::Error, subject: &Arc<str>) -> Error {
    if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
        return Error::OutcomeUnknown { subject: subject.clone(), source: Arc::new(error) };
    }
    named(error, Operation::Put, subject)
}

fn named(error: rusqlite::Error, operation: Operation, subject: &Arc<str>) -> Error {
    let subject = subject.clone();
    let Some(code) = error.sqlite_error_code() else {
        return match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows => Error::corrupt(subject, error.to_string()),
            error => other(operation, subject, Arc::new(error)),
        };
    };
    let because = |what: &str| Reason::source(format!("{what} ({error})"));
    match code {
        ErrorCode::NotADatabase => {
            Error::corrupt(subject, "is not a SQLite database; check the path")
        }
        ErrorCode::DatabaseCorrupt => Error::corrupt(
            subject,
            format!("{error}; restore a backup, or save what `sqlite3 FILE .recover` finds"),
        ),
        ErrorCode::DiskFull => {
            unavailable(operation, subject, because("the disk is full: free some space, try again"))
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            unavailable(operation, subject, because("somebody else holds its lock: try again"))
        }
        ErrorCode::OutOfMemory => unavailable(operation, subject, because("out of memory")),
        ErrorCode::CannotOpen => {
            denied(operation, subject, because("the file or its -wal cannot be opened"))
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => denied(
            operation,
            subject,
            because("the file and its directory must be writable, for readers too"),
        ),
        ErrorCode::TooBig => CoreError::TooLarge { subject, size: 0, limit: 1_000_000_000 }.into(),
        _ => other(operation, subject, Arc::new(error)),
    }
}

fn unavailable(operation: Operation, subject: Arc<str>, source: Source) -> Error {
    CoreError::Unavailable { operation, subject, retry_after: None, source }.into()
}

fn denied(operation: Operation, subject: Arc<str>, source: Source) -> Error {
    CoreError::Denied { operation, subject, source }.into()
}

pub(crate) fn other(operation: Operation, subject: Arc<str>, source: Source) -> Error {
    CoreError::Other { operation, subject, source }.into()
}

/// What the file system says about a file or its directory.
pub(crate) fn file(error: std::io::Error, operation: Operation, subject: &Arc<str>) -> Error {
    use std::io::ErrorKind;
    let subject = subject.clone();
    match error.kind() {
        ErrorKind::NotFound => CoreError::NotFound { what: subject }.into(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            denied(operation, subject, Arc::new(error))
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            unavailable(operation, subject, Arc::new(error))
        }
        _ => other(operation, subject, Arc::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use ifmatch_core::Retry;
    use rusqlite::ffi;

    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn every_error_names_the_file_and_has_its_kind() {
        let subject: Arc<str> = "/data/meta.db".into();
        for (code, kind, retry) in [
            (ffi::SQLITE_NOTADB, "corrupt", Retry::Never),
            (ffi::SQLITE_CORRUPT, "corrupt", Retry::Never),
            (ffi::SQLITE_FULL, "unavailable", Retry::Same),
            (ffi::SQLITE_BUSY, "unavailable", Retry::Same),
            (ffi::SQLITE_BUSY_SNAPSHOT, "unavailable", Retry::Same),
            (ffi::SQLITE_NOMEM, "unavailable", Retry::Same),
            (ffi::SQLITE_CANTOPEN, "denied", Retry::Never),
            (ffi::SQLITE_READONLY, "denied", Retry::Never),
            (ffi::SQLITE_PERM, "denied", Retry::Never),
            (ffi::SQLITE_IOERR, "other", Retry::Never),
            (ffi::SQLITE_TOOBIG, "too_large", Retry::Never),
        ] {
            let error = Failure::from(sqlite(code)).named(Operation::Get, &subject);
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{error}");
            assert!(error.to_string().contains("/data/meta.db"), "{error}");
        }
    }

    #[test]
    fn a_disk_that_fails_in_a_commit_leaves_the_outcome_unknown() {
        let subject: Arc<str> = "/data/meta.db".into();
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR] {
            let error = at_commit(sqlite(code), &subject);
            assert_eq!((error.kind(), error.retry()), ("outcome_unknown", Retry::Verify));
        }
        assert_eq!(at_commit(sqlite(ffi::SQLITE_FULL), &subject).kind(), "unavailable");
    }

    #[test]
    fn what_the_file_system_says_has_its_kind() {
        use std::io::ErrorKind as Kind;
        let subject: Arc<str> = "/data/meta.db".into();
        for (error, kind) in [
            (Kind::NotFound, "not_found"),
            (Kind::PermissionDenied, "denied"),
            (Kind::ReadOnlyFilesystem, "denied"),
            (Kind::StorageFull, "unavailable"),
            (Kind::Other, "other"),
        ] {
            assert_eq!(file(error.into(), Operation::Open, &subject).kind(), kind);
        }
    }
}
