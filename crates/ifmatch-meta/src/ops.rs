//! Writes: what is asked for, and what it answers.

use std::sync::Arc;

use serde::Serialize;

use crate::etag::ETag;
use crate::json::Json;
use crate::key::DocId;
use crate::precondition::DocPrecondition;

/// What can be said with a write beyond what it writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Who writes; the store's own author where it is `None`.
    pub author: Option<Arc<str>>,
}

impl WriteOptions {
    /// Names who writes.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }
}

/// One operation of a batch.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Writes a document if the precondition holds.
    Put {
        /// Which.
        id: DocId,
        /// The new body.
        body: Json,
        /// What must hold.
        precondition: DocPrecondition,
    },
    /// Deletes a document if the precondition holds.
    Delete {
        /// Which.
        id: DocId,
        /// What must hold; not `IfAbsent`.
        precondition: DocPrecondition,
    },
}

impl Op {
    /// A put.
    pub const fn put(id: DocId, body: Json, precondition: DocPrecondition) -> Self {
        Self::Put { id, body, precondition }
    }

    /// A delete.
    pub const fn delete(id: DocId, precondition: DocPrecondition) -> Self {
        Self::Delete { id, precondition }
    }

    /// The document it is about.
    pub const fn id(&self) -> &DocId {
        match self {
            Self::Put { id, .. } | Self::Delete { id, .. } => id,
        }
    }

    /// What must hold for it.
    pub const fn precondition(&self) -> &DocPrecondition {
        match self {
            Self::Put { precondition, .. } | Self::Delete { precondition, .. } => precondition,
        }
    }

    /// What it adds to the size of a batch, in bytes: its id and its body.
    pub fn size(&self) -> usize {
        match self {
            Self::Put { id, body, .. } => id.as_str().len() + body.len(),
            Self::Delete { id, .. } => id.as_str().len(),
        }
    }
}

/// What an operation cost in requests to a remote store and in bytes; zero on
/// local backends. Where several writes share one request, the first reports
/// it, so that sums are true.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Cost {
    /// Requests sent.
    pub requests: u64,
    /// Bytes sent.
    pub bytes_up: u64,
    /// Bytes received.
    pub bytes_down: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
    }
}

/// A document was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The tag of the new state.
    pub etag: ETag,
    /// Whether there was no such document before.
    pub created: bool,
    /// The number of the commit that holds it; those of one batch share it.
    pub position: u64,
    /// What it cost.
    pub cost: Cost,
}

/// A document is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deleted {
    /// The tag of the document that was deleted; `None` where there was none
    /// (which only `Overwrite` allows).
    pub etag: Option<ETag>,
    /// The number of the commit that holds the deletion; where nothing was
    /// there, of the newest commit before.
    pub position: u64,
    /// What it cost.
    pub cost: Cost,
}

/// What one operation of a batch did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Applied {
    /// A put.
    Written(Written),
    /// A delete.
    Deleted(Deleted),
}

impl Applied {
    /// The tag: of the new state, or of the document that was deleted.
    pub const fn etag(&self) -> Option<ETag> {
        match self {
            Self::Written(written) => Some(written.etag),
            Self::Deleted(deleted) => deleted.etag,
        }
    }
}
