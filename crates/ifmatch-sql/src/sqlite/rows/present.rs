//! What is committed, as the evaluation of a batch asks for it.

use ifmatch_meta::{DocId, DocKey, Document, Mark, Partition, Present, Result};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::{Counters, FIND, Rowids, find, integer, prepared};
use crate::sqlite::error::Failure;

/// The documents of a partition, in one transaction.
pub(crate) struct Committed<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) partition: &'a Partition,
    pub(crate) counters: Counters,
    /// Where the rows are of the documents that were looked at.
    pub(crate) rowids: Rowids,
    find: Option<CachedStatement<'a>>,
}

impl<'a> Committed<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        partition: &'a Partition,
        counters: Counters,
    ) -> Self {
        Self { connection, partition, counters, rowids: Rowids::new(), find: None }
    }
}

impl Present<Failure> for Committed<'_> {
    type Document = Document;

    fn document(&mut self, id: &DocId) -> Result<Option<Document>, Failure> {
        let key = DocKey { partition: self.partition.clone(), id: id.clone() };
        let statement = prepared(&mut self.find, self.connection, FIND)?;
        let Some((rowid, document)) = find(statement, &key)? else { return Ok(None) };
        self.rowids.insert(key.id, rowid);
        Ok(Some(document))
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool, Failure> {
        let since = self.counters.marked(since)?;
        // Below that a deletion may be forgotten.
        Ok(since >= self.counters.forgotten
            && !has_changed(self.connection, Some(self.partition), since)?)
    }
}

/// Whether a document of the partition, or of any, was changed after a position.
/// Looks at index entries only, at those of later changes.
pub(crate) fn has_changed(
    connection: &Connection,
    partition: Option<&Partition>,
    since: u64,
) -> Result<bool, Failure> {
    let sql = "SELECT 1 WHERE
        EXISTS (SELECT 1 FROM documents
                WHERE position > ?1 AND (partition = ?2 OR ?2 IS NULL))
        OR EXISTS (SELECT 1 FROM _ifmatch_tombstones
                   WHERE position > ?1 AND (partition = ?2 OR ?2 IS NULL))";
    let partition = partition.map(Partition::as_str);
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![integer(since), partition], |_| Ok(())).optional()?.is_some())
}
