//! One compare-and-swap cell: what a journal's head lives in.

mod head;
#[cfg(test)]
mod tests;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use ifmatch_core::{Error as StoreError, Timestamp, Version};

pub use head::HeadRegister;

use crate::error::Result;

/// What a register was found to hold, for the next swap. Opaque.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token(pub(crate) Version);

/// What reading a register gave.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reading {
    /// This body, under this token.
    Found {
        /// The body.
        body: Bytes,
        /// Its token.
        token: Token,
        /// When it was written, by the store's clock.
        written: Option<Timestamp>,
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
    /// The token that was asked about still holds.
    Unchanged {
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
    /// It was never written, or is gone.
    Absent {
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
}

/// How one request to write a register ended. Only `Applied` is a verdict.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Swap {
    /// It was applied.
    Applied {
        /// The token of the new body.
        token: Token,
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
    /// The whole answer arrived and says that the token did not hold.
    Rejected {
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
    /// It cannot have been applied.
    Refused(StoreError),
    /// It may have been applied, or may still be.
    Unknown(StoreError),
}

/// One compare-and-swap cell.
///
/// Two shapes stand behind it: one mutable blob, and (to come) numbered slots
/// for stores that allow one write per second and name. Everything above is the
/// same.
#[async_trait]
pub trait Register: fmt::Debug + Send + Sync {
    /// Reads it; no body where `known` still holds.
    ///
    /// # Errors
    /// As [`get`](ifmatch_core::ConditionalBlobStore::get).
    ///
    /// # Cost
    /// One request while nothing fails.
    async fn read(&self, known: Option<&Token>) -> Result<Reading>;

    /// Writes it if `token` still holds.
    ///
    /// # Atomicity
    /// All of the body or nothing. Identical bytes sent again land at most
    /// once: the token dies with the first.
    ///
    /// # Cost
    /// One request; no retry, no read-back.
    async fn replace(&self, token: &Token, body: Bytes) -> Swap;

    /// Writes it if it is absent.
    ///
    /// # Cost
    /// One request; no retry, no read-back.
    async fn create(&self, body: Bytes) -> Swap;
}
