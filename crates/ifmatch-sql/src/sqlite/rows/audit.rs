//! The record of changes.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{
    AuditOperation, AuditPosition, AuditRecord, DocId, Effect, Error, Partition, Result,
};
use rusqlite::{Connection, Row, params};

use super::{Counters, etag_of, integer};
use crate::sqlite::error::Failure;

/// Records an effect.
pub(crate) fn record(
    connection: &Connection,
    partition: &Partition,
    (position, ordinal): (u64, i64),
    effect: &Effect,
    (author, at): (Option<&str>, Timestamp),
) -> Result<(), Failure> {
    let sql = "INSERT INTO _ifmatch_audit
        (partition, position, ordinal, id, etag, previous, author, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        partition.as_str(),
        integer(position),
        ordinal,
        effect.id.as_str(),
        effect.after.as_ref().map(|document| document.etag.bare()),
        effect.before.map(|etag| etag.bare()),
        author,
        at.as_micros(),
    ])?;
    Ok(())
}

/// The records of a partition after a place in it, of one moment.
pub(crate) fn read(
    connection: &Connection,
    partition: &Partition,
    after: Option<AuditPosition>,
    limit: usize,
) -> Result<Vec<AuditRecord>, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let forgotten = Counters::read(&snapshot)?.audit_forgotten;
    let all = AuditPosition { position: forgotten, ordinal: u32::MAX };
    if after.is_some_and(|after| after < all && forgotten > 0) {
        let what = format!("the record of {partition} begins after position {forgotten}");
        return Err(Error::TokenExpired { what: what.into() }.into());
    }
    let (position, ordinal) =
        after.map_or((-1, -1), |after| (integer(after.position), i64::from(after.ordinal)));
    let sql = "SELECT position, ordinal, id, etag, previous, author, at FROM _ifmatch_audit
        WHERE partition = ?1 AND (position, ordinal) > (?2, ?3)
        ORDER BY position, ordinal LIMIT ?4";
    let mut statement = snapshot.prepare_cached(sql)?;
    let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![partition.as_str(), position, ordinal, limit])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record_of(row)?);
    }
    Ok(records)
}

fn record_of(row: &Row<'_>) -> Result<AuditRecord, Failure> {
    let etag =
        |column| row.get::<_, Option<String>>(column)?.map(|text| etag_of(&text)).transpose();
    let (etag, previous) = (etag(3)?, etag(4)?);
    Ok(AuditRecord {
        at: AuditPosition { position: row.get::<_, i64>(0)?.cast_unsigned(), ordinal: row.get(1)? },
        id: DocId::internal(row.get::<_, String>(2)?)?,
        etag,
        previous,
        author: row.get::<_, Option<String>>(5)?.map(Arc::from),
        time: Timestamp::from_micros(row.get(6)?),
        operation: match (etag, previous) {
            (None, _) => AuditOperation::Deleted,
            (Some(_), None) => AuditOperation::Created,
            (Some(_), Some(_)) => AuditOperation::Replaced,
        },
    })
}
