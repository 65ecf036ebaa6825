//! Writes, inside the transaction that the writer opened.

use std::sync::Arc;

use ifmatch_core::{Env, Timestamp};
use ifmatch_meta::{
    Applied, Cost, Deleted, DocKey, DocPrecondition, ETag, Json, Nonce, Op, Partition, Written,
};
use rusqlite::Connection;

use crate::sqlite::error::Failure;
use crate::sqlite::rows::{self, Counters, State};

/// What a write takes from its caller's environment, drawn in the calling task
/// (the writer has no clock and no randomness).
pub(super) struct Stamp {
    now: Timestamp,
    author: Option<Arc<str>>,
    nonces: Vec<Nonce>,
}

impl Stamp {
    pub(super) fn draw(env: &Env, author: Option<Arc<str>>, writes: usize) -> Self {
        let nonces = (0..writes).map(|_| Nonce::draw(env)).collect();
        Self { now: env.wall_clock(), author, nonces }
    }
}

pub(super) fn put(
    connection: &Connection,
    key: &DocKey,
    body: &Json,
    pre: &DocPrecondition,
    stamp: &Stamp,
) -> Result<Written, Failure> {
    let mut commit = Commit::begin(connection)?;
    let written = commit.put(key, body, pre, stamp, 0)?;
    commit.end()?;
    Ok(written)
}

pub(super) fn delete(
    connection: &Connection,
    key: &DocKey,
    pre: &DocPrecondition,
) -> Result<Deleted, Failure> {
    let mut commit = Commit::begin(connection)?;
    let deleted = commit.delete(key, pre)?;
    commit.end()?;
    Ok(deleted)
}

pub(super) fn batch(
    connection: &Connection,
    partition: &Partition,
    ops: &[Op],
    stamp: &Stamp,
) -> Result<Vec<Applied>, Failure> {
    let mut commit = Commit::begin(connection)?;
    let mut applied = Vec::with_capacity(ops.len());
    for (index, op) in ops.iter().enumerate() {
        let key = DocKey { partition: partition.clone(), id: op.id().clone() };
        let done = match op {
            Op::Put { body, precondition, .. } => {
                commit.put(&key, body, precondition, stamp, index).map(Applied::Written)
            }
            Op::Delete { precondition, .. } => {
                commit.delete(&key, precondition).map(Applied::Deleted)
            }
            _ => Err(ifmatch_meta::Error::unsupported("this operation on SQLite").into()),
        };
        applied.push(done.map_err(|failure| match failure {
            Failure::Error(error) => Failure::Error(error.at_operation(index)),
            failure => failure,
        })?);
    }
    commit.end()?;
    Ok(applied)
}

/// One commit of the store, which has one position.
struct Commit<'a> {
    connection: &'a Connection,
    before: Counters,
    after: Counters,
}

impl<'a> Commit<'a> {
    fn begin(connection: &'a Connection) -> Result<Self, Failure> {
        let before = Counters::read(connection)?;
        Ok(Self { connection, before, after: before })
    }

    /// Keeps the counts. A commit that changed nothing has no position.
    fn end(self) -> Result<(), Failure> {
        if self.after == self.before { Ok(()) } else { self.after.write(self.connection) }
    }

    fn put(
        &mut self,
        key: &DocKey,
        body: &Json,
        pre: &DocPrecondition,
        stamp: &Stamp,
        index: usize,
    ) -> Result<Written, Failure> {
        let current = rows::find(self.connection, key)?;
        pre.check(key, current.as_ref().map(|(_, document)| document))?;
        let position = self.before.commits + 1;
        self.after = Counters { commits: position, etags: self.after.etags + 1 };
        let etag = ETag::new(self.after.etags, stamp.nonces[index]);
        let author = stamp.author.as_deref();
        let state = State { etag, position, now: stamp.now, author, body };
        match &current {
            Some((rowid, _)) => rows::update(self.connection, *rowid, &state)?,
            None => rows::insert(self.connection, key, &state)?,
        }
        Ok(Written { etag, created: current.is_none(), position, cost: Cost::default() })
    }

    fn delete(&mut self, key: &DocKey, pre: &DocPrecondition) -> Result<Deleted, Failure> {
        let current = rows::find(self.connection, key)?;
        pre.check(key, current.as_ref().map(|(_, document)| document))?;
        if let Some((rowid, _)) = &current {
            self.after.commits = self.before.commits + 1;
            rows::delete(self.connection, *rowid)?;
        }
        let etag = current.map(|(_, document)| document.etag);
        Ok(Deleted { etag, position: self.after.commits, cost: Cost::default() })
    }
}
