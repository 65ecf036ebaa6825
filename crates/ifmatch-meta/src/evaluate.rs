//! What a batch does: one meaning for every backend.

use std::borrow::Borrow;
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
use crate::precondition::DocPrecondition;

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
    /// How it hands a document over: as one, or as something that holds one and
    /// costs less to hand over.
    type Document: Borrow<Document>;

    /// The document.
    ///
    /// # Errors
    /// What the backend says.
    fn document(&mut self, id: &DocId) -> Result<Option<Self::Document>, E>;

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
    let states = Vec::with_capacity(batch.ops.len());
    let mut run = Run { batch, states, by_id: BTreeMap::new(), changed: 0 };
    let mut answers = Vec::with_capacity(batch.ops.len());
    for (index, op) in batch.ops.iter().enumerate() {
        let answer = if let (Some(id), Some(precondition)) = (op.id(), op.precondition()) {
            let place = run.fetch(id, present)?;
            run.apply(index, op, place, precondition)
        } else if let Op::Unchanged { since } = op
            && !present.is_unchanged(since)?
        {
            Err(Error::PartitionChanged { partition: batch.partition.clone() })
        } else {
            Ok(Applied::Checked(None))
        };
        answers.push(answer.map_err(|error| error.at_operation(index))?);
    }
    Ok(Evaluated { effects: run.effects(), answers })
}

/// Up to so many operations look for a document by passing all of them.
const FEW: usize = 8;

/// A document before the batch, and as far as it has come.
struct State<'a, D> {
    id: &'a DocId,
    before: Option<ETag>,
    now: Now<D>,
    /// How many documents were written before it was first; `None`: it was not.
    rank: Option<usize>,
}

enum Now<D> {
    Absent,
    /// As it was found.
    Found(D),
    /// As an operation left it.
    Written(Document),
}

impl<D: Borrow<Document>> Now<D> {
    fn document(&self) -> Option<&Document> {
        match self {
            Self::Absent => None,
            Self::Found(document) => Some(document.borrow()),
            Self::Written(document) => Some(document),
        }
    }
}

struct Run<'a, D> {
    batch: &'a Batch<'a>,
    /// In the order in which they were first mentioned.
    states: Vec<State<'a, D>>,
    /// Their places; empty where there are few operations.
    by_id: BTreeMap<&'a DocId, usize>,
    changed: usize,
}

impl<'a, D: Borrow<Document>> Run<'a, D> {
    /// The place of a document's state.
    fn fetch<E, P>(&mut self, id: &'a DocId, present: &mut P) -> Result<usize, E>
    where
        P: Present<E, Document = D>,
    {
        let few = self.batch.ops.len() <= FEW;
        let known = if few {
            self.states.iter().position(|state| state.id == id)
        } else {
            self.by_id.get(id).copied()
        };
        if let Some(place) = known {
            return Ok(place);
        }
        let now = present.document(id)?.map_or(Now::Absent, Now::Found);
        let before = now.document().map(|document| document.etag);
        let place = self.states.len();
        self.states.push(State { id, before, now, rank: None });
        if !few {
            self.by_id.insert(id, place);
        }
        Ok(place)
    }

    fn apply(
        &mut self,
        index: usize,
        op: &Op,
        place: usize,
        precondition: &DocPrecondition,
    ) -> Result<Applied> {
        let state = &mut self.states[place];
        let key = DocKey { partition: self.batch.partition.clone(), id: state.id.clone() };
        let current = state.now.document();
        precondition.check(&key, current)?;
        match op {
            Op::Put { body, .. } => Ok(self.put(index, place, key, body.clone())),
            Op::Patch { patch, .. } => {
                let Some(current) = current else {
                    return Err(DocPrecondition::IfExists.conflict(&key, None));
                };
                let body = merge_patch(&current.body, patch, self.batch.largest)?;
                Ok(self.put(index, place, key, body))
            }
            Op::Delete { .. } => {
                let etag = current.map(|document| document.etag);
                if etag.is_some() {
                    state.now = Now::Absent;
                    self.change(place);
                }
                Ok(Applied::Deleted(Deleted { etag, position: 0, cost: Cost::default() }))
            }
            _ => Ok(Applied::Checked(current.map(|document| document.etag))),
        }
    }

    fn put(&mut self, index: usize, place: usize, key: DocKey, body: Json) -> Applied {
        let Batch { now, author, etags, return_documents, .. } = self.batch;
        let state = &mut self.states[place];
        let before = state.now.document();
        let (created, created_at) = (before.is_none(), before.map_or(*now, |b| b.created_at));
        let etag = etags[index];
        let document =
            Document { key, etag, body, created_at, updated_at: *now, updated_by: author.clone() };
        let answer = return_documents.then(|| Box::new(document.clone()));
        state.now = Now::Written(document);
        self.change(place);
        let cost = Cost::default();
        Applied::Written(Written { etag, created, position: 0, cost, document: answer })
    }

    fn change(&mut self, place: usize) {
        let rank = &mut self.states[place].rank;
        if rank.is_none() {
            *rank = Some(self.changed);
            self.changed += 1;
        }
    }

    fn effects(mut self) -> Vec<Effect> {
        self.states.sort_unstable_by_key(|state| state.rank);
        let mut effects = Vec::with_capacity(self.changed);
        for State { id, before, now, rank } in self.states {
            let after = match now {
                Now::Written(document) => Some(document),
                Now::Absent | Now::Found(_) => None,
            };
            if rank.is_some() && (before.is_some() || after.is_some()) {
                effects.push(Effect { id: id.clone(), before, after });
            }
        }
        effects
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
