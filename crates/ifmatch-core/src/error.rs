//! What went wrong, what was applied, and what to do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::key::BlobKey;
use crate::precondition::Precondition;
use crate::version::Version;
use crate::write_id::WriteId;

/// The result of an operation on a blob store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What caused an error, one level down. Never holds a secret: whoever makes
/// one strips credentials and query strings first.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

/// What a caller should do about an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Retry {
    /// Nothing: the same call fails again.
    Never,
    /// Send the same again, after a pause.
    Same,
    /// Read what is there now, change that, and write it.
    Rebase,
    /// The outcome is unknown: find out before anything is sent again.
    Verify,
}

/// What was there when a precondition failed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Current {
    /// Nothing.
    Absent,
    /// This version.
    Present(Version),
    /// It could not be read.
    Unknown,
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Present(version) => write!(f, "at version {version}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// A precondition that did not hold. Nothing was applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// The blob.
    pub key: BlobKey,
    /// What the caller expected.
    pub expected: Precondition,
    /// What is there.
    pub current: Current,
}

/// A write whose outcome could not be found out: it may have been applied, may
/// still be, or may never be.
#[derive(Clone, Debug)]
pub struct OutcomeUnknown {
    /// What was asked for.
    pub operation: Operation,
    /// The blob.
    pub key: BlobKey,
    /// The id that stands in the blob if the write was applied and is still
    /// the newest; [`resolve_put`](crate::resolve_put) asks for it.
    pub write: Option<WriteId>,
    /// What the caller expected to be there before.
    pub expected: Precondition,
    /// Why the outcome is not known.
    pub source: Source,
}

/// The operations of a store, as messages and traces name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // The names say it.
pub enum Operation {
    Get,
    Head,
    Put,
    Delete,
    List,
    Open,
}

impl Operation {
    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error of a blob store.
///
/// Each variant says what was applied; [`Error::retry`] says what to do.
/// `Display` is one line that names the subject and does not repeat the source.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The precondition did not hold. Nothing was applied; read what is there,
    /// change that, write again.
    #[error("conflict on {}: expected {}, it is {}", .0.key, .0.expected, .0.current)]
    Conflict(Box<Conflict>),
    /// The write may have been applied. Find out before sending it again.
    #[error(
        "outcome unknown: {} of {} ({}) may have been applied; read it before writing again",
        .0.operation, .0.key, .0.expected
    )]
    OutcomeUnknown(Box<OutcomeUnknown>),
    /// The store could not be reached or would not serve; nothing was applied.
    /// Try again later.
    #[error("unavailable: {operation} of {subject}")]
    Unavailable {
        /// What was asked for.
        operation: Operation,
        /// The key, prefix or store.
        subject: Arc<str>,
        /// How long the store asked us to wait.
        retry_after: Option<Duration>,
        /// Why.
        source: Source,
    },
    /// There is no such bucket, container, blob or file; nothing was applied.
    #[error("not found: {what}")]
    NotFound {
        /// What is missing.
        what: Arc<str>,
    },
    /// The store refused our credentials, or we lack permission; nothing was
    /// applied.
    #[error("denied: {operation} of {subject}; check the credentials and their permissions")]
    Denied {
        /// What was asked for.
        operation: Operation,
        /// The key, prefix or store.
        subject: Arc<str>,
        /// What the store said.
        source: Source,
    },
    /// The store cannot do this; nothing was applied.
    #[error("unsupported: {what}")]
    Unsupported {
        /// What it cannot do, and what to do instead.
        what: Arc<str>,
    },
    /// What is stored is not what was written; nothing was changed.
    #[error("corrupt: {subject}: {detail}")]
    Corrupt {
        /// The blob or file.
        subject: Arc<str>,
        /// What does not fit.
        detail: Arc<str>,
    },
    /// The call itself is wrong; nothing was sent.
    #[error("invalid: {what}")]
    Invalid {
        /// What is wrong with it.
        what: Arc<str>,
    },
    /// A limit is exceeded; nothing was applied.
    #[error("too large: {subject}: {size} bytes, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        subject: Arc<str>,
        /// Its size in bytes, or a lower bound.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The handle was closed; nothing was applied.
    #[error("closed: {what}")]
    Closed {
        /// What was closed.
        what: Arc<str>,
    },
    /// Anything else; nothing was applied.
    #[error("{operation} of {subject} failed")]
    Other {
        /// What was asked for.
        operation: Operation,
        /// The key, prefix or store.
        subject: Arc<str>,
        /// Why.
        source: Source,
    },
}

impl Error {
    /// An [`Error::Invalid`].
    pub fn invalid(what: impl Into<Arc<str>>) -> Self {
        Self::Invalid { what: what.into() }
    }

    /// An [`Error::Unsupported`].
    pub fn unsupported(what: impl Into<Arc<str>>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    /// An [`Error::Corrupt`].
    pub fn corrupt(subject: impl Into<Arc<str>>, detail: impl Into<Arc<str>>) -> Self {
        Self::Corrupt { subject: subject.into(), detail: detail.into() }
    }

    /// An [`Error::Conflict`].
    pub fn conflict(key: &BlobKey, expected: Precondition, current: Current) -> Self {
        Self::Conflict(Box::new(Conflict { key: key.clone(), expected, current }))
    }

    /// An [`Error::Unavailable`] with a cause.
    pub fn unavailable(
        operation: Operation,
        subject: impl Into<Arc<str>>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Unavailable {
            operation,
            subject: subject.into(),
            retry_after: None,
            source: Arc::new(source),
        }
    }

    /// What to do about it.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Conflict(_) => Retry::Rebase,
            Self::OutcomeUnknown(_) => Retry::Verify,
            Self::Unavailable { .. } => Retry::Same,
            Self::NotFound { .. }
            | Self::Denied { .. }
            | Self::Unsupported { .. }
            | Self::Corrupt { .. }
            | Self::Invalid { .. }
            | Self::TooLarge { .. }
            | Self::Closed { .. }
            | Self::Other { .. } => Retry::Never,
        }
    }

    /// The kind as one word, as the command line prints it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::Unavailable { .. } => "unavailable",
            Self::NotFound { .. } => "not_found",
            Self::Denied { .. } => "denied",
            Self::Unsupported { .. } => "unsupported",
            Self::Corrupt { .. } => "corrupt",
            Self::Invalid { .. } => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::Closed { .. } => "closed",
            Self::Other { .. } => "other",
        }
    }

    /// The error that lies below, which `Display` does not repeat.
    pub fn cause(&self) -> Option<&Source> {
        match self {
            Self::OutcomeUnknown(unknown) => Some(&unknown.source),
            Self::Unavailable { source, .. }
            | Self::Denied { source, .. }
            | Self::Other { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A cause that is only a sentence.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Reason(Arc<str>);

impl Reason {
    /// A cause from a sentence.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The same as a [`Source`].
    pub fn source(text: impl Into<Arc<str>>) -> Source {
        Arc::new(Self::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_says_what_to_do() {
        assert!(size_of::<Error>() <= 64);
        let key = BlobKey::new("a/b").unwrap();
        let error = Error::conflict(
            &key,
            Precondition::IfMatch(Version::from_etag("1")),
            Current::Present(Version::from_etag("2")),
        );
        assert_eq!(error.retry(), Retry::Rebase);
        assert_eq!(error.to_string(), "conflict on a/b: expected if-match 1, it is at version 2");
    }
}
