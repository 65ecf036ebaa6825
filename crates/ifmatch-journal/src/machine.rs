//! What a journal is for: a state machine that turns commands into entries and
//! entries into a state.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::marker::Kind;

/// Where an entry stands: the commit, and its place among that commit's entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// The number of the commit.
    pub seq: u64,
    /// The entry's number in the commit, from 0.
    pub ordinal: u32,
}

/// What a command comes to on a state.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Decision<Reply, Rejection> {
    /// It writes this entry.
    Write {
        /// What [`Machine::apply`] will read.
        entry: Bytes,
        /// What the caller hears once it is committed.
        reply: Reply,
    },
    /// It changes nothing, and this is the answer.
    Answer(Reply),
    /// It cannot be done on this state: a conflict.
    Reject(Rejection),
}

/// A deterministic state machine on a journal.
///
/// # Contract
/// 1. *Pure.* The same state, command and position give the same decision, and
///    the same state, entry and position the same state, in every process and
///    every version that reads the journal: no clock, no randomness, no order of
///    a hash map. What is random is drawn by the caller and lies in the command.
/// 2. *Cheap copies.* A state is cloned for every batch and every reader:
///    persistent maps, not deep ones.
/// 3. *Decided, then applied.* An entry that `decide` made for a state is
///    accepted by `apply` on that state.
/// 4. *Checkpoints are whole.* `restore` of the `parts` of a state is that state.
pub trait Machine: fmt::Debug + Send + Sync + 'static {
    /// What readers see.
    type State: Clone + fmt::Debug + Send + Sync + 'static;
    /// What callers ask for.
    type Command: Send + Sync + 'static;
    /// What they hear.
    type Reply: Send + Sync + 'static;
    /// What they hear of a conflict.
    type Rejection: Send + Sync + 'static;

    /// What the journal holds; nothing else is opened with this machine.
    fn kind(&self) -> Kind;

    /// The state before the first commit.
    fn empty(&self) -> Self::State;

    /// Validates a command against a state and encodes what it does.
    fn decide(
        &self,
        state: &Self::State,
        command: &Self::Command,
        position: Position,
    ) -> Decision<Self::Reply, Self::Rejection>;

    /// Applies an entry.
    ///
    /// # Errors
    /// [`Damage`] for bytes that `decide` never made; the state is then dropped.
    fn apply(
        &self,
        state: &mut Self::State,
        entry: &Bytes,
        position: Position,
    ) -> Result<(), Damage>;

    /// Small things that every head shows: locks, schema.
    fn application(&self, state: &Self::State) -> Bytes {
        let _ = state;
        Bytes::new()
    }

    /// The state as a checkpoint keeps it: parts of about a mebibyte, cut so
    /// that a small change leaves most parts as they were. What is equal to a
    /// part of the checkpoint before is not written again.
    /// [`Cut`](crate::Cut) cuts sorted records in that way.
    fn parts<'a>(&'a self, state: &'a Self::State) -> Box<dyn Iterator<Item = Bytes> + Send + 'a>;

    /// The state of a checkpoint.
    ///
    /// # Errors
    /// [`Damage`] for parts that `parts` never made.
    fn restore(&self, parts: &[Bytes]) -> Result<Self::State, Damage>;
}

/// Bytes that a machine cannot read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Damage(Arc<str>);

impl Damage {
    /// What does not fit.
    pub fn new(what: impl Into<Arc<str>>) -> Self {
        Self(what.into())
    }
}
