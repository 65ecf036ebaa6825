//! Validating commands.

use std::sync::Arc;

use ifmatch_journal::{Decision, Position};

use super::command::{Ask, Command, Refusal, Reply};
use super::entry::{Act, Entry, begun};
use super::lock::{Lock, LockId, Piece};
use super::state::State;
use crate::blob::marks;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::Nonce;
use crate::evaluate::{Batch, Effect, Present, evaluate};
use crate::key::{DocId, Partition};
use crate::mark::Mark;
use crate::ops::Op;
use crate::transaction::{TxCommit, TxId};

type Decided = Result<Decision<Reply, Refusal>, Refusal>;

pub(super) fn decide(
    partition: &Partition,
    state: &State,
    command: &Command,
    position: Position,
) -> Decision<Reply, Refusal> {
    let deciding = Deciding { partition, state, command, position };
    let decided = match &command.ask {
        Ask::Batch { .. } => deciding.batch(),
        Ask::Begin { id, address, .. } => deciding.begin(id, *address),
        Ask::Stage { tx, count, piece } => deciding.stage(tx, *count, *piece),
        Ask::Commit { tx, commit } => deciding.commit(tx, commit),
        Ask::Abort { tx } => deciding.abort(tx),
        Ask::Fence { id, address } => deciding.fence(id, *address),
    };
    decided.unwrap_or_else(Decision::Reject)
}

struct Deciding<'a> {
    partition: &'a Partition,
    state: &'a State,
    command: &'a Command,
    position: Position,
}

impl Present<Error> for &State {
    type Document = Document;

    fn document(&mut self, id: &DocId) -> Result<Option<Document>> {
        Ok(State::document(self, id).cloned())
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool> {
        marks::names(since, self.digest())
    }
}

impl Deciding<'_> {
    /// The lock that is in the way.
    fn lock(&self) -> Option<&Lock> {
        let lock = self.state.lock.as_ref()?;
        (self.command.over.as_ref() != Some(&lock.tx)).then_some(lock)
    }

    /// A command that writes does so with this entry.
    fn write(&self, act: Act, effects: Vec<Effect>, reply: Reply) -> Decision<Reply, Refusal> {
        let command = self.command;
        // The lock that is there is over: whoever comes next ends it.
        let over =
            self.state.lock.as_ref().is_some_and(|lock| command.over.as_ref() == Some(&lock.tx));
        let takes_over = !matches!(act, Act::Commit(_) | Act::Abort | Act::Stage(_)) && over;
        let entry = Entry {
            now: command.now,
            author: command.author.clone(),
            audited: command.audit,
            clock: command.clock.filter(|(seq, _)| *seq < self.position.seq),
            ends: takes_over,
            act,
            effects,
        };
        Decision::Write { entry: entry.encode(), reply }
    }

    fn batch(&self) -> Decided {
        let Ask::Batch { ops, etags, return_documents, largest } = &self.command.ask else {
            return Err(Error::invalid("no batch").into());
        };
        let batch = Batch {
            partition: self.partition,
            ops,
            etags,
            now: self.command.now,
            author: self.command.author.clone(),
            return_documents: *return_documents,
            largest: *largest,
        };
        if let Some(lock) = self.lock().filter(|_| ops.iter().any(Op::writes)) {
            return Err(Refusal::Locked(lock.clone()));
        }
        let evaluated = evaluate::<Error>(&batch, &mut &*self.state)?;
        if evaluated.effects.is_empty() {
            return Ok(Decision::Answer(Reply::Batch(evaluated)));
        }
        self.fits(&evaluated.effects)?;
        let effects = evaluated.effects.clone();
        Ok(self.write(Act::Write, effects, Reply::Batch(evaluated)))
    }

    /// The partition has room for what becomes of it.
    fn fits(&self, effects: &[Effect]) -> Result<()> {
        let now = self.state.bytes();
        let mut next = now;
        for effect in effects {
            let before = State::document(self.state, &effect.id).map_or(0, super::apply::size);
            let after = effect.after.as_ref().map_or(0, super::apply::size);
            next = next.saturating_sub(before).saturating_add(after);
        }
        if next <= self.command.limit || next <= now {
            return Ok(());
        }
        let cap = |size| usize::try_from(size).unwrap_or(usize::MAX);
        let subject = format!("partition {}", self.partition);
        Err(Error::too_large(subject, cap(next), cap(self.command.limit)))
    }

    fn begin(&self, id: &TxId, address: Nonce) -> Decided {
        let Ask::Begin { lifetime, date, .. } = self.command.ask else {
            return Err(Error::invalid("no begin").into());
        };
        if let Some(lock) = self.lock() {
            if lock.tx.id != *id {
                return Err(Refusal::Locked(lock.clone()));
            }
            return Ok(Decision::Answer(Reply::Begun { lock: lock.clone(), fresh: false }));
        }
        if self.state.is_fenced(id, address) {
            return Err(Refusal::Fenced);
        }
        let tx = LockId { id: id.clone(), incarnation: 0 };
        let lock = Lock { tx, lifetime, date, pieces: Vec::new() };
        let reply = Reply::Begun { lock: begun(lock.clone(), self.position.seq), fresh: true };
        Ok(self.write(Act::Begin(lock), Vec::new(), reply))
    }

    /// The lock of this incarnation.
    fn held(&self, tx: &LockId) -> Option<&Lock> {
        self.state.lock.as_ref().filter(|lock| lock.tx == *tx)
    }

    fn stage(&self, tx: &LockId, count: u64, piece: Piece) -> Decided {
        let Some(lock) = self.held(tx) else { return Err(self.state.expired(tx).into()) };
        let there = lock.pieces.len() as u64;
        let same = |last: &Piece| last.hash == piece.hash;
        if there == count + 1 && lock.pieces.last().is_some_and(same) {
            return Ok(Decision::Answer(Reply::Done)); // The answer was lost.
        }
        if there != count {
            return Err(busy(tx, "another handle has staged more").into());
        }
        lock.has_room()?;
        Ok(self.write(Act::Stage(piece), Vec::new(), Reply::Done))
    }

    fn commit(&self, tx: &LockId, commit: &Arc<TxCommit>) -> Decided {
        let Some(lock) = self.held(tx) else {
            return match self.state.end(tx) {
                Some(end) if end.committed == Some(commit.nonce) => {
                    Ok(Decision::Answer(Reply::Committed(end.seq)))
                }
                Some(end) if end.committed.is_some() => {
                    Err(busy(tx, "another handle has committed it").into())
                }
                _ => Err(self.state.expired(tx).into()),
            };
        };
        if lock.pieces.len() as u64 != commit.staged {
            return Err(busy(tx, "another handle has staged more").into());
        }
        for effect in &commit.effects {
            let there = State::document(self.state, &effect.id).map(|document| document.etag);
            if there != effect.before {
                let what = format!("{} is not what it was under the lock", effect.id);
                return Err(Error::Expired { id: tx.id.clone(), what: what.into() }.into());
            }
        }
        self.fits(&commit.effects)?;
        // What was written and deleted again leaves nothing.
        let changes = |effect: &&Effect| effect.before.is_some() || effect.after.is_some();
        let effects = commit.effects.iter().filter(changes).cloned().collect();
        let reply = Reply::Committed(self.position.seq);
        Ok(self.write(Act::Commit(commit.nonce), effects, reply))
    }

    fn abort(&self, tx: &LockId) -> Decided {
        if self.held(tx).is_some() {
            return Ok(self.write(Act::Abort, Vec::new(), Reply::Done));
        }
        match self.state.end(tx) {
            Some(end) if end.committed.is_none() => Ok(Decision::Answer(Reply::Done)),
            _ => Err(self.state.expired(tx).into()),
        }
    }

    fn fence(&self, id: &TxId, address: Nonce) -> Decided {
        if let Some(lock) = self.lock().filter(|lock| lock.tx.id == *id) {
            return Err(Refusal::Locked(lock.clone()));
        }
        if self.state.is_fenced(id, address) {
            return Ok(Decision::Answer(Reply::Done));
        }
        Ok(self.write(Act::Fence(id.clone(), address), Vec::new(), Reply::Done))
    }
}

impl State {
    /// What is to be said of a transaction that is not open.
    pub(crate) fn expired(&self, tx: &LockId) -> Error {
        let what = match self.end(tx) {
            Some(end) if end.committed.is_some() => "it was committed",
            Some(_) => "it was aborted, or its life is over",
            None => "nothing is known of it any more",
        };
        Error::Expired { id: tx.id.clone(), what: what.into() }
    }
}

fn busy(tx: &LockId, what: &str) -> Error {
    Error::Busy { id: tx.id.clone(), what: what.into() }
}
