//! Writes: evaluated and applied under one lock.

use std::sync::PoisonError;

use ifmatch_core::{Env, Timestamp};

use super::MemoryMetaStore;
use super::commit::Stamp;
use super::state::State;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::evaluate::{Batch, Evaluated, Present, evaluate};
use crate::key::{DocId, Partition};
use crate::mark::Mark;
use crate::ops::{Applied, Cost, Op, WriteOptions};

/// A partition as a batch asks for it.
struct View<'a> {
    state: &'a State,
    store: u128,
    partition: &'a Partition,
}

impl Present<Error> for View<'_> {
    fn document(&mut self, id: &DocId) -> Result<Option<Document>> {
        let partition = self.state.partitions.get(self.partition);
        let record = partition.and_then(|partition| partition.documents.get(id));
        Ok(record.map(|record| record.document.clone()))
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
    /// Applies operations that were checked against the limits.
    pub(super) fn apply(
        &self,
        partition: &Partition,
        ops: &[Op],
        write: &WriteOptions,
    ) -> Result<Vec<Applied>> {
        let (data, options) = (&self.0.data, &self.0.options);
        let etags = self.mint(ops.len());
        let stamp = self.stamp(options.env.wall_clock(), write);
        let batch = Batch {
            partition,
            ops,
            etags: &etags,
            now: stamp.time,
            author: stamp.author.clone(),
            return_documents: write.return_document,
            largest: options.limits.document,
        };
        let mut state = self.state()?;
        if ops.iter().any(Op::writes) {
            state.check_free(partition, &data.clock)?;
        }
        let mut view = View { state: &state, store: data.id, partition };
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

    fn mint(&self, count: usize) -> Vec<ETag> {
        let mut nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        (0..count).map(|_| nonces.mint(&self.0.options.env)).collect()
    }

    pub(super) fn stamp(&self, time: Timestamp, write: &WriteOptions) -> Stamp<'_> {
        let options = &self.0.options;
        let author = write.author.clone().or_else(|| options.author.clone());
        let clock: &Env = &self.0.data.clock;
        Stamp { time, author, clock, largest: options.partition_bytes }
    }
}
