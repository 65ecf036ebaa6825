//! What went wrong with a document, what was applied, and what to do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Retry, Source};

use crate::etag::ETag;
use crate::json::Json;
use crate::key::{DocKey, Partition};
use crate::precondition::DocPrecondition;
use crate::transaction::TxId;

/// The result of an operation on documents.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A precondition that did not hold at a moment inside the call. Nothing was
/// applied.
#[derive(Clone, PartialEq, Debug)]
pub struct DocConflict {
    /// The document.
    pub key: DocKey,
    /// What the caller expected.
    pub expected: DocPrecondition,
    /// The tag of what is there; `None` where nothing is.
    pub current: Option<ETag>,
    /// Its body, where the backend had it at hand.
    pub body: Option<Json>,
}

impl fmt::Display for DocConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conflict on {}: expected {}, it is ", self.key, self.expected)?;
        match self.current {
            Some(etag) => write!(f, "at {etag}"),
            None => f.write_str("absent"),
        }
    }
}

/// The failure of one operation of a batch. Nothing of the batch was applied.
#[derive(Clone, Debug)]
pub struct InBatch {
    /// Which operation, counted from 0.
    pub index: usize,
    /// What went wrong with it.
    pub error: Error,
}

impl fmt::Display for InBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} of the batch: {}", self.index, self.error)
    }
}

impl std::error::Error for InBatch {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error) // Display has told the error itself.
    }
}

/// An error of a document store.
///
/// Each variant says what was applied; [`Error::retry`] says what to do.
/// `Display` is one line that names the subject and does not repeat the source.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The precondition did not hold. Nothing was applied; read what is there,
    /// change that, write again.
    #[error("{0}")]
    Conflict(Box<DocConflict>),
    /// One operation of a batch failed. Nothing of the batch was applied. Kind,
    /// retry and conflict are those of that operation.
    #[error(transparent)]
    InBatch(Box<InBatch>),
    /// A batch has too many operations. Nothing was applied.
    #[error("too large: a batch of {count} operations, the limit is {limit}")]
    TooManyOperations {
        /// How many there are.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// A query or its answer has too many parts. Nothing was applied.
    #[error("too large: {count} {what}, the limit is {limit}")]
    TooMany {
        /// Parts of what.
        what: &'static str,
        /// How many there are, or a lower bound.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// The partition has changed since the state of it that a change was derived
    /// from. Nothing was applied; read again what the change was derived from.
    #[error("conflict: partition {partition} has changed since it was read")]
    PartitionChanged {
        /// Which.
        partition: Partition,
    },
    /// A local transaction holds the partition. Nothing was applied; try again
    /// after its end.
    #[error("partition locked: {partition} is held by transaction {holder}")]
    PartitionLocked {
        /// Which.
        partition: Partition,
        /// The transaction that holds it.
        holder: TxId,
        /// How long it may hold it at most, where that is known.
        remaining: Option<Duration>,
    },
    /// Another request of the same transaction is under way, or another handle
    /// went on with it. Nothing was applied.
    #[error("busy: transaction {id}: {what}")]
    Busy {
        /// Which.
        id: TxId,
        /// What is in the way.
        what: Arc<str>,
    },
    /// The transaction is over: it lived too long, was idle too long, or was
    /// aborted or taken over. Nothing of it was applied; begin again.
    #[error("expired: transaction {id}: {what}")]
    Expired {
        /// Which.
        id: TxId,
        /// Why.
        what: Arc<str>,
    },
    /// The store no longer tells what changed since this token. Read everything
    /// once, and go on from a new token.
    #[error("token expired: {what}")]
    TokenExpired {
        /// How far the store remembers.
        what: Arc<str>,
    },
    /// The write may have been applied, or may turn out to be after a restart.
    /// Read the document before writing it again.
    #[error("outcome unknown: a write to {subject} may have been applied; read it first")]
    OutcomeUnknown {
        /// The store.
        subject: Arc<str>,
        /// Why it is not known.
        source: Source,
    },
    /// The journal of a partition is gone, was replaced, or went back behind what
    /// was seen. Nothing was applied; open the store again once that is settled.
    #[error(transparent)]
    Remote(Box<ifmatch_journal::Error>),
    /// An error that is not about documents; nothing was applied, unless its
    /// kind is `outcome_unknown`.
    #[error(transparent)]
    Core(#[from] ifmatch_core::Error),
}

impl Error {
    /// A call that is wrong; nothing was sent.
    pub fn invalid(what: impl Into<Arc<str>>) -> Self {
        ifmatch_core::Error::invalid(what).into()
    }

    /// What a backend cannot do; nothing was applied.
    pub fn unsupported(what: impl Into<Arc<str>>) -> Self {
        ifmatch_core::Error::unsupported(what).into()
    }

    /// Stored data that is not what was written; nothing was changed.
    pub fn corrupt(subject: impl Into<Arc<str>>, detail: impl Into<Arc<str>>) -> Self {
        ifmatch_core::Error::corrupt(subject, detail).into()
    }

    /// A handle that was closed; nothing was applied.
    pub fn closed(what: impl Into<Arc<str>>) -> Self {
        ifmatch_core::Error::Closed { what: what.into() }.into()
    }

    /// A size beyond its limit, in bytes; nothing was applied.
    pub fn too_large(subject: impl Into<Arc<str>>, size: usize, limit: usize) -> Self {
        let (size, limit) = (size as u64, limit as u64);
        ifmatch_core::Error::TooLarge { subject: subject.into(), size, limit }.into()
    }

    /// This error, as that of operation `index` of a batch.
    pub fn at_operation(self, index: usize) -> Self {
        match self {
            Self::InBatch(_) => self,
            error => Self::InBatch(Box::new(InBatch { index, error })),
        }
    }

    /// This error without the place in a batch, where the batch was an
    /// operation alone.
    pub fn alone(self) -> Self {
        match self {
            Self::InBatch(inner) => inner.error,
            error => error,
        }
    }

    /// What to do about it.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Conflict(_) | Self::PartitionChanged { .. } | Self::Expired { .. } => {
                Retry::Rebase
            }
            Self::InBatch(inner) => inner.error.retry(),
            Self::TooManyOperations { .. } | Self::TooMany { .. } | Self::TokenExpired { .. } => {
                Retry::Never
            }
            Self::PartitionLocked { .. } | Self::Busy { .. } => Retry::Same,
            Self::OutcomeUnknown { .. } => Retry::Verify,
            Self::Remote(error) => error.retry(),
            Self::Core(error) => error.retry(),
        }
    }

    /// The kind as one word, as the command line prints it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Conflict(_) | Self::PartitionChanged { .. } => "conflict",
            Self::PartitionLocked { .. } => "partition_locked",
            Self::Busy { .. } => "busy",
            Self::Expired { .. } => "expired",
            Self::TokenExpired { .. } => "token_expired",
            Self::InBatch(inner) => inner.error.kind(),
            Self::TooManyOperations { .. } | Self::TooMany { .. } => "too_large",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::Remote(error) => error.kind(),
            Self::Core(error) => error.kind(),
        }
    }

    /// The conflict, where it is one; that of the failing operation of a batch.
    pub fn conflict(&self) -> Option<&DocConflict> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            Self::InBatch(inner) => inner.error.conflict(),
            _ => None,
        }
    }

    /// Which operation of a batch failed.
    pub const fn operation_index(&self) -> Option<usize> {
        match self {
            Self::InBatch(inner) => Some(inner.index),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_says_what_to_do() {
        assert!(size_of::<Error>() <= 64);
        let key = DocKey::new("p", "a").unwrap();
        let expected = DocPrecondition::IfAbsent;
        let conflict = DocConflict { key, expected, current: None, body: None };
        let error = Error::Conflict(Box::new(conflict)).at_operation(3);
        assert_eq!((error.kind(), error.retry()), ("conflict", Retry::Rebase));
        assert_eq!(error.operation_index(), Some(3));
        assert_eq!(error.conflict().unwrap().key.id.as_str(), "a");
        let text = "operation 3 of the batch: conflict on p/a: expected if-absent, it is absent";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn a_core_error_passes_through() {
        let error = Error::closed("the store");
        assert_eq!((error.kind(), error.retry()), ("closed", Retry::Never));
        assert_eq!(error.to_string(), "closed: the store");
        assert_eq!(Error::TooManyOperations { count: 2, limit: 1 }.kind(), "too_large");
    }
}
