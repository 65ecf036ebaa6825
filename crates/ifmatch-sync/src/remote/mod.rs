//! What lies in the store.
//!
//! ```text
//! ifmatch          what lies here: kind, format, probe verdicts by endpoint
//! head             names the newest commit; the only blob that is swapped
//! snapshots/<id>   the database at a commit, compressed; immutable
//! ```

mod head;
mod relation;
mod snapshot;
#[cfg(test)]
mod tests;

use ifmatch_core::BlobKey;

pub(crate) use head::{Head, HeadRead, SnapshotRef, read_head};
pub(crate) use relation::{Relation, relate};
pub(crate) use snapshot::{Packed, fetch_snapshot, pack};

use crate::commit_id::CommitId;
use crate::error::Result;

pub(crate) fn head_key() -> Result<BlobKey> {
    Ok(BlobKey::new("head")?)
}

pub(crate) fn snapshot_key(commit: &CommitId) -> Result<BlobKey> {
    Ok(BlobKey::new(format!("snapshots/{commit}"))?)
}
