//! The same as work on a connection.

use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::Env;
use ifmatch_meta::{
    Cost, Error, Partition, Result, TxAddress, TxCommit, TxId, TxOutcome, TxRecord,
};
use rusqlite::{Connection, params};

use super::lock::Lock;
use super::outcome;
use crate::sqlite::error::Failure;
use crate::sqlite::rows::{self, Counters, Signature, integer};
use crate::sqlite::schema;

/// An answer that stands although it is an error: what was found out about a
/// transaction is committed with it.
pub(super) type Verdict<T> = Result<Result<T, Error>, Failure>;

pub(super) fn begin(
    connection: &Connection,
    partition: &Partition,
    id: &TxId,
    lifetime: Duration,
    env: &Env,
) -> Result<TxRecord, Failure> {
    if schema::is_synced(connection)? {
        let what = "local transactions on a working copy that is synced: others write it too";
        return Err(Error::unsupported(what).into());
    }
    let now = env.wall_clock();
    for lock in [Lock::named(connection, id)?, Lock::on(connection, partition)?] {
        let Some(lock) = lock else { continue };
        match lock.remaining(now) {
            Some(remaining) if lock.address.id != *id => {
                return Err(lock.refusal(remaining).into());
            }
            Some(_) if lock.address.partition != *partition => {
                let place = &lock.address.partition;
                return Err(Error::invalid(format!("transaction {id} is open in {place}")).into());
            }
            Some(remaining) => return record(connection, lock, remaining),
            // Both looks may find the same one.
            None if is_open(connection, &lock.address)? => {
                outcome::end(connection, &lock.address, None, now)?;
            }
            None => {}
        }
    }
    let mut counters = Counters::read(connection)?;
    rows::advance(connection, &mut counters, now)?;
    let (id, partition, incarnation) = (id.clone(), partition.clone(), counters.commits);
    let address = TxAddress { id, partition, incarnation };
    let lock = Lock::take(connection, address, now, lifetime)?;
    record(connection, lock, lifetime)
}

fn record(connection: &Connection, lock: Lock, remaining: Duration) -> Result<TxRecord, Failure> {
    let staged = pieces(connection, &lock.address)?;
    let Lock { address, lifetime, .. } = lock;
    Ok(TxRecord { address, lifetime, remaining, staged, cost: Cost::default() })
}

/// What is known of an open transaction.
pub(super) enum Found {
    Open(TxRecord),
    /// Its life is over, which nobody has written down yet.
    Over,
    None,
}

impl Found {
    pub(super) fn open(self) -> Option<TxRecord> {
        match self {
            Self::Open(record) => Some(record),
            Self::Over | Self::None => None,
        }
    }
}

pub(super) fn find(connection: &Connection, id: &TxId, env: &Env) -> Result<Found, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let Some(lock) = Lock::named(&snapshot, id)? else { return Ok(Found::None) };
    match lock.remaining(env.wall_clock()) {
        Some(remaining) => Ok(Found::Open(record(&snapshot, lock, remaining)?)),
        None => Ok(Found::Over),
    }
}

/// Ends a transaction whose life is over.
pub(super) fn bury(connection: &Connection, id: &TxId, env: &Env) -> Result<(), Failure> {
    let (lock, now) = (Lock::named(connection, id)?, env.wall_clock());
    match lock.filter(|lock| lock.remaining(now).is_none()) {
        Some(lock) => outcome::end(connection, &lock.address, None, now),
        None => Ok(()),
    }
}

pub(super) fn stage(
    connection: &Connection,
    address: &TxAddress,
    number: u64,
    piece: &[u8],
    env: &Env,
) -> Verdict<()> {
    if let Err(expired) = alive(connection, address, env)? {
        return Ok(Err(expired));
    }
    let next = pieces(connection, address)?;
    if number > next {
        let what = format!("piece {number} of transaction {}: the next is {next}", address.id);
        return Ok(Err(Error::invalid(what)));
    }
    if number < next {
        return Ok(Err(busy(address, "another handle went on with it")));
    }
    let sql = "INSERT INTO _ifmatch_staged (id, incarnation, number, piece)
               VALUES (?1, ?2, ?3, ?4)";
    let (id, incarnation) = (address.id.as_str(), integer(address.incarnation));
    connection.prepare_cached(sql)?.execute(params![id, incarnation, integer(number), piece])?;
    Ok(Ok(()))
}

pub(super) fn staged(
    connection: &Connection,
    address: &TxAddress,
    env: &Env,
) -> Result<Vec<Bytes>, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let lock = Lock::named(&snapshot, &address.id)?.filter(|lock| lock.address == *address);
    if lock.is_none_or(|lock| lock.remaining(env.wall_clock()).is_none()) {
        return Err(expired(address, "it is over").into());
    }
    let sql = "SELECT piece FROM _ifmatch_staged WHERE id = ?1 AND incarnation = ?2
               ORDER BY number";
    let mut statement = snapshot.prepare_cached(sql)?;
    let place = params![address.id.as_str(), integer(address.incarnation)];
    let found = statement.query_map(place, |row| row.get::<_, Vec<u8>>(0).map(Bytes::from))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn apply(
    connection: &Connection,
    address: &TxAddress,
    commit: &TxCommit,
    signature: &Signature,
) -> Verdict<u64> {
    let TxAddress { id, partition, incarnation } = address;
    match outcome::remembered(connection, id, Some(*incarnation))? {
        TxOutcome::Committed { position, nonce } if nonce == commit.nonce => {
            return Ok(Ok(position));
        }
        TxOutcome::Committed { .. } => {
            return Ok(Err(busy(address, "another handle has committed it")));
        }
        TxOutcome::Aborted => return Ok(Err(expired(address, "it was aborted"))),
        _ => {}
    }
    let lock = Lock::named(connection, id)?.filter(|lock| lock.address == *address);
    let Some(lock) = lock else { return Ok(Err(expired(address, "it is forgotten"))) };
    if lock.remaining(signature.now).is_none() {
        outcome::end(connection, address, None, signature.now)?;
        return Ok(Err(expired(address, "its life is over")));
    }
    if pieces(connection, address)? > commit.staged {
        return Ok(Err(busy(address, "another handle went on with it")));
    }
    let Some(rowids) = rows::still_there(connection, partition, &commit.effects)? else {
        outcome::end(connection, address, None, signature.now)?;
        return Ok(Err(expired(address, "what it rests on has changed")));
    };
    let mut counters = Counters::read(connection)?;
    counters.etags += commit.effects.len() as u64;
    let rowid = |id: &_| rowids.get(id).copied();
    let (effects, committed) = (&commit.effects, &mut counters);
    let position = rows::commit(connection, committed, partition, effects, signature, rowid)?;
    outcome::end(connection, address, Some((position, commit.nonce)), signature.now)?;
    Ok(Ok(position))
}

pub(super) fn abort(
    connection: &Connection,
    address: &TxAddress,
    env: &Env,
) -> Result<(), Failure> {
    if is_open(connection, address)? {
        return outcome::end(connection, address, None, env.wall_clock());
    }
    match outcome::remembered(connection, &address.id, Some(address.incarnation))? {
        TxOutcome::Aborted => Ok(()),
        TxOutcome::Committed { .. } => Err(expired(address, "it was committed").into()),
        _ => Err(expired(address, "it is forgotten").into()),
    }
}

/// What became of it; `None`: its life is over, which nobody has written down.
pub(super) fn outcome_of(
    connection: &Connection,
    id: &TxId,
    incarnation: Option<u64>,
    env: &Env,
) -> Result<Option<TxOutcome>, Failure> {
    let lock = Lock::named(connection, id)?;
    let meant = |lock: &Lock| incarnation.is_none_or(|asked| asked == lock.address.incarnation);
    match lock.filter(meant).map(|lock| lock.remaining(env.wall_clock())) {
        Some(Some(_)) => Ok(Some(TxOutcome::Open)),
        Some(None) => Ok(None),
        None => outcome::remembered(connection, id, incarnation).map(Some),
    }
}

/// Whether this incarnation holds its partition; ends it where its life is over.
fn alive(connection: &Connection, address: &TxAddress, env: &Env) -> Verdict<()> {
    let lock = Lock::named(connection, &address.id)?.filter(|lock| lock.address == *address);
    let Some(lock) = lock else { return Ok(Err(expired(address, "it is over"))) };
    let now = env.wall_clock();
    if lock.remaining(now).is_some() {
        return Ok(Ok(()));
    }
    outcome::end(connection, address, None, now)?;
    Ok(Err(expired(address, "its life is over")))
}

fn is_open(connection: &Connection, address: &TxAddress) -> Result<bool, Failure> {
    Ok(Lock::named(connection, &address.id)?.is_some_and(|lock| lock.address == *address))
}

/// How many pieces were staged.
fn pieces(connection: &Connection, address: &TxAddress) -> Result<u64, Failure> {
    let sql = "SELECT count(*) FROM _ifmatch_staged WHERE id = ?1 AND incarnation = ?2";
    let place = params![address.id.as_str(), integer(address.incarnation)];
    let count = connection.prepare_cached(sql)?.query_row(place, |row| row.get::<_, i64>(0));
    Ok(count?.cast_unsigned())
}

fn expired(address: &TxAddress, what: &str) -> Error {
    Error::Expired { id: address.id.clone(), what: what.into() }
}

fn busy(address: &TxAddress, what: &str) -> Error {
    Error::Busy { id: address.id.clone(), what: what.into() }
}
