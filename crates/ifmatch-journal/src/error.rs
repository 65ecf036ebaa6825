//! What went wrong with a journal.

use std::fmt;
use std::sync::Arc;

use ifmatch_core::{Error as StoreError, Retry};

use crate::id::{CommitId, JournalId};

/// The result of an operation on a journal.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a journal.
///
/// Where `pending` names a commit, that commit may have been applied, or may
/// still be; ask for it with [`resolve`](crate::Journal::resolve) once the
/// journal can be read again. Everywhere else nothing was applied.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The blob store failed; its own error says what was applied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The commit may have been applied, or may still be. Ask with its id
    /// before the same change is made again.
    #[error("outcome unknown: commit {} may have been applied; resolve it first", .pending.commit)]
    OutcomeUnknown {
        /// What to ask for.
        pending: Box<Pending>,
        /// Why it is not known.
        source: Arc<StoreError>,
    },
    /// The head is gone. Nothing was recreated.
    #[error("remote gone: {what} has no head any more{}", Open(.pending))]
    RemoteGone {
        /// The journal's place.
        what: Arc<str>,
        /// The commit whose outcome is open.
        pending: Option<Box<Pending>>,
    },
    /// Another journal, or another branch of it, lies where ours was.
    #[error("remote replaced: {} holds journal {}, ours is {}{}", .0.what, .0.theirs, .0.mine, Open(&.0.pending))]
    RemoteReplaced(Box<Replaced>),
    /// The journal went back behind what we have seen, or on another branch.
    #[error("remote rewound: ours is {}, the remote is at {}{}", .0.mine, .0.theirs, Open(&.0.pending))]
    RemoteRewound(Box<Rewound>),
}

/// A commit whose outcome is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// What to ask for.
    pub commit: CommitId,
    /// The place that the caller's entry has in it.
    pub ordinal: u32,
}

/// Another journal lies where ours was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// The journal's place.
    pub what: Arc<str>,
    /// Ours.
    pub mine: JournalId,
    /// What lies there; our own id where it is another branch of ours.
    pub theirs: JournalId,
    /// The commit whose outcome is open.
    pub pending: Option<Box<Pending>>,
}

/// The journal lacks a commit that we have seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewound {
    /// What we have seen.
    pub mine: CommitId,
    /// Where the remote is.
    pub theirs: CommitId,
    /// The commit whose outcome is open.
    pub pending: Option<Box<Pending>>,
}

/// Why a command was not committed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError<Rejection> {
    /// The machine rejected it on a state that was the newest at some moment
    /// during the call. Nothing was applied.
    #[error("rejected")]
    Rejected(Rejection),
    /// Something failed; the error says what was applied.
    #[error(transparent)]
    Failed(#[from] Error),
}

struct Open<'a>(&'a Option<Box<Pending>>);

impl fmt::Display for Open<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pending) => write!(f, "; commit {} is open", pending.commit),
            None => Ok(()),
        }
    }
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

    /// Something that is named and not there.
    pub(crate) fn missing(what: impl Into<Arc<str>>) -> Self {
        Self::Store(StoreError::NotFound { what: what.into() })
    }

    /// The same error, about a commit whose outcome it leaves open.
    pub(crate) fn leaving_open(self, commit: CommitId, ordinal: u32) -> Self {
        let pending = Box::new(Pending { commit, ordinal });
        let open = Some(pending.clone());
        match self {
            Self::Store(source) => Self::OutcomeUnknown { pending, source: Arc::new(source) },
            Self::RemoteGone { what, .. } => Self::RemoteGone { what, pending: open },
            Self::RemoteReplaced(mut replaced) => {
                replaced.pending = open;
                Self::RemoteReplaced(replaced)
            }
            Self::RemoteRewound(mut rewound) => {
                rewound.pending = open;
                Self::RemoteRewound(rewound)
            }
            unknown @ Self::OutcomeUnknown { .. } => unknown,
        }
    }

    /// The commit whose outcome this error leaves open.
    pub fn pending(&self) -> Option<CommitId> {
        self.open().map(|open| open.commit)
    }

    /// The place that the caller's entry has in that commit.
    pub fn ordinal(&self) -> Option<u32> {
        self.open().map(|open| open.ordinal)
    }

    fn open(&self) -> Option<&Pending> {
        match self {
            Self::Store(_) => None,
            Self::OutcomeUnknown { pending, .. } => Some(pending),
            Self::RemoteGone { pending, .. } => pending.as_deref(),
            Self::RemoteReplaced(replaced) => replaced.pending.as_deref(),
            Self::RemoteRewound(rewound) => rewound.pending.as_deref(),
        }
    }

    /// The kind as one word, as the command line prints it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::RemoteGone { .. } => "remote_gone",
            Self::RemoteReplaced(_) => "remote_replaced",
            Self::RemoteRewound(_) => "remote_rewound",
        }
    }

    /// What to do about it.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Store(error) => error.retry(),
            Self::OutcomeUnknown { .. } => Retry::Verify,
            Self::RemoteGone { .. } | Self::RemoteReplaced(_) | Self::RemoteRewound(_) => {
                Retry::Never
            }
        }
    }
}
