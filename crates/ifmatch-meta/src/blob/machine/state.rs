//! What a partition is at one commit.

use std::fmt;
use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_journal::Position;
use rpds::RedBlackTreeMapSync as Map;

use super::lock::{End, Lock, LockId};
use crate::audit::AuditRecord;
use crate::changes::Tombstone;
use crate::document::Document;
use crate::etag::{ETag, Nonce};
use crate::key::{DocId, DocKey, Partition};
use crate::transaction::TxId;

/// The state of a partition: persistent maps, so that a snapshot costs nothing.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) documents: Map<DocId, Kept>,
    /// What is left of deleted documents.
    pub(super) graves: Map<DocId, Grave>,
    /// Documents and graves in the order in which they were written.
    pub(super) feed: Map<Position, DocId>,
    /// Graves alone, oldest first.
    pub(super) buried: Map<Position, DocId>,
    pub(super) audit: Map<Position, AuditRecord>,
    pub(crate) lock: Option<Lock>,
    pub(super) ends: Map<LockId, End>,
    /// Ended transactions, oldest end first.
    pub(super) ended: Map<(u64, LockId), ()>,
    /// Names whose transactions begin in another partition: the commit that said
    /// so.
    pub(super) fences: Map<(TxId, [u8; 12]), u64>,
    pub(super) totals: Totals,
    pub(super) clock: super::clock::Clock,
}

/// A document, and the entry that wrote it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Kept {
    pub(crate) document: Document,
    pub(crate) at: Position,
}

/// What is left of a deleted document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Grave {
    pub(super) etag: ETag,
    pub(super) time: Timestamp,
    pub(super) by: Option<Arc<str>>,
    pub(super) at: Position,
}

/// Small things that the whole partition has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Totals {
    /// Bytes of ids and bodies.
    pub(super) bytes: u64,
    /// Documents whose ids are not ours.
    pub(super) shown: u64,
    /// Names the state of the documents: it changes with every change of one,
    /// and depends on all changes before.
    pub(super) digest: [u8; 16],
    /// Up to this commit deletions, records and ends are forgotten.
    pub(super) floor: u64,
    /// The commit of the newest effect, and the ordinal of the next one in it.
    pub(super) next: (u64, u32),
    /// Whether a record of changes is kept, once and for all.
    pub(super) audited: bool,
}

/// What stands in the feed at a place.
pub(crate) enum Told<'a> {
    Document(&'a Kept),
    Grave(&'a DocId, &'a Grave),
}

impl State {
    pub(crate) fn document(&self, id: &DocId) -> Option<&Document> {
        self.documents.get(id).map(|kept| &kept.document)
    }

    /// How many documents there are whose ids are not ours.
    pub(crate) const fn shown(&self) -> u64 {
        self.totals.shown
    }

    /// Bytes of ids and bodies.
    pub(crate) const fn bytes(&self) -> u64 {
        self.totals.bytes
    }

    pub(crate) const fn digest(&self) -> [u8; 16] {
        self.totals.digest
    }

    pub(crate) const fn floor(&self) -> u64 {
        self.totals.floor
    }

    /// What became of documents after a place, in order.
    pub(crate) fn feed(&self, after: Option<Position>) -> impl Iterator<Item = Told<'_>> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let told = self.feed.range((from, std::ops::Bound::Unbounded));
        told.filter_map(|(_, id)| {
            let grave = || self.graves.get_key_value(id).map(|(id, grave)| Told::Grave(id, grave));
            self.documents.get(id).map(Told::Document).or_else(grave)
        })
    }

    /// The record of changes after a place, in order.
    pub(crate) fn audit(&self, after: Option<Position>) -> impl Iterator<Item = &AuditRecord> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.audit.range((from, std::ops::Bound::Unbounded)).map(|(_, record)| record)
    }

    /// How an incarnation ended.
    pub(crate) fn end(&self, tx: &LockId) -> Option<End> {
        self.ends.get(tx).copied()
    }

    /// The newest incarnation of this name that has ended, and how.
    pub(crate) fn newest_end(&self, id: &TxId) -> Option<(&LockId, End)> {
        let last = LockId { id: id.clone(), incarnation: u64::MAX };
        let newest = self.ends.range(..=last).next_back();
        newest.filter(|(tx, _)| tx.id == *id).map(|(tx, end)| (tx, *end))
    }

    pub(super) fn is_fenced(&self, id: &TxId, address: Nonce) -> bool {
        self.fences.contains_key(&(id.clone(), address.bytes()))
    }
}

impl Grave {
    pub(crate) const fn at(&self) -> Position {
        self.at
    }

    pub(crate) fn tombstone(&self, partition: &Partition, id: &DocId) -> Tombstone {
        Tombstone {
            key: DocKey { partition: partition.clone(), id: id.clone() },
            deleted_etag: self.etag,
            deleted_at: self.time,
            deleted_by: self.by.clone(),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} documents)", self.documents.size())
    }
}
