//! Writes, inside the transaction that the writer opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use ifmatch_core::{Env, Timestamp};
use ifmatch_meta::{
    Applied, Batch, Cost, DocId, DocKey, Document, ETag, Effect, Mark, Nonce, Op, Partition,
    Present, evaluate,
};
use rusqlite::Connection;

use crate::sqlite::error::Failure;
use crate::sqlite::rows::{self, Counters};

/// What a write takes from its caller and the caller's environment, drawn in the
/// calling task.
pub(super) struct Stamp {
    pub(super) now: Timestamp,
    pub(super) author: Option<Arc<str>>,
    pub(super) return_documents: bool,
    /// Largest body that a patch may make.
    pub(super) largest: usize,
    nonces: Vec<Nonce>,
}

impl Stamp {
    pub(super) fn draw(env: &Env, writes: usize) -> Self {
        let nonces = (0..writes).map(|_| Nonce::draw(env)).collect();
        let now = env.wall_clock();
        Self { now, author: None, return_documents: false, largest: usize::MAX, nonces }
    }

    /// The tags of the operations; `counter` of them were minted before.
    fn etags(&self, counter: u64) -> Vec<ETag> {
        (counter + 1..).zip(&self.nonces).map(|(n, nonce)| ETag::new(n, *nonce)).collect()
    }
}

pub(super) fn batch(
    connection: &Connection,
    partition: &Partition,
    ops: &[Op],
    stamp: &Stamp,
) -> Result<Vec<Applied>, Failure> {
    let counters = Counters::read(connection)?;
    let etags = stamp.etags(counters.etags);
    let batch = Batch {
        partition,
        ops,
        etags: &etags,
        now: stamp.now,
        author: stamp.author.clone(),
        return_documents: stamp.return_documents,
        largest: stamp.largest,
    };
    let mut committed = Committed { connection, partition, counters, rowids: BTreeMap::new() };
    let evaluated = evaluate(&batch, &mut committed)?;
    if evaluated.effects.is_empty() {
        return Ok(evaluated.answers(counters.commits, Cost::default()));
    }
    let position = counters.commits + 1;
    for effect in &evaluated.effects {
        apply(connection, partition, position, effect, committed.rowids.get(&effect.id).copied())?;
    }
    let etags = counters.etags + etags.len() as u64;
    Counters { commits: position, etags }.write(connection)?;
    Ok(evaluated.answers(position, Cost::default()))
}

/// What is committed, as a batch asks for it.
struct Committed<'a> {
    connection: &'a Connection,
    partition: &'a Partition,
    counters: Counters,
    rowids: BTreeMap<DocId, i64>,
}

impl Present<Failure> for Committed<'_> {
    fn document(&mut self, id: &DocId) -> Result<Option<Document>, Failure> {
        let key = DocKey { partition: self.partition.clone(), id: id.clone() };
        let Some((rowid, document)) = rows::find(self.connection, &key)? else { return Ok(None) };
        self.rowids.insert(key.id, rowid);
        Ok(Some(document))
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool, Failure> {
        Ok(since.as_str() == self.counters.commits.to_string())
    }
}

fn apply(
    connection: &Connection,
    partition: &Partition,
    position: u64,
    effect: &Effect,
    rowid: Option<i64>,
) -> Result<(), Failure> {
    let _ = partition;
    match (rowid, &effect.after) {
        (Some(rowid), Some(document)) => rows::update(connection, rowid, document, position),
        (None, Some(document)) => rows::insert(connection, document, position),
        (Some(rowid), None) => rows::delete(connection, rowid),
        (None, None) => Ok(()),
    }
}
