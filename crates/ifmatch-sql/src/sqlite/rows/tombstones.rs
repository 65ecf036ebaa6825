//! What is left of deleted documents, and for how long.

use ifmatch_core::Timestamp;
use ifmatch_meta::{DocId, ETag, Partition, Result};
use rusqlite::{Connection, params};

use super::{Counters, integer};
use crate::sqlite::error::Failure;

/// Commits that are remembered at least, ...
pub(crate) const KEPT_COMMITS: u64 = 1_000;
/// ... for at least so long, in microseconds.
pub(crate) const KEPT_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;
/// Commits from one look for what may be forgotten to the next.
pub(crate) const EVERY: u64 = 64;
/// Most that is forgotten at once: a write stays short. More than can come in
/// between, but for large batches.
const AT_ONCE: i64 = 2_000;

/// A deletion.
pub(crate) struct Deletion<'a> {
    pub(crate) partition: &'a Partition,
    pub(crate) id: &'a DocId,
    pub(crate) etag: ETag,
    pub(crate) position: u64,
    pub(crate) ordinal: i64,
    pub(crate) at: Timestamp,
    pub(crate) by: Option<&'a str>,
}

pub(crate) fn remember(connection: &Connection, deletion: &Deletion<'_>) -> Result<(), Failure> {
    let sql = "INSERT OR REPLACE INTO _ifmatch_tombstones
        (partition, id, etag, position, ordinal, deleted_at, deleted_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        deletion.partition.as_str(),
        deletion.id.as_str(),
        deletion.etag.bare(),
        integer(deletion.position),
        deletion.ordinal,
        deletion.at.as_micros(),
        deletion.by,
    ])?;
    Ok(())
}

/// The document is there again.
pub(crate) fn replace(
    connection: &Connection,
    partition: &Partition,
    id: &DocId,
) -> Result<(), Failure> {
    let sql = "DELETE FROM _ifmatch_tombstones WHERE partition = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute([partition.as_str(), id.as_str()])?;
    Ok(())
}

/// Forgets what is old enough by both measures, from the oldest on, now and
/// then.
pub(crate) fn trim(
    connection: &Connection,
    counters: &mut Counters,
    now: Timestamp,
) -> Result<(), Failure> {
    if !counters.commits.is_multiple_of(EVERY) || counters.commits <= KEPT_COMMITS {
        return Ok(());
    }
    let last = |sql| last_old(connection, sql, counters.commits - KEPT_COMMITS, now);
    let (deletion, record) = (
        last("SELECT position, deleted_at FROM _ifmatch_tombstones ORDER BY position LIMIT ?1")?,
        last("SELECT position, at FROM _ifmatch_audit ORDER BY rowid LIMIT ?1")?,
    );
    if let Some(last) = deletion {
        let sql = "DELETE FROM _ifmatch_tombstones WHERE position <= ?1";
        connection.prepare_cached(sql)?.execute([integer(last)])?;
        counters.forgotten = last;
    }
    if let Some(last) = record {
        let sql = "DELETE FROM _ifmatch_audit WHERE position <= ?1
                   AND rowid IN (SELECT rowid FROM _ifmatch_audit ORDER BY rowid LIMIT ?2)";
        connection.prepare_cached(sql)?.execute([integer(last), 2 * AT_ONCE])?;
        counters.audit_forgotten = last;
    }
    Ok(())
}

/// The position up to which all that `sql` finds is old, from the first on.
fn last_old(
    connection: &Connection,
    sql: &str,
    newest: u64,
    now: Timestamp,
) -> Result<Option<u64>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([AT_ONCE])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let (position, at) = (row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?);
        // Those of one commit are of one time: a commit is forgotten as a whole.
        if position > newest || at > now.as_micros().saturating_sub(KEPT_MICROS) {
            break;
        }
        last = Some(position);
    }
    Ok(last)
}
