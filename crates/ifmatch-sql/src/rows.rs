//! Documents as rows: what the store's operations do on a connection.

use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{
    Changed, Direction, DocId, DocKey, Document, ETag, Json, Page, Partition, RESERVED_END,
    RESERVED_START, Result, ScanOptions, ScanToken, Scope,
};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::error::Failure;

/// The columns of a document, in the order in which `state` reads them.
macro_rules! columns {
    () => {
        "etag, created_at, updated_at, updated_by, body"
    };
}

/// Keeps documents of ours out.
const NO_RESERVED_ID: &str = "NOT (id >= 'ifmatch.' AND id < 'ifmatch/')";
const NO_RESERVED_PARTITION: &str = "NOT (partition >= 'ifmatch.' AND partition < 'ifmatch/')";
const _: () = assert!(matches!(RESERVED_START.as_bytes(), b"ifmatch."));
const _: () = assert!(matches!(RESERVED_END.as_bytes(), b"ifmatch/"));

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

/// What a document becomes.
pub(crate) struct State<'a> {
    pub(crate) etag: ETag,
    pub(crate) position: u64,
    pub(crate) now: Timestamp,
    pub(crate) author: Option<&'a str>,
    pub(crate) body: &'a Json,
}

pub(crate) fn insert(
    connection: &Connection,
    key: &DocKey,
    state: &State<'_>,
) -> Result<(), Failure> {
    let sql = "INSERT INTO documents
        (partition, id, etag, position, created_at, updated_at, updated_by, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        key.partition.as_str(),
        key.id.as_str(),
        state.etag.bare(),
        integer(state.position),
        state.now.as_micros(),
        state.author,
        state.body.as_str(),
    ])?;
    Ok(())
}

pub(crate) fn update(
    connection: &Connection,
    rowid: i64,
    state: &State<'_>,
) -> Result<(), Failure> {
    let sql = "UPDATE documents
        SET etag = ?2, position = ?3, updated_at = ?4, updated_by = ?5, body = ?6
        WHERE rowid = ?1";
    connection.prepare_cached(sql)?.execute(params![
        rowid,
        state.etag.bare(),
        integer(state.position),
        state.now.as_micros(),
        state.author,
        state.body.as_str(),
    ])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, rowid: i64) -> Result<(), Failure> {
    connection.prepare_cached("DELETE FROM documents WHERE rowid = ?1")?.execute([rowid])?;
    Ok(())
}

/// What is counted in a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// The position of the newest commit.
    pub(crate) commits: u64,
    /// The ETags ever minted.
    pub(crate) etags: u64,
}

impl Counters {
    pub(crate) fn read(connection: &Connection) -> Result<Self, Failure> {
        let sql = "SELECT commits, etags FROM _ifmatch_store WHERE only_row = 1";
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (commits, etags) = connection.prepare_cached(sql)?.query_row([], read)?;
        Ok(Self { commits: commits.cast_unsigned(), etags: etags.cast_unsigned() })
    }

    pub(crate) fn write(self, connection: &Connection) -> Result<(), Failure> {
        let sql = "UPDATE _ifmatch_store SET commits = ?1, etags = ?2 WHERE only_row = 1";
        let values = [integer(self.commits), integer(self.etags)];
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

/// A count as SQLite keeps it.
const fn integer(count: u64) -> i64 {
    count.cast_signed()
}

/// One page, in one statement: the state at one moment.
pub(crate) fn scan(
    connection: &Connection,
    partition: &Partition,
    options: &ScanOptions,
) -> Result<Page, Failure> {
    let (lower, upper) = options.remaining()?;
    let sql = scan_sql(lower, upper, options);
    let mut statement = connection.prepare_cached(&sql)?;
    let id = |bound| match bound {
        Bound::Included(id) | Bound::Excluded(id) => id,
        Bound::Unbounded => "",
    };
    let limit = options.limit.max(1);
    let mut rows = statement.query(named_params! {
        ":partition": partition.as_str(),
        ":lower": id(lower),
        ":upper": id(upper),
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
    })?;
    let mut documents: Vec<Document> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if let Some(last) = documents.last()
            && (documents.len() == limit || bytes >= ScanOptions::PAGE_BYTES)
        {
            let next = Some(ScanToken::new(options.direction, last.key.id.clone()));
            return Ok(Page { documents, next });
        }
        let id = DocId::internal(row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?)?;
        let document = document(DocKey { partition: partition.clone(), id }, row)?;
        bytes += document.body.len();
        documents.push(document);
    }
    Ok(Page { documents, next: None })
}

/// The statement of a page. Bounds only choose between fixed pieces: values are
/// always bound.
fn scan_sql(lower: Bound<&str>, upper: Bound<&str>, options: &ScanOptions) -> String {
    let mut sql = String::from(concat!(
        "SELECT ",
        columns!(),
        ", id FROM documents WHERE partition = :partition"
    ));
    sql.push_str(match lower {
        Bound::Included(_) => " AND id >= :lower",
        Bound::Excluded(_) => " AND id > :lower",
        Bound::Unbounded => " AND :lower = ''",
    });
    sql.push_str(match upper {
        Bound::Included(_) => " AND id <= :upper",
        Bound::Excluded(_) => " AND id < :upper",
        Bound::Unbounded => " AND :upper = ''",
    });
    if !options.with_reserved {
        let _ = write!(sql, " AND {NO_RESERVED_ID}");
    }
    sql.push_str(match options.direction {
        Direction::Ascending => " ORDER BY id ASC LIMIT :limit",
        Direction::Descending => " ORDER BY id DESC LIMIT :limit",
    });
    sql
}

pub(crate) fn partitions(
    connection: &Connection,
    after: Option<&Partition>,
    limit: usize,
) -> Result<Vec<Partition>, Failure> {
    let sql = format!(
        "SELECT partition FROM documents WHERE partition > ?1
         AND {NO_RESERVED_PARTITION} AND {NO_RESERVED_ID} ORDER BY partition, id LIMIT 1"
    );
    // One snapshot for all steps from partition to partition.
    let snapshot = connection.unchecked_transaction()?;
    let mut found: Vec<Partition> = Vec::new();
    let mut statement = snapshot.prepare_cached(&sql)?;
    while found.len() < limit.max(1) {
        let last = found.last().or(after).map_or("", Partition::as_str);
        let next = statement.query_row([last], |row| row.get::<_, String>(0)).optional()?;
        let Some(next) = next else { break };
        found.push(Partition::internal(next)?);
    }
    Ok(found)
}

pub(crate) fn count(connection: &Connection, scope: &Scope) -> Result<u64, Failure> {
    let sql = match scope {
        Scope::Partition(_) => {
            format!("SELECT count(*) FROM documents WHERE partition = ?1 AND {NO_RESERVED_ID}")
        }
        _ => format!(
            "SELECT count(*) FROM documents WHERE ?1 = '' AND {NO_RESERVED_PARTITION}
             AND {NO_RESERVED_ID}"
        ),
    };
    let partition = match scope {
        Scope::Partition(partition) => partition.as_str(),
        _ => "",
    };
    let count = connection.prepare_cached(&sql)?.query_row([partition], |row| row.get::<_, i64>(0));
    Ok(count?.cast_unsigned())
}
