//! The change feed.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{
    Change, ChangePage, ChangeToken, DocKey, Error, FeedPosition, Partition, Result, ScanOptions,
    Scope, Tombstone,
};
use rusqlite::{Connection, Row, named_params};

use super::scan::{NO_RESERVED_ID, partition_of};
use super::{Counters, columns, document, etag, integer, text};
use crate::sqlite::error::Failure;

/// A page of the feed, of one moment.
pub(crate) fn changes(
    connection: &Connection,
    scope: &Scope,
    since: Option<&ChangeToken>,
    limit: usize,
) -> Result<ChangePage, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let counters = Counters::read(&snapshot)?;
    let from = match since {
        Some(token) => told(&counters, scope, token)?,
        None => None,
    };
    let began = from.map_or(counters.commits, |from| from.fork);
    let limit = limit.max(1);
    let sql = feed_sql(scope);
    let mut statement = snapshot.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {
        ":position": from.map_or(-1, |from| integer(from.seq)),
        ":ordinal": from.map_or(-1, |from| i64::from(from.ordinal)),
        ":partition": partition_of(scope).map(Partition::as_str),
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
    })?;
    let (mut changes, mut bytes, mut last) = (Vec::new(), 0, None);
    let mut more = false;
    while let Some(row) = rows.next()? {
        if changes.len() == limit || bytes >= ScanOptions::PAGE_BYTES {
            more = true;
            break;
        }
        let change = change(row)?;
        bytes += change.document().map_or(0, |document| document.body.len());
        last =
            Some(FeedPosition { fork: 0, seq: change.position(), ordinal: row.get(POSITION + 1)? });
        changes.push(change);
    }
    // A file can be put back to an older state: nobody is told less than before.
    let newest = FeedPosition { fork: 0, seq: counters.commits, ordinal: u32::MAX };
    let ended = Some(newest).max(from.map(|from| FeedPosition { fork: 0, ..from }));
    let mut at = if more { last } else { ended }.unwrap_or(newest);
    // Whoever began at the beginning has heard of nothing that was deleted
    // before; so what is forgotten of that time is not missed.
    at.fork = if at.seq < began { began } else { 0 };
    let mut next = ChangeToken::start(counters.store);
    next.set(partition_of(scope), at);
    Ok(ChangePage { changes, next, more })
}

/// Now, as a token.
pub(crate) fn change_token(connection: &Connection, scope: &Scope) -> Result<ChangeToken, Failure> {
    let counters = Counters::read(connection)?;
    let mut token = ChangeToken::start(counters.store);
    let at = FeedPosition { fork: 0, seq: counters.commits, ordinal: u32::MAX };
    token.set(partition_of(scope), at);
    Ok(token)
}

/// How far a token goes; `None`: it is of the beginning.
fn told(
    counters: &Counters,
    scope: &Scope,
    token: &ChangeToken,
) -> Result<Option<FeedPosition>, Failure> {
    token.check(counters.store, scope)?;
    let partition = partition_of(scope);
    if token.partitions().any(|(named, _)| named != partition) {
        return Err(Error::invalid("a token of another scope's changes").into());
    }
    let Some(at) = token.position(partition) else { return Ok(None) };
    let forgotten = counters.forgotten;
    if (at.seq, at.ordinal) < (forgotten, u32::MAX) && at.fork < forgotten {
        let what = format!("deletions up to position {forgotten} are forgotten");
        return Err(Error::TokenExpired { what: what.into() }.into());
    }
    Ok(Some(at))
}

/// Names the parameter, which has no value then.
const EVERYWHERE: &str = "(:partition IS NULL AND NOT
    (partition >= 'ifmatch.' AND partition < 'ifmatch/'))";

/// The columns after those of `document`.
const PARTITION: usize = 5;
const ID: usize = 6;
const POSITION: usize = 7;

fn feed_sql(scope: &Scope) -> String {
    let scope = match scope {
        Scope::Partition(_) => "partition = :partition",
        _ => EVERYWHERE,
    };
    let place =
        format!("(position, ordinal) > (:position, :ordinal) AND {scope} AND {NO_RESERVED_ID}");
    format!(
        "SELECT {columns}, partition, id, position, ordinal FROM documents WHERE {place}
         UNION ALL
         SELECT etag, 0, deleted_at, deleted_by, NULL, partition, id, position, ordinal
         FROM _ifmatch_tombstones WHERE {place}
         ORDER BY position, ordinal LIMIT :limit",
        columns = columns!(),
    )
}

fn change(row: &Row<'_>) -> Result<Change, Failure> {
    let key = DocKey::internal(text(row, PARTITION)?, text(row, ID)?)?;
    let position = row.get::<_, i64>(POSITION)?.cast_unsigned();
    if row.get_ref(4)? != rusqlite::types::ValueRef::Null {
        return Ok(Change::Written { document: document(key, row)?, position });
    }
    let tombstone = Tombstone {
        key,
        deleted_etag: etag(row)?,
        deleted_at: Timestamp::from_micros(row.get(2)?),
        deleted_by: row.get::<_, Option<String>>(3)?.map(Arc::from),
    };
    Ok(Change::Deleted { tombstone, position })
}
