//! Reads of documents: each is one statement, the state at one moment.

use std::ops::Bound;

use ifmatch_meta::{
    Changed, Direction, DocKey, Document, ETag, Page, Partition, Result, ScanOptions, ScanToken,
};

use super::super::client::Client;
use super::super::mark;
use super::super::rows::Reader;

/// Keeps documents of ours out.
const NO_RESERVED_ID: &str = "NOT (d.id >= 'ifmatch.' AND d.id < 'ifmatch/')";

pub(super) async fn get(client: &Client, key: &DocKey) -> Result<Option<Document>> {
    let sql = "SELECT etag, created_at, updated_at, updated_by, body
        FROM schema.documents WHERE partition = $1 AND id = $2";
    let statement =
        || client.schema.statement(sql).bind(key.partition.as_str()).bind(key.id.as_str());
    let rows = client.read(statement).await?;
    rows.first().map(|row| Reader::new(client, row).document(key.clone())).transpose()
}

/// Leaves the body where it is if it was seen.
pub(super) async fn get_if_changed(client: &Client, key: &DocKey, seen: &ETag) -> Result<Changed> {
    let sql = "SELECT etag, created_at, updated_at, updated_by,
            CASE WHEN etag <> $3 THEN body END AS body
        FROM schema.documents WHERE partition = $1 AND id = $2";
    let tag = seen.bare();
    let statement = || {
        let statement = client.schema.statement(sql).bind(key.partition.as_str());
        statement.bind(key.id.as_str()).bind(tag.as_str())
    };
    let rows = client.read(statement).await?;
    let Some(row) = rows.first() else { return Ok(Changed::Absent) };
    let reader = Reader::new(client, row);
    if reader.etag("etag")?.as_ref() == Some(seen) {
        return Ok(Changed::Unchanged);
    }
    Ok(Changed::Document(reader.document(key.clone())?))
}

/// One page, its end found by the server: bodies beyond it are not read.
pub(super) async fn scan(
    client: &Client,
    store: u128,
    partition: &Partition,
    options: &ScanOptions,
) -> Result<Page> {
    let (lower, upper) = options.remaining()?;
    let limit = options.limit.max(1);
    let statement = || {
        let mut statement = client
            .schema
            .statement(
                "SELECT pg_current_snapshot()::text AS mark, page.*
                FROM (SELECT) one LEFT JOIN (
                    SELECT id, etag, created_at, updated_at, updated_by,
                        CASE WHEN number <= ",
            )
            .value(i64::try_from(limit).unwrap_or(i64::MAX))
            .push(" AND before < ")
            .value(i64::try_from(ScanOptions::PAGE_BYTES).unwrap_or(i64::MAX))
            .push(
                " THEN body END AS body, number FROM (
                    SELECT *, row_number() OVER page AS number,
                        coalesce(sum(octet_length(body)) OVER (
                            page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
                    FROM (SELECT d.* FROM schema.documents d WHERE d.partition = ",
            )
            .value(partition.as_str());
        statement = match lower {
            Bound::Included(id) => statement.push(" AND d.id >= ").value(id),
            Bound::Excluded(id) => statement.push(" AND d.id > ").value(id),
            Bound::Unbounded => statement,
        };
        statement = match upper {
            Bound::Included(id) => statement.push(" AND d.id <= ").value(id),
            Bound::Excluded(id) => statement.push(" AND d.id < ").value(id),
            Bound::Unbounded => statement,
        };
        if !options.with_reserved {
            statement = statement.push(" AND ").push(NO_RESERVED_ID);
        }
        let (order, window) = match options.direction {
            Direction::Ascending => (" ORDER BY d.id LIMIT ", " WINDOW page AS (ORDER BY id)"),
            Direction::Descending => {
                (" ORDER BY d.id DESC LIMIT ", " WINDOW page AS (ORDER BY id DESC)")
            }
        };
        statement
            .push(order)
            .value(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
            .push(") d")
            .push(window)
            .push(") d) page ON true ORDER BY number")
    };
    let rows = client.read(statement).await?;
    let (mut documents, mut next) = (Vec::<Document>::new(), None);
    let mut state = None;
    for row in &rows {
        let reader = Reader::new(client, row);
        if state.is_none() {
            state = Some(mark::mark(store, reader.column("mark")?));
        }
        if reader.column::<Option<&str>>("id")?.is_none() {
            break; // An empty page.
        }
        let id = reader.id()?;
        if reader.column::<Option<&str>>("body")?.is_none() {
            let last = documents.last().map(|last| last.key.id.clone());
            next = last.map(|last| ScanToken::new(options.direction, last));
            break;
        }
        documents.push(reader.document(DocKey { partition: partition.clone(), id })?);
    }
    if let Some(fields) = &options.fields {
        documents = documents.into_iter().map(|d| fields.document(d)).collect::<Result<_>>()?;
    }
    let mark = state.ok_or_else(|| {
        ifmatch_meta::Error::corrupt(client.subject.clone(), "a page without its state")
    })?;
    Ok(Page { documents, next, mark })
}

/// Goes from partition to partition, whatever they hold.
pub(super) async fn partitions(
    client: &Client,
    after: Option<&Partition>,
    limit: usize,
) -> Result<Vec<Partition>> {
    let sql = "WITH RECURSIVE found AS (
            (SELECT d.partition FROM schema.documents d WHERE d.partition > $1
                AND NOT (d.partition >= 'ifmatch.' AND d.partition < 'ifmatch/')
                AND NOT (d.id >= 'ifmatch.' AND d.id < 'ifmatch/')
                ORDER BY d.partition, d.id LIMIT 1)
            UNION ALL
            SELECT (SELECT d.partition FROM schema.documents d WHERE d.partition > found.partition
                AND NOT (d.partition >= 'ifmatch.' AND d.partition < 'ifmatch/')
                AND NOT (d.id >= 'ifmatch.' AND d.id < 'ifmatch/')
                ORDER BY d.partition, d.id LIMIT 1)
            FROM found WHERE found.partition IS NOT NULL
        ) SELECT partition FROM found WHERE partition IS NOT NULL LIMIT $2";
    let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
    let after = after.map_or("", Partition::as_str);
    let rows = client.read(|| client.schema.statement(sql).bind(after).bind(limit)).await?;
    rows.iter().map(|row| Reader::new(client, row).partition()).collect()
}
