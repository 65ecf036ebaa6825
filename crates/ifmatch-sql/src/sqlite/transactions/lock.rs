//! Who holds which partition.

use std::time::Duration;

use ifmatch_core::Timestamp;
use ifmatch_meta::{Error, Partition, Result, TxAddress, TxId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::outcome;
use crate::sqlite::error::Failure;
use crate::sqlite::rows::integer;

/// An open transaction.
pub(super) struct Lock {
    pub(super) address: TxAddress,
    began_at: Timestamp,
    pub(super) lifetime: Duration,
}

/// The columns that `Lock::of` reads.
macro_rules! locks {
    ($column:literal) => {
        concat!(
            "SELECT partition, id, incarnation, began_at, lifetime FROM _ifmatch_locks WHERE ",
            $column,
            " = ?1"
        )
    };
}

impl Lock {
    /// The transaction that holds a partition.
    pub(super) fn on(
        connection: &Connection,
        partition: &Partition,
    ) -> Result<Option<Self>, Failure> {
        Self::find(connection, locks!("partition"), partition.as_str())
    }

    /// The open transaction of this name.
    pub(super) fn named(connection: &Connection, id: &TxId) -> Result<Option<Self>, Failure> {
        Self::find(connection, locks!("id"), id.as_str())
    }

    fn find(connection: &Connection, sql: &str, key: &str) -> Result<Option<Self>, Failure> {
        let mut statement = connection.prepare_cached(sql)?;
        let row = statement.query_row([key], |row| Ok(Self::of(row))).optional()?;
        row.transpose()
    }

    fn of(row: &Row<'_>) -> Result<Self, Failure> {
        let lifetime = u64::try_from(row.get::<_, i64>(4)?).unwrap_or_default();
        Ok(Self {
            address: TxAddress {
                partition: Partition::internal(row.get::<_, String>(0)?)?,
                id: TxId::new(row.get::<_, String>(1)?)?,
                incarnation: row.get::<_, i64>(2)?.cast_unsigned(),
            },
            began_at: Timestamp::from_micros(row.get(3)?),
            lifetime: Duration::from_micros(lifetime),
        })
    }

    /// Writes a new one.
    pub(super) fn take(
        connection: &Connection,
        address: TxAddress,
        began_at: Timestamp,
        lifetime: Duration,
    ) -> Result<Self, Failure> {
        let sql = "INSERT INTO _ifmatch_locks (partition, id, incarnation, began_at, lifetime)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        connection.prepare_cached(sql)?.execute(params![
            address.partition.as_str(),
            address.id.as_str(),
            integer(address.incarnation),
            began_at.as_micros(),
            i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX),
        ])?;
        Ok(Self { address, began_at, lifetime })
    }

    /// How much of its life is left; `None`: it is over.
    ///
    /// A clock that was set back lengthens a life, at most to twice its length:
    /// one that lies further ahead belongs to nobody alive.
    pub(super) fn remaining(&self, now: Timestamp) -> Option<Duration> {
        if now < self.began_at {
            return (self.began_at.since(now) <= self.lifetime).then_some(self.lifetime);
        }
        self.lifetime.checked_sub(now.since(self.began_at)).filter(|left| !left.is_zero())
    }

    /// The error of whoever else wants to write.
    pub(super) fn refusal(&self, remaining: Duration) -> Error {
        Error::PartitionLocked {
            partition: self.address.partition.clone(),
            holder: self.address.id.clone(),
            remaining: Some(remaining),
        }
    }
}

/// Refuses a write to a partition that a transaction holds; ends one whose life
/// is over. Inside the transaction of the write.
pub(crate) fn refuse_locked(
    connection: &Connection,
    partition: &Partition,
    now: impl FnOnce() -> Timestamp,
) -> Result<(), Failure> {
    let Some(lock) = Lock::on(connection, partition)? else { return Ok(()) };
    let now = now();
    match lock.remaining(now) {
        Some(remaining) => Err(lock.refusal(remaining).into()),
        None => outcome::end(connection, &lock.address, None, now),
    }
}
