//! A stored object and its version.

use bytes::Bytes;
use std::{collections::BTreeMap, time::SystemTime};

/// What tells two states of one key apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectVersion {
    /// The `ETag` with its quotes, as in the header.
    pub etag: String,
    /// A number that rises with every write to the server; on the wire in GCS only.
    pub generation: u64,
}

/// An object as the server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub key: String,
    /// Its content.
    pub body: Bytes,
    /// Its version.
    pub version: ObjectVersion,
    /// The user's metadata, names without the dialect's prefix.
    pub metadata: BTreeMap<String, String>,
    /// Stored headers such as `content-type`.
    pub headers: Vec<(String, String)>,
    /// When it was written, by the server's clock.
    pub last_modified: SystemTime,
}

/// What a write says about an object apart from its content.
#[derive(Clone, Debug, Default)]
pub(super) struct Meta {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) headers: Vec<(String, String)>,
}

impl Meta {
    /// The id of the write (`ifmatchid`).
    pub(super) fn write_id(&self) -> Option<String> {
        self.metadata.get("ifmatchid").cloned()
    }

    /// The version that the writer says it replaced (`ifmatchbase`).
    pub(super) fn write_base(&self) -> Option<String> {
        self.metadata.get("ifmatchbase").cloned()
    }
}
