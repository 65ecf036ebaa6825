//! Writes: from the call to the transaction that the writer opened.

use ifmatch_meta::{
    Applied, Batch, Cost, DocId, ETag, Evaluated, Nonce, Op, Partition, Result, WriteOptions,
    evaluate,
};
use rusqlite::Connection;

use super::SqliteMetaStore;
use crate::sqlite::error::Failure;
use crate::sqlite::rows::{self, Committed, Counters, Rowids, Signature};
use crate::sqlite::transactions::refuse_locked;

/// What a write takes from its caller and the caller's environment, drawn in the
/// calling task.
pub(super) struct Stamp {
    signature: Signature,
    return_documents: bool,
    /// Largest body that a patch may make.
    largest: usize,
    nonces: Vec<Nonce>,
}

impl SqliteMetaStore {
    pub(super) fn stamp(&self, ops: &[Op], options: &WriteOptions) -> Stamp {
        let env = self.clock();
        let author = options.author.clone().or_else(|| self.options().author.clone());
        let nonces = Nonce::draw_many(&env, ops.len());
        let signature = Signature { now: env.wall_clock(), author, audit: self.options().audit };
        let largest = self.options().limits.document;
        Stamp { signature, return_documents: options.return_document, largest, nonces }
    }

    pub(super) async fn write(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: &WriteOptions,
    ) -> Result<Vec<Applied>> {
        let (partition, stamp) = (partition.clone(), self.stamp(&ops, options));
        let clock = self.clock();
        let work = move |connection: &_| {
            // Not by the time of the call: the write may have waited since.
            refuse_locked(connection, &partition, || clock.wall_clock())?;
            batch(connection, &partition, &ops, &stamp)
        };
        let applied = self.local().write(work).await?;
        self.notify();
        Ok(applied)
    }
}

fn batch(
    connection: &Connection,
    partition: &Partition,
    ops: &[Op],
    stamp: &Stamp,
) -> Result<Vec<Applied>, Failure> {
    let mut counters = Counters::read(connection)?;
    let (evaluated, rowids) = evaluated(connection, partition, ops, stamp, counters)?;
    if evaluated.effects.is_empty() {
        return Ok(evaluated.answers(counters.commits, Cost::default()));
    }
    counters.etags += ops.len() as u64;
    let rowid = |id: &DocId| rowids.get(id).copied();
    let (effects, signature) = (&evaluated.effects, &stamp.signature);
    let position = rows::commit(connection, &mut counters, partition, effects, signature, rowid)?;
    Ok(evaluated.answers(position, Cost::default()))
}

/// A batch that only checks is a read, of one moment.
pub(super) fn check(
    connection: &Connection,
    partition: &Partition,
    ops: &[Op],
    stamp: &Stamp,
) -> Result<Vec<Applied>, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let counters = Counters::read(&snapshot)?;
    let (evaluated, _) = evaluated(&snapshot, partition, ops, stamp, counters)?;
    Ok(evaluated.answers(counters.commits, Cost::default()))
}

fn evaluated(
    connection: &Connection,
    partition: &Partition,
    ops: &[Op],
    stamp: &Stamp,
    counters: Counters,
) -> Result<(Evaluated, Rowids), Failure> {
    // The nonce makes a tag unique; the counter is for reading only.
    let numbered = (counters.etags + 1..).zip(&stamp.nonces);
    let etags: Vec<_> = numbered.map(|(number, nonce)| ETag::new(number, *nonce)).collect();
    let batch = Batch {
        partition,
        ops,
        etags: &etags,
        now: stamp.signature.now,
        author: stamp.signature.author.clone(),
        return_documents: stamp.return_documents,
        largest: stamp.largest,
    };
    let mut committed = Committed::new(connection, partition, counters);
    let evaluated = evaluate(&batch, &mut committed)?;
    Ok((evaluated, committed.rowids))
}
