//! Why a partition was not taken out whole.

use std::fmt;

use super::Drained;
use crate::error::Error;

/// A drain that did not come to its end.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums)] // The taker or the store.
pub enum DrainError<E> {
    /// The taker failed; the documents that it got last are there still.
    Refused {
        /// How.
        error: E,
        /// What was taken before.
        drained: Drained,
    },
    /// The store failed.
    Store {
        /// How.
        error: Error,
        /// What was taken before; with `OutcomeUnknown` it may be more.
        drained: Drained,
    },
}

impl<E> DrainError<E> {
    /// What was taken before.
    pub const fn drained(&self) -> &Drained {
        match self {
            Self::Refused { drained, .. } | Self::Store { drained, .. } => drained,
        }
    }
}

impl<E: fmt::Display> fmt::Display for DrainError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { error, .. } => error.fmt(f)?,
            Self::Store { error, .. } => error.fmt(f)?,
        }
        write!(f, " (after {} documents were taken)", self.drained().deleted)
    }
}

impl<E: std::error::Error> std::error::Error for DrainError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused { error, .. } => error.source(), // Display has told the error itself.
            Self::Store { error, .. } => error.source(),
        }
    }
}
