//! The one row that counts.

use ifmatch_meta::Result;
use rusqlite::{Connection, Row};

use crate::sqlite::error::Failure;

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
pub(super) const fn integer(count: u64) -> i64 {
    count.cast_signed()
}
