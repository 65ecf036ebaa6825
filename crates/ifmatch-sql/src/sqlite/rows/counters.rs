//! The one row that counts.

use ifmatch_meta::{Error, Mark, Result};
use rusqlite::{Connection, Row, params};

use crate::sqlite::error::Failure;

/// What is counted in a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Which store.
    pub(crate) store: u128,
    /// The position of the newest commit.
    pub(crate) commits: u64,
    /// The ETags ever minted.
    pub(crate) etags: u64,
    /// Deletions up to this position are forgotten.
    pub(crate) forgotten: u64,
    /// Records of changes up to this position are forgotten.
    pub(crate) audit_forgotten: u64,
}

impl Counters {
    pub(crate) fn read(connection: &Connection) -> Result<Self, Failure> {
        let sql = "SELECT store_id, commits, etags, forgotten, audit_forgotten
                   FROM _ifmatch_store WHERE only_row = 1";
        let read = |row: &Row<'_>| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Self {
                store: u128::from_be_bytes(row.get(0)?),
                commits: count(1)?,
                etags: count(2)?,
                forgotten: count(3)?,
                audit_forgotten: count(4)?,
            })
        };
        Ok(connection.prepare_cached(sql)?.query_row([], read)?)
    }

    pub(crate) fn write(self, connection: &Connection) -> Result<(), Failure> {
        let sql = "UPDATE _ifmatch_store
                   SET commits = ?1, etags = ?2, forgotten = ?3, audit_forgotten = ?4
                   WHERE only_row = 1";
        connection.prepare_cached(sql)?.execute(params![
            integer(self.commits),
            integer(self.etags),
            integer(self.forgotten),
            integer(self.audit_forgotten),
        ])?;
        Ok(())
    }

    /// The state of any partition at this moment: what changed there since has a
    /// later position.
    pub(crate) fn mark(&self) -> Mark {
        Mark::new(format!("s1.{:032x}.{:x}", self.store, self.commits))
    }

    /// The position that a mark names.
    ///
    /// # Errors
    /// `Invalid` for a mark of another store.
    pub(crate) fn marked(&self, mark: &Mark) -> Result<u64> {
        let parse = || {
            let (store, commits) = mark.as_str().strip_prefix("s1.")?.split_once('.')?;
            let store = u128::from_str_radix(store, 16).ok()?;
            Some(u64::from_str_radix(commits, 16).ok()?).filter(|_| store == self.store)
        };
        parse().ok_or_else(|| Error::invalid(format!("{mark} is no mark of this store")))
    }
}

/// A count as SQLite keeps it.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
