//! Documents as rows: what the store's operations do on a connection.

mod counters;
mod scan;

use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{Changed, DocKey, Document, ETag, Json, Result};
use rusqlite::{Connection, Row, params};

pub(crate) use counters::Counters;
use counters::integer;
pub(crate) use scan::{count, partitions, scan};

use crate::sqlite::error::Failure;

/// The columns of a document, in the order in which `state` reads them.
macro_rules! columns {
    () => {
        "etag, created_at, updated_at, updated_by, body"
    };
}
use columns;

/// Reads a document and where its row is.
pub(crate) fn find(
    connection: &Connection,
    key: &DocKey,
) -> Result<Option<(i64, Document)>, Failure> {
    let sql =
        concat!("SELECT ", columns!(), ", rowid FROM documents WHERE partition = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key.partition.as_str(), key.id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(5)?, document(key.clone(), row)?)))
}

pub(crate) fn get(connection: &Connection, key: &DocKey) -> Result<Option<Document>, Failure> {
    Ok(find(connection, key)?.map(|(_, document)| document))
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

fn etag(row: &Row<'_>) -> Result<ETag, Failure> {
    let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    text.parse().map_err(|_| {
        ifmatch_meta::Error::corrupt("the table documents", format!("{text:?} is no etag")).into()
    })
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

pub(crate) fn insert(
    connection: &Connection,
    document: &Document,
    position: u64,
) -> Result<(), Failure> {
    let sql = "INSERT INTO documents
        (partition, id, etag, position, created_at, updated_at, updated_by, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        document.key.partition.as_str(),
        document.key.id.as_str(),
        document.etag.bare(),
        integer(position),
        document.created_at.as_micros(),
        document.updated_at.as_micros(),
        document.updated_by,
        document.body.as_str(),
    ])?;
    Ok(())
}

pub(crate) fn update(
    connection: &Connection,
    rowid: i64,
    document: &Document,
    position: u64,
) -> Result<(), Failure> {
    let sql = "UPDATE documents SET etag = ?2, position = ?3, created_at = ?4, updated_at = ?5,
        updated_by = ?6, body = ?7 WHERE rowid = ?1";
    connection.prepare_cached(sql)?.execute(params![
        rowid,
        document.etag.bare(),
        integer(position),
        document.created_at.as_micros(),
        document.updated_at.as_micros(),
        document.updated_by,
        document.body.as_str(),
    ])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, rowid: i64) -> Result<(), Failure> {
    connection.prepare_cached("DELETE FROM documents WHERE rowid = ?1")?.execute([rowid])?;
    Ok(())
}
