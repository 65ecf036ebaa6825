//! The documents of a partition: found by name, read in order, kept for
//! snapshots.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::RangeBounds;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::hash::Keyed;
use super::partition::Record;
use super::slots::Slots;
use crate::key::DocId;

/// Documents by id.
///
/// Each has a slot from its creation to its deletion. The order of the ids
/// changes only then; a replacement is found by hash and changes one slot.
#[derive(Debug, Default)]
pub(super) struct Documents {
    now: Snapshot,
    /// The slot of each document.
    index: HashMap<DocId, usize, Keyed>,
    /// Slots below the highest that hold no document.
    free: Vec<usize>,
    /// The slot that was found last, or any: a document that is written was just
    /// looked at.
    last: Cell<usize>,
}

/// The documents as they were at one moment. A clone costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    order: RedBlackTreeMapSync<DocId, usize>,
    slots: Slots,
}

impl Documents {
    /// The documents as they are now.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.now.clone()
    }

    /// A document by its id.
    pub(super) fn get(&self, id: &DocId) -> Option<&Arc<Record>> {
        let slot = *self.index.get(id)?;
        self.last.set(slot);
        self.now.slots.get(slot)
    }

    /// Puts a document in the place of another, or deletes it; the other.
    pub(super) fn replace(
        &mut self,
        id: &DocId,
        after: Option<Arc<Record>>,
    ) -> Option<Arc<Record>> {
        match (self.slot(id), after) {
            (Some(slot), Some(record)) => self.now.slots.set(slot, Some(record)),
            (Some(_), None) => self.remove(id),
            (None, Some(record)) => self.insert(id.clone(), record),
            (None, None) => None,
        }
    }

    fn slot(&self, id: &DocId) -> Option<usize> {
        let last = self.last.get();
        let found = self.now.slots.get(last).is_some_and(|record| record.document.key.id == *id);
        if found { Some(last) } else { self.index.get(id).copied() }
    }

    fn insert(&mut self, id: DocId, record: Arc<Record>) -> Option<Arc<Record>> {
        // Slots below the number of documents are taken, unless one is free.
        let slot = self.free.pop().unwrap_or(self.index.len());
        self.now.order.insert_mut(id.clone(), slot);
        self.index.insert(id, slot);
        self.now.slots.set(slot, Some(record))
    }

    fn remove(&mut self, id: &DocId) -> Option<Arc<Record>> {
        let slot = self.index.remove(id)?;
        self.now.order.remove_mut(id);
        let before = self.now.slots.set(slot, None);
        self.free.push(slot);
        if self.index.is_empty() {
            *self = Self::default();
        }
        before
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

impl Snapshot {
    /// The documents of a range of ids, in order.
    pub(super) fn range<'a>(
        &'a self,
        range: impl RangeBounds<str> + 'a,
    ) -> impl DoubleEndedIterator<Item = &'a Arc<Record>> {
        self.order.range::<str, _>(range).filter_map(|(_, slot)| self.slots.get(*slot))
    }
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
