//! What one would write by hand over rusqlite: the same pragmas, the same
//! columns, an ETag compared in the statement that writes.

use std::path::Path;

use anyhow::{Result, ensure};
use ifmatch_core::Env;
use ifmatch_meta::{DocKey, ETag};
use ifmatch_sql::rusqlite::{Connection, params};

use crate::corpus::Sample;

const SCHEMA: &str = "
CREATE TABLE documents (
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    body TEXT NOT NULL,
    UNIQUE (partition, id)
) STRICT;
";

const PUT: &str = "
INSERT INTO documents (partition, id, etag, created_at, updated_at, body)
VALUES (?1, ?2, ?3, ?4, ?4, ?5)
ON CONFLICT (partition, id)
DO UPDATE SET etag = excluded.etag, updated_at = excluded.updated_at, body = excluded.body";

const PUT_IF: &str = "
UPDATE documents SET etag = ?1, updated_at = ?2, body = ?3
WHERE partition = ?4 AND id = ?5 AND etag = ?6";

const GET: &str = "
SELECT etag, created_at, updated_at, updated_by, body FROM documents
WHERE partition = ?1 AND id = ?2";

const SCAN: &str = "
SELECT id, etag, created_at, updated_at, updated_by, body FROM documents
WHERE partition = ?1 ORDER BY id";

/// A table of documents.
pub(crate) struct Raw {
    pub(crate) connection: Connection,
    env: Env,
}

impl Raw {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -8 * 1024)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, env: Env::real() })
    }

    /// All in one transaction.
    pub(crate) fn put_all(&mut self, samples: &[Sample]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction.prepare_cached(PUT)?;
            for Sample { key, body } in samples {
                let etag = ETag::mint(1, &self.env).bare();
                let now = self.env.wall_clock().as_micros();
                let (partition, id) = (key.partition.as_str(), key.id.as_str());
                put.execute(params![partition, id, etag, now, body.as_str()])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Writes it if it is still in that state.
    pub(crate) fn put_if(&mut self, sample: &Sample, expected: &mut String) -> Result<()> {
        let etag = ETag::mint(1, &self.env).bare();
        let now = self.env.wall_clock().as_micros();
        let (partition, id) = (sample.key.partition.as_str(), sample.key.id.as_str());
        let mut put = self.connection.prepare_cached(PUT_IF)?;
        let changed =
            put.execute(params![etag, now, sample.body.as_str(), partition, id, &*expected])?;
        ensure!(changed == 1, "somebody else wrote {}", sample.key);
        *expected = etag;
        Ok(())
    }

    /// Its tag.
    pub(crate) fn etag(&self, key: &DocKey) -> Result<String> {
        Ok(self.get(key)?.0)
    }

    /// Its tag and its body.
    pub(crate) fn get(&self, key: &DocKey) -> Result<(String, String)> {
        let mut get = self.connection.prepare_cached(GET)?;
        Ok(get.query_row(params![key.partition.as_str(), key.id.as_str()], |row| {
            let (_, _): (i64, i64) = (row.get(1)?, row.get(2)?);
            let _: Option<String> = row.get(3)?;
            Ok((row.get(0)?, row.get(4)?))
        })?)
    }

    /// All of a partition; how many.
    pub(crate) fn scan(&self, partition: &str) -> Result<usize> {
        let mut scan = self.connection.prepare_cached(SCAN)?;
        let mut rows = scan.query([partition])?;
        let mut found: Vec<(String, String, i64, i64, Option<String>, String)> = Vec::new();
        let mut count = 0;
        while let Some(row) = rows.next()? {
            found.push((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
            ));
            count += 1;
            if found.len() == 1_000 {
                found.clear(); // As one who works page by page.
            }
        }
        Ok(count)
    }
}
