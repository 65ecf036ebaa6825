//! Writes: what is asked for, and what it answers.

use std::sync::Arc;

use serde::Serialize;

use crate::document::Document;
use crate::etag::ETag;
use crate::json::Json;
use crate::key::DocId;
use crate::mark::Mark;
use crate::precondition::DocPrecondition;

/// What can be said with a write beyond what it writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Who writes; the store's own author where it is `None`.
    pub author: Option<Arc<str>>,
    /// Whether the answer carries the document as it is afterwards; not unless
    /// set.
    pub return_document: bool,
}

impl WriteOptions {
    /// Names who writes.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Asks for the document as it is afterwards ([`Written::document`]).
    pub fn return_document(mut self) -> Self {
        self.return_document = true;
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
    /// Changes members of a document that is there (JSON merge patch, RFC 7396),
    /// if the precondition holds. Where nothing is there it is a conflict,
    /// under `Overwrite` too.
    Patch {
        /// Which.
        id: DocId,
        /// The merge patch: an object's members replace those of the document,
        /// `null` removes; anything else replaces the whole body.
        patch: Json,
        /// What must hold; not `IfAbsent`.
        precondition: DocPrecondition,
    },
    /// Deletes a document if the precondition holds.
    Delete {
        /// Which.
        id: DocId,
        /// What must hold; not `IfAbsent`.
        precondition: DocPrecondition,
    },
    /// Writes nothing: the batch fails where the precondition does not hold. For
    /// what a change was derived from.
    Check {
        /// Which.
        id: DocId,
        /// What must hold.
        precondition: DocPrecondition,
    },
    /// Writes nothing: the batch fails where the partition has changed since
    /// this state of it was read, whatever changed. For what was derived from a
    /// scan or a query.
    Unchanged {
        /// The state, as [`Page::mark`](crate::Page::mark) names it.
        since: Mark,
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

    /// A merge patch.
    pub const fn patch(id: DocId, patch: Json, precondition: DocPrecondition) -> Self {
        Self::Patch { id, patch, precondition }
    }

    /// A check.
    pub const fn check(id: DocId, precondition: DocPrecondition) -> Self {
        Self::Check { id, precondition }
    }

    /// The document it is about; `None` where it is about the partition.
    pub const fn id(&self) -> Option<&DocId> {
        match self {
            Self::Put { id, .. }
            | Self::Patch { id, .. }
            | Self::Delete { id, .. }
            | Self::Check { id, .. } => Some(id),
            Self::Unchanged { .. } => None,
        }
    }

    /// What must hold of its document.
    pub const fn precondition(&self) -> Option<&DocPrecondition> {
        match self {
            Self::Put { precondition, .. }
            | Self::Patch { precondition, .. }
            | Self::Delete { precondition, .. }
            | Self::Check { precondition, .. } => Some(precondition),
            Self::Unchanged { .. } => None,
        }
    }

    /// Whether it writes.
    pub const fn writes(&self) -> bool {
        !matches!(self, Self::Check { .. } | Self::Unchanged { .. })
    }

    /// What it adds to the size of a batch, in bytes: its id and its body.
    pub fn size(&self) -> usize {
        let id = self.id().map_or(0, |id| id.as_str().len());
        match self {
            Self::Put { body, .. } | Self::Patch { patch: body, .. } => id + body.len(),
            _ => id,
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
#[derive(Clone, PartialEq, Debug)]
pub struct Written {
    /// The tag of the new state.
    pub etag: ETag,
    /// Whether there was no such document before.
    pub created: bool,
    /// The number of the commit that holds it; those of one batch share it.
    pub position: u64,
    /// What it cost.
    pub cost: Cost,
    /// The document as it is now, where
    /// [`return_document`](WriteOptions::return_document) asked for it.
    pub document: Option<Box<Document>>,
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
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Applied {
    /// A put or a patch.
    Written(Written),
    /// A delete.
    Deleted(Deleted),
    /// A check: what it asked for held, of the document in this state.
    Checked(Option<ETag>),
}

impl Applied {
    /// The tag: of the new state, of the document that was deleted, or of what
    /// was checked.
    pub const fn etag(&self) -> Option<ETag> {
        match self {
            Self::Written(written) => Some(written.etag),
            Self::Deleted(deleted) => deleted.etag,
            Self::Checked(etag) => *etag,
        }
    }
}
