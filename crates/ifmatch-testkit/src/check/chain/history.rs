//! What the check is given.

use std::fmt;

use super::super::Moment;

/// The true chain of commits, and what the clients asked and were told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History<O> {
    /// Every commit that exists, in any order.
    pub chain: Vec<Commit<O>>,
    /// Every call, in any order.
    pub calls: Vec<Call<O>>,
}

/// One commit of the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit<O> {
    /// Its number.
    pub number: u64,
    /// The number of the commit that it was made on. The first one's names the
    /// state before the history.
    pub parent: u64,
    /// The operations that it contains, by ordinal.
    pub operations: Vec<O>,
    /// When it came to exist, where that is known. Without it a commit is
    /// taken to exist from the moment on when all that is in it was asked for.
    pub at: Option<Moment>,
}

impl<O> Commit<O> {
    /// A commit of which it is not known when it came to exist.
    pub const fn new(number: u64, parent: u64, operations: Vec<O>) -> Self {
        Self { number, parent, operations, at: None }
    }
}

/// One call of one client.
///
/// A client is a session: what it was shown once it must never be shown older.
/// A process that starts anew from nothing is another client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call<O> {
    /// Who called.
    pub client: u64,
    /// When.
    pub invoked: Moment,
    /// When it was answered; `None` if it never was.
    pub returned: Option<Moment>,
    /// What was asked and told.
    pub answer: Answer<O>,
}

/// What was asked and told.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Answer<O> {
    /// An operation was to be committed. Several calls may name one operation,
    /// such as a later one that resolves an unknown outcome: each answer is
    /// checked, and the operation began with the first.
    Commit {
        /// Its id.
        operation: O,
        /// What became of it, as the client was told.
        told: Told,
    },
    /// A state was read. Reads that failed are left out.
    Read {
        /// The number of the commit whose state was returned.
        seq: u64,
        /// A digest of what was returned, see [`Replay::digest`](super::Replay::digest).
        digest: Option<u64>,
        /// Whether the client asked for no more than a state that it has not
        /// gone beyond itself.
        may_be_stale: bool,
    },
}

/// What a client was told about an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Told {
    /// It is committed, at this position.
    Committed {
        /// The number of the commit.
        seq: u64,
        /// Its place among that commit's operations, from 0.
        ordinal: u32,
    },
    /// It met a conflict and is not applied, nor ever will be.
    Rejected,
    /// It is not applied for another reason, nor ever will be.
    Never,
    /// Nothing is known: it may be applied at any time, or never.
    Unknown,
}

/// Where an operation is in the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The number of the commit.
    pub seq: u64,
    /// The place among that commit's operations, from 0.
    pub ordinal: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.ordinal)
    }
}
