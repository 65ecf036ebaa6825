//! The ways in which an answer or the chain can be wrong.

use std::fmt;

use super::Position;

/// One broken promise. Calls are named by their index in the history.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named after what the variant's text says")]
pub enum Violation<O> {
    /// The operation was told committed and is not in the chain.
    Lost { call: usize, operation: O, told: Position },
    /// The operation was told rejected or never, and is in the chain.
    Phantom { call: usize, operation: O, found: Position },
    /// The operation is in the chain twice.
    Doubled { operation: O, first: Position, second: Position },
    /// The operation is elsewhere in the chain than it was told.
    Misplaced { call: usize, operation: O, told: Position, found: Position },
    /// The operation is at `found`, although commit `seen`, the same or a
    /// later one, had been shown to `earlier` before `call` was invoked.
    Reordered { call: usize, operation: O, found: Position, earlier: usize, seen: u64 },
    /// The chain is not dense: after commit `after` comes `number`, made on
    /// `parent`.
    Gap { after: u64, number: u64, parent: u64 },
    /// A read returned `seq`, although `seen` had been shown to `earlier`
    /// before the read began.
    StaleRead { call: usize, seq: u64, earlier: usize, seen: u64 },
    /// A client was shown `seq` after it had been shown `seen`.
    SessionBack { call: usize, client: u64, seq: u64, earlier: usize, seen: u64 },
    /// A read's digest is not that of the state at `seq`.
    WrongSnapshot { call: usize, seq: u64, read: u64, replayed: u64 },
    /// No state from `first` (the newest one shown to anybody before the
    /// operation began) to `last` (the newest that existed at the return)
    /// makes the rejection true.
    FalseConflict { call: usize, operation: O, first: u64, last: u64 },
    /// The operation had no right to its position: its precondition did not
    /// hold there.
    FalseCommit { operation: O, found: Position },
    /// A call was shown `seq`, which did not exist when it returned; `newest`
    /// did.
    Future { call: usize, seq: u64, newest: u64 },
    /// The operation's commit existed before anybody asked for it.
    Early { call: usize, operation: O, found: Position },
}

impl<O: fmt::Debug> fmt::Display for Violation<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { call, operation, told } => {
                write!(f, "lost: call {call} was told {operation:?} at {told}, not in the chain")
            }
            Self::Phantom { call, operation, found } => {
                write!(f, "phantom: call {call} was told no, {operation:?} is at {found}")
            }
            Self::Doubled { operation, first, second } => {
                write!(f, "doubled: {operation:?} is at {first} and at {second}")
            }
            Self::Misplaced { call, operation, told, found } => {
                write!(f, "misplaced: call {call} was told {operation:?} at {told}, is at {found}")
            }
            Self::Reordered { call, operation, found, earlier, seen } => write!(
                f,
                "reordered: call {call} put {operation:?} at {found}, after call {earlier} \
                 had been shown {seen}"
            ),
            Self::Gap { after, number, parent } => {
                write!(f, "gap: after {after} comes {number}, made on {parent}")
            }
            Self::StaleRead { call, seq, earlier, seen } => write!(
                f,
                "stale read: call {call} was shown {seq}, after call {earlier} had been shown {seen}"
            ),
            Self::SessionBack { call, client, seq, earlier, seen } => write!(
                f,
                "session back: call {call} of client {client} was shown {seq}, after its call \
                 {earlier} had been shown {seen}"
            ),
            Self::WrongSnapshot { call, seq, read, replayed } => write!(
                f,
                "wrong snapshot: call {call} read {read:#x} at {seq}, replayed {replayed:#x}"
            ),
            Self::FalseConflict { call, operation, first, last } => write!(
                f,
                "false conflict: call {call} was told that {operation:?} is rejected, no state of \
                 {first}..={last} does"
            ),
            Self::FalseCommit { operation, found } => {
                write!(f, "false commit: {operation:?} had no right to {found}")
            }
            Self::Future { call, seq, newest } => {
                write!(f, "future: call {call} was shown {seq}, when {newest} was the newest")
            }
            Self::Early { call, operation, found } => {
                write!(f, "early: {operation:?} was at {found} before call {call} asked for it")
            }
        }
    }
}
