//! What a transaction has written, over what is committed.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::evaluate::Effect;
use crate::key::DocId;

/// Most documents that one transaction may write.
pub(super) const MOST_ROWS: usize = 10_000;

/// The net effect of writes, document by document.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay {
    rows: BTreeMap<DocId, Row>,
    /// Bytes of ids and bodies, each document once.
    bytes: usize,
    /// Counts the calls of `apply`.
    version: u64,
    /// Counts rows, for their order.
    written: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The tag of the committed document; `None`: there is none.
    before: Option<ETag>,
    /// What it becomes; `None`: it is deleted, or never was.
    after: Option<Document>,
    /// When it was first written.
    order: u64,
    /// The version that wrote it last.
    version: u64,
}

impl Row {
    /// The document as it was written; `None`: it is deleted.
    pub(super) fn document(&self) -> Option<Document> {
        self.after.clone()
    }

    /// Bytes of id and body.
    pub(super) fn size(id: &DocId, after: Option<&Document>) -> usize {
        id.as_str().len() + after.map_or(0, |document| document.body.len())
    }
}

impl Overlay {
    /// What this document was written to; `None` where it was not written.
    pub(super) fn written(&self, id: &DocId) -> Option<&Row> {
        self.rows.get(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of ids and bodies, each document counted once.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Grows with each change.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Adds effects whose `before` is what they found, here or committed.
    ///
    /// # Errors
    /// `TooLarge`: more than `limit` bytes would be staged; nothing was added.
    pub(super) fn apply(&mut self, effects: Vec<Effect>, limit: usize) -> Result<()> {
        let (mut bytes, mut rows) = (self.bytes, self.rows.len());
        for effect in &effects {
            bytes += Row::size(&effect.id, effect.after.as_ref());
            match self.rows.get(&effect.id) {
                Some(row) => {
                    bytes = bytes.saturating_sub(Row::size(&effect.id, row.after.as_ref()));
                }
                None => rows += 1,
            }
        }
        if bytes > limit && bytes > self.bytes {
            return Err(Error::too_large("what a transaction has staged", bytes, limit));
        }
        if rows > MOST_ROWS && rows > self.rows.len() {
            return Err(Error::TooManyOperations { count: rows, limit: MOST_ROWS });
        }
        self.version += 1;
        for Effect { id, before, after } in effects {
            let (order, version) = (self.written, self.version);
            self.written += 1;
            let row = self.rows.entry(id).or_insert(Row { before, after: None, order, version });
            (row.after, row.version) = (after, version);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The net effects, in the order in which documents were first written.
    pub(super) fn effects(&self) -> Vec<Effect> {
        let mut effects = self.rows_since(0);
        effects.retain(|effect| effect.before.is_some() || effect.after.is_some());
        effects
    }

    /// The rows written after a version. They hold what is nothing in the end
    /// too, because they may cancel what an earlier answer held.
    pub(super) fn rows_since(&self, version: u64) -> Vec<Effect> {
        let mut rows: Vec<_> = self.rows.iter().filter(|(_, row)| row.version > version).collect();
        rows.sort_by_key(|(_, row)| row.order);
        let effect = |(id, row): (&DocId, &Row)| Effect {
            id: id.clone(),
            before: row.before,
            after: row.after.clone(),
        };
        rows.into_iter().map(effect).collect()
    }

    /// The rows of a range of ids, in their order.
    pub(super) fn range<'a>(
        &'a self,
        lower: Bound<&'a str>,
        upper: Bound<&'a str>,
    ) -> Vec<(&'a DocId, Option<&'a Document>)> {
        let ends = |id: &DocId| match upper {
            Bound::Unbounded => true,
            Bound::Included(last) => id.as_str() <= last,
            Bound::Excluded(last) => id.as_str() < last,
        };
        // An upper bound below the lower one would be a panic in there.
        let rows = self.rows.range::<str, _>((lower, Bound::Unbounded));
        let rows = rows.take_while(|(id, _)| ends(id));
        rows.map(|(id, row)| (id, row.after.as_ref())).collect()
    }
}
