//! What went wrong with an item.

use std::fmt;
use std::sync::Arc;

use ifmatch_core::Retry;
use ifmatch_meta::{DocConflict, DocPrecondition, ETag, Error};

/// What a [`ConcurrencyError`] says unless told otherwise.
pub const DEFAULT_TEXT: &str = "Concurrency problem detected";

/// The result of an operation on items.
pub type ItemResult<T, E = ItemError> = std::result::Result<T, E>;

/// Somebody else wrote the item since its ETag was read. Nothing was applied.
///
/// Read the item again, merge, and write with its new ETag
/// ([`Items::upsert_merged`](super::Items::upsert_merged) does that), or ask the
/// user. The source is the error of the precondition.
#[derive(Clone, Debug)]
pub struct ConcurrencyError {
    text: Arc<str>,
    source: Error,
}

impl ConcurrencyError {
    pub(super) const fn new(text: Arc<str>, source: Error) -> Self {
        Self { text, source }
    }

    /// What did not hold, and what is there.
    pub fn conflict(&self) -> Option<&DocConflict> {
        self.source.conflict()
    }

    /// The tag of what is there; `None` where nothing is.
    pub fn current(&self) -> Option<ETag> {
        self.conflict().and_then(|conflict| conflict.current)
    }
}

impl fmt::Display for ConcurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ConcurrencyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The failure of an operation on items: the ETag did not match, or the store's
/// own error as it is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The expected ETag is not that of the item. Nothing was applied.
    #[error(transparent)]
    Concurrency(#[from] ConcurrencyError),
    /// Everything else, unchanged.
    #[error(transparent)]
    Store(#[from] Error),
}

impl ItemError {
    /// The kind as one word ([`Error::kind`]).
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Concurrency(error) => error.source.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// What to do about it.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Concurrency(error) => error.source.retry(),
            Self::Store(error) => error.retry(),
        }
    }

    /// The conflict, where the ETag did not match, an item to create is there, or
    /// one to change is not.
    pub fn conflict(&self) -> Option<&DocConflict> {
        match self {
            Self::Concurrency(error) => error.conflict(),
            Self::Store(error) => error.conflict(),
        }
    }

    /// The HTTP status that Cosmos DB answers in such a case: 412 for an ETag
    /// that does not match, 409 for an item to create that is there, 404 for one
    /// to change that is not, 400 for a call that is wrong. For programs that
    /// look at statuses; [`retry`](Self::retry) says what to do.
    pub fn status(&self) -> u16 {
        let Self::Store(error) = self else { return 412 };
        if let Some(conflict) = error.conflict() {
            return match conflict.expected {
                DocPrecondition::IfAbsent => 409,
                DocPrecondition::IfExists => 404,
                _ => 412,
            };
        }
        match error.kind() {
            "invalid" => 400,
            "denied" => 403,
            "not_found" => 404,
            "outcome_unknown" => 408,
            "expired" | "token_expired" => 410,
            "conflict" => 412,
            "too_large" => 413,
            "partition_locked" | "busy" => 423,
            "unsupported" => 501,
            "unavailable" | "closed" => 503,
            _ => 500,
        }
    }
}
