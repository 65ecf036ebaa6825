//! What the states of a chain are, as its owner knows them.

use std::ops::RangeInclusive;

/// The states of a replayed chain. The state at `seq` is the one after commit
/// `seq`; the first commit's parent names the state before the history.
///
/// `()` knows nothing, and nothing is judged by it.
pub trait Replay<O> {
    /// The digest of the state at `seq`; `None` if it cannot be told.
    fn digest(&self, seq: u64) -> Option<u64>;

    /// Whether the state at `seq` would make a conflict of `operation`.
    fn rejects(&self, operation: &O, seq: u64) -> bool;

    /// The first state of `seqs` that would make a conflict of `operation`.
    ///
    /// Worth its own implementation where windows are long and most states
    /// admit what was rejected.
    fn first_rejection(&self, operation: &O, mut seqs: RangeInclusive<u64>) -> Option<u64> {
        seqs.find(|seq| self.rejects(operation, *seq))
    }

    /// Whether `operation` had a right to its place `ordinal` in commit `seq`:
    /// whether its precondition held on what was before it.
    fn admits(&self, operation: &O, seq: u64, ordinal: u32) -> bool {
        let _ = (operation, seq, ordinal);
        true
    }
}

impl<O> Replay<O> for () {
    fn digest(&self, _: u64) -> Option<u64> {
        None
    }

    fn rejects(&self, _: &O, _: u64) -> bool {
        true
    }
}
