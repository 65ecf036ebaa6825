//! Reads over many documents.

use std::fmt::Write as _;
use std::ops::Bound;

use ifmatch_meta::{
    Direction, DocId, DocKey, Document, Page, Partition, RESERVED_END, RESERVED_START, Result,
    ScanOptions, ScanToken, Scope,
};
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::{Counters, columns, document, text};
use crate::sqlite::error::Failure;

/// Keeps documents of ours out.
pub(crate) const NO_RESERVED_ID: &str = "NOT (id >= 'ifmatch.' AND id < 'ifmatch/')";
pub(crate) const NO_RESERVED_PARTITION: &str =
    "NOT (partition >= 'ifmatch.' AND partition < 'ifmatch/')";
const _: () = assert!(matches!(RESERVED_START.as_bytes(), b"ifmatch."));
const _: () = assert!(matches!(RESERVED_END.as_bytes(), b"ifmatch/"));

/// One page: the state at one moment.
pub(crate) fn scan(
    connection: &Connection,
    partition: &Partition,
    options: &ScanOptions,
) -> Result<Page, Failure> {
    let (lower, upper) = options.remaining()?;
    let snapshot = connection.unchecked_transaction()?;
    let mark = Counters::read(&snapshot)?.mark();
    let sql = scan_sql(lower, upper, options);
    let mut statement = snapshot.prepare_cached(&sql)?;
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
            return Ok(Page { documents, next, mark });
        }
        let id = DocId::internal(text(row, 5)?)?;
        let document = document(DocKey { partition: partition.clone(), id }, row)?;
        bytes += document.body.len();
        documents.push(match &options.fields {
            Some(fields) => fields.document(document)?,
            None => document,
        });
    }
    Ok(Page { documents, next: None, mark })
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
            "SELECT count(*) FROM documents WHERE ?1 IS NULL AND {NO_RESERVED_PARTITION}
             AND {NO_RESERVED_ID}"
        ),
    };
    let partition = partition_of(scope).map(Partition::as_str);
    let count = connection.prepare_cached(&sql)?.query_row([partition], |row| row.get::<_, i64>(0));
    Ok(count?.cast_unsigned())
}

/// The partition of a scope that has one.
pub(crate) fn partition_of(scope: &Scope) -> Option<&Partition> {
    match scope {
        Scope::Partition(partition) => Some(partition),
        _ => None,
    }
}
