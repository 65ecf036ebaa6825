//! Values with what their documents say beside.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use serde::de::DeserializeOwned;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::key::DocId;
use crate::mark::Mark;

/// A value as it was at one moment.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Entry<T> {
    /// The id of its document.
    pub id: DocId,
    /// The value.
    pub value: T,
    /// The tag of this state.
    pub etag: ETag,
    /// As [`Document::created_at`].
    pub created_at: Timestamp,
    /// As [`Document::updated_at`].
    pub updated_at: Timestamp,
    /// As [`Document::updated_by`].
    pub updated_by: Option<Arc<str>>,
}

impl<T: DeserializeOwned> Entry<T> {
    /// The value of a document.
    ///
    /// # Errors
    /// `Invalid` where it does not fit `T`; it names the document. `Corrupt`
    /// where the stored body is not JSON.
    pub fn of(document: Document) -> Result<Self> {
        let value = document.body.decode().map_err(|error| match error.kind() {
            "invalid" => Error::invalid(format!("{}: {error}", document.key)),
            _ => error,
        })?;
        let Document { key, etag, created_at, updated_at, updated_by, .. } = document;
        Ok(Self { id: key.id, value, etag, created_at, updated_at, updated_by })
    }
}

/// One page: the state at one moment.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Entries<T, N> {
    /// The values, in the order that was asked for.
    pub entries: Vec<Entry<T>>,
    /// What follows, where there is more.
    pub next: Option<N>,
    /// Which state of the partition this is, for
    /// [`Op::Unchanged`](crate::Op::Unchanged).
    pub mark: Option<Mark>,
}

impl<T: DeserializeOwned, N> Entries<T, N> {
    pub(super) fn of(
        documents: Vec<Document>,
        next: Option<N>,
        mark: Option<Mark>,
    ) -> Result<Self> {
        let entries = documents.into_iter().map(Entry::of).collect::<Result<_>>()?;
        Ok(Self { entries, next, mark })
    }
}
