//! Documents as rows: what the store's operations do on a connection.

mod audit;
mod changes;
mod commit;
mod counters;
mod present;
mod scan;
mod tombstones;

use std::collections::HashMap;
use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{Changed, DocId, DocKey, Document, ETag, Json, Result};
use rusqlite::{Connection, Row, Statement};

pub(crate) use audit::read as audit;
pub(crate) use changes::{change_token, changes};
pub(crate) use commit::{Signature, advance, commit, prepared, still_there};
pub(crate) use counters::{Counters, integer};
pub(crate) use present::{Committed, has_changed};
pub(crate) use scan::{
    NO_RESERVED_ID, NO_RESERVED_PARTITION, count, partition_of, partitions, scan,
};
pub(crate) use tombstones::{KEPT_COMMITS, KEPT_MICROS};

use crate::sqlite::error::Failure;

/// The columns of a document, in the order in which `state` reads them.
macro_rules! columns {
    () => {
        "etag, created_at, updated_at, updated_by, body"
    };
}
use columns;

/// Where the rows of documents of one partition are; for looking up only.
pub(crate) type Rowids = HashMap<DocId, i64>;

/// The statement of [`find`].
pub(crate) const FIND: &str =
    concat!("SELECT ", columns!(), ", rowid FROM documents WHERE partition = ?1 AND id = ?2");

/// Reads a document and where its row is.
pub(crate) fn find(
    statement: &mut Statement<'_>,
    key: &DocKey,
) -> Result<Option<(i64, Document)>, Failure> {
    let mut rows = statement.query([key.partition.as_str(), key.id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(5)?, document(key.clone(), row)?)))
}

pub(crate) fn get(connection: &Connection, key: &DocKey) -> Result<Option<Document>, Failure> {
    let mut statement = connection.prepare_cached(FIND)?;
    Ok(find(&mut statement, key)?.map(|(_, document)| document))
}

/// Reads a document unless it is in the state of `seen`; then not its body.
pub(crate) fn get_if_changed(
    connection: &Connection,
    key: &DocKey,
    seen: &ETag,
) -> Result<Changed, Failure> {
    let sql = concat!("SELECT ", columns!(), " FROM documents WHERE partition = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key.partition.as_str(), key.id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(Changed::Absent) };
    if etag(row)? == *seen {
        return Ok(Changed::Unchanged);
    }
    Ok(Changed::Document(document(key.clone(), row)?))
}

/// Where the row of a document is, and its tag.
pub(crate) fn locate(
    connection: &Connection,
    key: &DocKey,
) -> Result<Option<(i64, ETag)>, Failure> {
    let sql = "SELECT etag, rowid FROM documents WHERE partition = ?1 AND id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key.partition.as_str(), key.id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(1)?, etag(row)?)))
}

fn etag(row: &Row<'_>) -> Result<ETag, Failure> {
    etag_of(text(row, 0)?)
}

fn etag_of(text: &str) -> Result<ETag, Failure> {
    text.parse().map_err(|_| {
        ifmatch_meta::Error::corrupt("the table documents", format!("{text:?} is no etag")).into()
    })
}

/// A statement that reads documents for [`candidate`]: here further columns may
/// follow, ...
pub(crate) const CANDIDATES: &str = concat!("SELECT ", columns!(), ", partition, id");
/// ... the first of this number, ...
pub(crate) const AFTER_CANDIDATE: usize = 7;
/// ... then this.
pub(crate) const FROM: &str = " FROM documents";

/// A document of any partition.
pub(crate) fn candidate(row: &Row<'_>) -> Result<Document, Failure> {
    document(DocKey::internal(text(row, 5)?, text(row, 6)?)?, row)
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Failure> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn document(key: DocKey, row: &Row<'_>) -> Result<Document, Failure> {
    Ok(Document {
        key,
        etag: etag(row)?,
        created_at: Timestamp::from_micros(row.get(1)?),
        updated_at: Timestamp::from_micros(row.get(2)?),
        updated_by: row.get::<_, Option<String>>(3)?.map(Arc::from),
        body: Json::stored(row.get::<_, String>(4)?),
    })
}
