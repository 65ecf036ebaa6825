//! The rows of a database file.

use std::path::Path;
use std::sync::Arc;

use ifmatch_core::Operation;
use ifmatch_meta::{DocId, DocKey, Error, ImportEntry, Json, LineError, MAX_ID_BYTES, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::decode::Rules;
use super::report::{SkipReason, SkippedRow};
use super::verify;
use crate::sqlite::{Failure, file};

/// Most rows in one page, ...
const PAGE_ROWS: i64 = 1_000;
/// ... and bytes of data after which it ends.
const PAGE_BYTES: i64 = 4 << 20;

/// `MessagePack` as autocrud writes it takes more bytes than its JSON at most so
/// many times: a float of nine bytes is `0.0` at the least.
const DATA_FACTOR: usize = 3;

/// A row, decoded.
#[derive(Debug)]
pub(super) enum Entry {
    Document(ImportEntry),
    Skipped(SkippedRow),
}

/// A row that is skipped is no failure.
type Decoded = Result<(DocKey, Json), SkipReason>;

/// A verified database of autocrud.
pub(super) struct File {
    connection: Connection,
    subject: Arc<str>,
    rules: Rules,
    has_indexed: bool,
    /// The smallest `rowid` that was not read; `None` at the end.
    next: Option<i64>,
}

impl File {
    pub(super) fn open(path: &Path, most: u64, rules: Rules) -> Result<Self> {
        let path = std::path::absolute(path)
            .map_err(|error| file(error, Operation::Open, &path.display().to_string().into()))?;
        let subject: Arc<str> = path.display().to_string().into();
        let (connection, has_indexed) = verify::open(&path, &subject, most)?;
        Ok(Self { connection, subject, rules, has_indexed, next: Some(i64::MIN) })
    }

    /// The rows that follow; none: it was the last one.
    pub(super) fn page(&mut self) -> Result<Vec<Entry>> {
        let Some(first) = self.next else { return Ok(Vec::new()) };
        let (entries, next) =
            self.read(first).map_err(|failure| failure.named(Operation::Get, &self.subject))?;
        self.next = next;
        Ok(entries)
    }

    fn read(&self, first: i64) -> Result<(Vec<Entry>, Option<i64>), Failure> {
        let indexed = if self.has_indexed { "indexed_data" } else { "NULL" };
        // What is too large is not read into memory.
        let sql = format!(
            "SELECT rowid, iif(octet_length(resource_id) <= ?2, resource_id, NULL), \
                    octet_length(data), iif(octet_length(data) <= ?3, data, NULL), \
                    iif(octet_length({indexed}) <= ?3, {indexed}, NULL) \
             FROM main.resource_meta WHERE rowid >= ?1 ORDER BY rowid LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let largest = self.rules.largest.saturating_mul(DATA_FACTOR);
        let largest = i64::try_from(largest).unwrap_or(i64::MAX);
        let longest = i64::try_from(MAX_ID_BYTES).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![first, longest, largest, PAGE_ROWS])?;
        let (mut entries, mut bytes, mut last) = (Vec::new(), 0, None);
        while let Some(row) = rows.next()? {
            let (number, size) = (row.get(0)?, row.get::<_, Option<i64>>(2)?);
            entries.push(self.entry(number, size, row)?);
            last = Some(number);
            bytes += size.unwrap_or_default().min(largest);
            if bytes >= PAGE_BYTES {
                break;
            }
        }
        Ok((entries, last.and_then(|number: i64| number.checked_add(1))))
    }

    fn entry(&self, row: i64, size: Option<i64>, values: &Row<'_>) -> Result<Entry, Failure> {
        let id = match values.get_ref(1)? {
            ValueRef::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        };
        let decoded = self.decode(id, size, values)?;
        Ok(match decoded {
            Ok((key, body)) => {
                Entry::Document(ImportEntry { number: row.cast_unsigned(), key, body })
            }
            Err(reason) => Entry::Skipped(SkippedRow { row, id: id.map(Arc::from), reason }),
        })
    }

    fn decode(
        &self,
        id: Option<&str>,
        size: Option<i64>,
        values: &Row<'_>,
    ) -> Result<Decoded, Failure> {
        let Some(id) = id else {
            let what = format!("resource_id is no text of at most {MAX_ID_BYTES} bytes");
            return Ok(Err(SkipReason::Unnamed(Error::invalid(what))));
        };
        let data = match values.get_ref(3)? {
            ValueRef::Blob(data) | ValueRef::Text(data) => data,
            ValueRef::Null if size.is_some() => {
                let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
                let error = Error::too_large("a document", size, self.rules.largest);
                return Ok(Err(SkipReason::NotADocument(error)));
            }
            _ => return Ok(Err(SkipReason::Unreadable("data is no blob".into()))),
        };
        let indexed = match values.get_ref(4)? {
            ValueRef::Blob(data) | ValueRef::Text(data) => data,
            _ => &[],
        };
        Ok(self.rules.decode(id, data, indexed))
    }

    /// The rows that the store refused, with their ids.
    pub(super) fn named(&self, errors: Vec<LineError>) -> Vec<SkippedRow> {
        let id = |row: i64| {
            let sql = "SELECT resource_id FROM main.resource_meta WHERE rowid = ?1";
            let id = self.connection.prepare_cached(sql).and_then(|mut statement| {
                statement.query_row([row], |row| row.get::<_, String>(0)).optional()
            });
            // It was one when it was read; the report does without it.
            id.ok().flatten().filter(|id| DocId::new(id).is_ok()).map(Arc::from)
        };
        let skipped = |LineError { line, error }| {
            let row = line.cast_signed();
            SkippedRow { row, id: id(row), reason: SkipReason::Refused(error) }
        };
        errors.into_iter().map(skipped).collect()
    }
}
