//! What a batch does: one meaning for every backend.

use std::collections::BTreeMap;
use std::sync::Arc;

use ifmatch_core::Timestamp;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};
use crate::mark::Mark;
use crate::ops::{Applied, Cost, Deleted, Op, Written};
use crate::patch::merge_patch;

/// Operations, and what they take from the caller: everything that they come to
/// depends on these and on what is there, so that trying again on another state
/// is safe. For backends.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// Where.
    pub partition: &'a Partition,
    /// What, in order.
    pub ops: &'a [Op],
    /// A tag for each operation, minted where it was called.
    pub etags: &'a [ETag],
    /// When, by the caller's clock.
    pub now: Timestamp,
    /// Who.
    pub author: Option<Arc<str>>,
    /// Whether answers carry documents.
    pub return_documents: bool,
    /// Largest body that a patch may make, in bytes.
    pub largest: usize,
}

/// What is there, as a batch asks for it.
pub trait Present<E> {
    /// The document.
    ///
    /// # Errors
    /// What the backend says.
    fn document(&mut self, id: &DocId) -> Result<Option<Document>, E>;

    /// Whether the partition is still in this state.
    ///
    /// # Errors
    /// `Invalid` for a mark of another store, or what the backend says.
    fn is_unchanged(&mut self, since: &Mark) -> Result<bool, E>;
}

/// What becomes of one document in one commit.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// Which.
    pub id: DocId,
    /// Its tag before; `None`: it is created.
    pub before: Option<ETag>,
    /// What it is afterwards; `None`: it is deleted.
    pub after: Option<Document>,
}

/// What a batch comes to on what is there.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluated {
    /// The net effect, one for each document that changes, in the order in which
    /// they were first written. Empty: there is nothing to commit.
    pub effects: Vec<Effect>,
    answers: Vec<Applied>,
}

impl Evaluated {
    /// The answers, once the effects are committed at `position`; where there
    /// are none, that of the newest commit. The first carries the cost of all.
    pub fn answers(mut self, position: u64, cost: Cost) -> Vec<Applied> {
        for (index, answer) in self.answers.iter_mut().enumerate() {
            let own = if index == 0 { cost } else { Cost::default() };
            match answer {
                Applied::Written(written) => (written.position, written.cost) = (position, own),
                Applied::Deleted(deleted) => (deleted.position, deleted.cost) = (position, own),
                Applied::Checked(_) => {}
            }
        }
        self.answers
    }
}

/// Evaluates operations in order, each on what the ones before left: preconditions
/// by [`DocPrecondition::check`](crate::DocPrecondition::check), patches by
/// [`merge_patch`].
///
/// # Errors
/// Those of the first operation that fails, with its index
/// ([`InBatch`](crate::InBatch)); what the backend says as it is. Nothing is to
/// be applied.
pub fn evaluate<E: From<Error>>(
    batch: &Batch<'_>,
    present: &mut impl Present<E>,
) -> Result<Evaluated, E> {
    let mut run = Run { batch, states: BTreeMap::new(), order: Vec::new() };
    let mut answers = Vec::with_capacity(batch.ops.len());
    for (index, op) in batch.ops.iter().enumerate() {
        if let Some(id) = op.id() {
            run.fetch(id, present)?;
        } else if let Op::Unchanged { since } = op
            && !present.is_unchanged(since)?
        {
            let partition = batch.partition.clone();
            return Err(Error::PartitionChanged { partition }.at_operation(index).into());
        }
        answers.push(run.apply(index, op).map_err(|error| error.at_operation(index))?);
    }
    Ok(Evaluated { effects: run.effects(), answers })
}

/// A document before the batch, and as far as it has come.
struct State {
    before: Option<ETag>,
    now: Option<Document>,
    written: bool,
}

struct Run<'a> {
    batch: &'a Batch<'a>,
    states: BTreeMap<DocId, State>,
    order: Vec<DocId>,
}

impl Run<'_> {
    fn fetch<E>(&mut self, id: &DocId, present: &mut impl Present<E>) -> Result<(), E> {
        if !self.states.contains_key(id) {
            let now = present.document(id)?;
            let before = now.as_ref().map(|document| document.etag);
            self.states.insert(id.clone(), State { before, now, written: false });
        }
        Ok(())
    }

    fn apply(&mut self, index: usize, op: &Op) -> Result<Applied> {
        let (Some(id), Some(precondition)) = (op.id(), op.precondition()) else {
            return Ok(Applied::Checked(None));
        };
        let key = DocKey { partition: self.batch.partition.clone(), id: id.clone() };
        let Some(state) = self.states.get_mut(id) else { return Ok(Applied::Checked(None)) };
        precondition.check(&key, state.now.as_ref())?;
        match op {
            Op::Put { body, .. } => Ok(self.put(index, key, body.clone())),
            Op::Patch { patch, .. } => {
                let Some(current) = &state.now else {
                    let exists = crate::precondition::DocPrecondition::IfExists;
                    return Err(exists.conflict(&key, None));
                };
                let body = merge_patch(&current.body, patch, self.batch.largest)?;
                Ok(self.put(index, key, body))
            }
            Op::Delete { .. } => {
                let deleted = state.now.take();
                let etag = deleted.map(|document| document.etag);
                state.written |= etag.is_some();
                if etag.is_some() {
                    self.order.push(key.id);
                }
                Ok(Applied::Deleted(Deleted { etag, position: 0, cost: Cost::default() }))
            }
            _ => Ok(Applied::Checked(state.now.as_ref().map(|document| document.etag))),
        }
    }

    fn put(&mut self, index: usize, key: DocKey, body: Json) -> Applied {
        let Batch { now, author, etags, return_documents, .. } = self.batch;
        let before = self.states.get(&key.id).and_then(|state| state.now.as_ref());
        let (created, created_at) = (before.is_none(), before.map_or(*now, |b| b.created_at));
        let (etag, id) = (etags[index], key.id.clone());
        let document =
            Document { key, etag, body, created_at, updated_at: *now, updated_by: author.clone() };
        let answer = return_documents.then(|| Box::new(document.clone()));
        if let Some(state) = self.states.get_mut(&id) {
            (state.now, state.written) = (Some(document), true);
        }
        self.order.push(id);
        let cost = Cost::default();
        Applied::Written(Written { etag, created, position: 0, cost, document: answer })
    }

    fn effects(mut self) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(self.order.len());
        for id in self.order {
            // Later mentions of a document find its state taken.
            let Some(State { before, now, written }) = self.states.remove(&id) else { continue };
            if written && (before.is_some() || now.is_some()) {
                effects.push(Effect { id, before, after: now });
            }
        }
        effects
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
