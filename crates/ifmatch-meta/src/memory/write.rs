//! Writes: evaluated and applied under one lock.

use std::sync::{Arc, MutexGuard, PoisonError};

use ifmatch_core::{Env, Timestamp};

use super::MemoryMetaStore;
use super::commit::Stamp;
use super::nonces::Nonces;
use super::partition::{PartitionState, Record};
use super::state::State;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::evaluate::{Batch, Evaluated, Present, evaluate};
use crate::key::{DocId, Partition};
use crate::mark::Mark;
use crate::ops::{Applied, Cost, Op, WriteOptions};

/// A partition as a batch asks for it.
struct View<'a> {
    state: &'a State,
    there: Option<&'a PartitionState>,
    store: u128,
    partition: &'a Partition,
}

impl Present<Error> for View<'_> {
    type Document = Arc<Record>;

    fn document(&mut self, id: &DocId) -> Result<Option<Arc<Record>>> {
        Ok(self.there.and_then(|there| there.documents.get(id)).cloned())
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool> {
        let ours = format!("m1.{:032x}.", self.store);
        if !since.as_str().starts_with(&ours) {
            return Err(Error::invalid(format!("{since} is no mark of this store")));
        }
        Ok(*since == self.state.mark(self.store, self.partition))
    }
}

impl MemoryMetaStore {
    /// Applies one that was checked against the limits.
    pub(super) fn apply_one(
        &self,
        partition: &Partition,
        op: Op,
        write: &WriteOptions,
    ) -> Result<Option<Applied>> {
        let etags = [self.nonces().mint(&self.0.options.env)];
        Ok(self.apply(partition, &[op], &etags, write).map_err(Error::alone)?.pop())
    }

    /// Applies operations that were checked against the limits.
    pub(super) fn apply_all(
        &self,
        partition: &Partition,
        ops: &[Op],
        write: &WriteOptions,
    ) -> Result<Vec<Applied>> {
        let etags: Vec<_> = {
            let mut nonces = self.nonces();
            ops.iter().map(|_| nonces.mint(&self.0.options.env)).collect()
        };
        self.apply(partition, ops, &etags, write)
    }

    fn apply(
        &self,
        partition: &Partition,
        ops: &[Op],
        etags: &[ETag],
        write: &WriteOptions,
    ) -> Result<Vec<Applied>> {
        let (data, options) = (&self.0.data, &self.0.options);
        let stamp = self.stamp(options.env.wall_clock(), write);
        let batch = Batch {
            partition,
            ops,
            etags,
            now: stamp.time,
            author: stamp.author.clone(),
            return_documents: write.return_document,
            largest: options.limits.document,
        };
        let mut state = self.state()?;
        if ops.iter().any(Op::writes) {
            state.check_free(partition, &data.clock)?;
        }
        let there = state.partitions.get(partition);
        let mut view = View { state: &state, there, store: data.id, partition };
        let mut evaluated: Evaluated = evaluate(&batch, &mut view)?;
        let effects = std::mem::take(&mut evaluated.effects);
        if effects.is_empty() {
            return Ok(evaluated.answers(state.newest, Cost::default()));
        }
        let position = state.commit(partition, effects, &stamp)?;
        drop(state);
        data.changed.notify_waiters();
        Ok(evaluated.answers(position, Cost::default()))
    }

    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stamp(&self, time: Timestamp, write: &WriteOptions) -> Stamp<'_> {
        let options = &self.0.options;
        let author = write.author.clone().or_else(|| options.author.clone());
        let clock: &Env = &self.0.data.clock;
        Stamp { time, author, clock, largest: options.partition_bytes }
    }
}
