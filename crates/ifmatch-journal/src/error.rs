//! What went wrong with a journal.

use std::sync::Arc;

use ifmatch_core::{Error as StoreError, Retry};

use crate::id::{CommitId, JournalId};

/// The result of an operation on a journal.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a journal.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The blob store failed; its own error says what was applied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The commit may have been applied, or may still be. Ask with its id
    /// before the same change is made again.
    #[error("outcome unknown: commit {commit} may have been applied; resolve it first")]
    OutcomeUnknown {
        /// What to ask for.
        commit: Box<CommitId>,
        /// Why it is not known.
        source: Arc<StoreError>,
    },
    /// The head is gone. Nothing was recreated.
    #[error("remote gone: {what} has no head any more")]
    RemoteGone {
        /// The journal's place.
        what: Arc<str>,
    },
    /// Another journal, or another branch of it, lies where ours was.
    #[error("remote replaced: {what} holds journal {theirs}, ours is {mine}")]
    RemoteReplaced {
        /// The journal's place.
        what: Arc<str>,
        /// Ours.
        mine: JournalId,
        /// What lies there.
        theirs: JournalId,
    },
    /// The journal went back behind what we have seen, or on another branch.
    #[error("remote rewound: ours is {}, the remote is at {}", .0.0, .0.1)]
    RemoteRewound(Box<(CommitId, CommitId)>),
}

impl Error {
    /// A wrong call.
    pub(crate) fn invalid(what: impl Into<Arc<str>>) -> Self {
        Self::Store(StoreError::invalid(what))
    }

    /// Something stored that does not verify.
    pub(crate) fn corrupt(subject: impl Into<Arc<str>>, detail: impl Into<Arc<str>>) -> Self {
        Self::Store(StoreError::corrupt(subject, detail))
    }

    /// The kind as one word, as the command line prints it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::RemoteGone { .. } => "remote_gone",
            Self::RemoteReplaced { .. } => "remote_replaced",
            Self::RemoteRewound(_) => "remote_rewound",
        }
    }

    /// What to do about it.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Store(error) => error.retry(),
            Self::OutcomeUnknown { .. } => Retry::Verify,
            Self::RemoteGone { .. } | Self::RemoteReplaced { .. } | Self::RemoteRewound(_) => {
                Retry::Never
            }
        }
    }
}
