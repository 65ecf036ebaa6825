//! The change feed: what became of documents, in order.

mod token;
mod watch;

use std::sync::Arc;

use ifmatch_core::Timestamp;
use serde::{Deserialize, Serialize};

pub use token::{ChangeToken, FeedPosition};
pub use watch::watch;

use crate::document::Document;
use crate::etag::ETag;
use crate::key::DocKey;

/// What became of a document. Each document is told once, in its newest state;
/// states in between may be left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(clippy::exhaustive_enums)] // A document is there or it is not.
pub enum Change {
    /// It was written.
    Written {
        /// As it is.
        #[serde(flatten)]
        document: Document,
        /// The commit that wrote it.
        position: u64,
    },
    /// It was deleted.
    Deleted {
        /// As the deletion is remembered.
        #[serde(flatten)]
        tombstone: Tombstone,
        /// The commit that deleted it.
        position: u64,
    },
}

impl Change {
    /// Which document.
    pub const fn key(&self) -> &DocKey {
        match self {
            Self::Written { document, .. } => &document.key,
            Self::Deleted { tombstone, .. } => &tombstone.key,
        }
    }

    /// The commit; those of one partition come in its order.
    pub const fn position(&self) -> u64 {
        match self {
            Self::Written { position, .. } | Self::Deleted { position, .. } => *position,
        }
    }

    /// The document, unless it was deleted.
    pub const fn document(&self) -> Option<&Document> {
        match self {
            Self::Written { document, .. } => Some(document),
            Self::Deleted { .. } => None,
        }
    }
}

/// What is left of a deleted document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tombstone {
    /// Which.
    #[serde(flatten)]
    pub key: DocKey,
    /// The tag of the state that was deleted.
    pub deleted_etag: ETag,
    /// When, by its writer's clock. Informational.
    pub deleted_at: Timestamp,
    /// Who deleted it, where the writer said so.
    pub deleted_by: Option<Arc<str>>,
}

/// One page of the feed.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangePage {
    /// The changes: within a partition in the order of their commits, and in one
    /// commit in the order in which documents were written. Between partitions
    /// there is no order.
    pub changes: Vec<Change>,
    /// Where the next page begins.
    pub next: ChangeToken,
    /// Whether there were more changes when this page was read.
    pub more: bool,
}
