//! What went wrong with a working copy or its remote.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ifmatch_core::{Error as StoreError, Retry};

use crate::commit_id::CommitId;

/// The result of a sync operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Somebody published since this copy's base. Nothing was published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncConflict {
    /// What this copy was based on; `None` where it was to be the first commit.
    pub base: Option<CommitId>,
    /// What is published now.
    pub remote: CommitId,
    /// Whether this copy now has the remote's content.
    pub reloaded: bool,
    /// Where the local changes were saved when it was reloaded.
    pub saved: Option<PathBuf>,
}

impl fmt::Display for SyncConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Some(base) => write!(f, "this copy is based on {base}, ")?,
            None => f.write_str("this copy is based on nothing, ")?,
        }
        write!(f, "the remote is at {}", self.remote)?;
        if self.reloaded {
            f.write_str(", which is adopted now")?;
        }
        if let Some(saved) = &self.saved {
            write!(f, "; local changes are saved in {}", saved.display())?;
        }
        Ok(())
    }
}

/// An error of a working copy.
///
/// Unless its variant says otherwise, nothing was published and the local
/// database is as it was.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody published since this copy's base. Nothing was published: pull
    /// or reload, and make the change again.
    #[error("conflict: {0}")]
    Conflict(Box<SyncConflict>),
    /// The blob store failed; its own error says what was applied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The remote head is gone. Nothing was recreated: find out who deleted it.
    #[error(
        "remote gone: {store} has no head any more, this copy is based on {base}; it is not \
         recreated by itself"
    )]
    RemoteGone {
        /// The store.
        store: Arc<str>,
        /// What this copy is based on.
        base: CommitId,
    },
    /// The remote holds another database.
    #[error(
        "remote replaced: {store} now holds another database than the one this copy is based on"
    )]
    RemoteReplaced {
        /// The store.
        store: Arc<str>,
    },
    /// The remote went back behind this copy's base.
    #[error("remote rewound: this copy is based on {}, the remote is at {}", .0.0, .0.1)]
    RemoteRewound(Box<(CommitId, CommitId)>),
    /// The database file is not the one that this copy was: restored from a
    /// backup, or swapped. Nothing is pushed until you decide.
    #[error(
        "{} was replaced behind our back (it is marked {marked}): reload to adopt the remote, or \
         push with force to publish this content", .path.display()
    )]
    Swapped {
        /// The database.
        path: Arc<Path>,
        /// The mark found in it.
        marked: Arc<str>,
    },
    /// Another process has the database open, or is syncing it.
    #[error("{} is in use: {why}", .path.display())]
    InUse {
        /// The database.
        path: Arc<Path>,
        /// By whom.
        why: &'static str,
    },
    /// A file of the working copy could not be read or written.
    #[error("{doing} {} failed", .path.display())]
    Io {
        /// What was being done, as "reading" or "writing".
        doing: &'static str,
        /// The file.
        path: Arc<Path>,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// SQLite failed.
    #[error("SQLite cannot use {}", .path.display())]
    Sqlite {
        /// The database.
        path: Arc<Path>,
        /// Why.
        source: Arc<rusqlite::Error>,
    },
}

impl From<ifmatch_journal::Error> for Error {
    fn from(error: ifmatch_journal::Error) -> Self {
        match error {
            ifmatch_journal::Error::Store(error) => Self::Store(error),
            other => Self::invalid(other.to_string()),
        }
    }
}

impl Error {
    /// A wrong call.
    pub(crate) fn invalid(what: impl Into<Arc<str>>) -> Self {
        Self::Store(StoreError::invalid(what))
    }

    /// Something that is missing.
    pub(crate) fn not_found(what: impl Into<Arc<str>>) -> Self {
        Self::Store(StoreError::NotFound { what: what.into() })
    }

    /// Something stored that does not verify.
    pub(crate) fn corrupt(subject: impl Into<Arc<str>>, detail: impl Into<Arc<str>>) -> Self {
        Self::Store(StoreError::corrupt(subject, detail))
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source: Arc::new(source) }
    }

    pub(crate) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        let path: Arc<Path> = path.into();
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                let why = "another connection holds it; close it and try again";
                Self::InUse { path: Arc::clone(&path), why }
            }
            _ => Self::Sqlite { path: Arc::clone(&path), source: Arc::new(source) },
        }
    }

    /// The kind as one word, as the command line prints it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Store(error) => error.kind(),
            Self::RemoteGone { .. } => "remote_gone",
            Self::RemoteReplaced { .. } => "remote_replaced",
            Self::RemoteRewound(_) => "remote_rewound",
            Self::InUse { .. } => "unavailable",
            Self::Swapped { .. } | Self::Io { .. } => "other",
            Self::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                    "corrupt"
                }
                _ => "other",
            },
        }
    }

    /// What to do about it.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Conflict(_) => Retry::Rebase,
            Self::Store(error) => error.retry(),
            Self::InUse { .. } => Retry::Same,
            _ => Retry::Never,
        }
    }
}
