//! Who changed what, and when.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::etag::ETag;
use crate::key::DocId;

/// What was done to a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums)] // There is no fourth.
pub enum AuditOperation {
    /// It was not there before.
    Created,
    /// It was there before.
    Replaced,
    /// It is not there any more.
    Deleted,
}

/// A place in the record of a partition.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[allow(clippy::exhaustive_structs)]
pub struct AuditPosition {
    /// The commit.
    pub position: u64,
    /// The change's number in it, from 0.
    pub ordinal: u32,
}

/// One change of one document. Unlike the change feed, the record keeps every
/// change of a commit, but not the bodies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Where it stands.
    #[serde(flatten)]
    pub at: AuditPosition,
    /// Which document.
    pub id: DocId,
    /// The tag afterwards; `None`: deleted.
    pub etag: Option<ETag>,
    /// The tag before; `None`: created.
    pub previous: Option<ETag>,
    /// Who, where the writer said so.
    pub author: Option<Arc<str>>,
    /// When, by the writer's clock.
    pub time: Timestamp,
    /// What was done.
    pub operation: AuditOperation,
}
