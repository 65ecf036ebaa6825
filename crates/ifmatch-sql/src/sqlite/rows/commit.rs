//! A commit: effects at a position.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{DocId, DocKey, Document, Effect, Partition, Result};
use rusqlite::{CachedStatement, Connection, params};

use super::{Counters, Rowids, audit, integer, locate, tombstones};
use crate::sqlite::error::Failure;

/// Who commits, when, and whether a record is kept of it.
pub(crate) struct Signature {
    pub(crate) now: Timestamp,
    pub(crate) author: Option<Arc<str>>,
    pub(crate) audit: bool,
}

/// Applies effects as the next commit, and counts it. `rowid` knows where the
/// rows are of the documents that are there.
pub(crate) fn commit(
    connection: &Connection,
    counters: &mut Counters,
    partition: &Partition,
    effects: &[Effect],
    signature: &Signature,
    rowid: impl Fn(&DocId) -> Option<i64>,
) -> Result<u64, Failure> {
    let position = counters.commits + 1;
    let mut rows = Rows { connection, update: None, insert: None };
    for (ordinal, effect) in (0..).zip(effects) {
        let at = (position, ordinal);
        rows.apply(partition, at, effect, signature, rowid(&effect.id))?;
        if signature.audit {
            // A transaction may carry writes of several authors.
            let author = effect.after.as_ref().map_or(&signature.author, |d| &d.updated_by);
            let time = effect.after.as_ref().map_or(signature.now, |d| d.updated_at);
            let by = (author.as_deref(), time);
            audit::record(connection, partition, at, effect, by)?;
        }
    }
    drop(rows);
    advance(connection, counters, signature.now)?;
    Ok(position)
}

/// Counts a commit.
pub(crate) fn advance(
    connection: &Connection,
    counters: &mut Counters,
    now: Timestamp,
) -> Result<(), Failure> {
    counters.commits += 1;
    tombstones::trim(connection, counters, now)?;
    counters.write(connection)
}

/// Whether what the effects rest on is what is there, and then the rows.
pub(crate) fn still_there(
    connection: &Connection,
    partition: &Partition,
    effects: &[Effect],
) -> Result<Option<Rowids>, Failure> {
    let mut rowids = Rowids::new();
    for effect in effects {
        let key = DocKey { partition: partition.clone(), id: effect.id.clone() };
        let found = locate(connection, &key)?;
        if found.map(|(_, etag)| etag) != effect.before {
            return Ok(None);
        }
        if let Some((rowid, _)) = found {
            rowids.insert(key.id, rowid);
        }
    }
    Ok(Some(rowids))
}

/// The rows of documents, and the statements on them, each prepared once for all
/// that a commit does.
struct Rows<'c> {
    connection: &'c Connection,
    update: Option<CachedStatement<'c>>,
    insert: Option<CachedStatement<'c>>,
}

impl Rows<'_> {
    fn apply(
        &mut self,
        partition: &Partition,
        at: (u64, i64),
        effect: &Effect,
        signature: &Signature,
        rowid: Option<i64>,
    ) -> Result<(), Failure> {
        let connection = self.connection;
        match (rowid, &effect.after) {
            (Some(rowid), Some(document)) => self.update(rowid, document, at),
            (None, Some(document)) => {
                tombstones::replace(connection, partition, &effect.id)?;
                self.insert(document, at)
            }
            (Some(rowid), None) => {
                let sql = "DELETE FROM documents WHERE rowid = ?1";
                connection.prepare_cached(sql)?.execute([rowid])?;
                let Some(etag) = effect.before else { return Ok(()) };
                let deletion = tombstones::Deletion {
                    partition,
                    id: &effect.id,
                    etag,
                    position: at.0,
                    ordinal: at.1,
                    at: signature.now,
                    by: signature.author.as_deref(),
                };
                tombstones::remember(connection, &deletion)
            }
            (None, None) => Ok(()),
        }
    }

    fn insert(
        &mut self,
        document: &Document,
        (position, ordinal): (u64, i64),
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO documents
            (partition, id, etag, position, ordinal, created_at, updated_at, updated_by, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        prepared(&mut self.insert, self.connection, sql)?.execute(params![
            document.key.partition.as_str(),
            document.key.id.as_str(),
            document.etag.bare(),
            integer(position),
            ordinal,
            document.created_at.as_micros(),
            document.updated_at.as_micros(),
            document.updated_by,
            document.body.as_str(),
        ])?;
        Ok(())
    }

    fn update(
        &mut self,
        rowid: i64,
        document: &Document,
        (position, ordinal): (u64, i64),
    ) -> Result<(), Failure> {
        let sql = "UPDATE documents SET etag = ?2, position = ?3, ordinal = ?4, created_at = ?5,
            updated_at = ?6, updated_by = ?7, body = ?8 WHERE rowid = ?1";
        prepared(&mut self.update, self.connection, sql)?.execute(params![
            rowid,
            document.etag.bare(),
            integer(position),
            ordinal,
            document.created_at.as_micros(),
            document.updated_at.as_micros(),
            document.updated_by,
            document.body.as_str(),
        ])?;
        Ok(())
    }
}

/// The statement in its place, prepared when it is first needed.
pub(crate) fn prepared<'s, 'c>(
    place: &'s mut Option<CachedStatement<'c>>,
    connection: &'c Connection,
    sql: &str,
) -> Result<&'s mut CachedStatement<'c>, Failure> {
    Ok(match place {
        Some(statement) => statement,
        None => place.insert(connection.prepare_cached(sql)?),
    })
}
