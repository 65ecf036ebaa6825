//! How transactions end, and what is remembered of it.

use ifmatch_core::Timestamp;
use ifmatch_meta::{Error, Nonce, Result, TxAddress, TxId, TxOutcome};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::sqlite::error::Failure;
use crate::sqlite::rows::{KEPT_COMMITS, KEPT_MICROS, integer};

/// Ends an open transaction: committed at a position by a nonce, or aborted.
pub(super) fn end(
    connection: &Connection,
    address: &TxAddress,
    committed: Option<(u64, Nonce)>,
    now: Timestamp,
) -> Result<(), Failure> {
    let (id, incarnation) = (address.id.as_str(), integer(address.incarnation));
    let sql = "DELETE FROM _ifmatch_locks WHERE partition = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.execute([address.partition.as_str(), id])?;
    let sql = "DELETE FROM _ifmatch_staged WHERE id = ?1 AND incarnation = ?2";
    connection.prepare_cached(sql)?.execute(params![id, incarnation])?;
    let sql =
        "INSERT INTO _ifmatch_outcomes (id, incarnation, partition, position, nonce, ended_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        id,
        incarnation,
        address.partition.as_str(),
        committed.map(|(position, _)| integer(position)),
        committed.map(|(_, nonce)| nonce.to_string()),
        now.as_micros(),
    ])?;
    forget(connection, address, now)
}

/// Forgets what is old enough by both measures, from the oldest on: a few at each
/// end, but more than come in.
fn forget(connection: &Connection, address: &TxAddress, now: Timestamp) -> Result<(), Failure> {
    let partition = address.partition.as_str();
    let old = now.as_micros().saturating_sub(KEPT_MICROS);
    let sql = "SELECT ended_at FROM _ifmatch_outcomes WHERE partition = ?1
               ORDER BY incarnation LIMIT 1";
    let mut oldest = connection.prepare_cached(sql)?;
    if oldest.query_row([partition], |row| row.get::<_, i64>(0))? > old {
        return Ok(());
    }
    let sql = "DELETE FROM _ifmatch_outcomes
        WHERE (id, incarnation) IN (
            SELECT id, incarnation FROM _ifmatch_outcomes WHERE partition = ?1
            ORDER BY incarnation LIMIT 100)
        AND ended_at <= ?2
        AND incarnation <= (
            SELECT incarnation FROM _ifmatch_outcomes WHERE partition = ?1
            ORDER BY incarnation DESC LIMIT 1 OFFSET ?3)";
    connection.prepare_cached(sql)?.execute(params![partition, old, integer(KEPT_COMMITS)])?;
    Ok(())
}

/// What is remembered of a transaction that ended: of this incarnation, or of the
/// newest.
pub(super) fn remembered(
    connection: &Connection,
    id: &TxId,
    incarnation: Option<u64>,
) -> Result<TxOutcome, Failure> {
    let sql = "SELECT position, nonce FROM _ifmatch_outcomes
               WHERE id = ?1 AND (incarnation = ?2 OR ?2 IS NULL)
               ORDER BY incarnation DESC LIMIT 1";
    let read =
        |row: &Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<String>>(1)?));
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![id.as_str(), incarnation.map(integer)], read);
    Ok(match found.optional()? {
        None => TxOutcome::Forgotten,
        Some((Some(position), Some(nonce))) => {
            let nonce = nonce.parse().map_err(|error: Error| {
                Error::corrupt("the table _ifmatch_outcomes", error.to_string())
            })?;
            TxOutcome::Committed { position: position.cast_unsigned(), nonce }
        }
        Some(_) => TxOutcome::Aborted,
    })
}
