//! Why an update came to nothing.

use std::fmt;

use crate::error::Error;

/// An update that did not commit.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums)] // The function or the store.
pub enum UpdateError<E> {
    /// The function refused; nothing was applied.
    Refused(E),
    /// The store failed; nothing was applied unless `error` is `OutcomeUnknown`.
    Store {
        /// The last error.
        error: Error,
        /// How many attempts were made.
        attempts: u32,
    },
}

impl<E> UpdateError<E> {
    /// The error of the store, where it is one.
    pub const fn store(&self) -> Option<&Error> {
        match self {
            Self::Store { error, .. } => Some(error),
            Self::Refused(_) => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for UpdateError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Store { error, attempts: 1 } => error.fmt(f),
            Self::Store { error, attempts } => write!(f, "{error} (after {attempts} attempts)"),
        }
    }
}

impl<E: std::error::Error> std::error::Error for UpdateError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => error.source(), // Display has told the error itself.
            Self::Store { error, .. } => error.source(),
        }
    }
}

/// Where the function fails with errors of the store, both are one.
impl From<UpdateError<Self>> for Error {
    fn from(error: UpdateError<Self>) -> Self {
        match error {
            UpdateError::Refused(error) | UpdateError::Store { error, .. } => error,
        }
    }
}
