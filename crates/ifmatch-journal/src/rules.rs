//! What a head tells: about a commit whose answer was lost, and about a state
//! that wants to go on from it. Pure functions; every reader and writer uses
//! these and nothing else to decide.

use crate::head::Head;
use crate::id::{CommitId, ForkId};

/// What a head tells about a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is part of the history.
    Committed,
    /// Another commit took its place: it never will be.
    Never,
    /// Its base is still the newest commit: not applied, but a request under
    /// way may still be.
    Open,
    /// The head no longer says; segments and history may.
    Beyond,
    /// This head is no witness: absent, older than the commit's base, of
    /// another journal or of another branch. Read again; if it stays so, the
    /// journal is gone, rewound or replaced.
    NoWitness,
}

/// What `head` tells about `commit`, which was sent to the branch `fork`.
///
/// A commit's place is its number: a body on a base of number n can only ever
/// become n + 1, so the record at that number decides, wherever the head stands
/// now. Nothing is counted and nothing is searched: a ring of another length,
/// and a head that is older than expected, cannot mislead.
///
/// Finding another token than one's own is no verdict, and neither is a
/// "precondition failed": networks deliver twice.
pub fn outcome_of(commit: CommitId, fork: ForkId, head: Option<&Head>) -> Outcome {
    let Some(head) = head else { return Outcome::NoWitness };
    if head.journal != commit.journal
        || head.fork != fork
        || head.seq.saturating_add(1) < commit.seq
    {
        return Outcome::NoWitness;
    }
    if head.seq.saturating_add(1) == commit.seq {
        return Outcome::Open;
    }
    match head.says(commit) {
        Some(true) => Outcome::Committed,
        Some(false) => Outcome::Never,
        None => Outcome::Beyond,
    }
}

/// How a head stands to a state that wants to go on from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Descent {
    /// It is the state's own commit.
    Same,
    /// It descends from the state's commit.
    Ahead,
    /// It may descend from it, but does not reach back so far: load the state
    /// anew, as a new reader.
    Beyond,
    /// It is older: a stale read, or the remote was rewound.
    Older,
    /// It has another commit at the state's number: another branch.
    Diverged,
    /// It is another journal's, or another fork of it.
    Replaced,
}

/// How `head` stands to a state at `mine` on the branch `fork`.
///
/// Only a head that is `Same` or `Ahead` may be adopted; `Beyond` only by
/// loading everything anew.
pub fn descent(mine: CommitId, fork: ForkId, head: &Head) -> Descent {
    if head.journal != mine.journal || head.fork != fork {
        return Descent::Replaced;
    }
    if head.seq < mine.seq {
        return Descent::Older;
    }
    match head.says(mine) {
        None => Descent::Beyond,
        Some(false) => Descent::Diverged,
        Some(true) if head.seq == mine.seq => Descent::Same,
        Some(true) => Descent::Ahead,
    }
}

#[cfg(test)]
mod tests;
