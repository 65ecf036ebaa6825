//! One partition in memory.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::documents::Documents;
use super::log::{Hints, PartitionLog};
use crate::audit::{AuditPosition, AuditRecord};
use crate::changes::Tombstone;
use crate::document::Document;
use crate::key::DocId;
use crate::transaction::TxId;

/// The place of a document's newest state: its commit and its number there.
pub(super) type At = AuditPosition;

/// A document and where its state was written.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) document: Document,
    pub(super) at: At,
    pub(super) hints: Hints,
}

impl Borrow<Document> for Arc<Record> {
    fn borrow(&self) -> &Document {
        &self.document
    }
}

/// What is left of a deleted document.
#[derive(Debug)]
pub(super) struct Grave {
    pub(super) tombstone: Tombstone,
    pub(super) at: At,
    pub(super) hints: Hints,
    /// When, by the store's clock.
    pub(super) since: Duration,
}

/// An open transaction, as the partition knows it.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: TxId,
    pub(super) incarnation: u64,
    /// The end of its life, by the store's clock.
    pub(super) ends: Duration,
}

/// A transaction that is over, and since when.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: TxId,
    pub(super) incarnation: u64,
    pub(super) since: Duration,
}

/// Everything of one partition.
#[derive(Debug, Default)]
pub(super) struct PartitionState {
    pub(super) documents: Documents,
    pub(super) graves: BTreeMap<DocId, Arc<Grave>>,
    /// Documents and graves in the order of their newest states.
    pub(super) feed: PartitionLog,
    /// Ids and bodies of the documents.
    pub(super) bytes: usize,
    /// How many documents are not ours.
    pub(super) visible: u64,
    /// The newest commit.
    pub(super) newest: u64,
    /// Deletions up to here may be forgotten.
    pub(super) floor: At,
    pub(super) holder: Option<Holder>,
    /// Transactions that are over, oldest first.
    pub(super) ended: VecDeque<Ended>,
    /// Every change, oldest first, and since when it is known.
    pub(super) audit: VecDeque<(AuditRecord, Duration)>,
    /// Changes up to here may be forgotten.
    pub(super) audit_floor: At,
}

impl PartitionState {
    /// Whether nothing would be lost with it but the number of its last commit.
    pub(super) fn is_empty(&self) -> bool {
        self.documents.is_empty()
            && self.graves.is_empty()
            && self.holder.is_none()
            && self.ended.is_empty()
            && self.audit.is_empty()
    }
}

/// What a document takes of its partition's limit.
pub(super) fn size(document: &Document) -> usize {
    document.key.id.as_str().len() + document.body.len()
}
